// Who is signed in, and which space is looked at.
import { onSignedOut, send } from "./api.ts";
import { match, path } from "./router.ts";
import { place } from "./place.svelte.ts";

export interface Member {
  id: string;
  email: string;
  name: string;
  role: string;
}

export interface Session {
  signed_in: boolean;
  /** There is somebody who could sign in; without, the one-time link that the program printed makes the first. */
  has_members: boolean;
  member: Member | null;
  role: string | null;
  permissions: string[];
  version: string | null;
}

/** What a one-time link is good for. */
export interface Link {
  kind: "first" | "member";
  email: string | null;
  name: string | null;
  role: string;
}

const NOBODY: Session = { signed_in: false, has_members: true, member: null, role: null, permissions: [], version: null };

let session = $state.raw<Session | undefined>();
let ended = $state(false);

export const who = {
  get session(): Session | undefined {
    return session;
  },
  get signedIn(): boolean {
    return session?.signed_in ?? false;
  },
  /** A session that was there has ended by itself. */
  get ended(): boolean {
    return ended;
  },
};

export async function begin(): Promise<void> {
  session = await send<Session>("GET", "/api/session");
}

export async function signIn(email: string, password: string): Promise<void> {
  session = await send<Session>("POST", "/api/session", { email, password });
  ended = false;
}

export function linkOf(token: string): Promise<Link> {
  return send<Link>("POST", "/api/session/link", { token });
}

/** Uses up a one-time link. Who is invited has an address and a name already; the first one says them. */
export async function accept(token: string, password: string, first?: { email: string; name: string }): Promise<void> {
  session = await send<Session>("POST", "/api/session/first", { token, password, ...first });
  ended = false;
}

export async function signOut(): Promise<void> {
  await send("DELETE", "/api/session");
  session = NOBODY;
}

/** May the one who is signed in do this? The server decides; this only spares them a refusal. */
export function may(permission: string): boolean {
  return session?.permissions.includes(permission) ?? false;
}

onSignedOut(() => {
  if (session?.signed_in) ended = true;
  session = NOBODY;
});

const named = $derived(match(["/s/:space"], place.path.split("/").slice(0, 3).join("/"))?.params["space"] ?? "");

/** The space that the address names. */
export function space(): string {
  return named;
}

/** The address of a screen of this space. */
export function to(...parts: string[]): string {
  return path("s", space(), ...parts);
}
