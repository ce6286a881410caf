import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bundle } from "./src/bundle.mjs";

const dist = new URL("dist/", import.meta.url);
const { script, chunks, version } = await bundle();

await rm(dist, { recursive: true, force: true });
await mkdir(new URL("bundles/", dist), { recursive: true });
await writeFile(new URL("analytics.min.js", dist), script);
for (const { name, text } of chunks) await writeFile(new URL(`bundles/${name}`, dist), text);

const manifest = createRequire(import.meta.url).resolve("@segment/analytics-next/package.json");
await copyFile(join(dirname(manifest), "LICENSE.MD"), new URL("LICENSE.analytics-next.md", dist));
console.log(`sdk-bundle: analytics-next ${version}, ${script.length} bytes, ${chunks.length} chunks`);
