/** Builds the tests, which are TypeScript, and runs them: `node --test`, and no framework. */
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here("node_modules/.cache/test");
const tests = (await readdir(here("test"))).filter((name) => name.endsWith(".test.ts"));

await rm(out, { recursive: true, force: true });
await build({
  absWorkingDir: here("."),
  entryPoints: tests.map((name) => `test/${name}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  define: { __VERSION__: '"0.0.0"' },
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, ["--test", ...tests.map((name) => `${out}/${name.replace(/\.ts$/, ".mjs")}`)], { stdio: "inherit", cwd: here(".") });
process.exit(status ?? 1);
