import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { OWNER } from "./world.mjs";

const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const AXE = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** Runs `use(browser)` with the machine's Chromium. */
export async function withBrowser(use) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** A page of the console; what it asks for and what goes wrong in it is recorded. */
export async function visit(browser, world, { theme = "light", state, wide = 1360, high = 900 } = {}) {
  const context = await browser.newContext({
    baseURL: world.url,
    viewport: { width: wide, height: high },
    colorScheme: theme,
    reducedMotion: "reduce",
    ...(state ? { storageState: state } : {}),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const seen = { errors: [], foreign: [], pwned: 0 };
  await page.exposeFunction("pwned", () => (seen.pwned += 1));
  page.on("dialog", (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== world.url) seen.foreign.push(request.url());
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    // That no rules were tried yet is an answer of 404, which a browser logs whatever the page makes of it.
    const isExpected = message.location().url.endsWith("/rules/job");
    if (message.type() === "error" && !isExpected) seen.errors.push(message.text());
  });
  return { page, context, seen };
}

/** Signs in as a person does, and gives the session for other pages. */
export async function signIn(page) {
  await page.goto("/console/");
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
  return page.context().storageState();
}

/** What axe says is wrong with the page as it is now. The page's own policy would refuse axe, so it goes in from outside. */
export async function violations(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.enable");
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 160), nodes[0].failureSummary.slice(0, 240)])))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  return JSON.parse(result.value);
}
