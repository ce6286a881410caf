/**
 * Events between the call and the server's answer.
 *
 * An event is one entry of a bag (`localStorage`), written before anything is sent and removed when the server has
 * taken it. The bag is shared by all tabs of a site: whichever tab sends takes whatever is there, so what a crashed tab
 * left is sent by another, or by the next page.
 *
 *     selfsame:KEY:<time><number><random>   an event, as JSON; the names sort by time
 *     selfsame-sent:KEY                     "<until> <name>": up to this event, all is under way until then
 *     selfsame-pause:KEY                    the server asked to wait until then
 *     selfsame-retry:KEY                    the next attempt after one that failed
 *
 * Invariants:
 * - an event leaves the bag only when the server took it, refused it alone, or it is a week old; whatever is not taken is told;
 * - what is under way is not sent by another tab as long as an answer can be expected; behind that it is sent again, and
 *   the server counts it once, by its `messageId`;
 * - nothing is sent before the moment that the server named in `Retry-After`.
 */
import { type Bag, memoryBag } from "./values.js";

export interface QueueConfig {
  writeKey: string;
  /** Where batches are posted to. */
  url: string;
  bag: Bag;
  /** How long an event waits for others, in milliseconds. */
  interval: number;
  /** Says what became of events: `delivery_success`, `delivery_failure`, `drop`. */
  tell(name: string, detail: unknown): void;
}

export interface Queue {
  push(event: string): void;
  /** Sends all that may be sent; resolves when it was answered. */
  flush(): Promise<void>;
  /** The page may be gone in a moment, or is: sends at once what a browser still sends then. */
  leave(gone: boolean): void;
  /** Waits for nothing any more: the network is back, or the page. */
  wake(): void;
}

interface Batch {
  keys: string[];
  texts: string[];
  bytes: number;
  mark: string;
}

const BATCH_EVENTS = 100;
const BATCH_BYTES = 450_000;
/** What a browser sends of a page that is gone, over all its requests; it allows 64 KiB. */
const LEAVING_BYTES = 60_000;
const WEEK = 7 * 86_400_000;
const ADOPTED_AFTER = 5_000;
const ANSWERED_WITHIN = 10_000;
const GIVEN_UP_AFTER = 30_000;
const LONGEST_BACKOFF = 60_000;
const LONGEST_PAUSE = 3_600;
/** The server will not take it: all of 4xx but 408, 410, 429 and 460, and 501 and 505. */
const REFUSED = /^(4(?!08|10|29|60)|50[15])/;
const FOR_ONE_EVENT = /^4(00|13|22)/;

export function createQueue({ writeKey, url, bag, interval, tell }: QueueConfig): Queue {
  const prefix = `selfsame:${writeKey}:`;
  const SENT = `selfsame-sent:${writeKey}`;
  const PAUSE = `selfsame-pause:${writeKey}`;
  const RETRY = `selfsame-retry:${writeKey}`;
  /** What the bag has no room for. */
  const spill = memoryBag();
  const tab = Math.random().toString(36).slice(2, 6);

  let newest = 0;
  let count = 0;
  let waiting = 0;
  let failures = 0;
  let most = BATCH_EVENTS;
  let leavingBytes = 0;
  let running: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = Infinity;

  const read = (key: string): string | undefined => bag[key] ?? spill[key];
  const moment = (key: string): number => parseFloat(read(key) ?? "") || 0;
  const remove = (key: string): void => {
    delete bag[key];
    delete spill[key];
  };
  const write = (key: string, value: string): void => {
    try {
      bag[key] = value;
    } catch {
      spill[key] = value;
    }
  };
  const keys = (): string[] =>
    [...Object.keys(bag), ...Object.keys(spill)].filter((key) => key.startsWith(prefix)).sort();

  const schedule = (after: number): void => {
    const at = Date.now() + after;
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      due = Infinity;
      void flush();
    }, after);
    // No process stays for this; pages have nothing to ask.
    (timer as { unref?: () => void }).unref?.();
  };

  /** Takes the oldest events that nobody sends, and marks them as under way. */
  const take = (limit = BATCH_BYTES, leaving?: boolean): Batch | undefined => {
    const now = Date.now();
    if (now < moment(PAUSE) || (!leaving && now < moment(RETRY))) return undefined;
    const until = moment(SENT);
    const sentUpTo = now < until ? read(SENT)!.split(" ")[1]! : "";
    const batch: Batch = { keys: [], texts: [], bytes: 0, mark: "" };
    for (const key of keys()) {
      const text = read(key);
      if (key <= sentUpTo || text === undefined) continue;
      if (parseInt(key.slice(prefix.length, prefix.length + 8), 36) < now - WEEK) {
        remove(key);
        tell("drop", "expired");
        continue;
      }
      const bytes = new TextEncoder().encode(text).length + 1;
      const full = batch.keys.length >= most || batch.bytes + bytes > limit;
      if (full && (leaving || batch.keys.length)) break;
      batch.keys.push(key);
      batch.texts.push(text);
      batch.bytes += bytes;
    }
    if (!batch.keys.length) return undefined;
    // What is under way already is waited for no longer because of this.
    batch.mark = `${now < until ? until : now + ANSWERED_WITHIN} ${batch.keys.at(-1)}`;
    write(SENT, batch.mark);
    return batch;
  };

  /** Two tabs take different events: one takes at a time. Pages without TLS have no locks; the mark has to do there. */
  const taken = async (): Promise<Batch | undefined> => {
    try {
      return await navigator.locks.request(prefix, () => take());
    } catch {
      return take();
    }
  };

  /** Whether the batch was settled: taken by the server, or refused for good. */
  const send = async (batch: Batch): Promise<boolean> => {
    const body = `{"batch":[${batch.texts}],"writeKey":${JSON.stringify(writeKey)},"sentAt":"${new Date().toISOString()}"}`;
    const keepalive = batch.bytes <= LEAVING_BYTES - leavingBytes;
    if (keepalive) leavingBytes += batch.bytes;
    let answer: Response | undefined;
    try {
      // A content type that needs no preflight.
      answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body,
        keepalive,
        // Browsers from before 2022 wait as long as they like.
        signal: AbortSignal.timeout?.(GIVEN_UP_AFTER),
      });
    } catch {
      // No answer: as if the server was not there.
    }
    const now = Date.now();
    if (keepalive) leavingBytes -= batch.bytes;
    if (answer?.ok) {
      batch.keys.forEach(remove);
      failures = 0;
      most = Math.min(most * 2, BATCH_EVENTS);
      remove(RETRY);
      tell("delivery_success", batch.keys.length);
      return true;
    }
    if (read(SENT) === batch.mark) remove(SENT);
    const status = `${answer?.status}`;
    // No use in trying these again. A batch may be refused for one event of it, so that one is looked for.
    if (REFUSED.test(status)) {
      most = FOR_ONE_EVENT.test(status) ? batch.keys.length >> 1 : 0;
      if (!most) {
        most = 1;
        batch.keys.forEach(remove);
        tell("delivery_failure", { status: +status, events: JSON.parse(`[${batch.texts}]`) as unknown });
      }
      return true;
    }
    failures += 1;
    write(RETRY, `${now + Math.random() * Math.min(LONGEST_BACKOFF, 500 * 2 ** failures)}`);
    const pause = +(answer?.headers.get("retry-after") ?? 0);
    if (pause > 0) write(PAUSE, `${now + Math.min(pause, LONGEST_PAUSE) * 1000}`);
    return false;
  };

  const run = async (): Promise<void> => {
    waiting = 0;
    for (;;) {
      const batch = await taken();
      if (!batch || !(await send(batch))) break;
    }
    if (keys().length) {
      const next = Math.max(moment(PAUSE), moment(RETRY), moment(SENT)) - Date.now();
      schedule(Math.max(next, 50));
    }
  };

  const flush = (): Promise<void> => (running ??= run().finally(() => (running = undefined)));

  const wake = (): void => {
    remove(RETRY);
    schedule(0);
  };

  // What another tab writes, this one sends if nobody else has soon.
  globalThis.addEventListener?.("storage", (event) => {
    if (event.newValue && event.key?.startsWith(prefix)) schedule(ADOPTED_AFTER);
  });
  if (keys().length) schedule(interval);

  return {
    push(event) {
      newest = Math.max(newest, Date.now());
      write(prefix + newest.toString(36) + (count++).toString(36).padStart(4, "0") + tab, event);
      waiting += 1;
      schedule(waiting < BATCH_EVENTS ? interval : 0);
    },
    flush,
    leave(gone) {
      const batch = take(LEAVING_BYTES - leavingBytes, true);
      if (batch) void send(batch);
      // The answer will not be heard: others wait a little and send it again.
      const mark = read(SENT);
      if (gone && mark) write(SENT, `${Date.now() + ADOPTED_AFTER} ${mark.split(" ")[1]}`);
    },
    wake,
  };
}
