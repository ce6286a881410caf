import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import vm from "node:vm";
import { bundle } from "../src/bundle.mjs";
import { patch } from "../src/patches.mjs";

const home = await readFile(new URL("../src/home.js", import.meta.url), "utf8");

function homeOf({ script, scripts = [], page = "https://shop.example/cart", name, globals = {} }) {
  const document = {
    currentScript: script ? { src: script } : null,
    querySelector: () => (name ? { getAttribute: () => name } : null),
    querySelectorAll: () => scripts.map((src) => ({ src })),
  };
  const location = { href: page, origin: new URL(page).origin };
  const window = { document, location, ...globals };
  const found = vm.runInNewContext(`${home}; selfsameHome(window)`, { window });
  return { ...found, window };
}

const cases = [
  ["plain http", { script: "http://127.0.0.1:8080/analytics.js/v1/k/analytics.min.js" }, "http://127.0.0.1:8080"],
  ["https", { script: "https://cdp.example/analytics.js/v1/k/analytics.min.js?x=1" }, "https://cdp.example"],
  ["under a path", { script: "https://a.example/cdp/analytics.js/v1/k/analytics.js" }, "https://a.example/cdp"],
  ["proxied under another name", { script: "https://a.example/t/lib.js" }, "https://a.example"],
  ["as a module, found by its tag", { scripts: ["https://b.example/analytics.js/v1/k/analytics.min.js"] }, "https://b.example"],
  ["inlined", {}, "https://shop.example"],
  ["a page that says so", { script: "https://a.example/l.js", globals: { analytics: { _cdn: "https://c.example" } } }, "https://c.example"],
];
for (const [what, given, cdn] of cases) {
  test(`home is found when served ${what}`, () => {
    const found = homeOf(given);
    assert.equal(found.cdn, cdn);
    assert.equal(found.api, `${cdn.replace(/^https?:\/\//, "")}/v1`);
    assert.equal(`${found.protocol}:`, new URL(cdn).protocol);
  });
}

test("beside another SDK its global is neither believed nor left changed", () => {
  const analytics = { _cdn: "https://cdn.elsewhere.example" };
  const script = "https://a.example/analytics.js/v1/k/analytics.min.js";
  const found = homeOf({ script, name: "ours", globals: { analytics } });
  assert.equal(found.cdn, "https://a.example");
  analytics._cdn = found.cdn;
  found.done();
  assert.equal(analytics._cdn, "https://cdn.elsewhere.example");
});

test("no other host is left where a request could use it", async () => {
  const { script, chunks } = await bundle();
  const harmless = [
    /^https:\/\/segment\.com\/docs\//, // text of a warning
    /^https:\/\/cdn\.segment\.\(com\|build\)/, // a pattern: such addresses are rewritten to the own CDN
    /^http:\/\/www\.w3\.org\//, // a name space
    /^https:\/\/(www\.googleapis|api\.vimeo)\.com\//, // video plugins, only when a page starts them with its own key
  ];
  for (const text of [script, ...chunks.map((chunk) => chunk.text)]) {
    for (const [url] of text.matchAll(/https?:\/\/[^"'`\s]{3,}/g)) {
      if (!/^https?:\/\/\w/.test(url)) continue; // the patterns of home.js
      assert.ok(harmless.some((pattern) => pattern.test(url)), url);
    }
    assert.doesNotMatch(text, /api\.segment\.io|sourceMappingURL/);
  }
});

test("every chunk the script asks for is there", async () => {
  const { script, chunks } = await bundle();
  const hashes = chunks.map(({ name }) => name.match(/\.([0-9a-f]{20})\.js$/)[1]);
  assert.ok(hashes.length >= 8);
  for (const hash of hashes) assert.ok(script.includes(hash), hash);
});

test("the script parses, with the key in its place", async () => {
  const { script } = await bundle();
  assert.doesNotThrow(() => new vm.Script(script.replace("__WRITE_KEY__", "dev")));
});

test("another SDK build stops the build", () => {
  assert.throws(() => patch("var a=1;"), /the SDK build changed/);
});
