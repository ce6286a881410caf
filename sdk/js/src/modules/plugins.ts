/**
 * Plugins in Segment's shape, and middlewares of destinations: before and enrichment plugins change an event or cancel
 * it, destination plugins get it beside the delivery to the server, after plugins when it is in the queue.
 *
 * Everything stays synchronous as long as the plugins do, so that an event is in the queue when the call returns.
 */
import { through } from "../middleware.js";
import type { Analytics, Middleware, Plugin, PluginContext, SdkEvent } from "../types.js";

/** Thrown by what ends the way of an event on purpose. */
class Cancelled extends Error {}

/** The delivery to the server goes by Segment's name for theirs. */
const OURS = "Segment.io";

const isPromise = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === "function";

/** What comes after a value: now, or when the promise of it is kept. */
const then = <T, U>(value: T | PromiseLike<T>, next: (value: T) => U | PromiseLike<U>): U | PromiseLike<U> =>
  isPromise(value) ? value.then(next) : next(value);

function contextOf(event: SdkEvent): PluginContext {
  return {
    id: event.messageId,
    event,
    updateEvent(path, value) {
      const names = path.split(".");
      const last = names.pop()!;
      let at = this.event as unknown as Record<string, unknown>;
      for (const name of names) {
        // What is inherited is nobody's field: a path cannot reach a prototype.
        if (!Object.prototype.hasOwnProperty.call(at, name)) at[name] = {};
        at = at[name] as Record<string, unknown>;
      }
      Object.defineProperty(at, last, { value, configurable: true, enumerable: true, writable: true });
      return this.event;
    },
    cancel() {
      throw new Cancelled("cancelled");
    },
  };
}

/** One plugin takes the event; where it fails, the event goes on as it was. */
function taken(plugin: Plugin, context: PluginContext): PluginContext | PromiseLike<PluginContext> {
  const failed = (error: unknown): PluginContext => {
    if (error instanceof Cancelled) throw error;
    console.error(plugin.name, error);
    return context;
  };
  try {
    const made = plugin[context.event.type]?.(context) as PluginContext | undefined | PromiseLike<PluginContext | undefined>;
    return isPromise(made) ? made.then((made) => made ?? context, failed) : (made ?? context);
  } catch (error) {
    return failed(error);
  }
}

/** Whether an event may go to a destination of that name. */
const allows = ({ integrations }: SdkEvent, name: string): boolean => !!(integrations[name] ?? integrations["All"] ?? true);

export interface PluginHost {
  register(...plugins: Plugin[]): Promise<void>;
  deregister(...names: string[]): Promise<void>;
  addDestinationMiddleware(name: string, ...middlewares: Middleware[]): void;
}

/** The plugins of an SDK; `behind` gets the middleware that takes events through them. */
export function pluginHost(analytics: Analytics, behind: Middleware[]): PluginHost {
  let known: Plugin[] = [];
  const middlewares = new Map<string, Middleware[]>();
  const of = (type: Plugin["type"]): Plugin[] => known.filter((plugin) => plugin.type === type);
  const enriched = (list: Plugin[], context: PluginContext): PluginContext | PromiseLike<PluginContext> =>
    list.reduce<PluginContext | PromiseLike<PluginContext>>((before, plugin) => then(before, (context) => taken(plugin, context)), context);

  const arrive = (context: PluginContext, next: (event: SdkEvent) => void): unknown => {
    for (const plugin of of("destination").filter(({ name }) => allows(context.event, name))) {
      // A destination may change its own copy only.
      const copy = JSON.parse(JSON.stringify(context.event)) as SdkEvent;
      const deliver = (event: SdkEvent): void => void then(taken(plugin, contextOf(event)), () => undefined);
      through(middlewares.get(plugin.name) ?? [], copy, deliver, plugin.name).catch((error) => console.error(plugin.name, error));
    }
    const kept = through(middlewares.get(OURS) ?? [], context.event, next, OURS);
    return kept.then((event) => event && enriched(of("after"), context));
  };

  behind.push(async ({ payload, next }) => {
    try {
      const before = enriched([...of("before"), ...of("enrichment")], contextOf(payload.obj));
      await then(before, (context) => arrive(context, (obj) => next({ ...payload, obj })));
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
    }
  });
  return {
    async register(...plugins) {
      await Promise.all(plugins.map((plugin) => plugin.load?.(undefined, analytics)));
      known = [...known, ...plugins];
    },
    async deregister(...names) {
      const gone = known.filter(({ name }) => names.includes(name));
      known = known.filter((plugin) => !gone.includes(plugin));
      await Promise.all(gone.map((plugin) => plugin.unload?.(undefined, analytics)));
    },
    addDestinationMiddleware(name, ...more) {
      middlewares.set(name, [...(middlewares.get(name) ?? []), ...more]);
    },
  };
}
