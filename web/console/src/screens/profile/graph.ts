// The identity graph of a profile: identifiers, and the links that made them one. Pure.
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type SimulationNodeDatum } from "d3-force";
import type { Shown } from "../../lib/api.ts";

export type LinkShown = Shown["LinkShown"];

export interface Edge {
  from: string;
  to: string;
  link: LinkShown;
}

export interface Node {
  key: string;
  type: string;
  value: string;
  x: number;
  y: number;
}

export const keyOf = (id: { type: string; value: string }): string => `${id.type}:${id.value}`;

/** Every link that is on some path, each once, the earliest first. */
export function edges(paths: readonly (readonly LinkShown[] | null | undefined)[]): Edge[] {
  const found = new Map<string, Edge>();
  for (const link of paths.flatMap((path) => path ?? [])) {
    const ends = [keyOf(link.from), keyOf(link.to)];
    const name = [...ends].sort().join(" ");
    if (!found.has(name)) found.set(name, { from: ends[0] ?? "", to: ends[1] ?? "", link });
  }
  return [...found.values()].sort((one, other) => one.link.event.received_at.localeCompare(other.link.event.received_at));
}

type Point = SimulationNodeDatum & { key: string };

/** Places for nodes in a field of that size: the same graph is always drawn the same way. */
export function layout(ids: readonly { type: string; value: string }[], links: readonly Edge[], wide: number, high: number): Node[] {
  const points: Point[] = ids.map((id) => ({ key: keyOf(id) }));
  const known = new Set(points.map((point) => point.key));
  const lines = links.filter((edge) => known.has(edge.from) && known.has(edge.to)).map((edge) => ({ source: edge.from, target: edge.to }));
  const simulation = forceSimulation(points)
    .force("link", forceLink<Point, { source: string; target: string }>(lines).id((point) => point.key).distance(150).strength(0.6))
    .force("charge", forceManyBody().strength(-460))
    .force("room", forceCollide(68))
    .force("x", forceX(0).strength(0.05))
    .force("y", forceY(0).strength(0.11))
    .stop();
  simulation.tick(300);
  const reach = (of: (point: Point) => number) => {
    const all = points.map(of);
    return { least: Math.min(...all), most: Math.max(...all) };
  };
  const [x, y] = [reach((point) => point.x ?? 0), reach((point) => point.y ?? 0)];
  const [marginX, marginY] = [90, 46];
  const scale = (at: number, { least, most }: { least: number; most: number }, room: number, margin: number) => {
    const wanted = Math.min(1, (room - 2 * margin) / Math.max(1, most - least));
    return room / 2 + (at - (least + most) / 2) * wanted;
  };
  return ids.map((id, index) => {
    const point = points[index];
    return { key: keyOf(id), ...id, x: scale(point?.x ?? 0, x, wide, marginX), y: scale(point?.y ?? 0, y, high, marginY) };
  });
}
