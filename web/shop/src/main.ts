/** The shop with our SDK. */
import { load } from "@selfsame/analytics";
import { start } from "./start.ts";

const root = document.getElementById("app");
if (root) {
  void start(root, {
    load: async (writeKey) => load({ writeKey, host: location.origin }),
    sdk: "This page uses Selfsame’s browser SDK.",
    other: { href: "/demo/shop/official", text: "The same shop with Segment’s" },
  });
}
