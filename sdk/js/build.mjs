/**
 * Writes what is published and what a server gives out:
 *
 *     dist/esm/*.js                     the package, for bundlers and Node
 *     dist/browser/analytics.min.js     the script for a write key, which the server puts in
 *     dist/browser/bundles/*.js         its lazy modules; a name changes with the content
 *     dist/browser/snippet.min.js       what a page has in its head
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(await readFile(here("package.json"), "utf8"));
const modules = ["seldom", "profile", "query", "signals", "autocapture", "sessions", "cross-domain", "onetrust", "cookiebot", "tcf"];
const entries = modules.map((name) => `src/modules/${name}.ts`);
const define = { __VERSION__: JSON.stringify(version) };
const common = { absWorkingDir: here("."), bundle: true, define, target: "es2020", logLevel: "warning", legalComments: "none" };

await rm(here("dist"), { recursive: true, force: true });
await build({ ...common, entryPoints: ["src/index.ts", "src/node.ts", ...entries], entryNames: "[name]", outdir: "dist/esm", format: "esm", splitting: true });

const bundles = await build({ ...common, entryPoints: entries, entryNames: "[name]", outdir: "dist/browser/bundles", format: "esm", minify: true, write: false });
const hash = createHash("sha256");
for (const { contents } of bundles.outputFiles) hash.update(contents);
const mark = hash.digest("hex").slice(0, 8);
await mkdir(here("dist/browser/bundles"), { recursive: true });
for (const { path, contents } of bundles.outputFiles) {
  await writeFile(here(`dist/browser/bundles/selfsame-${basename(path, ".js")}.${mark}.js`), contents);
}
const { outputFiles } = await build({
  ...common,
  define: {
    ...define,
    __MODULES__: JSON.stringify(mark),
    // A page has these; the same code runs where there are none.
    ...Object.fromEntries(["addEventListener", "document", "location", "navigator"].map((name) => [`globalThis.${name}`, name])),
  },
  entryPoints: ["src/browser.ts"],
  format: "iife",
  // What is seen in this file only: lazy modules are other files.
  mangleProps: /^(texts|bytes|interval|tell|persist|leave|wake|mark|bag)$/,
  write: false,
});
const { code } = await minify(outputFiles[0].text, { ecma: 2020, compress: { passes: 3, keep_fargs: false, unsafe_arrows: true }, mangle: { toplevel: true }, format: { comments: false } });
await writeFile(here("dist/browser/analytics.min.js"), code);
const snippet = await transform(await readFile(here("src/snippet.js"), "utf8"), { minify: true, target: "es2015" });
await writeFile(here("dist/browser/snippet.min.js"), snippet.code);

const size = async (path) => gzipSync(await readFile(here(`dist/browser/${path}`)), { level: 9 }).length;
console.log(`sdk: ${await size("analytics.min.js")} bytes gzipped, snippet ${await size("snippet.min.js")}, ${modules.length} modules`);
