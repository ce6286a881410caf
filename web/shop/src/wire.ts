/** What the demo server says, as its contract has it. */
export interface Identifier {
  type: string;
  value: string;
}

export interface Merge {
  at: string;
  parent: string;
  child: string;
  identifiers: Identifier[];
}

export interface Profile {
  id: string;
  created_at: string;
  identifiers: Identifier[];
  traits: Record<string, unknown>;
  events_total: number;
  merges: Merge[];
}

export interface Arrival {
  message_id: string;
  type: string;
  event: string | null;
  timestamp: string;
  received_at: string;
  anonymous_id: string | null;
  user_id: string | null;
  profile_id: string | null;
}

export interface Me {
  profile: Profile | null;
  events: Arrival[];
  position?: string;
}

export interface Delivery {
  webhook_id: string;
  received_at: string;
  signature_valid: boolean;
  type: string;
  event: string | null;
  user_id: string | null;
  anonymous_id: string | null;
  profile_id: string | null;
  body: unknown;
}

export interface Inbox {
  deliveries: Delivery[];
  total: number;
}

export interface Status {
  events_total: number;
  events_per_second: number;
  profiles_total: number;
  deliveries_total: number;
  shoppers_rate: number;
}

export interface Config {
  writeKey: string;
  space: string;
  host: string;
}

export async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path.split("?")[0]} answered ${answer.status}`);
  return (await answer.json()) as T;
}

export function idsQuery(anonymousId: string, userId: string | null): string {
  const ids = [`anonymous_id:${anonymousId}`];
  if (userId !== null) ids.push(`user_id:${userId}`);
  return ids.map(encodeURIComponent).join(",");
}
