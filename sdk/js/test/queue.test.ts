import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createQueue } from "../src/queue.js";
import { type Bag, memoryBag } from "../src/values.js";
import { clock, type Posted, restore, server, settled } from "./world.js";

afterEach(restore);

const KEY = "k";
const told: [string, unknown][] = [];

function queue(bag: Bag = memoryBag()) {
  told.length = 0;
  const made = createQueue({ writeKey: KEY, url: "https://cdp.example/v1/b", bag, interval: 500, tell: (name, detail) => told.push([name, detail]) });
  return { ...made, bag, say: (event: string, more = "") => made.push(JSON.stringify({ event, more })) };
}

const kept = (bag: Bag): number => Object.keys(bag).filter((key) => key.startsWith(`selfsame:${KEY}:`)).length;
const names = (posted: Posted[]): string[] => posted.flatMap(({ events }) => events.map(({ event }) => event!));

test("an event is written before anything is sent, and removed when the server has it", async () => {
  const pass = clock();
  const posted = server();
  const one = queue();
  one.say("a");
  one.say("b");
  assert.deepEqual([kept(one.bag), posted.length], [2, 0]);
  await pass(500);
  assert.deepEqual([names(posted), posted.length, kept(one.bag)], [["a", "b"], 1, 0]);
  assert.deepEqual(told, [["delivery_success", 2]]);
});

test("a page that comes later sends what a crashed one left", async () => {
  const pass = clock();
  const bag = memoryBag();
  queue(bag).say("left");
  restore();
  const passLater = clock();
  const posted = server();
  queue(bag);
  await passLater(500);
  assert.deepEqual([names(posted), kept(bag)], [["left"], 0]);
  void pass;
});

test("a hundred events are sent at once, in their order", async () => {
  const pass = clock();
  const posted = server();
  const one = queue();
  const all = Array.from({ length: 250 }, (_, number) => `e${number}`);
  for (const name of all) one.say(name);
  await pass(50);
  assert.deepEqual(posted.map(({ events }) => events.length), [100, 100, 50]);
  assert.deepEqual(names(posted), all);
});

test("a batch stays under the size that the server takes", async () => {
  const pass = clock();
  const posted = server();
  const one = queue();
  for (let number = 0; number < 10; number++) one.say(`e${number}`, "é".repeat(50_000));
  await pass(500);
  assert.deepEqual(posted.map(({ events }) => events.length), [4, 4, 2]);
  assert.deepEqual(posted.map(({ keepalive }) => keepalive), [false, false, false]);
});

test("without an answer events stay, and are sent again", async () => {
  const pass = clock();
  const posted = server((_, number) => (number < 3 ? "offline" : { status: 200 }));
  const one = queue();
  one.say("a");
  await pass(600);
  assert.equal(kept(one.bag), 1);
  await pass(20_000);
  assert.deepEqual([posted.length, kept(one.bag)], [4, 0]);
});

test("nothing is sent before the moment that the server named, not even when the page goes", async () => {
  const pass = clock();
  const posted = server((_, number) => (number ? { status: 200 } : { status: 429, headers: { "retry-after": "5" } }));
  const one = queue();
  one.say("a");
  await pass(4_000);
  one.leave(true);
  const other = queue(one.bag);
  other.say("b");
  await pass(1_000);
  assert.equal(posted.length, 1);
  await pass(10_000);
  assert.deepEqual([names(posted.slice(1)), kept(one.bag)], [["a", "b"], 0]);
});

test("a batch that is refused loses only the event that is at fault", async () => {
  const pass = clock();
  const posted = server(({ events }) => ({ status: events.some(({ event }) => event === "bad") ? 400 : 200 }));
  const one = queue();
  for (const name of ["a", "b", "bad", "c", "d"]) one.say(name);
  await pass(500);
  const taken = posted.filter(({ events }) => !events.some(({ event }) => event === "bad"));
  assert.deepEqual(names(taken).sort(), ["a", "b", "c", "d"]);
  assert.equal(kept(one.bag), 0);
  const failures = told.filter(([name]) => name === "delivery_failure");
  assert.deepEqual(failures, [["delivery_failure", { status: 400, events: [{ event: "bad", more: "" }] }]]);
});

test("a key that is refused is not tried event by event", async () => {
  const pass = clock();
  const posted = server(() => ({ status: 401 }));
  const one = queue();
  for (let number = 0; number < 20; number++) one.say("a");
  await pass(500);
  assert.deepEqual([posted.length, kept(one.bag)], [1, 0]);
});

for (const status of [408, 410, 429, 460, 500, 502, 503]) {
  test(`${status} is for later`, async () => {
    const pass = clock();
    server(() => ({ status }));
    const one = queue();
    one.say("a");
    await pass(600);
    assert.equal(kept(one.bag), 1);
  });
}

test("what one tab sends, another does not, unless no answer comes", async () => {
  const pass = clock();
  const posted = server((_, number) => (number ? { status: 200 } : "silent"));
  const one = queue();
  one.say("a");
  await pass(500);
  const other = queue(one.bag);
  other.say("b");
  await pass(5_000);
  assert.deepEqual(names(posted), ["a", "b"]);
  await pass(6_000);
  assert.deepEqual([names(posted), kept(one.bag)], [["a", "b", "a"], 0]);
});

test("a page that goes sends what fits, and the next one waits before it sends that again", async () => {
  const pass = clock();
  const posted = server((_, number) => (number ? { status: 200 } : "silent"));
  const one = queue();
  for (let number = 0; number < 5; number++) one.say(`e${number}`, "x".repeat(25_000));
  one.leave(true);
  assert.deepEqual([names(posted), posted[0]!.keepalive], [["e0", "e1"], true]);
  restore();
  const passLater = clock();
  const later = server();
  queue(one.bag);
  await passLater(4_000);
  assert.deepEqual(names(later), ["e2", "e3", "e4"]);
  await passLater(2_000);
  assert.deepEqual([names(later), kept(one.bag)], [["e2", "e3", "e4", "e0", "e1"], 0]);
  void pass;
});

test("what is under way from a page that goes is not sent twice by it", async () => {
  const pass = clock();
  const posted = server(() => "silent");
  const one = queue();
  one.say("a");
  await pass(500);
  one.say("b");
  one.leave(true);
  assert.deepEqual(names(posted), ["a", "b"]);
});

test("an event of more than a week ago is given up, and that is told", async () => {
  const bag = memoryBag();
  const old = Date.parse("2026-11-22T10:00:00Z").toString(36);
  bag[`selfsame:${KEY}:${old}0000abcd`] = "{}";
  const pass = clock();
  const posted = server();
  queue(bag);
  await pass(600);
  assert.deepEqual([posted.length, kept(bag), told], [0, 0, [["drop", "expired"]]]);
});

test("a full storage costs no event", async () => {
  const pass = clock();
  const posted = server();
  const full = new Proxy(memoryBag(), {
    set() {
      throw new DOMException("full", "QuotaExceededError");
    },
  });
  const one = queue(full);
  one.say("a");
  await pass(500);
  assert.deepEqual(names(posted), ["a"]);
});

test("the network that is back is used at once", async () => {
  const pass = clock();
  let isDown = true;
  const posted = server(() => (isDown ? "offline" : { status: 200 }));
  const one = queue();
  one.say("a");
  await pass(60_000);
  isDown = false;
  const before = posted.length;
  one.wake();
  await pass(50);
  await settled();
  assert.deepEqual([posted.length, kept(one.bag)], [before + 1, 0]);
});
