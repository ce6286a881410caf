/**
 * The shop's only way to the SDK, be it ours or Segment's. Calls run one after the other: with Segment's, an event still
 * on its way when the identity changes would be sent with the new user id.
 */
import type { Identity } from "./devices.ts";
import type { Properties } from "./events.ts";

const PATIENCE_MS = 3000;

interface Entity {
  id(): string | null | undefined;
  traits(): Properties | undefined;
  identify(id: string, traits: Properties): void;
}

/** What the shop needs of an SDK. */
export interface Sdk {
  track(event: string, properties: Properties): Promise<unknown>;
  page(category: string, name: string, properties: Properties): Promise<unknown>;
  identify(userId: string, traits: Properties): Promise<unknown>;
  group(): Entity;
  group(groupId: string, traits: Properties): Promise<unknown>;
  user(): Entity & { anonymousId(): string | null | undefined };
  setAnonymousId(id: string): unknown;
  reset(): unknown;
  on(name: string, listener: () => void): unknown;
}

/** Loads an SDK as a customer's page would; rejects when what it needs does not come. */
export type LoadSdk = (writeKey: string) => Promise<Sdk>;

export class Tracker {
  #last: Promise<unknown> = Promise.resolve();
  readonly #analytics: Sdk;
  readonly #failed: (why: string) => void;

  private constructor(analytics: Sdk, failed: (why: string) => void) {
    this.#analytics = analytics;
    this.#failed = failed;
  }

  static async load(load: LoadSdk, writeKey: string, failed: (why: string) => void): Promise<Tracker> {
    const analytics = await load(writeKey);
    analytics.on("delivery_failure", () => failed("An event could not be delivered, and the SDK gave it up."));
    return new Tracker(analytics, failed);
  }

  track(event: string, properties: Properties = {}): void {
    void this.#next(() => this.#analytics.track(event, properties));
  }

  page(category: string, name: string, properties: Properties = {}): void {
    void this.#next(() => this.#analytics.page(category, name, properties));
  }

  identify(userId: string, traits: Properties): Promise<void> {
    return this.#next(() => this.#analytics.identify(userId, traits));
  }

  group(groupId: string, traits: Properties): Promise<void> {
    return this.#next(() => this.#analytics.group(groupId, traits));
  }

  /** Forgets the user: the next event comes from somebody unknown. */
  reset(): Promise<void> {
    return this.#next(async () => this.#analytics.reset());
  }

  /** Waits for what was sent, then puts another device's memory in place of this one's. */
  become(identity: Identity): Promise<void> {
    return this.#next(async () => {
      this.#analytics.reset();
      this.#analytics.setAnonymousId(identity.anonymousId);
      if (identity.userId !== null) this.#analytics.user().identify(identity.userId, identity.traits);
      if (identity.groupId !== null) this.#analytics.group().identify(identity.groupId, identity.groupTraits);
    });
  }

  /** What the SDK keeps in this browser now. */
  identity(): Identity {
    const user = this.#analytics.user();
    const group = this.#analytics.group();
    return {
      anonymousId: user.anonymousId() ?? "",
      userId: user.id() ?? null,
      traits: user.traits() ?? {},
      groupId: group.id() ?? null,
      groupTraits: group.traits() ?? {},
    };
  }

  #next(call: () => Promise<unknown>): Promise<void> {
    const done = this.#last.then(() => within(PATIENCE_MS, call())).then(
      () => undefined,
      (error: unknown) => this.#failed(error instanceof Error ? error.message : String(error)),
    );
    this.#last = done;
    return done;
  }
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms))]);
}
