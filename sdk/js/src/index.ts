/** The package for bundlers, in browsers and workers. */
import { createAnalytics, type FindModule } from "./analytics.js";
import type { Analytics, Options, Settings } from "./types.js";

export type * from "./types.js";

const MODULES: Record<string, () => ReturnType<FindModule>> = {
  seldom: () => import("./modules/seldom.js"),
  profile: () => import("./modules/profile.js"),
  signals: () => import("./modules/signals.js"),
  query: () => import("./modules/query.js"),
  autocapture: () => import("./modules/autocapture.js"),
  sessions: () => import("./modules/sessions.js"),
  "cross-domain": () => import("./modules/cross-domain.js"),
  onetrust: () => import("./modules/onetrust.js"),
  cookiebot: () => import("./modules/cookiebot.js"),
  tcf: () => import("./modules/tcf.js"),
};

/** The SDK for a source; what `options.modules` names comes with the bundle, when it is needed. */
export function load(settings: Settings, options: Options = {}): Analytics {
  const host = (settings.host ?? settings.cdnURL ?? globalThis.location?.origin ?? "").replace(/\/$/, "");
  return createAnalytics({ ...settings, host }, options, (name) => MODULES[name]?.() ?? Promise.reject(new Error(`no module ${name}`)));
}

/** Can be called at once, and awaited for `[analytics, undefined]`, as what Segment's `AnalyticsBrowser.load` gives back. */
export type Loaded = Analytics & PromiseLike<[Analytics, undefined]>;

/** Segment's way to load, for code that was written for theirs. */
export const AnalyticsBrowser = {
  load(settings: Settings, options?: Options): Loaded {
    const analytics = load(settings, options);
    const ready = analytics.ready().then((): [Analytics, undefined] => [analytics, undefined]);
    return { ...analytics, then: (...handlers) => ready.then(...handlers) };
  },
};
