// How the flow is drawn. Pure.

/** A line from a height at the left to one at the right, of a field that is 100 wide. */
export function bend(from: number, into: number): string {
  return `M0,${from} C50,${from} 50,${into} 100,${into}`;
}

interface Ranked {
  id: string;
  name: string;
  flows: number;
  trouble?: number;
}

/** The first `most`: those with trouble first, then those that flow most; drawn by name, so that nothing jumps. */
export function rank<T extends Ranked>(all: readonly T[], most: number): T[] {
  const trouble = (one: T) => one.trouble ?? 0;
  const chosen =
    all.length <= most
      ? [...all]
      : [...all].sort((one, other) => trouble(other) - trouble(one) || other.flows - one.flows).slice(0, most);
  return chosen.sort((one, other) => one.name.localeCompare(other.name));
}
