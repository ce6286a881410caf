import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

/** The bytes that a browser loads, at most; `npm run build` comes before. */
const LIMITS: Record<string, number> = {
  "analytics.min.js": 5_120,
  "snippet.min.js": 620,
  "bundles/selfsame-autocapture": 2_560,
  "bundles/selfsame-seldom": 2_048,
  "bundles/selfsame-cookiebot": 1_024,
  "bundles/selfsame-onetrust": 1_024,
  "bundles/selfsame-tcf": 1_024,
  "bundles/selfsame-cross-domain": 614,
  "bundles/selfsame-sessions": 512,
  "bundles/selfsame-profile": 512,
  "bundles/selfsame-query": 512,
  "bundles/selfsame-signals": 512,
};

const dist = `${process.cwd()}/dist/browser`;

test("nothing is larger than it may be, and everything has a limit", async () => {
  const files = ["analytics.min.js", "snippet.min.js", ...(await readdir(`${dist}/bundles`)).map((name) => `bundles/${name}`)];
  assert.equal(files.length, Object.keys(LIMITS).length);
  for (const file of files) {
    const limit = LIMITS[file.replace(/\.[0-9a-f]{8}\.js$/, "")];
    const size = gzipSync(await readFile(`${dist}/${file}`), { level: 9 }).length;
    assert.ok(limit && size <= limit, `${file}: ${size} bytes, ${limit} allowed`);
  }
});

test("the script has one place for the write key, and no way to run text", async () => {
  const script = await readFile(`${dist}/analytics.min.js`, "utf8");
  assert.equal(script.split("__WRITE_KEY__").length, 2);
  assert.doesNotMatch(script, /\beval\(|new Function|innerHTML|document\.write/);
  assert.doesNotMatch(script.replace("https:", ""), /https?:\/\/\w/);
});
