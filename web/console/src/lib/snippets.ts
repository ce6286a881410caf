// What somebody pastes to send a first event, for each platform. Pure.

export interface Snippet {
  id: string;
  name: string;
  where: string;
  code: string;
}

const text = (value: string) => JSON.stringify(value).replaceAll("</", "<\\/");

/** `origin` is that of this server, `key` the write key of the source. */
export function snippets(origin: string, key: string): Snippet[] {
  return [
    {
      id: "browser",
      name: "Browser",
      where: "In the <head> of every page. It sends a page event at once.",
      code: `<script>
  !function (w, d) {
    var a = w.analytics = w.analytics || [];
    if (a.initialize || a.invoked) return;
    a.invoked = true;
    a._writeKey = ${text(key)};
    a._cdn = ${text(origin)};
    ["identify", "track", "page", "screen", "group", "alias", "reset",
     "ready", "on", "once", "off", "setAnonymousId"].forEach(function (method) {
      a[method] = function () {
        a.push([method].concat([].slice.call(arguments)));
        return a;
      };
    });
    var s = d.createElement("script");
    s.async = true;
    s.src = ${text(`${origin}/analytics.js/v1/${encodeURIComponent(key)}/analytics.min.js`)};
    d.head.appendChild(s);
    a.page();
  }(window, document);
</script>`,
    },
    {
      id: "node",
      name: "Node",
      where: "npm install @segment/analytics-node",
      code: `import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({
  writeKey: ${text(key)},
  host: ${text(origin)},
});

analytics.track({
  userId: "user-1",
  event: "Signed Up",
  properties: { plan: "free" },
});
await analytics.closeAndFlush();`,
    },
    {
      id: "python",
      name: "Python",
      where: "pip install segment-analytics-python",
      code: `import segment.analytics as analytics

analytics.write_key = ${text(key)}
analytics.host = ${text(origin)}

analytics.track("user-1", "Signed Up", {"plan": "free"})
analytics.flush()`,
    },
    {
      id: "curl",
      name: "curl",
      where: "In any shell.",
      code: `curl ${origin}/v1/track \\
  -u '${key}:' \\
  -H 'content-type: application/json' \\
  -d '{"userId": "user-1", "event": "Signed Up", "properties": {"plan": "free"}}'`,
    },
    {
      id: "ios",
      name: "iOS",
      where: "Swift package: github.com/segmentio/analytics-swift",
      code: `import Segment

let host = ${text(`${origin.replace(/^https?:\/\//, "")}/v1`)}
let analytics = Analytics(configuration: Configuration(writeKey: ${text(key)})
  .apiHost(host)
  .cdnHost(host))

analytics.track(name: "Signed Up", properties: ["plan": "free"])`,
    },
    {
      id: "android",
      name: "Android",
      where: "Gradle: com.segment.analytics.kotlin:android",
      code: `val host = ${text(`${origin.replace(/^https?:\/\//, "")}/v1`)}
val analytics = Analytics(${text(key)}, applicationContext) {
  apiHost = host
  cdnHost = host
}

analytics.track("Signed Up", buildJsonObject { put("plan", "free") })`,
    },
  ];
}
