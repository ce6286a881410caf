/** Asks the server what a page may know of its own visitor. A token goes into a header, as addresses are kept in logs. */
import type { VisitorProfile } from "../types.js";

export default async function profile(url: string, who: Record<string, string>, token: string | null): Promise<VisitorProfile> {
  const answer = await fetch(`${url}?${new URLSearchParams(who)}`, token ? { headers: { "x-selfsame-identity-token": token } } : {});
  if (!answer.ok) throw new Error(`profile: ${answer.status} ${await answer.text()}`);
  return answer.json() as Promise<VisitorProfile>;
}
