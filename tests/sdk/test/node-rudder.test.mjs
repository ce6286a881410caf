import { createRequire } from "node:module";
import { test } from "node:test";
import { order, somebody } from "../support/calls.mjs";
import { expectProfile } from "../support/profiles.mjs";
import { target } from "../support/target.mjs";

const RudderAnalytics = createRequire(import.meta.url)("@rudderstack/rudder-sdk-node");

for (const gzip of [true, false]) {
  test(`@rudderstack/rudder-sdk-node: every call ends on one profile, gzip ${gzip}`, async () => {
    const rudder = new RudderAnalytics(target.writeKey, { dataPlaneUrl: target.url, gzip, retryCount: 0, logLevel: "error" });
    const who = somebody(gzip ? "rudder" : "rudder-plain");
    const { userId, anonymousId, groupId, email } = who;

    // Each call reports that its event was answered; a failure rejects.
    const sent = (call, name, message) =>
      new Promise((resolve, reject) => {
        rudder[call]({ ...message, messageId: who.message(name) }, (error) => (error ? reject(error) : resolve()));
      });
    const all = [
      sent("page", "page", { anonymousId, name: "Start", properties: { url: "https://shop.example/" } }),
      sent("track", "search", { anonymousId, event: "Products Searched", properties: { query: "mug" } }),
      sent("screen", "screen", { anonymousId, name: "Home" }),
      sent("identify", "identify", { userId, anonymousId, traits: { email, name: "Rudder", logins: 3 } }),
      sent("group", "group", { userId, groupId, traits: { name: "Company" } }),
      sent("alias", "alias", { userId, previousId: anonymousId }),
      sent("track", "order", { userId, event: "Order Completed", properties: order }),
    ];
    // The first call is flushed at once and alone; what came meanwhile needs another flush.
    await rudder.flush();
    await Promise.all(all);

    await expectProfile(`user_id:${userId}`, {
      messageIds: who.messageIds,
      traits: { email, name: "Rudder", logins: 3 },
      ids: [`user_id:${userId}`, `anonymous_id:${anonymousId}`, `email:${email}`],
      groups: [groupId],
    });
  });
}
