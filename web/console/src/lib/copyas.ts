// Requests and resources as text that somebody can run or keep: curl, commands, YAML. Pure.
import type { Request } from "./api.ts";

/** The same thing, three ways. */
export interface Command {
  request: Request;
  cli?: string;
  yaml?: string;
}

/** A word of a shell's command line, whatever is in it. */
export function shell(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function curl({ method, path, body }: Request, origin: string): string {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(shell(origin + path), "\\\n ", "-H", `"authorization: Bearer $SELFSAME_TOKEN"`);
  if (body !== undefined) {
    parts.push("\\\n ", "-H", shell("content-type: application/json"), "\\\n ", "-d", shell(JSON.stringify(body)));
  }
  return parts.join(" ").replaceAll("\\\n  ", "\\\n  ");
}

/** A command of ours with its words. */
export function command(...words: readonly string[]): string {
  return ["selfsame", ...words.map(shell)].join(" ");
}

// What a plain scalar of YAML would be read as something else than text.
const AMBIGUOUS = /^(?:~|null|true|false|yes|no|on|off|[-+]?[\d.][\d_.,:eExXoO+-]*|\.inf|\.nan)$/i;
const PLAIN = /^[A-Za-z0-9_/$(][\w ./()$@+,;=<>%-]*$/;

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  const isPlain = PLAIN.test(value) && !AMBIGUOUS.test(value) && !value.endsWith(" ") && !value.includes(" #");
  return isPlain ? value : JSON.stringify(value);
}

/** A value as YAML, in the order that its fields have. */
export function yaml(value: unknown, depth = 0): string {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}[]`;
    return value.map((item) => `${indent}- ${yaml(item, depth + 1).trimStart()}`).join("\n");
  }
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    if (fields.length === 0) return `${indent}{}`;
    return fields
      .map(([name, field]) => {
        const nested = field !== null && typeof field === "object" && Object.keys(field).length > 0;
        return nested ? `${indent}${scalar(name)}:\n${yaml(field, depth + 1)}` : `${indent}${scalar(name)}: ${yaml(field)}`;
      })
      .join("\n");
  }
  return indent + scalar(value);
}
