import assert from "node:assert/strict";
import { test } from "node:test";
import { isAbout, momentsBetween, sentenceOf } from "../src/moments.ts";
import type { Arrival, Me, Merge } from "../src/wire.ts";

/** `me("P1 a1 u:ada", 4)`: profile P1 with these identifiers and so many events. */
function me(text: string, count = 0, merges: Merge[] = [], events: Arrival[] = []): Me {
  if (text === "") return { profile: null, events };
  const [id = "", ...ids] = text.split(" ");
  const identifiers = ids.map((one) => (one.startsWith("u:") ? { type: "user_id", value: one.slice(2) } : { type: "anonymous_id", value: one }));
  return { profile: { id, created_at: "", identifiers, traits: {}, events_total: count, merges }, events };
}

const merge: Merge = { at: "t", parent: "P1", child: "P2", identifiers: [{ type: "user_id", value: "ada" }] };
const unnamed = { message_id: "m", type: "page", event: null, timestamp: "", received_at: "", anonymous_id: "a1", user_id: null, profile_id: "P1" };

const cases: [string, Me | undefined, Me, string[]][] = [
  ["the page was just opened", undefined, me("P1 a1 u:ada", 3), []],
  ["nothing happened", me("P1 a1", 1), me("P1 a1", 2), []],
  ["signing in claims the history", me("P1 a1", 4), me("P1 a1 u:ada", 6), ["4 earlier events are now ada’s"]],
  ["one event is one event", me("P1 a1", 1), me("P1 a1 u:james", 2), ["1 earlier event is now james’"]],
  ["the events tell what the profile had not yet", me(""), me("P1 a1 u:ada", 2, [], [unnamed]), ["1 earlier event is now ada’s"]],
  ["there was no history", me(""), me("P1 a1 u:ada", 1), []],
  ["already signed in", me("P1 a1 u:ada", 4), me("P1 a1 u:ada", 5), []],
  ["another profile answers for the user", me("P2 a1", 2), me("P1 a9 u:ada", 7), []],
  ["a second device merges", me("P2 a1", 2), me("P1 a9 a1 u:ada", 7, [merge]), ["2 earlier events are now ada’s", "Two profiles turned out to be one"]],
  ["an old merge is no news", me("P1 a1 u:ada", 4, [merge]), me("P1 a1 u:ada", 5, [merge]), []],
  ["a merge of others is not ours", me("P9 a1 u:x", 1), me("P9 a1 u:x", 1, [merge]), []],
];
for (const [what, before, after, sentences] of cases) {
  test(`moments: ${what}`, () => {
    assert.deepEqual(momentsBetween(before, after, "a1").map(sentenceOf), sentences);
  });
}

test("an answer about the user alone is not about the device", () => {
  assert.equal(isAbout(me("P1 a9 u:ada"), "a1"), false);
  assert.equal(isAbout(me("P1 a1"), "a1"), true);
  assert.equal(isAbout(me(""), "a1"), true);
});
