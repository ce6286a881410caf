// The catalogue, searched, and the form that a manifest asks for. Pure.
import type { Shown } from "../../lib/api.ts";

type Entry = Shown["CatalogueEntry"];

/** What every server of one's own can take; it needs no manifest. */
export const WEBHOOK: Entry = {
  id: "webhook",
  name: "Signed webhook",
  category: "webhooks",
  status: "native",
  actions: 0,
  application: [],
  partner: false,
};

const RANK: Record<string, number> = { native: 0, beta: 1 };

/** What fits, the webhook among them: those whose name begins so first, then what is native, then by name. */
export function sift(catalogue: readonly Entry[], sought: string, category: string): Entry[] {
  const wanted = sought.trim().toLowerCase();
  const name = (entry: Entry) => (entry.name || entry.id).toLowerCase();
  const weight = (entry: Entry) => (wanted !== "" && name(entry).startsWith(wanted) ? 0 : 10) + (RANK[entry.status] ?? 2);
  return [WEBHOOK, ...catalogue.filter((entry) => entry.id !== WEBHOOK.id)]
    .filter((entry) => category === "" || entry.category === category)
    .filter((entry) => `${name(entry)} ${entry.id} ${entry.category}`.toLowerCase().includes(wanted))
    .sort((one, other) => weight(one) - weight(other) || name(one).localeCompare(name(other)));
}

export function categories(catalogue: readonly Entry[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const entry of [WEBHOOK, ...catalogue]) {
    if (entry.category) counts.set(entry.category, (counts.get(entry.category) ?? 0) + 1);
  }
  return [...counts].sort(([one], [other]) => one.localeCompare(other));
}

/** What a manifest says of one of its settings. */
export interface Setting {
  type: "string" | "text" | "number" | "integer" | "boolean" | "datetime" | "password" | "object";
  label?: string;
  help?: string;
  required?: boolean;
  default?: unknown;
  choices?: unknown[];
  multiple?: boolean;
  format?: string;
}

/** What somebody typed into the form, as text. */
export type Draft = Record<string, string>;

export function begin(settings: Record<string, Setting>, values: Record<string, unknown> = {}): Draft {
  const write = (value: unknown) => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, write(values[name] ?? setting.default)]));
}

/** What is wrong with a field, in a sentence; undefined where nothing is. */
export function wrong(setting: Setting, typed: string, kept = false): string | undefined {
  if (typed.trim() === "") return setting.required && !kept ? "This is needed." : undefined;
  const read = value(setting, typed);
  if (read === undefined) {
    if (setting.type === "object" || setting.multiple) return setting.multiple ? "A list, as JSON or with commas." : "An object, as JSON.";
    return setting.type === "integer" ? "A whole number." : "A number.";
  }
  if (setting.format === "uri" && !/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(typed)) return "A whole address, such as https://example.com.";
  return undefined;
}

/** The value that was meant; undefined where it is none of the setting's type. */
export function value(setting: Setting, typed: string): unknown {
  const text = typed.trim();
  if (setting.multiple) {
    if (!text.startsWith("[")) return text.split(",").map((part) => part.trim()).filter(Boolean);
    const list = json(text);
    return Array.isArray(list) ? list : undefined;
  }
  if (setting.type === "boolean") return text === "true";
  if (setting.type === "number" || setting.type === "integer") {
    const number = Number(text);
    const fits = Number.isFinite(number) && (setting.type === "number" || Number.isInteger(number));
    return fits ? number : undefined;
  }
  if (setting.type === "object") {
    const object = json(text);
    return object !== null && typeof object === "object" && !Array.isArray(object) ? object : undefined;
  }
  return setting.type === "password" ? text : typed;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is sent: every field that has something in it. */
export function told(settings: Record<string, Setting>, draft: Draft): Record<string, unknown> {
  const filled = Object.entries(settings).filter(([name]) => (draft[name] ?? "").trim() !== "");
  return Object.fromEntries(filled.map(([name, setting]) => [name, value(setting, draft[name] ?? "")]));
}
