// Writes `fixtures/mapping/cases.json`: node tests/sdk/support/mapping-fixture.mjs SEED > fixtures/mapping/cases.json
// Cases in which ours is other by intention are not in it; a test beside the code has them.

import { cases } from "./mapping-cases.mjs";
import { differences } from "./mapping-compare.mjs";
import { ours } from "./mapping-ours.mjs";
import { answer, versions } from "./mapping-packages.mjs";

const seed = Number(process.argv[2] ?? 1);
const all = [...cases(seed, 1000)].filter((it) => JSON.stringify(it.mapping ?? "").length < 600);
const left = new Set(differences(all, ours(all)).map((it) => JSON.stringify([it.nth, it.mapping ?? it.trigger])));
const events = [];
for (const { nth, event } of all) events[nth] ??= event;
const kept = all.filter((it) => !left.has(JSON.stringify([it.nth, it.mapping ?? it.trigger])));
const lines = kept.map(({ nth, mapping, trigger, event }) => JSON.stringify({ event: nth, mapping, trigger, ...answer({ mapping, trigger, event }) }));
console.log(`{\n"packages": ${JSON.stringify(versions)},\n"seed": ${seed},\n"events": [\n${events.map((event) => JSON.stringify(event ?? null)).join(",\n")}\n],\n"cases": [\n${lines.join(",\n")}\n]\n}`);
