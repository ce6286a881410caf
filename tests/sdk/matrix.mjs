/**
 * What becomes of events when pages, networks and servers fail, in Chromium: node matrix.mjs SERVER_BINARY [--all]
 *
 * Each cell is an SDK in a browser profile of its own, a source of its own, and a proxy that adds 150 ms. It is met when
 * every event that was sent is on the server, and none of them twice. Ours has to meet all of them; with `--all` Segment's and
 * RudderStack's SDKs are there to compare. A cell that takes longer than 45 s is as far as it came.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { withBrowser } from "./support/browser.mjs";
import { contenders, rudderScript } from "./support/contenders.mjs";
import { faults } from "./support/faults.mjs";

const LATENCY_MS = 150;
const PATIENCE_MS = 45_000;
const SENT_AGAIN_WITHIN_MS = 8_000;
const AT_ONCE = 4;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const numbered = (count, from = 0) => Array.from({ length: count }, (_, number) => `Event ${from + number}`);

/** Each does something to the pages of a cell, and says how many events were sent. */
const scenarios = {
  "20 events, the page stays": async (cell) => {
    await cell.send(await cell.open(), numbered(20));
    return 20;
  },
  "1 event and another page, ten times": async (cell) => {
    const page = await cell.open();
    for (let number = 0; number < 10; number++) {
      await page.evaluate((name) => {
        window.send([name]);
        location.href = `/?${name}`;
      }, `Event ${number}`);
      await page.waitForURL(`**/?Event%20${number}`);
      await page.waitForFunction(() => window.isReady);
    }
    return 10;
  },
  "20 events and away; back later": async (cell) => {
    const page = await cell.open();
    await page.evaluate((names) => {
      window.send(names);
      location.href = "about:blank";
    }, numbered(20));
    return cell.back(20);
  },
  "10 events and a reload": async (cell) => {
    const page = await cell.open();
    await page.evaluate((names) => {
      window.send(names);
      location.reload();
    }, numbered(10));
    return 10;
  },
  "10 events, tab closed; back later": async (cell) => {
    const page = await cell.open();
    await cell.send(page, numbered(10));
    await page.close();
    return cell.back(10);
  },
  "10 events, tab crashes; back later": async (cell) => {
    const page = await cell.open();
    await cell.send(page, numbered(10));
    await cell.crash(page);
    return cell.back(10);
  },
  "two tabs, 10 events each, one crashes": async (cell) => {
    const [one, other] = [await cell.open(), await cell.open()];
    await cell.send(one, numbered(10));
    await cell.send(other, numbered(10, 10));
    await cell.crash(one);
    return 20;
  },
  "offline, 10 events, tab crashes; back later": async (cell) => {
    const page = await cell.open();
    await cell.context.setOffline(true);
    await cell.send(page, numbered(10));
    await sleep(1_000);
    await cell.crash(page);
    await page.close();
    await cell.context.setOffline(false);
    return cell.back(10);
  },
  "503 for 8 s": async (cell) => {
    await cell.during("503", 8_000);
    return 10;
  },
  "429, Retry-After 5 s": async (cell) => {
    await cell.during("429", 3_000);
    if (cell.proxy.state.early) cell.note = `${cell.proxy.state.early} too early`;
    return 10;
  },
  "answers are lost for 3 s": async (cell) => {
    await cell.during("lost", 3_000);
    return 10;
  },
  "the server is killed, and back after 3 s": async (cell) => {
    const page = await cell.open();
    await cell.server.kill();
    await cell.send(page, numbered(10));
    await sleep(3_000);
    await cell.server.start();
    return 10;
  },
};

/** The program on a port of its own, which may be killed and started again. */
async function program(binary) {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const folder = await mkdtemp(join(tmpdir(), "selfsame-matrix-"));
  const url = `http://127.0.0.1:${port}`;
  const api = (path, init) => fetch(url + path, { ...init, headers: { authorization: "Bearer dev", "content-type": "application/json" } });
  let child;
  const server = {
    url,
    async start() {
      // With a folder: what `dev` keeps is gone when it ends.
      child = spawn(binary, ["dev", "--listen", `127.0.0.1:${port}`, "--data", folder], { cwd: folder, stdio: "ignore" });
      const end = Date.now() + 30_000;
      while (!(await fetch(`${url}/readyz`).then((answer) => answer.ok, () => false))) {
        if (Date.now() > end) throw new Error("the server does not become ready");
        await sleep(100);
      }
    },
    async kill() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
    async source(sdk) {
      const answer = await api("/api/sources", { method: "POST", body: JSON.stringify({ name: `${sdk} ${Math.random()}`, browser_sdk: sdk }) });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    },
    counts: async (id) => (await api(`/api/sources/${id}`)).json(),
    async close() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** One SDK in one scenario; what became of it. */
async function cell(browser, server, contender, scenario, rudder) {
  const source = await server.source(contender.sdk);
  const proxy = await faults(server.url, LATENCY_MS);
  const html = contender.page(proxy.url, source.write_keys[0].key);
  const site = http.createServer((request, response) => {
    const isScript = request.url === "/rudder.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" }).end(isScript ? rudder : html);
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  const context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  const it = {
    context,
    server,
    proxy,
    async open() {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${site.address().port}/`);
      await page.waitForFunction(() => window.isReady);
      return page;
    },
    send: (page, names) => page.evaluate((names) => window.send(names), names),
    async crash(page) {
      const crashed = page.waitForEvent("crash");
      const session = await context.newCDPSession(page);
      session.send("Page.crash").catch(() => undefined);
      await crashed;
    },
    /** Somebody comes back, and one more event happens. */
    async back(sent) {
      await sleep(2_000);
      await it.send(await it.open(), ["Back"]);
      return sent + 1;
    },
    async during(fault, ms) {
      const page = await it.open();
      proxy.state.fault = fault;
      await it.send(page, numbered(10));
      await sleep(ms);
      proxy.state.fault = "pass";
    },
  };
  try {
    const sent = await scenario(it);
    const end = Date.now() + PATIENCE_MS;
    let got = 0;
    while (Date.now() < end && got < sent) {
      await sleep(250);
      got = await server.counts(source.id).then(({ events }) => events, () => 0);
    }
    // What is sent again comes after that.
    await sleep(SENT_AGAIN_WITHIN_MS);
    got = (await server.counts(source.id)).events;
    const names = proxy.state.names.size;
    const wire = [...proxy.state.seen.values()].reduce((sum, times) => sum + times, 0) / sent;
    return { isMet: got === sent && names === sent && !it.note, text: `${Math.min(got, names)}/${sent} (${wire.toFixed(1)})${got > names ? `, ${got - names} twice` : ""}${it.note ? `, ${it.note}` : ""}` };
  } catch (error) {
    return { isMet: false, text: `failed: ${String(error).split("\n")[0]}` };
  } finally {
    await context.close();
    await proxy.close();
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
  }
}

const [binary, ...rest] = process.argv.slice(2);
if (!binary) {
  console.error("usage: node matrix.mjs SERVER_BINARY [--all]");
  process.exit(2);
}
const chosen = rest.includes("--all") ? Object.keys(contenders) : ["selfsame"];
const rudder = chosen.includes("rudder") ? await rudderScript() : "";
const path = resolve(binary);
const shared = await program(path);
const results = {};
const work = chosen.flatMap((key) => Object.keys(scenarios).map((name) => [key, name]));
await withBrowser(async (browser) => {
  const worker = async () => {
    for (let next = work.shift(); next; next = work.shift()) {
      const [key, name] = next;
      const server = name.startsWith("the server") ? await program(path) : shared;
      results[`${key} ${name}`] = await cell(browser, server, contenders[key], scenarios[name], rudder);
      if (server !== shared) await server.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
});
await shared.close();

console.log(`| events on the server/sent (times on the wire) | ${chosen.map((key) => contenders[key].name).join(" | ")} |`);
console.log(`|---|${chosen.map(() => "---|").join("")}`);
for (const name of Object.keys(scenarios)) console.log(`| ${name} | ${chosen.map((key) => results[`${key} ${name}`].text).join(" | ")} |`);
const missed = Object.keys(scenarios).filter((name) => !results[`selfsame ${name}`].isMet);
console.log(`# pass ${Object.keys(scenarios).length - missed.length}\n# fail ${missed.length}`);
process.exit(missed.length ? 1 : 0);
