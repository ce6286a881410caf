// Every screen, by the pattern of its address. A screen is fetched when somebody goes there.
import type { Component } from "svelte";
import type { IconName } from "./ui/icons.ts";

/** A screen gets what its address says. */
export type Screen = Component<Record<string, string>>;

const screen = (load: () => Promise<{ default: unknown }>) => async () => (await load()).default as Screen;

export const SCREENS: Record<string, () => Promise<Screen>> = {
  "/s/:space": screen(() => import("./screens/Home.svelte")),
  "/s/:space/start": screen(() => import("./screens/Start.svelte")),
  "/s/:space/profiles": screen(() => import("./screens/Profiles.svelte")),
  "/s/:space/profiles/:collection/:id": screen(() => import("./screens/Profile.svelte")),
  "/s/:space/events": screen(() => import("./screens/Events.svelte")),
  "/s/:space/events/:position": screen(() => import("./screens/Event.svelte")),
  "/s/:space/sources": screen(() => import("./screens/Sources.svelte")),
  "/s/:space/sources/:source": screen(() => import("./screens/Source.svelte")),
  "/s/:space/audiences": screen(() => import("./screens/Audiences.svelte")),
  "/s/:space/audiences/:definition": screen(() => import("./screens/Audience.svelte")),
  "/s/:space/define": screen(() => import("./screens/Define.svelte")),
  "/s/:space/functions": screen(() => import("./screens/Functions.svelte")),
  "/s/:space/functions/:id": screen(() => import("./screens/Function.svelte")),
  "/s/:space/identity": screen(() => import("./screens/Identity.svelte")),
  "/s/:space/settings": screen(() => import("./screens/Settings.svelte")),
  "/s/:space/destinations": screen(() => import("./screens/Destinations.svelte")),
  "/s/:space/destinations/:destination": screen(() => import("./screens/Destination.svelte")),
  "/s/:space/catalogue": screen(() => import("./screens/Catalogue.svelte")),
  "/s/:space/catalogue/:kind": screen(() => import("./screens/SetUp.svelte")),
};

/** What the side of the console leads to. */
export const PLACES: readonly { name: string; icon: IconName; path: string; also: readonly string[] }[] = [
  { name: "Home", icon: "home", path: "", also: [] },
  { name: "Profiles", icon: "profiles", path: "profiles", also: [] },
  { name: "Audiences and traits", icon: "audiences", path: "audiences", also: ["define"] },
  { name: "Live events", icon: "events", path: "events", also: [] },
  { name: "Sources", icon: "sources", path: "sources", also: ["start"] },
  { name: "Destinations", icon: "destinations", path: "destinations", also: ["catalogue"] },
  { name: "Identity", icon: "identity", path: "identity", also: [] },
  { name: "Functions", icon: "functions", path: "functions", also: [] },
  { name: "Settings", icon: "settings", path: "settings", also: [] },
];
