// What a profile is called, and its history as a person would tell it. Pure.
import { kindOf } from "./format.ts";

export interface Id {
  type: string;
  id: string;
}

export interface Trait {
  name: string;
  value: unknown;
  class: "custom" | "computed_trait" | "audience";
  source?: string;
  since?: string;
  approximate: boolean;
}

/** Traits as the Profile API tells them with `verbose`, by name. */
export function traits(told: Record<string, unknown>): Trait[] {
  return Object.entries(told)
    .map(([name, said]) => {
      const of = (said ?? {}) as { value?: unknown; class?: string; source_id?: string; updated_at?: string; approximate?: boolean };
      const kind: Trait["class"] = of.class === "audience" || of.class === "computed_trait" ? of.class : "custom";
      return {
        name,
        value: of.value,
        class: kind,
        ...(of.source_id ? { source: of.source_id } : {}),
        ...(of.updated_at ? { since: of.updated_at } : {}),
        approximate: of.approximate === true,
      };
    })
    .sort((one, other) => one.name.localeCompare(other.name));
}

const BEST = ["email", "user_id", "phone", "group_id"];

/** The name of a person or an account: what they call themselves, else what they are known by. */
export function nameOf(values: Record<string, unknown>, ids: readonly Id[]): string {
  const text = (name: string) => {
    const value = values[name];
    return typeof value === "string" ? value.trim() : "";
  };
  const first = text("first_name") || text("firstName");
  const last = text("last_name") || text("lastName");
  const called = text("name") || [first, last].filter(Boolean).join(" ") || text("company") || text("email");
  if (called) return called;
  const known = ids.filter((id) => BEST.includes(id.type));
  const told = best(known);
  if (told) return told.id;
  return ids.length > 0 ? "Anonymous visitor" : "Profile";
}

/** The identifier that tells most of who somebody is. */
export function best<T extends { type: string }>(ids: readonly T[]): T | undefined {
  return BEST.map((type) => ids.find((id) => id.type === type)).find(Boolean) ?? ids[0];
}

/** One or two letters to stand for a name. */
export function initials(name: string): string {
  const parts = name.split(/[\s@._-]+/u).filter((part) => /^[\p{L}\p{N}]/u.test(part));
  const letters = parts.slice(0, 2).map((part) => [...part][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}

export interface Happened {
  type: string;
  event?: string | undefined;
  message_id: string;
  source_id: string;
  timestamp: string;
  properties: Record<string, unknown>;
  context: Record<string, unknown>;
  external_ids: readonly Id[];
}

/** Half an hour without an event ends a session. */
const PAUSE_MS = 30 * 60_000;

export interface Session<E> {
  /** The newest event first. */
  events: E[];
  device: string;
}

/** The history, newest first, in sessions: events of one device without a long pause between them. */
export function sessions<E extends Happened>(events: readonly E[]): Session<E>[] {
  const found: (Session<E> & { key: string })[] = [];
  const open = new Map<string, Session<E>>();
  for (const event of events) {
    const key = event.external_ids.find((id) => id.type === "anonymous_id")?.id ?? `of ${event.source_id}`;
    const session = open.get(key);
    const earliest = session?.events.at(-1);
    if (session && earliest && Date.parse(earliest.timestamp) - Date.parse(event.timestamp) <= PAUSE_MS) {
      session.events.push(event);
      continue;
    }
    const begun = { key, events: [event], device: deviceOf(event.context) };
    open.set(key, begun);
    found.push(begun);
  }
  return found;
}

const BROWSERS: readonly [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "Mac"],
  [/Linux/, "Linux"],
];

/** What something was done with: a browser on a system, a phone's model, or the library of a server; empty where nothing says it. */
export function deviceOf(context: Record<string, unknown>): string {
  const device = context["device"] as { manufacturer?: unknown; model?: unknown; name?: unknown } | undefined;
  const model = [device?.manufacturer, device?.model ?? device?.name].filter((part) => typeof part === "string").join(" ");
  if (model) return model;
  const agent = context["userAgent"];
  if (typeof agent === "string") {
    const named = (rows: readonly [RegExp, string][]) => rows.find(([pattern]) => pattern.test(agent))?.[1];
    const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
    if (browser || system) return [browser ?? "Browser", system].filter(Boolean).join(" on ");
  }
  const library = context["library"] as { name?: unknown } | undefined;
  return typeof library?.name === "string" ? library.name : "";
}

const TELLING = ["name", "title", "product", "product_name", "path", "url", "category", "order_id", "plan", "total", "revenue", "value", "price", "query"];

/** The properties that say most of an event, in one line. */
export function gist(event: Pick<Happened, "type" | "properties" | "context">): [name: string, value: unknown][] {
  const { properties } = event;
  const plain = (value: unknown) => value !== null && value !== "" && ["string", "number", "boolean"].includes(typeof value);
  const found = TELLING.filter((name) => plain(properties[name])).map((name): [string, unknown] => [name, properties[name]]);
  const rest = Object.entries(properties).filter(([name, value]) => !TELLING.includes(name) && plain(value));
  return [...found, ...rest].slice(0, 3);
}

/** Identifiers by type, the most telling types first. */
export function byType<T extends Id>(ids: readonly T[]): [type: string, ids: T[]][] {
  const groups = new Map<string, T[]>();
  for (const id of ids) groups.set(id.type, [...(groups.get(id.type) ?? []), id]);
  const weight = (type: string) => (BEST.includes(type) ? BEST.indexOf(type) : BEST.length);
  return [...groups].sort(([one], [other]) => weight(one) - weight(other) || kindOf(one).localeCompare(kindOf(other)));
}
