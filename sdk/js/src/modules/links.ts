/** Tells of clicks and submissions. Nobody has to wait for it: the event outlives the page. */
import type { Analytics, CallOptions, Elements, Fields, Of } from "../types.js";

const told = <T>(value: Of<T>, element: Element): T => (typeof value === "function" ? (value as (element: Element) => T)(element) : value);

export function links(
  analytics: Analytics,
  on: "click" | "submit",
  elements: Elements,
  event: Of<string>,
  properties: Of<Fields> = {},
  options: CallOptions = {},
): void {
  const list = !elements ? [] : elements instanceof Element ? [elements] : "toArray" in elements ? elements.toArray() : Array.from(elements);
  for (const element of list) {
    element.addEventListener(on, () => void analytics.track(told(event, element), told(properties, element), options));
  }
}
