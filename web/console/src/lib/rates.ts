// Totals of each second, and the rates that are their differences. Pure.

export interface SourceNumbers {
  id: string;
  events: number;
  rejected: number;
  duplicates: number;
}

export interface DestinationNumbers {
  id: string;
  state: string;
  accepted: number;
  delivered: number;
  filtered: number;
  pending: number;
  dead: number;
  lag_seconds: number;
}

/** What the server says each second. */
export interface Numbers {
  at: string;
  /** Records that are yet to be unified. */
  lag: number;
  events: number;
  profiles: number;
  /** Alerts that are raised. */
  alerts: number;
  sources: SourceNumbers[];
  destinations: DestinationNumbers[];
}

/** So many seconds are kept, and a rate is the mean over so many of the last. */
export const KEPT = 60;
export const OVER = 5;

export function keep(history: readonly Numbers[], next: Numbers): Numbers[] {
  const last = history.at(-1);
  // A server that was restarted counts anew: what was before says nothing about it.
  const restarted = last && next.events < last.events;
  return restarted ? [next] : [...history.slice(-KEPT), next];
}

/** The rate of a total over the last seconds; undefined before two of them are known. */
export function rateOf(history: readonly Numbers[], total: (numbers: Numbers) => number | undefined): number | undefined {
  const last = history.at(-1);
  const before = history.at(Math.max(-OVER - 1, -history.length));
  if (!last || !before || last === before) return undefined;
  const [now, then] = [total(last), total(before)];
  const passed = (Date.parse(last.at) - Date.parse(before.at)) / 1000;
  if (now === undefined || then === undefined || passed <= 0) return undefined;
  return Math.max(0, now - then) / passed;
}

/** What a total grew by in each second, the newest last. */
export function steps(history: readonly Numbers[], total: (numbers: Numbers) => number | undefined): number[] {
  return history.slice(1).map((numbers, index) => {
    const before = history[index];
    const [now, then] = [total(numbers), before && total(before)];
    const passed = before ? (Date.parse(numbers.at) - Date.parse(before.at)) / 1000 : 0;
    return now === undefined || then === undefined || passed <= 0 ? 0 : Math.max(0, now - then) / passed;
  });
}

export function sourceOf(numbers: Numbers, id: string): SourceNumbers | undefined {
  return numbers.sources.find((source) => source.id === id);
}

export function destinationOf(numbers: Numbers, id: string): DestinationNumbers | undefined {
  return numbers.destinations.find((destination) => destination.id === id);
}
