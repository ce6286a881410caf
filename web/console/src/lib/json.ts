// JSON in the shape that people read, as tokens; they become text nodes, whatever they hold. Pure.
import { visible } from "./format.ts";

export type TokenKind = "key" | "text" | "number" | "word" | "mark";
export interface Token {
  kind: TokenKind;
  text: string;
}

/** So many tokens are shown; what is behind them is said to be left out. */
const MOST = 4000;

export function tokens(value: unknown): Token[] {
  const out: Token[] = [];
  write(value, 0, out);
  if (out.length <= MOST) return out;
  return [...out.slice(0, MOST), { kind: "mark", text: "\n… the rest is left out here" }];
}

function write(value: unknown, depth: number, out: Token[]): void {
  if (out.length > MOST) return;
  if (value === null || typeof value === "boolean") out.push({ kind: "word", text: String(value) });
  else if (typeof value === "number") out.push({ kind: "number", text: String(value) });
  else if (typeof value === "string") out.push({ kind: "text", text: visible(JSON.stringify(value)) });
  else if (Array.isArray(value)) inside("[", "]", value.map((item): [undefined, unknown] => [undefined, item]), depth, out);
  else if (typeof value === "object") inside("{", "}", Object.entries(value), depth, out);
}

function inside(open: string, close: string, parts: readonly [string | undefined, unknown][], depth: number, out: Token[]): void {
  if (parts.length === 0) {
    out.push({ kind: "mark", text: open + close });
    return;
  }
  const plain = parts.every(([name, part]) => name === undefined && (part === null || typeof part !== "object"));
  const short = plain && JSON.stringify(parts.map(([, part]) => part)).length < 64;
  const gap = short ? "" : `\n${"  ".repeat(depth + 1)}`;
  out.push({ kind: "mark", text: open });
  parts.forEach(([name, part], index) => {
    out.push({ kind: "mark", text: index === 0 ? gap : `,${gap || " "}` });
    if (name !== undefined) out.push({ kind: "key", text: visible(JSON.stringify(name)) }, { kind: "mark", text: ": " });
    write(part, depth + 1, out);
  });
  out.push({ kind: "mark", text: short ? close : `\n${"  ".repeat(depth)}${close}` });
}

/** What was sent, as a value where it is JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
