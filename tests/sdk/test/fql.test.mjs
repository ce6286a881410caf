import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { lex } = require("@segment/fql-ts");
const { parseFql, validate } = require("@segment/destination-subscriptions");
const { default: matches } = require("@segment/tsub/dist/matchers.js");

const fixture = async (name) => JSON.parse(await readFile(new URL(`../../../fixtures/fql/${name}.json`, import.meta.url), "utf8"));
const events = await fixture("events");
const answers = await fixture("answers");

/** Every path of a form for SDKs. */
function paths(ir, found = new Set()) {
  if (typeof ir === "string") found.add(ir);
  if (Array.isArray(ir)) ir.slice(1).forEach((part) => paths(part, found));
  return found;
}

const at = (event, path) => path.split(".").reduce((value, key) => value?.[key], event);

/** The event with null where a path leads nowhere: on the server, what is missing is null. */
function filled(event, ir) {
  const copy = structuredClone(event);
  for (const path of paths(ir)) {
    const keys = path.split(".");
    const last = keys.pop();
    const parent = keys.reduce((value, key) => (value === copy || isObject(value) ? (value[key] ??= {}) : undefined), copy);
    if (isObject(parent)) parent[last] ??= null;
  }
  return copy;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The form with the lists of the event in it: the package takes their texts for paths. */
function listed(ir, event) {
  if (!Array.isArray(ir)) return ir;
  if (ir[0] === "in" && typeof ir[2] === "string") {
    const list = at(event, ir[2]);
    return ["in", ir[1], { value: Array.isArray(list) ? list.map((value) => ({ value })) : [] }];
  }
  return [ir[0], ...ir.slice(1).map((part) => listed(part, event))];
}

/** Whether some operator of the form has operands for which that holds. */
function some(ir, names, test) {
  if (!Array.isArray(ir)) return false;
  return (names.includes(ir[0]) && test(...ir.slice(1))) || ir.slice(1).some((part) => some(part, names, test));
}

const orders = ["<", "<=", ">", ">="];
const value = (part, event) => (typeof part === "string" ? at(event, part) : part?.value);
const isText = (part, event) => typeof value(part, event) === "string" || ["lowercase", "typeof"].includes(part?.[0]);

/** Where the package for devices says other than the server, by intention, and why. */
const ofDevices = [
  ["typeof has the names of the documentation, not of JavaScript", (ir) => JSON.stringify(ir).includes('"typeof"')],
  ["length of no text and no list is null, not NaN", (ir, event) => some(ir, ["length"], (of) => !["string", "object"].includes(typeof value(of, event)))],
  ["texts are ordered, so that dates can be compared", (ir, event) => some(ir, orders, (a, b) => isText(a, event) && isText(b, event))],
  ["below a text or a list nothing is there, and nothing is null", (ir, event) => [...paths(ir)].some((path) => at(event, path) === undefined)],
];

/** Where the package for triggers says other than FQL does, by intention, and why. */
const ofTriggers = [
  ["!contains and !match are true of what is no text: the opposite of contains and match", (text) => /!(contains|match)/.test(text)],
  ["a number is not equal to what is no number", (text) => /!= [-+\d]/.test(text)],
  ["event can be compared with null, true and false, which are no texts", (text) => /event !?= (null|true|false)/.test(text)],
];

/** Compares all answers; a difference needs a reason, and a reason a difference. */
function compare(kind, theirs, reasons) {
  const used = new Set();
  let compared = 0;
  for (const answer of answers[kind]) {
    events.forEach((event, nth) => {
      const ours = answer.holds[nth] === "1";
      const their = theirs(answer, event);
      compared += 1;
      if (ours === their) return;
      const reason = reasons.find(([, applies]) => applies(kind === "filters" ? answer.ir : answer.filter, event));
      assert.ok(reason, `${answer.filter} of event ${nth}: ours ${ours}, theirs ${their}`);
      used.add(reason[0]);
    });
  }
  assert.deepEqual(reasons.map(([why]) => why).filter((why) => !used.has(why)), [], "every reason is needed");
  return compared;
}

test("FQL: @segment/tsub says the same of every filter and event", () => {
  answers.filters.forEach(({ filter, ir }) => assert.ok(ir !== null, filter));
  const theirs = ({ ir }, event) => matches(filled(event, ir), { type: "fql", ir: JSON.stringify(listed(ir, event)) });
  assert.ok(compare("filters", theirs, ofDevices) > 8000);
});

test("FQL: @segment/destination-subscriptions says the same of every trigger and event", () => {
  assert.ok(compare("triggers", ({ filter }, event) => validate(parseFql(filter), event), ofTriggers) > 6000);
});

test("FQL: @segment/fql-ts reads the words of every filter", () => {
  for (const { filter } of [...answers.filters, ...answers.triggers]) {
    const { error } = lex(filter);
    assert.equal(error, undefined, filter);
  }
});
