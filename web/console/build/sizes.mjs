// Compresses what was built, and fails where a budget is exceeded.
//   first load: what the page needs before it shows anything, with the screen it opens on
//   a screen:   what is fetched when somebody goes there
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const FIRST_LOAD = 60 << 10;
const SCREEN = 40 << 10;
const OPENS_ON = "src/screens/Home.svelte";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const manifest = JSON.parse(await readFile(join(dist, "manifest.json"), "utf8"));
await rm(join(dist, "manifest.json"));
const sizes = new Map();

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith(".br")) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = await readFile(path);
  const small = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  sizes.set(path.slice(dist.length + 1), small.length);
  await writeFile(`${path}.br`, small);
}

/** The files that a part of the program needs, with all that it imports. */
function files(key, found = new Set()) {
  const part = manifest[key];
  for (const file of [part.file, ...(part.css ?? []), ...(part.assets ?? [])]) found.add(file);
  for (const used of part.imports ?? []) files(used, found);
  return found;
}

const sum = (names) => [...names].reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

const shell = files("index.html");
const first = new Set(["index.html", ...shell, ...files(OPENS_ON)]);
const rows = [["first load", sum(first), FIRST_LOAD]];
for (const [key, part] of Object.entries(manifest)) {
  if (!part.isDynamicEntry) continue;
  const more = [...files(key)].filter((name) => !shell.has(name));
  rows.push([part.name, sum(more), SCREEN]);
}

const over = rows.filter(([, bytes, budget]) => bytes > budget);
const largest = rows.slice(1).sort((one, other) => other[1] - one[1])[0];
const all = sum(sizes.keys());
console.log(
  `console: first load ${kib(rows[0][1])} of ${kib(FIRST_LOAD)}, largest screen ${largest[0]} ${kib(largest[1])} ` +
    `of ${kib(SCREEN)}, everything ${kib(all)} (brotli)`,
);
if (process.argv.includes("--all")) for (const [name, bytes] of rows) console.log(`  ${name} ${kib(bytes)}`);
for (const [name, bytes, budget] of over) console.error(`${name} takes ${kib(bytes)}; the budget is ${kib(budget)}`);
process.exitCode = over.length > 0 ? 1 : 0;
