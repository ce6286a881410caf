/** The shop with Segment's SDK. Who was somebody in the other one stays so: both keep identities in the same places. */
import { AnalyticsBrowser } from "@segment/analytics-next";
import { start } from "./start.ts";
import type { Sdk } from "./tracker.ts";

const root = document.getElementById("app");
if (root) {
  void start(root, {
    async load(writeKey) {
      const protocol = location.protocol === "http:" ? "http" : "https";
      const [analytics] = await AnalyticsBrowser.load(
        { writeKey, cdnURL: location.origin },
        { integrations: { "Segment.io": { apiHost: `${location.host}/v1`, protocol } } },
      );
      return analytics as Sdk;
    },
    sdk: "This page uses Segment’s browser SDK.",
    other: { href: "/demo/shop", text: "The same shop with Selfsame’s" },
  });
}
