// What the server says by itself: numbers each second, and events as they are decided.
import type { Shown } from "./api.ts";
import { keep, type Numbers } from "./rates.ts";
import { withQuery, type Query } from "./router.ts";

let history = $state.raw<Numbers[]>([]);
let connected = $state(false);

type Handlers = Record<string, (data: string) => void>;
const AGAIN_MS = 3000;

/** A stream that is opened anew also where the browser gave it up: it does so when an answer is no stream. */
function stream(url: string, handlers: Handlers, turned: (connected: boolean) => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener("open", () => turned(true));
    source.addEventListener("error", () => {
      turned(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
    for (const [name, take] of Object.entries(handlers)) source.addEventListener(name, (event) => take((event as MessageEvent<string>).data));
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Follows the numbers as long as somebody is signed in. */
export function listen(): () => void {
  const live = (data: string) => {
    history = keep(history, JSON.parse(data) as Numbers);
  };
  const end = stream("/api/stream", { live }, (now) => (connected = now));
  return () => {
    end();
    connected = false;
    history = [];
  };
}

export const live = {
  get history(): readonly Numbers[] {
    return history;
  },
  get last(): Numbers | undefined {
    return history.at(-1);
  },
  get connected(): boolean {
    return connected;
  },
};

export type Seen = Shown["EventShown"];

/** So many events are kept for a person to look at; older ones are in profiles and traces. */
const KEPT = 300;

/**
 * Events as they are decided. They are taken in as they come and shown once a frame, so that a thousand a second cost
 * what ten do; pausing keeps the stream and holds what is shown.
 */
export class Tail {
  events = $state.raw<Seen[]>([]);
  received = $state(0);
  dropped = $state(0);
  connected = $state(false);
  paused = $state(false);
  #waiting: Seen[] = [];
  #count = 0;
  #frame = 0;

  /** Follows what `query` says, anew when that changes. */
  constructor(query: () => Query) {
    $effect(() => {
      const url = withQuery("/api/tail", query());
      this.clear();
      const event = (data: string) => this.#take(data);
      const dropped = (data: string) => {
        this.dropped += (JSON.parse(data) as { records: number }).records;
      };
      const end = stream(url, { event, dropped }, (now) => (this.connected = now));
      return () => {
        end();
        cancelAnimationFrame(this.#frame);
        this.#frame = 0;
      };
    });
  }

  clear(): void {
    this.events = [];
    this.#waiting = [];
    this.#count = 0;
    this.received = 0;
    this.dropped = 0;
  }

  #take(data: string): void {
    this.#count += 1;
    // Only what may be shown is read: in a flood the newest of each frame.
    if (!this.paused) {
      this.#waiting.push(JSON.parse(data) as Seen);
      if (this.#waiting.length > KEPT) this.#waiting.splice(0, this.#waiting.length - KEPT);
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#show);
  }

  #show = (): void => {
    this.#frame = 0;
    this.received = this.#count;
    if (this.#waiting.length === 0) return;
    this.events = [...this.#waiting.reverse(), ...this.events].slice(0, KEPT);
    this.#waiting = [];
  };
}
