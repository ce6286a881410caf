// How quickly the console shows, and whether it stays quick: three runs each, the median.
//   largest contentful paint of Home, from an empty cache
//   the longest task of the live debugger while 1,000 events a second come in, for ten seconds
import { signIn, visit, withBrowser } from "./support/browser.mjs";
import { collect, SPACE, withWorld } from "./support/world.mjs";

const RUNS = 3;
const RATE = 1000;
const SECONDS = 10;
const BATCH = 50;

const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];

async function paint(browser, world, state) {
  const { page, context } = await visit(browser, world, { state });
  await page.goto(`/console/s/${SPACE}`);
  await page.getByText("Needs attention").waitFor();
  const at = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true });
      }),
  );
  await context.close();
  return at;
}

async function flood(browser, world, state) {
  const { page, context } = await visit(browser, world, { state });
  await page.goto(`/console/s/${SPACE}/events`);
  await page.getByText("Live", { exact: true }).first().waitFor();
  await page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  });
  const began = Date.now();
  let sent = 0;
  while (Date.now() - began < SECONDS * 1000) {
    const due = Math.floor(((Date.now() - began) / 1000) * RATE);
    while (sent < due) {
      await collect(world, "key-of-web-shop", Array.from({ length: BATCH }, (_, index) => ({ type: "track", anonymousId: `visitor-${index}`, event: "Product Viewed", properties: { price: sent + index } })));
      sent += BATCH;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await page.waitForTimeout(500);
  const tasks = await page.evaluate(() => window.tasks);
  const shown = await page.getByText(/since you opened this/).textContent();
  await context.close();
  return { longest: Math.max(0, ...tasks), over: tasks.length, sent: sent / SECONDS, shown: Number(shown.replace(/\D/g, "")) / SECONDS };
}

await withWorld(process.env.SELFSAME_BINARY, (world) =>
  withBrowser(async (browser) => {
    const first = await visit(browser, world);
    const state = await signIn(first.page);
    await first.context.close();
    const paints = [];
    for (let run = 0; run < RUNS; run += 1) paints.push(await paint(browser, world, state));
    console.log(`largest contentful paint of Home: ${paints.map((at) => at.toFixed(0)).join(", ")} ms; median ${median(paints).toFixed(0)} ms (budget 500)`);
    const floods = [];
    for (let run = 0; run < RUNS; run += 1) floods.push(await flood(browser, world, state));
    for (const { longest, over, sent, shown } of floods) {
      console.log(`debugger: ${sent.toFixed(0)} events a second sent, ${shown.toFixed(0)} taken in; ${over} tasks over 50 ms, the longest ${longest.toFixed(0)} ms`);
    }
    console.log(`longest task of the debugger, median: ${median(floods.map(({ longest }) => longest)).toFixed(0)} ms (budget 50; 0: none was that long)`);
  }),
);
