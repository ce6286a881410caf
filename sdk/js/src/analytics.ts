/**
 * The SDK itself: Segment's analytics.js API over a queue that outlives the page.
 *
 * A call is finished when it returns: its ids, page and time are those of that moment, and the event is in the queue.
 * Only three things hold calls back, in memory: consent that nobody gave yet, a lazy module on its way, and a middleware
 * or plugin that takes its time.
 */
import { pageSaid, type Said, trackSaid, whoSaid } from "./arguments.js";
import { emitter } from "./emitter.js";
import { identities } from "./identity.js";
import { through } from "./middleware.js";
import { browser, campaignOf, pageOf } from "./page.js";
import { createQueue } from "./queue.js";
import type { Analytics, Consent, Context, EventType, Fields, Install, Middleware, Options, SdkEvent, Settings, VisitorProfile } from "./types.js";
import { memoryBag, uuid } from "./values.js";

declare const __VERSION__: string;

/** Finds a lazy module by its name. */
export type FindModule = (name: string) => Promise<{ default: (...args: never[]) => unknown }>;

/** How many seconds' worth of calls may come at once. */
const BURST = 10;

/** Makes one of the six calls, of what its arguments mean. */
export type Call = (type: EventType, understand: (args: unknown[]) => Said) => (...args: unknown[]) => Promise<Context | undefined>;

/** What is asked for seldom, and comes with a module when it is. */
const SELDOM = "alias register deregister addDestinationMiddleware addIntegrationMiddleware trackLink trackClick trackForm trackSubmit pageview debug timeout";

export function createAnalytics(settings: Settings & { host: string }, options: Options, findModule: FindModule): Analytics {
  const { writeKey, host } = settings;
  const { integrations = {}, cookie = {}, user: userKeys = {}, group: groupKeys = {}, modules = {} } = options;
  const ours = (integrations["Segment.io"] ?? {}) as { apiHost?: string; protocol?: string };
  const api = ours.apiHost ? `${ours.protocol ?? "https"}://${ours.apiHost}` : `${host}/v1`;
  const { on, off, emit } = emitter();
  const middlewares: Middleware[] = [];
  /** Where plugins take events: behind all middlewares of the source. */
  const behind: Middleware[] = [];
  const { user, group, persist } = identities(cookie, userKeys, groupKeys);
  const unchanging = browser();
  /** Which tools events may go to, as far as the page says it for all of them. */
  const chosen: Fields = {};
  for (const name in integrations) chosen[name] = !!integrations[name];

  let consent: Consent = options.disable ? "denied" : (options.consent ?? "granted");
  let categories: Record<string, boolean> | undefined;
  let token = options.identityToken ?? null;

  let queue: ReturnType<typeof createQueue> | undefined;
  /** Calls that wait, oldest first; and how many reasons to wait there are. */
  const held: (() => void)[] = [];
  let holds = 0;

  /** How many events were not kept, by the reason, since the last one that was. */
  let dropped: Record<string, number> | undefined;
  on("drop", (reason: string) => {
    dropped ??= {};
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  });

  const rate = options.flood ?? 20;
  let allowance = rate * BURST;
  let allowedAt = Date.now();
  const floods = (): boolean => {
    const now = Date.now();
    allowance = Math.min(rate * BURST, allowance + ((now - allowedAt) * rate) / 1000);
    allowedAt = now;
    if (rate && allowance < 1) return true;
    allowance -= 1;
    return false;
  };

  /** Opens what the browser keeps, once it may be. */
  const open = (): void => {
    if (queue) return;
    const bag = (!options.disableClientPersistence && persist()) || memoryBag();
    queue = createQueue({ writeKey, url: `${api}/b`, bag, interval: options.flushInterval ?? 500, tell: emit });
  };

  /** Runs what was held, unless there is still a reason to wait; where consent was refused, that makes nothing of it. */
  const release = (): void => {
    while (!holds && consent !== "pending" && held.length) held.shift()!();
  };

  const build = (type: EventType, { fields, options: said }: Said, page: Fields | undefined, at: Date): SdkEvent => {
    const { context, integrations: allowed, timestamp, userId, anonymousId, messageId, ...rest } = said;
    let properties = fields["properties"] as Fields | undefined;
    let here = page;
    if (type === "page") {
      properties = { ...page, ...properties, name: fields["name"] ?? properties!["name"], category: fields["category"] ?? properties!["category"] };
      here = {};
      for (const field of Object.keys(page ?? {})) here[field] = properties[field];
    }
    return {
      type,
      messageId: messageId ?? `ajs-next-${+at}-${uuid()}`,
      timestamp: new Date(timestamp ?? at).toISOString(),
      anonymousId: anonymousId ?? user.anonymousId(),
      userId: userId ?? user.id() ?? undefined,
      ...fields,
      properties,
      context: {
        ...unchanging,
        library: { name: "analytics.js", version: `selfsame-${__VERSION__}` },
        campaign: page && campaignOf(page["search"] as string),
        consent: categories && { categoryPreferences: categories },
        identityToken: token ?? undefined,
        dropped,
        ...rest,
        ...context,
        page: { ...here, ...(context?.["page"] as Fields) },
      },
      integrations: { ...chosen, ...allowed },
    };
  };

  const call: Call =
    (type, understand) =>
    (...args) => {
      const page = pageOf(args);
      const at = new Date();
      const make = async (): Promise<Context | undefined> => {
        if (consent === "denied") return undefined;
        open();
        const said = understand(args);
        if (floods()) return void emit("drop", "flood");
        const passed = through([...middlewares, ...behind], build(type, said, page, at), (event) => {
          queue!.push(JSON.stringify(event));
          dropped = undefined;
        });
        emit(type, ...Object.values(said.fields), said.options);
        const event = await passed;
        const context = event && { id: event.messageId, event };
        said.callback?.(context);
        return context;
      };
      if (consent === "denied" || (!holds && consent === "granted")) return make();
      return new Promise((resolve, reject) => held.push(() => void make().then(resolve, reject)));
    };

  const track = call("track", trackSaid);
  const page = call("page", pageSaid);
  const identify = call("identify", (args) => whoSaid(args, "userId", user));
  const sendGroup = call("group", (args) => whoSaid(args, "groupId", group));

  const installing: Promise<void>[] = [];
  /** Holds calls until something is done, or has failed. */
  const holding = (work: Promise<unknown>): Promise<void> => {
    holds += 1;
    const done = work.catch(console.error).then(() => {
      holds = Math.max(0, holds - 1);
      release();
    });
    installing.push(done);
    return done;
  };

  const lazily = (name: string, ...args: unknown[]): Promise<unknown> =>
    findModule(name).then((module) => (module.default as (...args: unknown[]) => unknown)(...args));
  const analytics: Analytics = {
    VERSION: __VERSION__,
    initialized: true,
    settings,
    options,
    track: track as Analytics["track"],
    page: page as Analytics["page"],
    screen: call("screen", pageSaid) as Analytics["screen"],
    identify: identify as Analytics["identify"],
    group: ((...args: unknown[]) => (args.length ? sendGroup(...args) : group)) as Analytics["group"],
    user: () => user,
    setAnonymousId: (id) => user.anonymousId(id),
    reset() {
      user.reset();
      group.reset();
      token = null;
      emit("reset");
    },
    flush: async () => queue?.flush(),
    profile: () => lazily("profile", `${api}/me`, { writeKey, anonymousId: user.anonymousId() }, token) as Promise<VisitorProfile>,
    setIdentityToken: (next) => void (token = next),
    consent(state, chosen) {
      consent = state;
      categories = chosen ?? categories;
      if (state === "granted") open();
      emit("consent", state, categories);
      release();
    },
    async ready(callback) {
      await Promise.all(installing);
      callback?.();
    },
    on: (name, listener) => (on(name, listener), analytics),
    off: (name, listener) => (off(name, listener), analytics),
    once: (name, listener) =>
      analytics.on(name, function first(...args) {
        off(name, first);
        listener(...args);
      }),
    emit: (name, ...args) => (emit(name, ...args), analytics),
    addSourceMiddleware: (middleware) => (middlewares.push(middleware), analytics),
    use: (install) => (install(analytics), analytics),
  } as Analytics;
  for (const name of SELDOM.split(" ")) {
    (analytics as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => holding(lazily("seldom", analytics, call, behind, name, args));
  }

  /** The page may be gone: nothing is worth waiting for any more. */
  const leave = (gone: boolean): void => {
    holds = 0;
    release();
    queue?.leave(gone);
  };
  globalThis.addEventListener?.("pagehide", () => leave(true));
  globalThis.addEventListener?.("pageshow", (event) => event.persisted && queue?.wake());
  globalThis.addEventListener?.("online", () => queue?.wake());
  globalThis.document?.addEventListener("visibilitychange", () => document.hidden && leave(false));

  if (consent === "granted") open();
  for (const [name, wanted] of Object.entries(modules)) {
    if (wanted) void holding(lazily(name, wanted).then((install) => analytics.use(install as Install)));
  }
  const search = globalThis.location?.search ?? "";
  if (options.useQueryString !== false && /[?&]ajs_/.test(search)) void holding(lazily("query", analytics, search));
  if (options.initialPageview) void page();
  return analytics;
}
