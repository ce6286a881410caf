// Compares our answers with those of Segment's packages.

import { isDeepStrictEqual } from "node:util";

import { answer } from "./mapping-packages.mjs";

/** What a pointer leads to. */
const at = (value, pointer) => pointer.split("/").slice(1).reduce((found, key) => found?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], value);

/** Whether a problem is of a template that fails by itself, or has what Segment disables. */
function ofLiquid(problem, { mapping, event }) {
  const text = at(mapping, problem.split(/[,:] /)[0]);
  const hasDisabled = problem.endsWith("Segment has disabled it") || problem.endsWith("it is left to chance");
  return typeof text === "string" && (hasDisabled || answer({ mapping: { x: { "@liquid": text } }, event }).error !== undefined);
}

const text = (value) => JSON.stringify(value);

/** Where ours is other by intention, and why. */
export const reasons = [
  ["half of a character is no text", (it, theirs) => /😀/.test(text(it)) && (/\[0\]|\.0|@merge/.test(text(it.mapping)) || /\\ud8/.test(text(theirs.value)))],
  ["increment and decrement do not change the event", (it) => /(in|de)crement/.test(text(it.mapping))],
  ["a template that fails whenever it is reached is refused when it is compiled", (it, _, ours) => ours.problems?.every((problem) => ofLiquid(problem, it))],
  ["what fails whenever it is reached is refused when it is compiled", (it, _, ours) => it.broken && ours.problems !== undefined],
  ["the words nil, empty and blank are values to every filter, and no objects", (it, theirs) => /\b(nil|empty|blank)\b/.test(text(it.mapping)) && /\[object Object\]|\{\}/.test(text(theirs.value))],
  ["what an event says is no template", (it) => text(it.mapping).includes("{{{") && text(it.event).replaceAll('":{', "").includes("{")],
  ["only ISO 8601, RFC 2822 and seconds are times", (it) => / \| date/.test(text(it.mapping))],
];

/** Whether both say the same: the same value, or that there is none. */
export function same(theirs, ours) {
  if (theirs.holds !== undefined) return theirs.holds === ours.holds;
  if (theirs.error !== undefined || ours.value === undefined) return theirs.error !== undefined && ours.value === undefined;
  return isDeepStrictEqual(theirs.value, ours.value);
}

/** The cases in which they differ: with the reason, if there is one. */
export function differences(cases, answers) {
  const found = [];
  cases.forEach((it, n) => {
    const [theirs, ours] = [answer(it), answers[n]];
    if (same(theirs, ours)) return;
    const reason = it.mapping && theirs.value !== undefined ? reasons.find(([, applies]) => applies(it, theirs, ours)) : undefined;
    found.push({ reason: reason?.[0], ...it, theirs, ours });
  });
  return found;
}
