import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { AnalyticsBrowser, load } from "../src/index.js";
import type { Context, Options, SdkEvent } from "../src/types.js";
import { browser, clock, globally, restore, server, settled } from "./world.js";

afterEach(restore);

const settings = { writeKey: "k", host: "https://cdp.example" };

/** The events that the queue has, oldest first. */
const waiting = (bag: Record<string, string>): SdkEvent[] =>
  Object.keys(bag).filter((key) => key.startsWith("selfsame:k:")).sort().map((key) => JSON.parse(bag[key]!) as SdkEvent);

function page(options: Options = {}, of: Parameters<typeof browser>[0] = {}) {
  const opened = browser(of);
  const analytics = load(settings, options);
  return { ...opened, analytics, events: () => waiting(opened.bag) };
}

test("an event is in the queue when the call returns, with the page and the time of the call", () => {
  clock();
  const { analytics, events } = page();
  void analytics.track("Clicked", { from: "nav" });
  const [event] = events();
  assert.match(event!.messageId, /^ajs-next-\d{13}-[0-9a-f-]{36}$/);
  assert.equal(event!.timestamp, "2026-11-30T10:00:00.000Z");
  assert.deepEqual([event!.type, event!.event, event!.properties, event!.integrations], ["track", "Clicked", { from: "nav" }, {}]);
  assert.equal(event!.anonymousId, analytics.user().anonymousId());
  assert.deepEqual(event!.context["page"], {
    path: "/sale",
    referrer: "https://search.example/",
    search: "?utm_source=letter",
    title: "Sale",
    url: "https://shop.example.com/sale?utm_source=letter",
  });
  assert.deepEqual(event!.context["campaign"], { source: "letter" });
});

test("the ids of an event are those of the moment of its call", () => {
  const { analytics, events } = page();
  void analytics.track("Before");
  void analytics.identify("ada", { plan: "pro" });
  void analytics.track("After");
  analytics.reset();
  void analytics.track("Later");
  const [before, identify, after, later] = events();
  assert.deepEqual([before!.userId, identify!.userId, after!.userId, later!.userId], [undefined, "ada", "ada", undefined]);
  assert.equal(before!.anonymousId, after!.anonymousId);
  assert.notEqual(later!.anonymousId, after!.anonymousId);
  assert.deepEqual(identify!.traits, { plan: "pro" });
});

const ARGUMENTS: [string, (analytics: ReturnType<typeof load>) => unknown, object][] = [
  ["page()", (a) => a.page(), { type: "page" }],
  ["page(name)", (a) => a.page("Home"), { type: "page", name: "Home" }],
  ["page(category, name)", (a) => a.page("Docs", "Home"), { type: "page", category: "Docs", name: "Home" }],
  ["page(null, name)", (a) => a.page(null as never, "Home"), { type: "page", name: "Home" }],
  ["screen(name, properties)", (a) => a.screen("Home", { a: 1 }), { type: "screen", name: "Home", properties: { a: 1 } }],
  ["track(object)", (a) => a.track({ event: "E", properties: { a: 1 } }), { event: "E", properties: { a: 1 } }],
  ["identify(number)", (a) => a.identify(7, { a: 1 }), { userId: "7", traits: { a: 1 } }],
  ["identify(traits)", (a) => a.identify({ a: 1 }), { type: "identify", traits: { a: 1 } }],
  ["identify(null, traits)", (a) => a.identify(null, { a: 1 }), { type: "identify", traits: { a: 1 } }],
  ["group(id, traits)", (a) => a.group("g", { a: 1 }), { type: "group", groupId: "g", traits: { a: 1 } }],
  ["options", (a) => a.track("E", {}, { timestamp: new Date(0), userId: "u", anonymousId: "d", messageId: "m", ip: "1.2.3.4", integrations: { Slack: false } }),
    { timestamp: "1970-01-01T00:00:00.000Z", userId: "u", anonymousId: "d", messageId: "m", integrations: { Slack: false } }],
];

for (const [name, make, expected] of ARGUMENTS) {
  test(`arguments: ${name}`, () => {
    const { analytics, events } = page();
    void make(analytics);
    const [event] = events();
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, event![key as keyof SdkEvent]])), expected);
  });
}

test("arguments: what is no field of an event becomes context; a callback hears when it is kept", async () => {
  const { analytics, events } = page();
  let heard: Context | undefined;
  await analytics.track("E", {}, { ip: "1.2.3.4", context: { app: "x" } }, (context) => (heard = context));
  assert.deepEqual([events()[0]!.context["ip"], events()[0]!.context["app"], heard!.event.event], ["1.2.3.4", "x", "E"]);
});

test("arguments: the properties of a page call are the page, and say what they change of it", () => {
  const { analytics, events } = page();
  void analytics.page("Docs", "Home", { title: "Other", extra: 1 });
  const [event] = events();
  assert.deepEqual(event!.properties, { path: "/sale", referrer: "https://search.example/", search: "?utm_source=letter", title: "Other", url: "https://shop.example.com/sale?utm_source=letter", extra: 1, name: "Home", category: "Docs" });
  assert.equal((event!.context["page"] as { title: string }).title, "Other");
});

test("a track call without an event is refused, and says so", async () => {
  const { analytics, events } = page();
  await assert.rejects(analytics.track("" as string), /Event missing/);
  assert.deepEqual(events(), []);
});

test("alias comes with a module, and takes the id that is known for the one before", async () => {
  const { analytics, events } = page();
  await analytics.alias("ada");
  await settled();
  assert.deepEqual([events()[0]!.userId, events()[0]!.previousId], ["ada", analytics.user().anonymousId()]);
});

test("while consent is pending nothing is written; when it is given everything is sent, as of its moment", async () => {
  const pass = clock();
  const { analytics, events, bag, cookies } = page({ consent: "pending" });
  void analytics.identify("ada");
  const called = analytics.track("Clicked");
  await pass(2_000);
  assert.deepEqual([Object.keys(bag), cookies], [[], []]);
  analytics.consent("granted", { statistics: true });
  await called;
  assert.deepEqual(events().map(({ type }) => type), ["identify", "track"]);
  assert.equal(events()[1]!.timestamp, "2026-11-30T10:00:00.000Z");
  assert.deepEqual(events()[1]!.context["consent"], { categoryPreferences: { statistics: true } });
});

test("consent that is refused drops what was held, and what comes", async () => {
  const { analytics, bag } = page({ consent: "pending" });
  void analytics.track("Held");
  analytics.consent("denied");
  assert.equal(await analytics.track("Later"), undefined);
  assert.deepEqual(Object.keys(bag), []);
});

test("without persistence nothing is written, and events are sent all the same", async () => {
  const pass = clock();
  const posted = server();
  const { analytics, bag, cookies } = page({ disableClientPersistence: true });
  void analytics.track("Clicked");
  assert.deepEqual([Object.keys(bag), cookies], [[], []]);
  await pass(500);
  assert.equal(posted[0]!.events[0]!.event, "Clicked");
});

test("a flood is cut off, counted and reported", async () => {
  const pass = clock();
  const { analytics, events } = page();
  let dropped = 0;
  analytics.on("drop", () => (dropped += 1));
  for (let number = 0; number < 250; number++) void analytics.track("Loop");
  assert.deepEqual([events().length, dropped], [200, 50]);
  server(() => "silent");
  await pass(100);
  void analytics.track("After");
  assert.deepEqual(events().at(-1)!.context["dropped"], { flood: 50 });
});

test("middlewares change an event or stop it, in turn", async () => {
  const { analytics, events } = page();
  analytics.addSourceMiddleware(({ payload, next }) => {
    payload.obj.context["first"] = true;
    next(payload.obj.event === "Secret" ? null : payload);
  });
  analytics.addSourceMiddleware(({ payload, next }) => {
    payload.obj.context["second"] = payload.obj.context["first"];
    next(payload);
  });
  assert.equal(await analytics.track("Secret"), undefined);
  void analytics.track("Open");
  assert.deepEqual(events().map(({ event, context }) => [event, context["second"]]), [["Open", true]]);
});

test("plugins enrich, cancel, and take events beside the server", async () => {
  const { analytics, events } = page();
  const seen: unknown[] = [];
  const registered = analytics.register(
    { name: "enrich", type: "enrichment", track: (context) => (context.updateEvent("properties.more.deep", 1), context) },
    { name: "cancel", type: "before", track: (context) => (context.event.event === "Secret" ? context.cancel() : context) },
    { name: "broken", type: "before", track: () => { throw new Error("broken"); } },
    { name: "Tool", type: "destination", track: ({ event }) => void seen.push([event.event, event.properties, event.context["tool"]]) },
    { name: "Other", type: "destination", track: () => void seen.push("other") },
  );
  void analytics.addDestinationMiddleware("Tool", ({ payload, next }) => {
    payload.obj.context["tool"] = "yes";
    next(payload);
  });
  const silent = console.error;
  console.error = () => undefined;
  const held = analytics.track("Held", {}, { integrations: { Other: false } });
  await registered;
  await held;
  assert.equal(await analytics.track("Secret"), undefined);
  console.error = silent;
  assert.deepEqual(seen, [["Held", { more: { deep: 1 } }, "yes"]]);
  assert.deepEqual(events().map(({ event, context }) => [event, context["tool"]]), [["Held", undefined]]);
  await analytics.deregister("Tool", "Other", "broken", "cancel");
  await analytics.track("Secret");
  assert.equal(events().length, 2);
});

test("a path of a plugin reaches no prototype", async () => {
  const { analytics } = page();
  await analytics.register({ name: "evil", type: "before", track: (context) => (context.updateEvent("__proto__.polluted", 1), context.updateEvent("context.__proto__", { polluted: 1 }), context) });
  await analytics.track("E");
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("the address of a page may say who comes", async () => {
  const url = "https://shop.example.com/?ajs_aid=device&ajs_uid=ada&ajs_trait_plan=pro&ajs_event=Opened&ajs_prop_from=mail";
  const { analytics, events } = page({}, { url });
  await analytics.ready();
  await settled();
  assert.deepEqual(events().map(({ type, anonymousId, userId }) => [type, anonymousId, userId]), [["identify", "device", "ada"], ["track", "device", "ada"]]);
  assert.deepEqual([events()[0]!.traits, events()[1]!.properties], [{ plan: "pro" }, { from: "mail" }]);
  const off = page({ useQueryString: { uid: /^\d+$/ } }, { url });
  await off.analytics.ready();
  await settled();
  assert.equal(off.analytics.user().id(), null);
});

test("a page that goes sends at once, held calls too", () => {
  const posted = server(() => "silent");
  const { analytics, listeners } = page();
  void analytics.register({ name: "slow", type: "before", load: () => new Promise(() => undefined) });
  void analytics.track("Held");
  assert.equal(posted.length, 0);
  listeners["pagehide"]!({});
  assert.deepEqual([posted[0]!.events[0]!.event, posted[0]!.keepalive], ["Held", true]);
});

test("an identity token goes with every event until the user goes", () => {
  const { analytics, events } = page({ identityToken: "t1" });
  void analytics.track("A");
  analytics.reset();
  void analytics.track("B");
  assert.deepEqual(events().map(({ context }) => context["identityToken"]), ["t1", undefined]);
});

test("the profile is asked for with the device, and the token in a header", async () => {
  browser();
  const asked: unknown[] = [];
  globally("fetch", (url: string, init: unknown) => {
    asked.push([url, init]);
    return Promise.resolve(new Response('{"audiences":{"vip":true},"traits":{}}'));
  });
  const analytics = load(settings, { identityToken: "t", modules: {} });
  analytics.setAnonymousId("device");
  assert.deepEqual(await analytics.profile(), { audiences: { vip: true }, traits: {} });
  assert.deepEqual(asked, [["https://cdp.example/v1/me?writeKey=k&anonymousId=device", { headers: { "x-selfsame-identity-token": "t" } }]]);
});

test("sessions go on while something happens, over all pages of the site", async () => {
  const pass = clock();
  server(() => "silent");
  const { analytics, events, bag } = page({ modules: { sessions: { timeout: 1 } } });
  await analytics.ready();
  void analytics.track("A");
  await pass(40_000);
  void analytics.track("B");
  await pass(61_000);
  void analytics.track("C");
  const [a, b, c] = events().map(({ context }) => [context["sessionId"], context["sessionStart"]]);
  assert.deepEqual(a, [Date.parse("2026-11-30T10:00:00Z"), true]);
  assert.deepEqual(b, [a![0], undefined]);
  assert.deepEqual(c, [Date.now(), true]);
  assert.ok(bag["selfsame-session"]);
});

test("signals of the browser count as a refusal when they are asked to", async () => {
  globally("navigator", { globalPrivacyControl: true, doNotTrack: null });
  const { analytics, events } = page({ modules: { signals: true } });
  await analytics.track("A");
  assert.deepEqual(events(), []);
});

test("Segment's way to load can be awaited, and called at once", async () => {
  browser();
  const loading = AnalyticsBrowser.load({ writeKey: "k", cdnURL: "https://cdp.example/" }, { integrations: { "Segment.io": { apiHost: "api.example/v1" }, Slack: false } });
  const posted = server();
  await loading.track("A");
  const [analytics] = await loading;
  assert.equal(analytics.user().anonymousId(), loading.user().anonymousId());
  await analytics.flush();
  assert.equal(posted[0]!.url, "https://api.example/v1/b");
  assert.deepEqual(posted[0]!.events[0]!["integrations"], { "Segment.io": true, Slack: false });
});

test("in a worker there is no page and nothing to keep, and events are sent", async () => {
  const posted = server();
  const analytics = load(settings);
  await analytics.track("A", {}, { context: { page: { url: "u" } } });
  await analytics.flush();
  assert.deepEqual((posted[0]!.events[0]!["context"] as { page: unknown }).page, { url: "u" });
});
