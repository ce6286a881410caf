import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shown } from "../src/lib/api.ts";
import { condition, idOf, joined, quoted } from "../src/screens/audience/condition.ts";
import { begin, categories, sift, told, value, wrong, type Setting } from "../src/screens/destinations/catalogue.ts";
import { bend, rank } from "../src/screens/home/flow.ts";
import { edges, layout } from "../src/screens/profile/graph.ts";
import { meant } from "../src/screens/profiles/search.ts";

test("what is typed into the field for profiles is a profile, a trait or an identifier", () => {
  assert.deepEqual(meant(" use_1a2B3c4D5e "), { kind: "profile", id: "use_1a2B3c4D5e" });
  assert.deepEqual(meant("plan=pro"), { kind: "trait", trait: "plan", value: "pro" });
  assert.deepEqual(meant("user_id:a:b"), { kind: "profile", id: "user_id:a:b" });
  assert.deepEqual(meant("ada@example.com"), { kind: "identifier", identifier: "ada@example.com" });
  assert.deepEqual(meant("https://x.example/?a=b"), { kind: "identifier", identifier: "https://x.example/?a=b" });
});

const entry = (id: string, name: string, status: string, category: string): Shown["CatalogueEntry"] => ({ id, name, status, category, actions: 1, application: [], partner: false });

test("the catalogue is searched by name, id and category; what is native comes first", () => {
  const all = [entry("b", "Mailer B", "community", "email"), entry("a", "Mailer A", "native", "email"), entry("c", "Charts", "beta", "analytics")];
  assert.deepEqual(sift(all, "MAIL", "").map((one) => one.id), ["a", "b"]);
  assert.deepEqual(sift(all, "", "analytics").map((one) => one.id), ["c"]);
  assert.equal(sift(all, "", "")[0]?.status, "native");
  assert.deepEqual(categories(all), [["analytics", 1], ["email", 2], ["webhooks", 1]]);
});

test("a form reads what was meant, and says what is wrong", () => {
  const settings: Record<string, Setting> = {
    key: { type: "password", required: true },
    region: { type: "string", choices: ["us", "eu"], default: "us" },
    batch: { type: "integer" },
    tags: { type: "string", multiple: true },
    extra: { type: "object" },
    live: { type: "boolean", default: true },
    url: { type: "string", format: "uri" },
  };
  const draft = begin(settings);
  assert.equal(draft["region"], "us");
  assert.equal(wrong(settings["key"]!, ""), "This is needed.");
  assert.equal(wrong(settings["key"]!, "", true), undefined);
  assert.equal(wrong(settings["batch"]!, "1.5"), "A whole number.");
  assert.equal(wrong(settings["extra"]!, "[1]"), "An object, as JSON.");
  assert.ok(wrong(settings["url"]!, "example.com"));
  assert.deepEqual(value(settings["tags"]!, "a, b"), ["a", "b"]);
  assert.deepEqual(told(settings, { ...draft, key: " s3cret ", batch: "20", tags: '["a,b"]', extra: '{"x":1}' }), {
    key: "s3cret",
    region: "us",
    batch: 20,
    tags: ["a,b"],
    extra: { x: 1 },
    live: true,
  });
});

test("of many destinations those in trouble are drawn, and what is drawn stays in its place", () => {
  const many = ["c", "a", "b", "d"].map((name, flows) => ({ id: name, name, flows, trouble: name === "c" ? 2 : 0 }));
  assert.deepEqual(rank(many, 2).map((one) => one.name), ["c", "d"]);
  assert.deepEqual(rank(many, 9).map((one) => one.name), ["a", "b", "c", "d"]);
  assert.equal(bend(10, 30), "M0,10 C50,10 50,30 100,30");
});

const id = (type: string, value: string) => ({ type, value });
const link = (from: [string, string], to: [string, string], at: string) =>
  ({ from: id(...from), to: id(...to), effect: "mapped", rule: { kind: "deterministic" }, event: { position: at, timestamp: at, received_at: at, source: "web" } }) as Shown["LinkShown"];

test("a link that is on two paths is drawn once, and the same graph always the same way", () => {
  const one = link(["user_id", "ada"], ["email", "a@b.c"], "2026-01-02");
  const other = link(["email", "a@b.c"], ["anonymous_id", "x"], "2026-01-01");
  const found = edges([[one], [one, other], null]);
  assert.deepEqual(found.map((edge) => edge.to), ["anonymous_id:x", "email:a@b.c"]);
  const ids = [id("user_id", "ada"), id("email", "a@b.c"), id("anonymous_id", "x")];
  const places = layout(ids, found, 760, 320);
  assert.deepEqual(places, layout(ids, found, 760, 320));
  for (const { x, y } of places) assert.ok(x >= 80 && x <= 680 && y >= 40 && y <= 280, `${x} ${y}`);
});

test("a condition that was chosen is the one that the language says", () => {
  const choice = { what: "did", name: "Order Completed", amount: "3", compare: "=", days: "30" } as const;
  assert.equal(condition(choice), "event('Order Completed').within(30 days).count() >= 3");
  assert.equal(condition({ ...choice, what: "not", days: "1" }), "event('Order Completed').within(1 day).count() = 0");
  assert.equal(condition({ ...choice, days: "", amount: "x" }), "event('Order Completed').count() >= 1");
  assert.equal(condition({ ...choice, what: "trait", name: "plan", amount: "pro" }), "trait('plan') = 'pro'");
  assert.equal(condition({ ...choice, what: "trait", name: "age", compare: ">", amount: "17" }), "trait('age') > 17");
  assert.equal(condition({ ...choice, what: "audience", name: "vip" }), "trait('vip') = true");
  assert.equal(quoted("it's \\"), "'it\\'s \\\\'");
});

test("a condition that joins others keeps what they meant", () => {
  assert.equal(joined("", "a", "OR"), "a");
  assert.equal(joined("a\nAND b", "c", "AND"), "a\nAND b\nAND c");
  assert.equal(joined("a AND b", "c", "OR"), "(a AND b)\nOR c");
  assert.equal(idOf("  Regular Käufer! "), "regular_kaufer");
});
