/**
 * The script that a server gives out for a write key: `/analytics.js/v1/KEY/analytics.min.js`.
 *
 * It takes over from the snippet: the array of calls under the name of a global variable, `analytics` unless the script
 * tag says otherwise, becomes the SDK. What has to be there before the first event goes first.
 */
import { createAnalytics } from "./analytics.js";
import type { Analytics, Options } from "./types.js";

/** A hash of the lazy modules, which their names have. */
declare const __MODULES__: string;

type Queued = [keyof Analytics, ...unknown[]];
interface Snippet extends Array<Queued> {
  initialized?: boolean;
  _writeKey?: string;
  _cdn?: string;
  _loadOptions?: Options;
}

const LATER = /^(track|page|screen|identify|group|alias|ready|reset|flush)/;

const script = document.currentScript as HTMLScriptElement | null;
const name = script?.getAttribute("data-global-segment-analytics-key") || "analytics";
const globals = window as unknown as Record<string, Snippet | Analytics | undefined>;
const snippet = (globals[name] ?? []) as Snippet;

if (!snippet.initialized) {
  const own = /^(https?:.*)\/analytics\.js\/v1\//.exec(script?.src ?? "");
  const host = snippet._cdn || own?.[1] || location.origin;
  const analytics = createAnalytics({ writeKey: "__WRITE_KEY__", host }, snippet._loadOptions ?? {}, (module) =>
    import(`${host}/analytics-next/bundles/selfsame-${module}.${__MODULES__}.js`) as never,
  );
  globals[name] = analytics;
  const run = ([method, ...args]: Queued): void => {
    try {
      void (analytics[method] as (...args: unknown[]) => unknown)(...args);
    } catch (error) {
      console.error(method, error);
    }
  };
  for (const later of [false, true]) snippet.filter?.(([method]) => LATER.test(method) === later).forEach(run);
}
