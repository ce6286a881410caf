// A server with a history, for the console to show: sources, people over devices, destinations that do well and badly.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOSTILE } from "./hostile.mjs";

export const SPACE = "dev";
export const HOSTILE_SPACE = "hostile";
export const OWNER = { email: "dev@example.com", password: "selfsame-dev" };
const TOKEN = "dev";

const listening = async (server) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
};

async function freePort() {
  const server = http.createServer();
  const port = await listening(server);
  server.close();
  return port;
}

/** Receivers of webhooks: `/good` takes everything, `/bad` refuses some events for what they are, `/gone` is gone. */
async function receivers() {
  const taken = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    taken.push({ path: request.url, body });
    const refuses = request.url === "/bad" && body.includes("Order Completed");
    response.statusCode = request.url === "/gone" ? 410 : refuses ? 500 : 200;
    response.end(refuses ? '{"error":"the price list is being rebuilt"}' : "{}");
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}`, taken, close: () => server.close() };
}

/** Runs `use(world)` beside a server of `binary`, and ends it. */
export async function withWorld(binary, use) {
  const folder = await mkdtemp(join(tmpdir(), "selfsame-console-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(binary, ["dev", "--listen", `127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-8000)));
  const outside = await receivers();
  try {
    await ready(url, server, () => said);
    const world = { url, token: TOKEN, outside, ask: (method, path, body) => ask(url, method, path, body) };
    await seed(world);
    return await use(world);
  } finally {
    outside.close();
    server.kill();
    if (server.exitCode === null) await once(server, "exit");
    await rm(folder, { recursive: true, force: true });
  }
}

async function ready(url, server, said) {
  for (let tries = 0; tries < 150; tries += 1) {
    if (server.exitCode !== null) break;
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the server did not become ready:\n${said()}`);
}

async function ask(url, method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return { body: text ? JSON.parse(text) : undefined, position: response.headers.get("x-selfsame-position") };
}

/** Sends events by the write key of a source and waits until they are folded. */
export async function collect(world, key, batch) {
  const response = await fetch(`${world.url}/v1/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ writeKey: key, batch }),
  });
  if (!response.ok) throw new Error(`batch: ${response.status} ${await response.text()}`);
}

/** Asks until `holds` says so of the answer. */
export async function until(holds, what, limit = 15_000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it did not come to be: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const AGENTS = {
  laptop: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  work: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
};

const PEOPLE = [
  ["Ada Lovelace", "London"], ["Grace Hopper", "New York"], ["Alan Turing", "Manchester"], ["Emmy Noether", "Göttingen"],
  ["Katherine Johnson", "Hampton"], ["Edsger Dijkstra", "Rotterdam"], ["Barbara Liskov", "Los Angeles"], ["Radia Perlman", "Portsmouth"],
];
const GOODS = [["Trail shoe", 129], ["Rain jacket", 189], ["Wool socks", 18], ["Head torch", 64], ["Water bottle", 22]];

function story(name, city, index, now) {
  const id = name.split(" ")[0].toLowerCase();
  const email = `${id}@example.com`;
  const events = [];
  let minute = 0;
  const add = (device, ago, event) => {
    const context = { userAgent: AGENTS[device], page: { path: "/", url: "https://shop.example.com/" } };
    minute += 1;
    const timestamp = new Date(now - ago * 3_600_000 + minute * 40_000).toISOString();
    events.push({ messageId: `${id}-${events.length}`, timestamp, anonymousId: `${device}-of-${id}`, context, ...event });
  };
  const [goods, price] = GOODS[index % GOODS.length];
  add("laptop", 75, { type: "page", name: "Home", properties: { path: "/", title: "Outdoor shop" } });
  add("laptop", 75, { type: "track", event: "Product Viewed", properties: { name: goods, price } });
  add("phone", 50, { type: "page", name: "Product", properties: { path: `/p/${index}`, title: goods } });
  add("phone", 50, { type: "track", event: "Product Added", properties: { name: goods, price, quantity: 1 } });
  add("phone", 50, { type: "identify", userId: id, traits: { name, email, city, plan: index % 3 === 0 ? "club" : "free" } });
  add("laptop", 26, { type: "track", event: "Newsletter Opened", properties: { campaign: "Autumn" } });
  add("laptop", 26, { type: "identify", userId: id, traits: { email } });
  for (let order = 0; order <= index % 4; order += 1) {
    add("laptop", 20 - order, { type: "track", userId: id, event: "Order Completed", properties: { order_id: `O-${index}${order}`, total: price + order, currency: "EUR" } });
  }
  if (index % 2 === 0) {
    add("work", 3, { type: "page", name: "Returns", properties: { path: "/returns", title: "Returns" } });
    add("work", 3, { type: "identify", userId: id, traits: { email } });
    add("work", 3, { type: "track", userId: id, event: "Ticket Opened", properties: { subject: "Size exchange", channel: "chat" } });
    add("work", 3, { type: "group", userId: id, groupId: index < 4 ? "acme" : "globex", traits: { name: index < 4 ? "Acme" : "Globex", industry: "Outdoor" } });
  }
  return events;
}

async function seed(world) {
  const { ask: call, outside } = world;
  const now = Date.now();
  const source = async (id, name, kind, space = SPACE) =>
    (await call("POST", "/api/sources", { id, name, kind, space, write_key: `key-of-${id}` })).body;
  await source("web-shop", "Web shop", "browser");
  await source("ios-app", "iOS app", "mobile");
  await source("crm", "CRM", "server");
  await call("PUT", `/api/spaces/${SPACE}/indexed-traits`, { traits: ["plan", "city"] });
  const hook = (id, name, path) => call("POST", "/api/destinations", { id, name, space: SPACE, url: outside.url + path });
  await hook("warehouse", "Warehouse", "/good");
  await hook("mail", "Mail tool", "/bad");
  await hook("old-crm", "Old CRM", "/gone");
  await call("PUT", `/api/spaces/${SPACE}/definitions/regulars`, {
    kind: "audience", name: "Regular customers", query: "event('Order Completed').within(30 days).count() >= 2", destinations: [{ destination: "warehouse" }],
  });
  await call("PUT", `/api/spaces/${SPACE}/definitions/spent`, { kind: "computed_trait", name: "Spent", query: "event('Order Completed').sum(property('total'))" });
  const events = PEOPLE.flatMap(([name, city], index) => story(name, city, index, now));
  await collect(world, "key-of-web-shop", events);
  await collect(world, "key-of-crm", [
    { type: "identify", userId: "ada", messageId: "crm-1", traits: { phone: "+442071234567", segment: "enterprise" } },
    { type: "track", userId: "ada", messageId: "crm-2", event: "Call Answered", properties: { minutes: 7, agent: "Mary" } },
  ]);
  await collect(world, "key-of-ios-app", [
    { type: "track", messageId: "bad-1", anonymousId: "x", properties: { forgot: "the name" } },
    { type: "track", messageId: "bad-2", event: "No One" },
    { type: "screen", messageId: "good-1", anonymousId: "phone-of-ada", name: "Basket", properties: {} },
  ]);
  await call("POST", "/api/spaces", { id: HOSTILE_SPACE, name: HOSTILE[0].slice(0, 60) });
  await source("hostile", HOSTILE[1].slice(0, 80), "any", HOSTILE_SPACE);
  await call("POST", "/api/destinations", { id: "hostile-hook", name: HOSTILE[2].slice(0, 80), space: HOSTILE_SPACE, url: `${outside.url}/bad` });
  await call("PUT", `/api/spaces/${HOSTILE_SPACE}/definitions/hostile`, { kind: "audience", name: HOSTILE[3].slice(0, 80), query: "event('Order Completed').count() >= 1" });
  await collect(world, "key-of-hostile", [
    ...HOSTILE.flatMap((text, index) => [
      { type: "identify", messageId: `h-i-${index}`, userId: "victim", anonymousId: text, traits: { name: text, [text.slice(0, 90)]: text, avatar: text, email: "victim@example.com" } },
      { type: "track", messageId: `h-t-${index}`, userId: "victim", event: text, properties: { name: text, url: text, [text.slice(0, 90)]: { deep: [text] } }, context: { userAgent: text, device: { model: text } } },
    ]),
    { type: "track", messageId: HOSTILE[0], userId: "victim", event: "Order Completed", properties: { total: 1 } },
    { type: "track", messageId: "h-bad", anonymousId: "x", properties: { raw: HOSTILE.join(" ") } },
  ]);
  await until(async () => (await call("GET", "/api/state")).body.lag === 0, "all is folded");
  await until(async () => (await call("GET", "/api/destinations/old-crm")).body.status?.pause === "gone", "the old CRM is paused");
  await until(async () => (await call("GET", `/api/spaces/${SPACE}/definitions/regulars`)).body.state === "live", "the audience is live");
}
