import { mount } from "svelte";
import "./app.css";
import "./lib/theme.svelte.ts";
import App from "./App.svelte";
import { follow } from "./lib/place.svelte.ts";

follow();
mount(App, { target: document.body });
