/**
 * Who somebody is, kept where Segment's analytics.js keeps it, so that a switch in either direction changes nobody:
 *
 *     cookie and localStorage   ajs_user_id, ajs_anonymous_id, ajs_group_id
 *     localStorage              ajs_user_traits, ajs_group_properties
 *
 * Cookies hold the bare text, localStorage holds JSON. Where they disagree about the device the cookie wins, as only it
 * is seen by other subdomains; for the rest localStorage does. Another user on the same device gets another anonymous id.
 */
import type { CookieOptions, Fields, Group, KeyOptions, User } from "./types.js";
import { type Bag, decoded, durableBag, idText, isObject, isText, memoryBag, parsed, uuid } from "./values.js";

const ANONYMOUS = "ajs_anonymous_id";
const DAY_SECONDS = 86_400;

interface Keeper {
  get(key: string): unknown;
  /** Texts are kept in a cookie too. */
  set(key: string, value: unknown): void;
  /** From now on what is kept outlives the page; what was made until now stays, unless there is something already. The bag, if there is one. */
  persist(): Bag | undefined;
}

function keeper({ domain, path = "/", sameSite = "Lax", maxage = 365, secure }: CookieOptions): Keeper {
  let bag: Bag = memoryBag();
  let cookies = false;

  const readCookie = (key: string): string | undefined => {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${key}=`));
    return found && decoded(found.slice(key.length + 1)).replace(/^"|"$/g, "");
  };

  const get = (key: string): unknown => {
    const found = [parsed(bag[key]), cookies ? readCookie(key) : undefined];
    if (key === ANONYMOUS) found.reverse();
    return found.find((value) => value != null && value !== "");
  };

  const set = (key: string, value: unknown): void => {
    try {
      if (value == null) delete bag[key];
      else bag[key] = JSON.stringify(value);
    } catch {
      // The bag is full: the cookie has what matters.
    }
    if (!cookies || isObject(value)) return;
    domain ??= topDomain();
    document.cookie =
      `${key}=${encodeURIComponent((value as string | null) ?? "")};path=${path};max-age=${value == null ? 0 : maxage * DAY_SECONDS};samesite=${sameSite}` +
      (domain && `;domain=${domain}`) +
      (secure ?? location.protocol === "https:" ? ";secure" : "");
  };

  return {
    get,
    set,
    persist() {
      const made = bag;
      const durable = durableBag();
      bag = durable ?? made;
      try {
        cookies = isText(document.cookie);
      } catch {
        // A sandboxed frame, or no page at all.
      }
      for (const key in made) if (get(key) === undefined) set(key, parsed(made[key]));
      return durable;
    },
  };
}

/** The widest domain that takes cookies of this page: `example.com` of `shop.example.com`; none of an address. */
function topDomain(): string {
  const parts = location.hostname.split(".");
  if (+parts.at(-1)! >= 0) return "";
  for (let from = parts.length - 2; from >= 0; from--) {
    const domain = parts.slice(from).join(".");
    const probe = `__tld__=1;domain=${domain}`;
    document.cookie = probe;
    if (/__tld__=1/.test(document.cookie)) {
      document.cookie = `${probe};max-age=0`;
      return domain;
    }
  }
  return "";
}

export interface Identities {
  user: User;
  group: Group;
  persist(): Bag | undefined;
}

export function identities(cookie: CookieOptions, userKeys: KeyOptions, groupKeys: KeyOptions): Identities {
  const keep = keeper(cookie);
  const forget = (): void => keep.set(ANONYMOUS, null);
  let written: string | undefined;

  const anonymousId = (id?: string | null): string => {
    const known = id === undefined ? idText(keep.get(ANONYMOUS)) : undefined;
    const value = known ?? id ?? uuid();
    // Once in each page also where it was read: another subdomain's cookie is then in both places, for another year.
    if (value !== written || !known) keep.set(ANONYMOUS, value);
    written = value;
    return value;
  };

  const entity = (keys: KeyOptions, idName: string, traitsName: string, changed?: () => void): Group => {
    const idKey = keys.cookie?.key ?? idName;
    const traitsKey = keys.localStorage?.key ?? traitsName;
    const id = (value?: string | null): string | null => {
      const before = idText(keep.get(idKey)) ?? null;
      if (value === undefined) return before;
      keep.set(idKey, value);
      if (value && before && value !== before) changed?.();
      return value;
    };
    const traits = (value?: Fields | null): Fields => {
      if (value !== undefined) keep.set(traitsKey, value ?? {});
      return (keep.get(traitsKey) ?? {}) as Fields;
    };
    const reset = (): void => {
      keep.set(idKey, null);
      keep.set(traitsKey, null);
    };
    return {
      id,
      traits,
      properties: traits,
      identify(value, more) {
        const before = id();
        const known = before && value && before !== value ? {} : traits();
        if (value) id(value);
        traits({ ...known, ...more });
      },
      logout: reset,
      reset,
    };
  };

  const user = entity(userKeys, "ajs_user_id", "ajs_user_traits", forget);
  const reset = (): void => {
    user.reset();
    forget();
  };
  return {
    user: { ...user, anonymousId, logout: reset, reset },
    group: entity(groupKeys, "ajs_group_id", "ajs_group_properties"),
    persist() {
      written = undefined;
      return keep.persist();
    },
  };
}
