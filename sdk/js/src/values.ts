/** Small questions about values. */
import type { Fields } from "./types.js";

/** Texts by key: `localStorage`, or an object where there is none. */
export type Bag = Record<string, string>;

/** A bag that only this page has. Without a prototype, so that no key is there from the start. */
export const memoryBag = (): Bag => Object.create(null) as Bag;

/** `localStorage` if it can be used; reading the property alone may throw. */
export function durableBag(): Bag | undefined {
  try {
    const bag = localStorage as unknown as Bag;
    bag["selfsame"] = "";
    delete bag["selfsame"];
    return bag;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Fields => ({}).toString.call(value) === "[object Object]";
export const isText = (value: unknown): value is string => typeof value === "string";
export const isFunction = (value: unknown): value is (...args: never[]) => unknown => typeof value === "function";

/** An id as text; numbers are ids too. */
export const idText = (value: unknown): string | undefined =>
  isText(value) || typeof value === "number" ? `${value}` : undefined;

/** The value of a JSON text, or the text itself where it is none. */
export function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text as string) as unknown;
  } catch {
    return text;
  }
}

/** `%XX` as characters, or the text as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A random UUID; pages without TLS have no `randomUUID`. */
export const uuid = (): string =>
  crypto.randomUUID?.() ??
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (+digit ^ ((Math.random() * 16) >> (+digit / 4))).toString(16),
  );
