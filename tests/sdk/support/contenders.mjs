import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/**
 * The SDKs that are compared: each is a page that has `window.send(names)`, which makes a track call for each name and
 * waits for none, and `window.isReady`.
 */
const require = createRequire(import.meta.url);
const page = (script) => `<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,"><body>${script}`;

/** By the script of the server, as the snippet has it. */
const served = (options) => (host, key) =>
  page(`<script>
window.analytics = [];
analytics._writeKey = ${JSON.stringify(key)};
analytics._loadOptions = ${JSON.stringify(options)};
window.send = (names) => names.forEach((name) => { analytics.track(name); });
</script><script src="${host}/analytics.js/v1/${key}/analytics.min.js"></script>
<script>const wait = setInterval(() => { if (window.analytics.initialized) { window.isReady = true; clearInterval(wait); } }, 10);</script>`);

/** RudderStack's asks a control plane for its configuration; here it is given one without destinations. */
const rudder = (host, key) => {
  const config = {
    source: {
      id: "source", name: "page", writeKey: key, enabled: true, workspaceId: "w", updatedAt: "2026-01-01T00:00:00Z", destinations: [],
      config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } }, connections: [], dataplanes: {},
      sourceDefinition: { name: "Javascript" },
    },
  };
  return page(`<script src="/rudder.js"></script><script>
const analytics = new rudderanalytics.RudderAnalytics();
analytics.load(${JSON.stringify(key)}, ${JSON.stringify(host)}, { getSourceConfig: () => (${JSON.stringify(config)}) });
analytics.ready(() => { window.isReady = true; });
window.send = (names) => names.forEach((name) => analytics.track(name));
</script>`);
};

const batching = { integrations: { "Segment.io": { deliveryStrategy: { strategy: "batching" } } } };

export const contenders = {
  selfsame: { name: "Selfsame", sdk: "selfsame", page: served({}) },
  segment: { name: "Segment", sdk: "official", page: served({}) },
  batching: { name: "Segment, batching", sdk: "official", page: served(batching) },
  rudder: { name: "RudderStack", sdk: "official", page: rudder },
};

/** RudderStack's SDK with its plugins in it, as a script with the global `rudderanalytics`. */
export const rudderScript = async () => {
  const path = require.resolve("@rudderstack/analytics-js/bundled");
  return readFile(path.replace(/npm\/.*$/, "npm/modern/bundled/umd/index.js"), "utf8");
};
