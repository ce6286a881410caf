// A client of the Control API and the Profile API; what is asked and answered is typed by their documents.
import type { components as ControlParts, paths as Control } from "../generated/control.ts";
import type { components as ProfileParts, paths as Profile } from "../generated/profile.ts";

/** What the Control API speaks of, by name. */
export type Shown = ControlParts["schemas"];
/** What the Profile API speaks of, by name. */
export type Told = ProfileParts["schemas"];

type Paths = Control & Profile;
type Method = "get" | "post" | "put" | "patch" | "delete";
type With<M extends Method> = { [P in keyof Paths]: Paths[P] extends { [K in M]: object } ? P : never }[keyof Paths];
type Operation<P extends keyof Paths, M extends Method> = Paths[P] extends { [K in M]: infer O } ? O : never;

type Json<R> = R extends { content: { "application/json": infer B } } ? B : never;
type Responses<O> = O extends { responses: infer R } ? R : never;
type Answer<O> = Json<Responses<O>[Extract<keyof Responses<O>, 200 | 201 | 202>]>;

type Part<O, K extends "path" | "query"> = O extends { parameters: { [L in K]?: infer V } } ? NonNullable<V> : never;
type Body<O> = O extends { requestBody?: infer B } ? Json<NonNullable<B>> : never;
type PathPart<O> = [Part<O, "path">] extends [never] ? object : { path: Part<O, "path"> };
type QueryPart<O> = [Part<O, "query">] extends [never] ? object : { query?: Part<O, "query"> };
type BodyPart<O> = [Body<O>] extends [never] ? object : { body: Body<O> };
export type Asked<O> = PathPart<O> & QueryPart<O> & BodyPart<O> & { signal?: AbortSignal };
type Rest<O> = object extends Asked<O> ? [asked?: Asked<O>] : [asked: Asked<O>];

/** A request as it is written down for people: what is sent, and where to. */
export interface Request {
  method: string;
  path: string;
  body?: unknown;
}

/** What the server answered in place of what was asked for. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly field?: string,
    readonly request?: string,
    readonly places: readonly { message: string; line?: number; column?: number }[] = [],
  ) {
    super(message);
  }

  /** Nobody is signed in, or not any more. */
  get signedOut(): boolean {
    return this.status === 401;
  }

  get missing(): boolean {
    return this.status === 404;
  }
}

/** Whatever went wrong, as a problem. */
export function problem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new Problem(0, "unexpected", "The console met something that it did not expect.", said);
}

export function address(path: string, asked: { path?: object; query?: object } = {}): string {
  const named = (asked.path ?? {}) as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(named[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  return query.size > 0 ? `${filled}?${query}` : filled;
}

const heard = new Set<(problem: Problem) => void>();

/** Calls `listen` with every refusal for want of a session. */
export function onSignedOut(listen: (problem: Problem) => void): void {
  heard.add(listen);
}

export async function send<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const changes = method !== "GET";
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      ...(signal ? { signal } : {}),
      headers: {
        accept: "application/json",
        ...(changes ? { "x-selfsame-console": "1" } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "The server does not answer.", "Look whether it runs; this page asks again by itself.");
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const refused = await refusal(response);
  if (refused.signedOut && !url.startsWith("/api/session")) heard.forEach((listen) => listen(refused));
  throw refused;
}

async function refusal(response: Response): Promise<Problem> {
  const request = response.headers.get("request-id") ?? response.headers.get("x-request-id") ?? undefined;
  const said = (await response.json().catch(() => null)) as { error?: Partial<Shown["Error"]["error"]> } | null;
  const { code, message, hint, field, places } = said?.error ?? {};
  const known = message ?? `The server answered ${response.status} ${response.statusText}.`;
  return new Problem(response.status, code ?? "unknown", known, hint ?? "", field, request, places ?? []);
}

function asking<M extends Method>(method: M) {
  return <P extends With<M>>(path: P, ...rest: Rest<Operation<P, M>>): Promise<Answer<Operation<P, M>>> => {
    const asked = (rest[0] ?? {}) as { path?: object; query?: object; body?: unknown; signal?: AbortSignal };
    return send(method.toUpperCase(), address(path as string, asked), asked.body, asked.signal);
  };
}

export const api = {
  get: asking("get"),
  post: asking("post"),
  put: asking("put"),
  patch: asking("patch"),
  delete: asking("delete"),
};
