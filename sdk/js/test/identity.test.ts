import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { identities } from "../src/identity.js";
import { browser, globally, restore } from "./world.js";

afterEach(restore);

function opened(page: ReturnType<typeof browser>) {
  const made = identities({}, {}, {});
  made.persist();
  return { ...page, ...made };
}

test("what Segment's SDK left is found: cookies with bare text, storage with JSON", () => {
  const jar = new Map([["ajs_anonymous_id", "5b1e6a30-9a2d-4e5c-8c55-0c1d2e3f4a5b"], ["ajs_user_id", "ada%40example.com"], ["ajs_group_id", "initech"]]);
  const bag = { ajs_user_traits: '{"plan":"pro"}', ajs_group_properties: '{"size":3}' };
  const { user, group } = opened(browser({ bag, jar }));
  assert.equal(user.anonymousId(), "5b1e6a30-9a2d-4e5c-8c55-0c1d2e3f4a5b");
  assert.deepEqual([user.id(), user.traits()], ["ada@example.com", { plan: "pro" }]);
  assert.deepEqual([group.id(), group.traits()], ["initech", { size: 3 }]);
});

test("where cookie and storage disagree the cookie has the device, the storage the user", () => {
  const jar = new Map([["ajs_anonymous_id", "cookie"], ["ajs_user_id", "cookie"]]);
  const { user } = opened(browser({ jar, bag: { ajs_anonymous_id: '"storage"', ajs_user_id: '"storage"' } }));
  assert.deepEqual([user.anonymousId(), user.id()], ["cookie", "storage"]);
});

test("an id that looks like a number stays text", () => {
  const { user } = opened(browser({ jar: new Map([["ajs_user_id", "007"], ["ajs_anonymous_id", "1e5"]]) }));
  assert.deepEqual([user.id(), user.anonymousId()], ["007", "1e5"]);
  assert.equal(opened(browser({ bag: { ajs_user_id: "42" } })).user.id(), "42");
});

test("ids are kept in both places, for all subdomains, for a year", () => {
  const { user, bag, jar, cookies } = opened(browser());
  const id = user.anonymousId();
  user.identify("ada", { plan: "pro" });
  assert.equal(jar.get("ajs_anonymous_id"), id);
  assert.deepEqual([bag["ajs_anonymous_id"], bag["ajs_user_id"], bag["ajs_user_traits"]], [`"${id}"`, '"ada"', '{"plan":"pro"}']);
  const cookie = cookies.find((text) => text.startsWith("ajs_user_id="));
  assert.equal(cookie, "ajs_user_id=ada;path=/;max-age=31536000;samesite=Lax;domain=example.com;secure");
  assert.equal(jar.has("__tld__"), false);
});

test("an address has no domain to be kept for", () => {
  const { user, cookies } = opened(browser({ url: "http://127.0.0.1:8080/" }));
  user.id("ada");
  assert.equal(cookies.at(-1), "ajs_user_id=ada;path=/;max-age=31536000;samesite=Lax");
});

test("another user is another device and has other traits; the same one keeps both", () => {
  const { user } = opened(browser());
  const device = user.anonymousId();
  user.identify("ada", { plan: "pro" });
  user.identify("ada", { size: 2 });
  assert.deepEqual([user.anonymousId(), user.traits()], [device, { plan: "pro", size: 2 }]);
  user.identify("bob", { plan: "free" });
  assert.notEqual(user.anonymousId(), device);
  assert.deepEqual(user.traits(), { plan: "free" });
});

test("a reset leaves nothing", () => {
  const { user, group, bag, jar } = opened(browser());
  const device = user.anonymousId();
  user.identify("ada", { plan: "pro" });
  group.identify("initech", { size: 3 });
  user.reset();
  group.reset();
  assert.deepEqual([Object.keys(bag), [...jar.keys()]], [[], []]);
  assert.notEqual(user.anonymousId(), device);
});

test("until it may, nothing is kept; then what was made stays, unless there was something", () => {
  const before = identities({}, {}, {});
  const page = browser();
  const device = before.user.anonymousId();
  assert.deepEqual([page.cookies, Object.keys(page.bag)], [[], []]);
  before.persist();
  assert.deepEqual([before.user.anonymousId(), page.jar.get("ajs_anonymous_id")], [device, device]);

  const again = identities({}, {}, {});
  browser({ jar: new Map([["ajs_anonymous_id", "known"]]) });
  again.user.anonymousId();
  again.persist();
  assert.equal(again.user.anonymousId(), "known");
});

test("a browser that keeps nothing has a visitor for as long as the page is open", () => {
  browser();
  globally("localStorage", undefined);
  globally("document", {
    get cookie(): string {
      throw new DOMException("no", "SecurityError");
    },
  });
  const { user, persist } = identities({}, {}, {});
  persist();
  assert.equal(user.anonymousId(), user.anonymousId());
});
