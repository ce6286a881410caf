import assert from "node:assert/strict";
import { test } from "node:test";

import { cases } from "../support/mapping-cases.mjs";
import { differences } from "../support/mapping-compare.mjs";
import { ours } from "../support/mapping-ours.mjs";

const count = Number(process.env.MAPPING_CASES ?? 30_000);
const seed = Number(process.env.MAPPING_SEED ?? 1);

test(`mappings and triggers: Segment's packages say the same of ${count} drawn ones`, () => {
  const all = [...cases(seed, count)];
  const found = differences(all, ours(all));
  const counts = found.reduce((all, it) => ({ ...all, [it.reason ?? "none"]: [...(all[it.reason ?? "none"] ?? []), it] }), {});
  for (const [reason, of] of Object.entries(counts)) console.log(`${of.length} differ: ${reason}`);
  const unknown = found.filter(({ reason }) => reason === undefined);
  const shown = unknown.slice(0, 5).map((it) => JSON.stringify(it)).join("\n");
  assert.equal(unknown.length, 0, `seed ${seed}: ${unknown.length} differ without a reason:\n${shown}`);
  const values = all.filter(({ mapping }, n) => mapping && n % 5 < 3).length;
  assert.ok(found.length < values / 50, "few differ at all");
});
