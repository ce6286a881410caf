import assert from "node:assert/strict";
import { test } from "node:test";
import { address } from "../src/lib/api.ts";
import { command, curl, shell, yaml } from "../src/lib/copyas.ts";
import { ago, line, rate, seconds, share, visible, webAddress, words } from "../src/lib/format.ts";
import { tokens } from "../src/lib/json.ts";
import { byType, deviceOf, gist, initials, nameOf, sessions, traits, type Happened } from "../src/lib/person.ts";
import { keep, rateOf, steps, type Numbers } from "../src/lib/rates.ts";
import { match, path, withQuery } from "../src/lib/router.ts";
import { snippets } from "../src/lib/snippets.ts";
import { attempt, attention, destinationState, outcome } from "../src/lib/states.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test("an address is made of parts, and read again as they were, whatever is in them", () => {
  for (const part of ["web shop", "a/b", "100%", "?x=1#y", "Ünïcødé", "..%2f"]) {
    const to = path("s", "main", "sources", part).replace("/console", "");
    assert.deepEqual(match(["/s/:space/sources/:source"], to)?.params, { space: "main", source: part });
  }
});

test("the first pattern of the same length holds, and a broken escape is no part", () => {
  assert.equal(match(["/s/:space", "/s/:space/start"], "/s/main/start")?.pattern, "/s/:space/start");
  assert.equal(match(["/s/:space"], "/s/%E0%A4%A"), undefined);
  assert.equal(match(["/s/:space"], "/t/main"), undefined);
});

test("what an address asks for nothing of is left out of it", () => {
  assert.equal(withQuery("/console/s/a?tab=x&q=1", { tab: "", q: "b c" }), "/console/s/a?q=b+c");
  assert.equal(withQuery("/console/s/a?tab=x", { tab: undefined }), "/console/s/a");
});

test("names in a path of the API are escaped, and empty questions are not asked", () => {
  assert.equal(address("/api/sources/{id}/rejected", { path: { id: "a/b" }, query: { day: "", limit: 5 } }), "/api/sources/a%2Fb/rejected?limit=5");
});

test("what cannot be seen is shown, also what turns text around", () => {
  assert.equal(visible("a\u202Eb"), "a⟨202E⟩b");
  assert.equal(visible("\u0000"), "⟨0000⟩");
  assert.equal(visible("ok\tline"), "ok\tline");
  assert.equal(line("a\n\n b"), "a b");
  assert.equal(line({ a: "\u200b" }), '{"a":"⟨200B⟩"}');
});

test("only addresses of the web are linked to", () => {
  assert.equal(webAddress("https://example.com/a"), "https://example.com/a");
  for (const text of ["javascript:alert(1)", "data:text/html,x", "//example.com", "not one"]) assert.equal(webAddress(text), undefined);
});

test("times are said as one would say them", () => {
  const at = (secondsBefore: number) => ago(new Date(NOW - secondsBefore * 1000).toISOString(), NOW);
  assert.deepEqual([1, 60, 61 * 60, 26 * 3600, 40 * 86_400].map(at), ["just now", "60 seconds ago", "61 minutes ago", "26 hours ago", "1 month ago"]);
  assert.equal(at(-300), "in 5 minutes");
  assert.equal(ago("no time", NOW), "no time");
});

test("numbers are short, and never wrong by being so", () => {
  assert.deepEqual([0, 0.05, 3.21, 12_345].map(rate), ["0/s", "0.05/s", "3.2/s", "12.3K/s"]);
  assert.deepEqual([share(0, 0), share(1, 3), share(1, 10_000), share(9_999, 10_000), share(5, 5)], ["0%", "33%", "<0.1%", ">99.9%", "100%"]);
  assert.deepEqual([0, 0.25, 2, 90, 7200, 259_200].map(seconds), ["0 s", "250 ms", "2 s", "2 min", "2 h", "3 days"]);
  assert.equal(words("dead_letters"), "Dead letters");
});

test("a word of a command line stays one word", () => {
  assert.equal(shell("plain-1"), "plain-1");
  assert.equal(shell("it's; rm -rf $HOME"), `'it'\\''s; rm -rf $HOME'`);
  assert.equal(command("profile", "get", "email:a b"), "selfsame profile get 'email:a b'");
  assert.match(curl({ method: "POST", path: "/api/x", body: { a: "'" } }, "http://h"), /-X POST http:\/\/h\/api\/x[^]*-d '\{"a":"'\\''"\}'/);
});

test("YAML keeps what it says", () => {
  const value = { id: "shop", on: true, none: null, list: ["a", { b: 1 }], text: "yes", number: "012", tail: "a: b", empty: {} };
  assert.equal(
    yaml(value),
    'id: shop\n"on": true\nnone: null\nlist:\n  - a\n  - b: 1\ntext: "yes"\nnumber: "012"\ntail: "a: b"\nempty: {}',
  );
});

test("JSON becomes tokens that say the same, bounded", () => {
  const value = { a: [1, "x", null], b: { c: true } };
  const text = tokens(value).map((token) => token.text).join("");
  assert.deepEqual(JSON.parse(text), value);
  assert.ok(tokens(Array.from({ length: 10_000 }, (_, index) => ({ index }))).length < 4100);
});

const numbers = (second: number, events: number): Numbers => ({
  at: new Date(NOW + second * 1000).toISOString(),
  lag: 0,
  events,
  profiles: 0,
  alerts: 0,
  sources: [],
  destinations: [],
});

test("a rate is the mean of the last seconds, and a restart begins anew", () => {
  let history: Numbers[] = [];
  assert.equal(rateOf(history, (one) => one.events), undefined);
  for (const [second, events] of [[0, 100], [1, 110], [2, 130]] as const) history = keep(history, numbers(second, events));
  assert.equal(rateOf(history, (one) => one.events), 15);
  assert.deepEqual(steps(history, (one) => one.events), [10, 20]);
  assert.deepEqual(keep(history, numbers(3, 5)).length, 1);
});

const destination = (over: object) => ({ id: "d", space: "s", name: "Mail", enabled: true, problem: null, manifest_problem: null, status: { state: "running", pause: null, lag_percent: 0, last_failure: null }, ...over }) as never;

test("the state of a destination is its worst news", () => {
  assert.equal(destinationState(destination({})).word, "Running");
  assert.equal(destinationState(destination({ enabled: false, problem: "x" })).tone, "idle");
  assert.equal(destinationState(destination({ status: { state: "paused", pause: "gone", lag_percent: 100, last_failure: null } })).tone, "bad");
  assert.equal(destinationState(destination({ status: { state: "running", pause: null, lag_percent: 60, last_failure: null } })).word, "Far behind");
  assert.equal(attempt("timeout").tone, "bad");
  assert.equal(attempt("superseded").tone, "idle");
  assert.equal(outcome("something_new").word, "Something new");
});

test("what needs attention is said once, the worst first", () => {
  const alert = (id: string, severity: string, subject: string) =>
    ({ id, name: id, severity, raised: [{ subject, since: "2026-11-30T11:00:00Z", message: `${id} of ${subject}` }] }) as never;
  const all = { sources: [{ id: "shop", name: "Shop", space: "s" }, { id: "far", name: "Far", space: "t" }], destinations: [destination({ problem: "no key" })] };
  const alerts = [alert("events-rejected", "warning", "shop"), alert("source-silent", "warning", "far"), alert("destination-paused", "critical", "d"), alert("disk-low", "critical", "")];
  const found = attention("s", alerts, all);
  assert.deepEqual(found.map((one) => [one.tone, one.to.join("/")]), [["bad", "destinations/d"], ["bad", ""], ["warn", "sources/shop"]]);
  assert.match(found[0]?.what ?? "", /^Mail: /);
});

test("a name is what somebody calls themselves, else what they are known by", () => {
  assert.equal(nameOf({ first_name: "Ada", last_name: "Lovelace" }, []), "Ada Lovelace");
  assert.equal(nameOf({ name: 5, email: "a@b.c" }, []), "a@b.c");
  assert.equal(nameOf({}, [{ type: "anonymous_id", id: "x" }, { type: "user_id", id: "42" }]), "42");
  assert.equal(nameOf({}, [{ type: "anonymous_id", id: "x" }]), "Anonymous visitor");
  assert.deepEqual(["Ada Lovelace", "ada@example.com", "  ", "𝒜da"].map(initials), ["AL", "AE", "?", "𝒜"]);
});

test("traits keep what is known of their origin", () => {
  const told = { plan: { value: "pro", source_id: "crm", updated_at: "2026-01-01T00:00:00Z" }, vip: { value: true, class: "audience" } };
  assert.deepEqual(traits(told).map((trait) => [trait.name, trait.class, trait.source]), [["plan", "custom", "crm"], ["vip", "audience", undefined]]);
});

const event = (minute: number, device: string, over: Partial<Happened> = {}): Happened => ({
  type: "track",
  event: "Seen",
  message_id: `${device}${minute}`,
  source_id: "web",
  timestamp: new Date(NOW + minute * 60_000).toISOString(),
  properties: {},
  context: {},
  external_ids: [{ type: "anonymous_id", id: device }],
  ...over,
});

test("a session is of one device and ends with half an hour of silence", () => {
  const found = sessions([event(100, "phone"), event(99, "laptop"), event(90, "phone"), event(20, "phone")]);
  assert.deepEqual(found.map((session) => session.events.map((one) => one.message_id)), [["phone100", "phone90"], ["laptop99"], ["phone20"]]);
});

test("a device is named by what it says of itself", () => {
  const agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1";
  assert.equal(deviceOf({ userAgent: agent }), "Safari on iPhone");
  assert.equal(deviceOf({ device: { manufacturer: "Apple", model: "iPhone 15" } }), "Apple iPhone 15");
  assert.equal(deviceOf({ library: { name: "analytics-python" } }), "analytics-python");
  assert.equal(deviceOf({}), "");
});

test("the gist of an event is what tells most, and never a whole object", () => {
  assert.deepEqual(gist({ type: "track", context: {}, properties: { a: {}, zeta: 1, total: 9, name: "Shoe", b: "" } }), [["name", "Shoe"], ["total", 9], ["zeta", 1]]);
  assert.deepEqual(byType([{ type: "anonymous_id", id: "1" }, { type: "email", id: "2" }, { type: "anonymous_id", id: "3" }]).map(([type, ids]) => [type, ids.length]), [["email", 1], ["anonymous_id", 2]]);
});

test("a key cannot break out of the snippet that it is in", () => {
  const all = new Map(snippets("https://cdp.example.com", `x"</script>`).map((one) => [one.id, one.code]));
  assert.equal(all.get("browser")?.split("</script>").length, 2);
  for (const id of ["browser", "node", "python"]) assert.doesNotMatch(all.get(id) ?? "", /[^\\]"<\/script>"|x"/);
});
