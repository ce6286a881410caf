/** Middlewares one after the other. */
import type { Middleware, SdkEvent } from "./types.js";

/**
 * Gives an event to each middleware in turn, and what the last one lets through to `done`. As long as none of them waits
 * for something, `done` was called when this returns. Resolves with what was let through.
 */
export async function through(
  [first, ...rest]: Middleware[],
  event: SdkEvent,
  done: (event: SdkEvent) => void,
  integration?: string,
): Promise<SdkEvent | undefined> {
  if (!first) {
    done(event);
    return event;
  }
  let passed: Promise<SdkEvent | undefined> | undefined;
  await first({
    payload: { obj: event, type: () => event.type },
    next: (payload) => void (payload && (passed = through(rest, payload.obj, done, integration))),
    integrations: event.integrations,
    ...(integration && { integration }),
  });
  return passed;
}
