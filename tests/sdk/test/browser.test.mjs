import assert from "node:assert/strict";
import { test } from "node:test";
import { withBrowser, origins, watch } from "../support/browser.mjs";
import { order, somebody } from "../support/calls.mjs";
import { customerPage } from "../support/page.mjs";
import { expectProfile } from "../support/profiles.mjs";
import { scriptOf, sourceWith } from "../support/sources.mjs";
import { target } from "../support/target.mjs";

const writeKey = await sourceWith("official");
const scriptUrl = scriptOf(writeKey);
const home = new URL(target.url).origin;

/** Opens a customer's page in a fresh browser profile and hands it to `use`. */
async function onPage(options, use) {
  const site = await customerPage({ scriptUrl, writeKey, options });
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      const seen = watch(page);
      await page.goto(`${site.origin}/start?utm_source=letter&utm_campaign=spring`);
      await page.waitForFunction(() => window.analytics.initialized === true);
      await use({ page, seen, site });
    });
  } finally {
    await site.close();
  }
}

/** What was posted to the server, newest last; `b` holds many events, the others one. */
function posted(seen) {
  return seen.requests
    .filter((request) => request.method() === "POST" && request.url().startsWith(`${home}/v1/`))
    .map((request) => ({ path: new URL(request.url()).pathname, body: request.postDataJSON() }));
}

for (const [strategy, path] of [["standard", /^\/v1\/[tipgas]$/], ["batching", /^\/v1\/b$/]]) {
  test(`@segment/analytics-next by the snippet, ${strategy}: every call ends on one profile`, async () => {
    const who = somebody(`web-${strategy}`);
    const { userId, groupId, email } = who;
    const deliveryStrategy = { strategy, config: { size: 3, timeout: 500 } };
    const options = strategy === "batching" ? { integrations: { "Segment.io": { deliveryStrategy } } } : {};

    await onPage(options, async ({ page, seen, site }) => {
      // Each call is awaited: the SDK gives an event on its way the ids of the moment it is sent.
      const anonymousId = await page.evaluate(
        async ({ userId, groupId, email, order }) => {
          const analytics = window.analytics;
          const anonymousId = analytics.user().anonymousId();
          await analytics.track("Products Searched", { query: "mug" });
          await analytics.screen("Home", { from: "test" });
          await analytics.identify(userId, { email, name: "Web", logins: 3 });
          await analytics.group(groupId, { name: "Company", plan: "trade" });
          await analytics.alias(userId, anonymousId);
          await analytics.track("Order Completed", order);
          return anonymousId;
        },
        { userId, groupId, email, order },
      );
      await page.waitForLoadState("networkidle");

      const requests = posted(seen);
      const events = requests.flatMap(({ body }) => body.batch ?? [body]);
      assert.deepEqual(events.map(({ type }) => type), ["page", "track", "screen", "identify", "group", "alias", "track"]);
      for (const request of requests) assert.match(request.path, path);

      const found = await expectProfile(`user_id:${userId}`, {
        messageIds: events.map(({ messageId }) => messageId),
        traits: { email, name: "Web", logins: 3 },
        ids: [`user_id:${userId}`, `anonymous_id:${anonymousId}`, `email:${email}`],
        groups: [groupId],
      });
      const first = found.find((event) => event.event === "Page Viewed");
      assert.equal(first.context.campaign.source, "letter");
      assert.equal(first.context.page.path, "/start");

      assert.deepEqual(origins(seen).filter((origin) => origin !== home && origin !== site.origin), []);
      assert.deepEqual(seen.failures, []);
      assert.deepEqual(seen.errors, []);
    });
  });
}

test("@segment/analytics-next by the snippet: lazy chunks come from the server", async () => {
  await onPage({ plan: { track: { Blocked: { enabled: false } } } }, async ({ page, seen }) => {
    await page.evaluate(() => window.analytics.track("Blocked"));
    await page.waitForLoadState("networkidle");
    const chunks = seen.requests.map((request) => request.url()).filter((url) => url.includes("/bundles/"));
    assert.ok(chunks.some((url) => url.startsWith(`${home}/analytics-next/bundles/schemaFilter.bundle.`)), chunks.join());
    assert.deepEqual(seen.failures, []);
    assert.deepEqual(seen.errors, []);
  });
});

test("@segment/analytics-next by the snippet: beside another SDK each keeps to its own", async () => {
  const before = 'window.analytics = { _cdn: "https://cdn.elsewhere.example", theirs: true };';
  const site = await customerPage({ scriptUrl, writeKey, name: "ours", before });
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      const seen = watch(page);
      await page.goto(site.origin);
      await page.waitForFunction(() => window.ours.initialized === true);
      await page.evaluate(() => window.ours.track("Clicked"));
      assert.deepEqual(await page.evaluate(() => window.analytics), { _cdn: "https://cdn.elsewhere.example", theirs: true });
      assert.ok(posted(seen).some(({ body }) => body.event === "Clicked"));
      assert.deepEqual(origins(seen).filter((origin) => origin !== home && origin !== site.origin), []);
      assert.deepEqual(seen.errors, []);
    });
  } finally {
    await site.close();
  }
});

test("@segment/analytics-next by the snippet: a failing start calls nobody else", async () => {
  await withBrowser(async (browser) => {
    const site = await customerPage({ scriptUrl, writeKey });
    try {
      const page = await browser.newPage();
      const seen = watch(page);
      await page.route("**/settings", (route) => route.fulfill({ status: 503, body: "away" }));
      const counted = page.waitForRequest((request) => request.url().endsWith("/m"));
      await page.goto(site.origin);
      assert.equal(new URL((await counted).url()).origin, home);
      assert.deepEqual(origins(seen).filter((origin) => origin !== home && origin !== site.origin), []);
    } finally {
      await site.close();
    }
  });
});
