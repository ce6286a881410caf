/** What the adapters of consent platforms share. */
import type { Analytics } from "../types.js";

export interface ConsentOptions {
  /** The categories that have to be agreed to before anything is sent; one is enough. */
  required?: string[];
}

/** Tells the SDK what somebody chose. */
export function decide(analytics: Analytics, categories: Record<string, boolean>, required: string[]): void {
  analytics.consent(required.some((name) => categories[name]) ? "granted" : "denied", categories);
}
