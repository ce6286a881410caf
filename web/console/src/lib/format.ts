// How things are written for people. Pure: the moment and the language come in as arguments.

const LANGUAGE = "en";
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumFractionDigits: 1 });
const precise = new Intl.DateTimeFormat(LANGUAGE, {
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
});
const day = new Intl.DateTimeFormat(LANGUAGE, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export function count(value: number): string {
  return whole.format(value);
}

/** Short where a number is large: 12.4K. */
export function brief(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
}

export function rate(perSecond: number): string {
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.1) return `${perSecond.toFixed(2)}/s`;
  if (perSecond < 10) return `${perSecond.toFixed(1)}/s`;
  return `${brief(perSecond)}/s`;
}

export function share(part: number, of: number): string {
  if (of === 0) return "0%";
  const percent = (part / of) * 100;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent < 100 && percent > 99.9) return ">99.9%";
  return `${percent.toFixed(percent < 10 && percent % 1 !== 0 ? 1 : 0)}%`;
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

export function seconds(value: number): string {
  if (value < 0.001) return "0 s";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} s`;
  if (value < 3600) return `${Math.round(value / 60)} min`;
  if (value < 172_800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86_400)} days`;
}

const STEPS: readonly [limit: number, unit: number, name: string][] = [
  [90, 1, "second"],
  [5400, 60, "minute"],
  [129_600, 3600, "hour"],
  [2_592_000, 86_400, "day"],
  [47_304_000, 2_592_000, "month"],
  [Infinity, 31_536_000, "year"],
];

/** How long ago, as one would say it. */
export function ago(time: string, now: number): string {
  const past = Math.round((now - Date.parse(time)) / 1000);
  if (Number.isNaN(past)) return time;
  const size = Math.abs(past);
  if (size < 5) return "just now";
  for (const [limit, unit, name] of STEPS) {
    if (size < limit) {
      const said = plural(Math.round(size / unit), name);
      return past >= 0 ? `${said} ago` : `in ${said}`;
    }
  }
  return time;
}

export function moment(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : precise.format(parsed);
}

export function dayOf(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : day.format(parsed);
}

export function clockOf(time: string): string {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? time : clock.format(parsed);
}

/** A name of the API as words: `dead_letters` is "Dead letters". */
export function words(name: string): string {
  const spaced = name.replace(/[_-]+/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase();
}

const KINDS: Record<string, string> = {
  user_id: "User ID",
  anonymous_id: "Anonymous ID",
  email: "Email",
  phone: "Phone",
  group_id: "Group ID",
  "ios.idfa": "iOS advertising ID",
  "android.idfa": "Android advertising ID",
  "ios.id": "iOS device",
  "android.id": "Android device",
  "ios.push_token": "iOS push token",
  "android.push_token": "Android push token",
  ga_client_id: "Google Analytics client",
  cross_domain_id: "Cross-domain ID",
};

/** What people call a type of identifier. */
export function kindOf(type: string): string {
  return KINDS[type] ?? words(type);
}

// What cannot be seen, or changes the direction of what follows: controls, marks of direction, zero widths.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** Text of strangers with what cannot be seen made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (mark) => `\u27e8${mark.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

/** A value as one line of text. */
export function line(value: unknown, most = 160): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  const seen = visible(text.replace(/\s+/g, " "));
  return seen.length > most ? `${seen.slice(0, most)}\u2026` : seen;
}

/** An address that may be linked to: of the web, and nothing else. */
export function webAddress(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
