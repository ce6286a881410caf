/** Cookiebot: `preferences`, `statistics` and `marketing` are the categories. */
import type { Install } from "../types.js";
import { type ConsentOptions, decide } from "./consent.js";

interface Cookiebot {
  Cookiebot?: { hasResponse: boolean; consent: Record<string, unknown> };
}

export default function cookiebot(options: ConsentOptions | true = {}): Install {
  const required = (options !== true && options.required) || ["statistics"];
  return (analytics) => {
    const read = (): void => {
      const { Cookiebot } = window as unknown as Cookiebot;
      if (!Cookiebot?.hasResponse) return;
      const categories = ["preferences", "statistics", "marketing"].map((name) => [name, Cookiebot.consent[name] === true]);
      decide(analytics, Object.fromEntries(categories) as Record<string, boolean>, required);
    };
    for (const name of ["CookiebotOnConsentReady", "CookiebotOnAccept", "CookiebotOnDecline"]) addEventListener(name, read);
    read();
  };
}
