// What this program answers to drawn cases.

import { spawnSync } from "node:child_process";

const cargo = ["run", "--quiet", "--locked", "-p", "selfsame-mapping", "--example", "mapping-answers"];

/** The answers of the program `MAPPING_ANSWERS`, or of the example that cargo builds. */
export function ours(cases) {
  const input = cases.map((it) => JSON.stringify(it)).join("\n");
  const [program, ...args] = process.env.MAPPING_ANSWERS ? [process.env.MAPPING_ANSWERS] : [process.env.CARGO ?? "cargo", ...cargo];
  const cwd = new URL("../../..", import.meta.url);
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, input, encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${program} failed: ${error ?? stderr}`);
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}
