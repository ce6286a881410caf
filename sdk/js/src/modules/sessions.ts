/**
 * Sessions: `context.sessionId`, the moment it began in milliseconds, and `context.sessionStart` on its first event.
 * A session ends when nothing happened for a while, in no tab of the site.
 */
import type { Install } from "../types.js";
import { type Bag, durableBag, memoryBag } from "../values.js";

export interface SessionOptions {
  /** How long nothing has to happen, in minutes. */
  timeout?: number;
}

const KEY = "selfsame-session";

export default function sessions(options: SessionOptions | true = {}): Install {
  const timeout = (options === true ? undefined : options.timeout) ?? 30;
  return (analytics) => {
    let bag: Bag | undefined;
    analytics.addSourceMiddleware(({ payload, next }) => {
      bag ??= (!analytics.options.disableClientPersistence && durableBag()) || memoryBag();
      const now = Date.now();
      const [began, last] = (bag[KEY] ?? "").split(" ").map(Number);
      const goesOn = now - (last ?? 0) < timeout * 60_000;
      const id = goesOn ? began! : now;
      try {
        bag[KEY] = `${id} ${now}`;
      } catch {
        // Full: the session goes on as it was.
      }
      const { context } = payload.obj;
      context["sessionId"] = id;
      if (!goesOn) context["sessionStart"] = true;
      next(payload);
    });
    analytics.on("reset", () => {
      if (bag) delete bag[KEY];
    });
  };
}
