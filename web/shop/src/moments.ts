/**
 * Compares what Selfsame made of a device before and after, and says what happened:
 * an anonymous history was claimed, or two profiles turned out to be one.
 */
import type { Identifier, Me, Merge, Profile } from "./wire.ts";

export type Moment =
  | { kind: "claimed"; count: number; userId: string; profile: string }
  | { kind: "merged"; parent: string; child: string; identifiers: Identifier[]; at: string };

/** `before` is undefined while nothing is known of the device: then nothing is news. */
export function momentsBetween(before: Me | undefined, after: Me, anonymousId: string): Moment[] {
  const profile = after.profile;
  if (!before || !profile || !holds(profile, "anonymous_id", anonymousId)) return [];
  return [...claims(before.profile, after, profile, anonymousId), ...merges(before.profile, profile)];
}

/** True when `me` speaks of the device itself, not only of the user that is signing in on it. */
export function isAbout(me: Me, anonymousId: string): boolean {
  return me.profile === null || holds(me.profile, "anonymous_id", anonymousId);
}

function claims(before: Profile | null, after: Me, profile: Profile, anonymousId: string): Moment[] {
  if (before && userIds(before).length > 0) return [];
  const userId = userIds(profile).at(-1);
  if (userId === undefined) return [];
  const unnamed = after.events.filter((event) => event.anonymous_id === anonymousId && !event.user_id);
  const count = Math.max(before?.events_total ?? 0, unnamed.length);
  return count === 0 ? [] : [{ kind: "claimed", count, userId, profile: profile.id }];
}

function merges(before: Profile | null, profile: Profile): Moment[] {
  if (!before) return [];
  const known = new Set(before.merges.map(keyOf));
  return profile.merges
    .filter((merge) => !known.has(keyOf(merge)) && (merge.child === before.id || merge.parent === before.id))
    .map(({ parent, child, identifiers, at }) => ({ kind: "merged", parent, child, identifiers, at }));
}

const keyOf = (merge: Merge) => `${merge.parent} ${merge.child} ${merge.at}`;

function userIds(profile: Profile): string[] {
  return profile.identifiers.filter(({ type }) => type === "user_id").map(({ value }) => value);
}

function holds(profile: Profile, type: string, value: string): boolean {
  return profile.identifiers.some((identifier) => identifier.type === type && identifier.value === value);
}

/** "N earlier events are now ada's" */
export function sentenceOf(moment: Moment): string {
  if (moment.kind === "merged") return "Two profiles turned out to be one";
  const events = moment.count === 1 ? "1 earlier event is" : `${moment.count} earlier events are`;
  return `${events} now ${moment.userId}${moment.userId.endsWith("s") ? "’" : "’s"}`;
}
