import assert from "node:assert/strict";
import { test } from "node:test";
import { Analytics } from "@segment/analytics-node";
import { order, somebody } from "../support/calls.mjs";
import { expectProfile } from "../support/profiles.mjs";
import { target } from "../support/target.mjs";

function client(settings) {
  const analytics = new Analytics({ writeKey: target.writeKey, host: target.url, maxRetries: 1, ...settings });
  const failures = [];
  analytics.on("error", (error) => failures.push(error));
  return { analytics, failures };
}

test("@segment/analytics-node: every call ends on one profile", async () => {
  const earlier = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
  const { analytics, failures } = client({});
  const who = somebody("node");
  const { userId, anonymousId, groupId, email } = who;

  analytics.page({ anonymousId, category: "Docs", name: "Start", properties: { title: "Start" }, messageId: who.message("page") });
  analytics.track({ anonymousId, event: "Products Searched", properties: { query: "mug" }, messageId: who.message("search") });
  analytics.screen({ anonymousId, name: "Home", messageId: who.message("screen") });
  analytics.identify({ userId, anonymousId, traits: { email, name: "Node", logins: 3, address: { city: "Bath" } }, messageId: who.message("identify") });
  analytics.group({ userId, groupId, traits: { name: "Company", plan: "trade" }, messageId: who.message("group") });
  analytics.alias({ userId, previousId: anonymousId, messageId: who.message("alias") });
  analytics.track({
    userId,
    event: "Order Completed",
    properties: order,
    context: { ip: "203.0.113.7", locale: "en-GB" },
    timestamp: earlier,
    integrations: { All: true },
    messageId: who.message("order"),
  });
  await analytics.closeAndFlush();
  assert.deepEqual(failures, []);

  const events = await expectProfile(`user_id:${userId}`, {
    messageIds: who.messageIds,
    traits: { email, name: "Node", logins: 3, address: { city: "Bath" } },
    ids: [`user_id:${userId}`, `anonymous_id:${anonymousId}`, `email:${email}`],
    groups: [groupId],
  });
  const bought = events.find((event) => event.event === "Order Completed");
  assert.deepEqual(bought.properties, order);
  assert.equal(bought.context.locale, "en-GB");
  // Both clocks are the same one, so correcting by sentAt moves the time by the way's length only.
  assert.ok(Math.abs(Date.parse(bought.timestamp) - earlier.getTime()) < 5000, bought.timestamp);
});

test("@segment/analytics-node: an event sent twice counts once, batches of one work", async () => {
  const { analytics, failures } = client({ flushAt: 1 });
  const who = somebody("twice");
  const { userId } = who;
  const messageId = who.message("same");
  for (let round = 0; round < 3; round++) analytics.track({ userId, event: "Clicked", messageId });
  analytics.track({ userId, event: "Clicked", messageId: who.message("other") });
  await analytics.closeAndFlush();
  assert.deepEqual(failures, []);
  await expectProfile(`user_id:${userId}`, { messageIds: who.messageIds, ids: [`user_id:${userId}`] });
});

test("@segment/analytics-node: hundreds of events in full batches all arrive", async () => {
  const { analytics, failures } = client({ flushAt: 50 });
  const everybody = Array.from({ length: 8 }, (_, index) => somebody(`many${index}`));
  for (let round = 0; round < 50; round++) {
    for (const who of everybody) analytics.track({ userId: who.userId, event: "Tick", properties: { round }, messageId: who.message(round) });
  }
  await analytics.closeAndFlush();
  assert.deepEqual(failures, []);
  for (const who of everybody) {
    await expectProfile(`user_id:${who.userId}`, { messageIds: who.messageIds, ids: [`user_id:${who.userId}`] });
  }
});
