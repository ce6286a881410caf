import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { patch } from "./patches.mjs";

const SOURCE_MAP = /\n?\/\/# sourceMappingURL=.*\s*$/;
const KEY_PLACE = "__WRITE_KEY__";

/** Reads the installed package and returns `{ script, chunks: [{ name, text }], version }`. */
export async function bundle() {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve("@segment/analytics-next/package.json");
  const { version } = JSON.parse(await readFile(manifest, "utf8"));
  const umd = join(dirname(manifest), "dist", "umd");
  const read = async (name) => (await readFile(join(umd, name), "utf8")).replace(SOURCE_MAP, "");

  const home = await readFile(new URL("home.js", import.meta.url), "utf8");
  const script = wrap(version, home, patch(await read("standalone.js")));
  const places = script.split(KEY_PLACE).length - 1;
  if (places !== 1) throw new Error(`${places} places for the write key instead of one`);

  const names = (await readdir(umd)).filter((name) => /\.bundle\.[0-9a-f]+\.js$/.test(name)).sort();
  const chunks = await Promise.all(names.map(async (name) => ({ name, text: await read(name) })));
  return { script, chunks, version };
}

function wrap(version, home, sdk) {
  return `/*! @segment/analytics-next ${version}, (c) 2021 Segment, MIT licence. Made to stay at home by Selfsame. */
(function(selfsame){
${sdk}
selfsame.done();
})((function(){
${home.replace(/\/\*\*[\s\S]*?\*\/\n/, "")}return selfsameHome(window);
})());
`;
}
