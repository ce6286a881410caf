import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };
const SERVER = process.env["SELFSAME"] ?? "http://127.0.0.1:8080";

/** Nothing is inlined and no polyfill is added: the page's content security policy allows files of its own only. */
export default defineConfig({
  base: "/console/",
  plugins: [svelte()],
  // `npm run dev` beside a running server: what is not of the console is asked of that.
  server: {
    proxy: Object.fromEntries(
      ["/api", "/v1", "/analytics.js"].map((path) => [path, { target: SERVER, changeOrigin: true, headers: { origin: SERVER } }]),
    ),
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: "manifest.json",
  },
});
