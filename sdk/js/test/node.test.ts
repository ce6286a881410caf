import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createNodeAnalytics } from "../src/node.js";
import { restore, server } from "./world.js";

afterEach(restore);

const settings = { writeKey: "k", host: "https://cdp.example/" };

test("every call names its person, and nothing is remembered", async () => {
  const posted = server();
  const analytics = createNodeAnalytics(settings);
  analytics.identify({ userId: "ada", traits: { plan: "pro" } });
  analytics.track({ anonymousId: "device", event: "Clicked", timestamp: new Date(0) });
  assert.throws(() => analytics.track({ event: "Nobody" } as never), /userId or anonymousId/);
  await analytics.flush();
  const [identify, track] = posted[0]!.events;
  assert.equal(posted[0]!.url, "https://cdp.example/v1/batch");
  assert.deepEqual([identify!["userId"], identify!["traits"]], ["ada", { plan: "pro" }]);
  assert.deepEqual([track!["userId"], track!["anonymousId"], track!["timestamp"]], [undefined, "device", "1970-01-01T00:00:00.000Z"]);
});

test("it ends when everything was taken, or says how much was not", async () => {
  let tries = 0;
  server(() => (tries++ ? { status: 200 } : { status: 503 }));
  const analytics = createNodeAnalytics(settings);
  analytics.track({ userId: "ada", event: "A" });
  assert.equal(await analytics.closeAndFlush(), 0);
  analytics.track({ userId: "ada", event: "Late" });

  restore();
  server(() => "offline");
  const other = createNodeAnalytics(settings);
  other.track({ userId: "ada", event: "A" });
  assert.equal(await other.closeAndFlush({ timeout: 300 }), 1);
});
