import { chromium } from "playwright-core";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs `use(browser)` with the machine's Chromium. */
export async function withBrowser(use) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** Records what a page asks for and what goes wrong in it; its waits are short, for the server is near. */
export function watch(page) {
  page.setDefaultTimeout(10_000);
  const seen = { requests: [], failures: [], errors: [] };
  page.on("request", (request) => seen.requests.push(request));
  page.on("requestfailed", (request) => seen.failures.push(`${request.url()} ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) seen.failures.push(`${response.url()} ${response.status()}`);
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(message.text());
  });
  return seen;
}

/** The origins asked for, without `data:` and the like. */
export function origins(seen) {
  const urls = seen.requests.map((request) => new URL(request.url())).filter(({ protocol }) => /^https?:$/.test(protocol));
  return [...new Set(urls.map((url) => url.origin))];
}
