// Writes the types of the two APIs from their documents: src/generated/control.ts and profile.ts.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
await mkdir(here("../src/generated"), { recursive: true });

for (const name of ["control", "profile"]) {
  const types = astToString(await openapiTS(new URL(`../../../openapi/${name}.json`, import.meta.url)));
  const path = here(`../src/generated/${name}.ts`);
  // Unchanged files keep their time, so that what is built of them counts as fresh.
  const before = await readFile(path, "utf8").catch(() => "");
  if (before !== types) await writeFile(path, types);
}
