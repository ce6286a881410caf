/**
 * The SDK for servers: every call names its person, and nothing of one is remembered for the next. The shape of the calls
 * is that of Segment's `analytics-node`. Events wait in memory: a process that is about to end calls `closeAndFlush`.
 */
import { emitter, type Listener } from "./emitter.js";
import { createQueue } from "./queue.js";
import type { EventType, Fields } from "./types.js";
import { memoryBag, uuid } from "./values.js";

declare const __VERSION__: string;

export interface NodeSettings {
  writeKey: string;
  /** The server, as `https://cdp.example.com`. */
  host: string;
  /** How long events wait for others, in milliseconds. */
  flushInterval?: number;
  /** Nothing is sent. */
  disable?: boolean;
}

/** Whom a call is about: one of the two at least. */
export type Who = { userId: string; anonymousId?: string } | { userId?: string; anonymousId: string };

export type Said = Who & {
  context?: Fields;
  integrations?: Fields;
  timestamp?: Date | string;
  messageId?: string;
};

export interface NodeAnalytics {
  track(call: Said & { event: string; properties?: Fields }): void;
  identify(call: Said & { traits?: Fields }): void;
  page(call: Said & { name?: string; category?: string; properties?: Fields }): void;
  screen(call: Said & { name?: string; category?: string; properties?: Fields }): void;
  group(call: Said & { groupId: string; traits?: Fields }): void;
  alias(call: Said & { userId: string; previousId: string }): void;
  /** Sends what waits, and resolves when it was answered. */
  flush(): Promise<void>;
  /** Takes no more calls, and resolves when everything was taken by the server, or when it took too long; with how many events are left. */
  closeAndFlush(options?: { timeout?: number }): Promise<number>;
  /** `delivery_success`, `delivery_failure`, `drop`. */
  on(name: string, listener: Listener): void;
  off(name: string, listener: Listener): void;
}

const BETWEEN_ATTEMPTS = 100;

export function createNodeAnalytics({ writeKey, host, flushInterval = 500, disable = false }: NodeSettings): NodeAnalytics {
  const { on, off, emit } = emitter();
  const url = `${host.replace(/\/$/, "")}/v1/batch`;
  const bag = memoryBag();
  const queue = createQueue({ writeKey, url, bag, interval: flushInterval, tell: emit });
  const left = (): number => Object.keys(bag).filter((key) => key.startsWith("selfsame:")).length;
  let closed = disable;
  // A process that has nothing else to do sends what it has, once.
  process.once("beforeExit", () => void queue.flush());

  const call =
    (type: EventType) =>
    ({ context, timestamp, messageId, ...said }: Said): void => {
      if (closed) return emit("drop", "closed");
      if (!said.userId && !said.anonymousId) throw new Error(`${type}: userId or anonymousId is needed`);
      const at = new Date();
      const event = {
        ...said,
        type,
        messageId: messageId ?? `node-next-${+at}-${uuid()}`,
        timestamp: new Date(timestamp ?? at).toISOString(),
        context: { library: { name: "@selfsame/analytics/node", version: __VERSION__ }, ...context },
      };
      queue.push(JSON.stringify(event));
    };

  return {
    track: call("track"),
    identify: call("identify"),
    page: call("page"),
    screen: call("screen"),
    group: call("group"),
    alias: call("alias"),
    flush: queue.flush,
    async closeAndFlush({ timeout = 10_000 } = {}) {
      closed = true;
      const until = Date.now() + timeout;
      await queue.flush();
      while (left() && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_ATTEMPTS));
        await queue.flush();
      }
      return left();
    },
    on,
    off,
  };
}
