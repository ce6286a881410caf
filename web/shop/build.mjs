import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist/assets"), { recursive: true });

const sdk = JSON.parse(await readFile(here("../../sdk/js/package.json"), "utf8"));
const { metafile } = await build({
  absWorkingDir: here("."),
  entryPoints: ["src/main.ts", "src/official.ts", "src/style.css"],
  alias: { "@selfsame/analytics": here("../../sdk/js/src/index.ts") },
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"', __VERSION__: JSON.stringify(sdk.version) },
  metafile: true,
});

const outputs = Object.entries(metafile.outputs);
const built = (entry) => {
  const found = outputs.find(([, output]) => output.entryPoint === entry);
  if (!found) throw new Error(`esbuild wrote nothing for ${entry}`);
  return `/demo/assets/${basename(found[0])}`;
};
const template = await readFile(here("src/index.html"), "utf8");
for (const [page, entry] of [["index.html", "src/main.ts"], ["official.html", "src/official.ts"]]) {
  await writeFile(here(`dist/${page}`), template.replace("{{script}}", built(entry)).replace("{{style}}", built("src/style.css")));
}

const bytes = outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
console.log(`shop: ${outputs.length} files, ${bytes} bytes`);
