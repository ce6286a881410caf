/**
 * Follows what the server says about a set of identifiers. Server-sent events carry
 * the changes; when the stream breaks it is opened again, and the state asked anew.
 */
import { ask, type Delivery, type Inbox, type Me, type Status } from "./wire.ts";

export interface Listener {
  changed(me: Me): void;
  delivered(delivery: Delivery): void;
  inbox(inbox: Inbox): void;
  status(status: Status): void;
  connected(connected: boolean): void;
}

const AGAIN_AFTER_MS = 1500;
const STATUS_EVERY_MS = 1000;

export class Live {
  readonly #listener: Listener;
  #stream: EventSource | undefined;
  #query: string | undefined;
  #retry: number | undefined;
  /** Whether this stream has spoken: then what was asked on opening may be older. */
  #spoke = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    void this.#status();
  }

  /** Follows other identifiers from now on; the same again changes nothing. */
  follow(query: string): void {
    if (query === this.#query) return;
    this.#query = query;
    this.#open(query);
  }

  #open(query: string): void {
    this.#stream?.close();
    clearTimeout(this.#retry);
    const stream = new EventSource(`/demo/live?ids=${query}`);
    this.#stream = stream;
    this.#spoke = false;
    stream.addEventListener("open", () => {
      this.#listener.connected(true);
      void this.#catchUp(stream, query);
    });
    stream.addEventListener("change", (event) =>
      this.#read<Me>(event, (me) => {
        this.#spoke = true;
        this.#listener.changed(me);
      }),
    );
    stream.addEventListener("inbox", (event) => this.#read<Delivery>(event, (one) => this.#listener.delivered(one)));
    stream.addEventListener("error", () => this.#lost(stream, query));
  }

  #lost(stream: EventSource, query: string): void {
    if (stream !== this.#stream) return;
    stream.close();
    this.#listener.connected(false);
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => this.#open(query), AGAIN_AFTER_MS);
  }

  async #catchUp(stream: EventSource, query: string): Promise<void> {
    try {
      const [me, inbox] = await Promise.all([ask<Me>(`/demo/me?ids=${query}`), ask<Inbox>("/demo/inbox?limit=30")]);
      if (stream !== this.#stream) return;
      if (!this.#spoke) this.#listener.changed(me);
      this.#listener.inbox(inbox);
    } catch {
      this.#lost(stream, query);
    }
  }

  #read<T>(event: Event, then: (value: T) => void): void {
    try {
      then(JSON.parse((event as MessageEvent<string>).data) as T);
    } catch (error) {
      console.error("the live stream sent something unreadable", error);
    }
  }

  async #status(): Promise<void> {
    try {
      this.#listener.status(await ask<Status>("/demo/status"));
    } catch {
      // The live stream says that the server is away.
    }
    window.setTimeout(() => void this.#status(), STATUS_EVERY_MS);
  }
}
