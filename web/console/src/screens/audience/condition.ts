// Conditions in the query language, from what somebody chose. Pure.

export interface Choice {
  what: "did" | "not" | "trait" | "audience";
  /** The event, the trait or the audience. */
  name: string;
  /** How often, or what the trait is compared with. */
  amount: string;
  compare: string;
  /** Over the last so many days; the whole history where it is empty. */
  days: string;
}

export const COMPARISONS: readonly [test: string, words: string][] = [
  ["=", "is"],
  ["!=", "is not"],
  [">", "is more than"],
  ["<", "is less than"],
  ["contains", "contains"],
  ["exists", "is there"],
];

/** A text as the language writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function literal(text: string): string {
  const trimmed = text.trim();
  return /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(trimmed) ? trimmed : quoted(trimmed);
}

export function condition({ what, name, amount, compare, days }: Choice): string {
  if (what === "audience") return `trait(${quoted(name)}) = true`;
  if (what === "trait") {
    const of = `trait(${quoted(name)})`;
    if (compare === "exists") return `${of}.exists()`;
    if (compare === "contains") return `${of}.contains(${quoted(amount.trim())})`;
    return `${of} ${compare} ${literal(amount)}`;
  }
  const whole = Number.parseInt(days, 10);
  const within = whole > 0 ? `.within(${whole} ${whole === 1 ? "day" : "days"})` : "";
  const least = Math.max(1, Number.parseInt(amount, 10) || 1);
  return `event(${quoted(name)})${within}.count() ${what === "not" ? "= 0" : `>= ${least}`}`;
}

/** One more condition behind what is there. */
export function joined(query: string, more: string, by: "AND" | "OR"): string {
  const before = query.trim();
  if (before === "") return more;
  const other = by === "AND" ? / OR /i : / AND /i;
  return `${other.test(before) ? `(${before})` : before}\n${by} ${more}`;
}

/** An id from a name: small letters, digits, `_`. */
export function idOf(name: string): string {
  return name.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60);
}
