// What Segment's packages answer to a case.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

process.env.TZ = "UTC";

const require = createRequire(import.meta.url);
const { transform } = require("@segment/actions-core/mapping-kit");
const { parseFql, validate } = require("@segment/destination-subscriptions");

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const names = ["@segment/actions-core", "@segment/destination-subscriptions", "@segment/fql-ts", "liquidjs"];

export const versions = Object.fromEntries(names.map((name) => [name, lock.packages[`node_modules/${name}`].version]));

/** `{ value }`, `{ error }` or `{ holds }`; the case is not changed. */
export function answer({ mapping, trigger, event }) {
  if (trigger !== undefined) {
    try {
      return { holds: validate(parseFql(trigger), structuredClone(event)) };
    } catch {
      return { holds: false };
    }
  }
  try {
    const value = transform(structuredClone(mapping), structuredClone(event));
    return { value: JSON.parse(JSON.stringify(value)) };
  } catch (error) {
    return { error: String(error.message).slice(0, 120) };
  }
}
