/** A browser as far as the SDK looks at one, and a server that answers as it is told. */
import { mock } from "node:test";
import type { Bag } from "../src/values.js";

export interface Posted {
  url: string;
  events: { messageId?: string; event?: string; [field: string]: unknown }[];
  keepalive: boolean;
}

type Answer = { status: number; headers?: Record<string, string> } | "offline" | "silent";

/** Takes the place of `fetch`; `answer` decides on each request, by its number. */
export function server(answer: (request: Posted, number: number) => Answer = () => ({ status: 200 })): Posted[] {
  const posted: Posted[] = [];
  mock.method(globalThis, "fetch", (url: string, { body, keepalive }: { body: string; keepalive: boolean }) => {
    const request = { url, events: (JSON.parse(body) as { batch: Posted["events"] }).batch, keepalive };
    posted.push(request);
    const found = answer(request, posted.length - 1);
    if (found === "offline") return Promise.reject(new TypeError("no network"));
    if (found === "silent") return new Promise(() => undefined);
    return Promise.resolve(new Response("{}", { status: found.status, headers: found.headers ?? {} }));
  });
  return posted;
}

/** Time that passes when it is told to; promises settle in between. */
export function clock(): (ms: number) => Promise<void> {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse("2026-11-30T10:00:00Z") });
  return async (ms) => {
    for (let passed = 0; passed < ms; passed += 50) {
      mock.timers.tick(Math.min(50, ms - passed));
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    await settled();
  };
}

/** Until nothing is to be done without time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Puts a value in a global's place until `restore`. */
const put = new Map<string, PropertyDescriptor | undefined>();
export function globally(name: string, value: unknown): void {
  if (!put.has(name)) put.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** A page of `https://shop.example.com` with the cookies and the storage of its visitor. */
export function browser({ url = "https://shop.example.com/sale?utm_source=letter#top", bag = {} as Bag, jar = new Map<string, string>() } = {}) {
  const location = new URL(url);
  const listeners: Record<string, (event: unknown) => void> = {};
  const cookies: string[] = [];
  globally("location", location);
  globally("localStorage", bag);
  globally("addEventListener", (name: string, listener: (event: unknown) => void) => (listeners[name] = listener));
  globally("document", {
    title: "Sale",
    referrer: "https://search.example/",
    hidden: false,
    querySelector: () => null,
    addEventListener: (name: string, listener: (event: unknown) => void) => (listeners[name] = listener),
    get cookie() {
      return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    },
    set cookie(text: string) {
      cookies.push(text);
      const [pair = "", ...attributes] = text.split(";");
      const [name = "", value = ""] = pair.split("=");
      // A cookie for all of `com` is taken by no browser.
      if (attributes.includes("domain=com")) return;
      if (attributes.includes("max-age=0")) jar.delete(name);
      else jar.set(name, value);
    },
  });
  return { bag, jar, cookies, listeners };
}

export function restore(): void {
  mock.restoreAll();
  mock.timers.reset();
  for (const [name, descriptor] of put) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else delete (globalThis as Record<string, unknown>)[name];
  }
  put.clear();
}
