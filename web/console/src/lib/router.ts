// Where the console is: what an address means, and the address of what is meant. No browser in here.

export const BASE = "/console";

export interface Place {
  /** The pattern that the path fits, such as `/s/:space/sources/:source`. */
  pattern: string;
  params: Record<string, string>;
}

/** The first pattern that a path fits. A part of a path is any text, percent-encoded. */
export function match(patterns: readonly string[], path: string): Place | undefined {
  const parts = path.split("/").filter(Boolean);
  for (const pattern of patterns) {
    const wanted = pattern.split("/").filter(Boolean);
    if (wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((want, index) => {
      const part = decode(parts[index] ?? "");
      if (part === undefined) return false;
      if (!want.startsWith(":")) return want === part;
      params[want.slice(1)] = part;
      return true;
    });
    if (fits) return { pattern, params };
  }
  return undefined;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** A path below the console's of these parts, each of which may be any text. */
export function path(...parts: readonly string[]): string {
  return `${BASE}/${parts.map(encodeURIComponent).join("/")}`;
}

export type Query = Record<string, string | number | boolean | undefined | null>;

/** An address with what is asked; what is empty or `false` is left out, so that a state has one address. */
export function withQuery(to: string, query: Query): string {
  const [base = "", before] = to.split("?");
  const all = new URLSearchParams(before);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "" || value === false) all.delete(name);
    else all.set(name, String(value));
  }
  return all.size > 0 ? `${base}?${all}` : base;
}
