/** What is known of the page and the browser when a call is made. */
import type { Fields } from "./types.js";
import { isObject } from "./values.js";

/** A page as Segment's snippet notes it beside each call that comes before the script. */
interface NotedPage {
  __t?: "bpc";
  c?: string;
  p: string;
  u: string;
  s: string;
  t: string;
  r: string;
}

const isNoted = (value: unknown): value is NotedPage => isObject(value) && value["__t"] === "bpc";

/** The page that was noted behind the arguments of a call, which is taken off them; or the page as it is now. */
export function pageOf(args: unknown[]): Fields | undefined {
  const noted = args.at(-1);
  if (isNoted(noted)) {
    args.pop();
    return described(noted);
  }
  if (!globalThis.document) return undefined;
  return described({
    c: document.querySelector<HTMLLinkElement>("link[rel=canonical]")?.href ?? "",
    p: location.pathname,
    u: location.href,
    s: location.search,
    t: document.title,
    r: document.referrer,
  });
}

/** Path and address are those that the page calls canonical, if it does. */
function described({ c, p, u, s, t, r }: NotedPage): Fields {
  return {
    path: c ? c.replace(/^(\w+:)?\/\/[^/]+|[?#].*/g, "").replace(/^\/?/, "/") : p,
    referrer: r,
    search: s,
    title: t,
    url: c ? (c.includes("?") ? c : c + s) : u.replace(/#.*/, ""),
  };
}

/** The parameters of an address whose names begin so, without that beginning. */
export function parameters(search: string, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (name.startsWith(prefix)) found[name.slice(prefix.length)] = value;
  }
  return found;
}

/** The campaign that an address names by `utm_` parameters. */
export function campaignOf(search: string): Fields | undefined {
  const { campaign, ...rest } = parameters(search, "utm_");
  return search.includes("utm_") ? { name: campaign, ...rest } : undefined;
}

/** What does not change while a page is open. */
export function browser(): Fields {
  const { userAgent, language, userAgentData } = (globalThis.navigator ?? {}) as Partial<Navigator> & { userAgentData?: unknown };
  return { userAgent, userAgentData, locale: language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}
