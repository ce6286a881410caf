// What states mean for a person: a word, a tone, and what to do. Pure.
import type { Shown } from "./api.ts";
import { words } from "./format.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "idle";

export interface Said {
  word: string;
  tone: Tone;
}

type Destination = Shown["DestinationShown"];

const PAUSES: Record<string, string> = {
  gone: "Paused: the receiver is gone",
  denied: "Paused: it refuses the credentials",
  behind: "Paused: too far behind",
};

export function destinationState(destination: Pick<Destination, "enabled" | "problem" | "manifest_problem" | "status">): Said {
  const { status } = destination;
  if (!destination.enabled || status?.state === "disabled") return { word: "Switched off", tone: "idle" };
  if (destination.problem) return { word: "Cannot be used", tone: "bad" };
  if (status?.pause) return { word: PAUSES[status.pause] ?? "Paused", tone: "bad" };
  if (status?.state === "paused") return { word: "Paused", tone: "bad" };
  if (status?.state === "down") return { word: "Receiver down", tone: "bad" };
  if (status && status.lag_percent >= 50) return { word: "Far behind", tone: "warn" };
  if (status?.last_failure) return { word: "Retrying", tone: "warn" };
  return { word: "Running", tone: "good" };
}

/** What became of an event, where it was decided and at a destination. */
const OUTCOMES: Record<string, Said> = {
  accepted: { word: "Accepted", tone: "good" },
  duplicate: { word: "Duplicate", tone: "idle" },
  different_content: { word: "Same id, other content", tone: "warn" },
  rejected: { word: "Rejected", tone: "bad" },
  no_identifier: { word: "No identifier", tone: "warn" },
  skipped: { word: "Skipped", tone: "warn" },
  erased: { word: "Erased", tone: "idle" },
  delivered: { word: "Delivered", tone: "good" },
  filtered: { word: "Filtered", tone: "idle" },
  superseded: { word: "Replaced", tone: "idle" },
  withheld: { word: "Withheld", tone: "idle" },
  pending: { word: "Waiting", tone: "info" },
  waiting: { word: "Waiting to retry", tone: "warn" },
  dead: { word: "Dead letter", tone: "bad" },
  missed: { word: "Missed", tone: "bad" },
  none: { word: "Nothing yet", tone: "idle" },
};

export function outcome(name: string): Said {
  return OUTCOMES[name] ?? { word: words(name), tone: "idle" };
}

const QUIET = ["superseded", "withheld", "postponed"];

/** What became of one attempt: what is not delivered and not left out on purpose has failed. */
export function attempt(name: string): Said {
  if (name === "delivered") return { word: "Delivered", tone: "good" };
  return { word: words(name), tone: QUIET.includes(name) ? "idle" : "bad" };
}

/** Something that somebody should look at. */
export interface Attention {
  id: string;
  tone: "warn" | "bad";
  what: string;
  why: string;
  since?: string;
  /** The parts of the address of the screen where it is mended. */
  to: readonly string[];
}

type Named = Pick<Shown["SourceShown"], "id" | "name" | "space">;

/** What needs attention in a space, and in all of them: what is raised, the worst and then the newest first. */
export function attention(space: string, alerts: readonly Shown["AlertShown"][], all: { sources: readonly Named[]; destinations: readonly Destination[] }): Attention[] {
  const about = (subject: string): { of: Named; to: readonly string[] } | undefined => {
    const destination = all.destinations.find((one) => one.id === subject);
    if (destination) return { of: destination, to: ["destinations", subject] };
    const source = all.sources.find((one) => one.id === subject);
    return source && { of: source, to: ["sources", subject] };
  };
  const found = alerts.flatMap((alert) =>
    alert.raised.flatMap((raised): Attention[] => {
      const subject = about(raised.subject);
      if (subject && subject.of.space !== space) return [];
      const one: Attention = {
        id: `${alert.id} ${raised.subject}`,
        tone: alert.severity === "critical" ? "bad" : "warn",
        what: subject ? `${subject.of.name}: ${raised.message || alert.name}` : raised.message || alert.name,
        why: alert.name,
        since: raised.since,
        to: subject?.to ?? [],
      };
      return [one];
    }),
  );
  const raisedFor = new Set(found.map((one) => one.to[1]));
  for (const destination of all.destinations.filter((one) => one.space === space)) {
    const { word, tone } = destinationState(destination);
    if ((tone !== "bad" && tone !== "warn") || raisedFor.has(destination.id)) continue;
    found.push({
      id: `state ${destination.id}`,
      tone,
      what: `${destination.name}: ${word}`,
      why: destination.problem ?? destination.status?.last_failure?.replaceAll("_", " ") ?? "its state",
      to: ["destinations", destination.id],
    });
  }
  const weight = (one: Attention) => (one.tone === "bad" ? 0 : 1);
  return found.sort((one, other) => weight(one) - weight(other) || (other.since ?? "").localeCompare(one.since ?? ""));
}
