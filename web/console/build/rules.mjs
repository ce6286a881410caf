// What no source of the console may have: content of events is a stranger's, and the page's policy is strict.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RULES = [
  [/\{@html/, "markup made of data"],
  [/\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|DOMParser/, "markup made of data"],
  [/\beval\(|new Function\(/, "code made of data"],
  [/\sstyle=["'{]/, "a style attribute, which the policy refuses: use a class or `style:name={value}`"],
  [/https?:\/\/(?!example\.com|cdp\.example|www\.w3\.org\/2000\/svg)[a-z]/, "an address of elsewhere"],
];

const root = fileURLToPath(new URL("../src", import.meta.url));
let found = 0;
for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || path.includes("/generated/")) continue;
  const lines = (await readFile(path, "utf8")).split("\n");
  lines.forEach((text, index) => {
    for (const [pattern, what] of RULES) {
      if (!pattern.test(text)) continue;
      found += 1;
      console.error(`${path.slice(root.length + 1)}:${index + 1}: ${what}`);
    }
  });
  if (lines.length > 500) {
    found += 1;
    console.error(`${path.slice(root.length + 1)}: ${lines.length} lines; 500 are the most`);
  }
}
process.exitCode = found > 0 ? 1 : 0;
