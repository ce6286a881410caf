/** Our browser SDK as a server gives it out, and beside Segment's: who somebody is, stays, whichever of them a page has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { origins, watch, withBrowser } from "../support/browser.mjs";
import { order, somebody } from "../support/calls.mjs";
import { customerPage } from "../support/page.mjs";
import { expectProfile, read } from "../support/profiles.mjs";
import { scriptOf, sourceWith } from "../support/sources.mjs";
import { target } from "../support/target.mjs";
import { eventually } from "../support/wait.mjs";

const home = new URL(target.url).origin;
const keys = { selfsame: await sourceWith("selfsame"), official: await sourceWith("official") };

/** Opens a customer's page in a fresh browser profile and hands it to `use`. */
async function onPage(sdk, options, use) {
  const site = await customerPage({ scriptUrl: scriptOf(keys[sdk]), writeKey: keys[sdk], options });
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      const seen = watch(page);
      await page.goto(`${site.origin}/start?utm_source=letter&utm_campaign=spring`);
      await page.waitForFunction(() => window.analytics.initialized === true);
      await use({ page, seen, site });
      const { port } = new URL(site.origin);
      assert.deepEqual(origins(seen).filter((origin) => origin !== home && new URL(origin).port !== port), []);
      assert.deepEqual(seen.failures, []);
      assert.deepEqual(seen.errors, []);
    });
  } finally {
    await site.close();
  }
}

const posted = (seen) =>
  seen.requests
    .filter((request) => request.method() === "POST" && request.url() === `${home}/v1/b`)
    .flatMap((request) => request.postDataJSON().batch);

test("ours by the snippet: every call ends on one profile", async () => {
  const { userId, groupId, email } = somebody("ours");
  await onPage("selfsame", {}, async ({ page, seen }) => {
    // No call is awaited: each has the ids of its own moment.
    const anonymousId = await page.evaluate(
      ({ userId, groupId, email, order }) => {
        const { analytics } = window;
        const anonymousId = analytics.user().anonymousId();
        analytics.track("Products Searched", { query: "mug" });
        analytics.screen("Home", { from: "test" });
        analytics.identify(userId, { email, name: "Web", logins: 3 });
        analytics.group(groupId, { name: "Company", plan: "trade" });
        analytics.track("Order Completed", order);
        analytics.alias(userId, anonymousId);
        return anonymousId;
      },
      { userId, groupId, email, order },
    );
    await eventually(() => assert.equal(posted(seen).length, 7));
    const events = posted(seen);
    assert.deepEqual(events.map(({ type }) => type), ["page", "track", "screen", "identify", "group", "track", "alias"]);
    assert.deepEqual(events.map((event) => event.userId), [undefined, undefined, undefined, userId, userId, userId, userId]);

    const found = await expectProfile(`user_id:${userId}`, {
      messageIds: events.map(({ messageId }) => messageId),
      traits: { email, name: "Web", logins: 3 },
      ids: [`user_id:${userId}`, `anonymous_id:${anonymousId}`, `email:${email}`],
      groups: [groupId],
    });
    const first = found.find((event) => event.event === "Page Viewed");
    assert.deepEqual([first.context.campaign.source, first.context.campaign.name, first.context.page.path], ["letter", "spring", "/start"]);
    await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("selfsame:")));
  });
});

test("ours by the snippet: what the first calls of a page need is there before them", async () => {
  const { userId } = somebody("early");
  await onPage("selfsame", { modules: { sessions: true } }, async ({ page, seen }) => {
    await page.evaluate((userId) => window.analytics.identify(userId), userId);
    await eventually(() => assert.equal(posted(seen).length, 2));
    const [first, second] = posted(seen);
    assert.equal(typeof first.context.sessionId, "number");
    assert.deepEqual([first.context.sessionStart, second.context.sessionStart], [true, undefined]);
    const module = seen.requests.find((request) => request.url().includes("/analytics-next/bundles/selfsame-sessions."));
    assert.equal((await module.response()).status(), 200);
  });
});

/** Both SDKs on one site, one page load after the other: the page that is asked for decides. */
async function switched(from, to) {
  const who = somebody(`switch-${from}`);
  const [before, after] = [from, to].map((sdk) => ({ scriptUrl: scriptOf(keys[sdk]), writeKey: keys[sdk] }));
  const site = await customerPage({ ...before, also: { "/other": after } });
  try {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      const identity = () => page.evaluate(() => {
        const user = window.analytics.user();
        const group = window.analytics.group();
        return { anonymousId: user.anonymousId(), userId: user.id(), traits: user.traits(), groupId: group.id(), company: group.traits() };
      });
      const opened = () => page.waitForFunction(() => window.analytics.initialized === true);

      await page.goto(`${site.origin}/`);
      await opened();
      const anonymous = await identity();
      await page.goto(`${site.origin}/other`);
      await opened();
      assert.deepEqual((await identity()).anonymousId, anonymous.anonymousId);

      await page.goto(`${site.origin}/`);
      await opened();
      await page.evaluate(async ({ userId, groupId, email }) => {
        await window.analytics.identify(userId, { email, plan: "pro" });
        await window.analytics.group(groupId, { size: 3 });
      }, { userId: who.userId, groupId: who.groupId, email: who.email });
      const known = await identity();
      await page.goto(`${site.origin}/other`);
      await opened();
      const found = await identity();
      assert.deepEqual(found, known);
      assert.deepEqual([found.anonymousId, found.userId, found.groupId], [anonymous.anonymousId, who.userId, who.groupId]);

      await page.evaluate(() => window.analytics.track("After The Switch"));
      const events = await eventually(async () => {
        const { data } = await read(`user_id:${who.userId}`, "events", "?limit=100");
        assert.ok(data.some(({ event }) => event === "After The Switch"));
        return data;
      });
      assert.ok(events.length >= 5, "what came before the switch is the same person's");
      await page.evaluate(() => window.analytics.reset());
      await page.goto(`${site.origin}/`);
      await opened();
      assert.deepEqual([(await identity()).userId, (await identity()).anonymousId === known.anonymousId], [null, false]);
    });
  } finally {
    await site.close();
  }
}

test("a switch from Segment's SDK to ours keeps who everybody is", () => switched("official", "selfsame"));
test("a switch from ours to Segment's SDK keeps who everybody is", () => switched("selfsame", "official"));

test("ours by the snippet: the public part of the visitor's profile", async () => {
  const { userId } = somebody("profile");
  await onPage("selfsame", {}, async ({ page }) => {
    const profile = await page.evaluate(async (userId) => {
      await window.analytics.identify(userId);
      await window.analytics.flush();
      return window.analytics.profile();
    }, userId);
    assert.deepEqual(Object.keys(profile).sort(), ["audiences", "traits"]);
  });
});

test("ours by the snippet: pages that change without a load, and what is clicked, without code", async () => {
  await onPage("selfsame", { modules: { autocapture: { clicks: true } } }, async ({ page, seen }) => {
    await page.evaluate(() => {
      document.body.insertAdjacentHTML("beforeend", '<button data-track="Plan Chosen" data-track-plan-name="pro">Go</button><div data-no-track><button id="secret">No</button></div><a href="#x" id="link">A link</a>');
      history.pushState(null, "", "/second");
      document.title = "Second";
    });
    for (const target of ["[data-track]", "#secret", "#link"]) await page.click(target);
    await eventually(() => assert.equal(posted(seen).length, 5));
    const told = posted(seen).map(({ type, event, properties }) => [type, event ?? properties.path, event ? properties.text : properties.title]);
    assert.deepEqual(told, [
      ["page", "/start", "A customer's page"],
      ["page", "/start", "A customer's page"],
      ["page", "/second", "Second"],
      ["track", "Plan Chosen", "Go"],
      ["track", "Element Clicked", "A link"],
    ]);
    const [, , second, chosen] = posted(seen);
    assert.match(second.properties.referrer, /\/start/);
    assert.equal(chosen.properties.plan_name, "pro");
  });
});

test("ours by the snippet: a link to another of one's domains takes the device along, for a while", async () => {
  const modules = { "cross-domain": { domains: ["localhost", "127.0.0.1"] } };
  await onPage("selfsame", { modules }, async ({ page, site }) => {
    const there = site.origin.replace("127.0.0.1", "localhost");
    const idOf = () => page.evaluate(() => window.analytics.ready().then(() => window.analytics.user().anonymousId()));
    const before = await idOf();
    await page.evaluate((there) => document.body.insertAdjacentHTML("beforeend", `<a href="${there}/there">Over there</a>`), there);
    await page.click("a");
    await page.waitForURL(`${there}/there`);
    await page.waitForFunction(() => window.analytics.initialized === true);
    assert.equal(await idOf(), before);

    // A link that is older, or was passed on, makes nobody the same person.
    await page.evaluate(() => window.analytics.reset());
    const old = Math.floor(Date.now() / 1000 - 600).toString(36);
    await page.goto(`${there}/there?_selfsame=${before}~${old}`, { referer: site.origin });
    assert.notEqual(await idOf(), before);
    const now = Math.floor(Date.now() / 1000).toString(36);
    await page.goto(`${there}/there?_selfsame=${before}~${now}`);
    assert.notEqual(await idOf(), before);
  });
});
