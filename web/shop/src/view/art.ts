/** The shop's pictures: a few shapes each, drawn here so that nothing is fetched. */
import { svg } from "../dom.ts";

type Shape = [tag: "path" | "circle" | "rect" | "ellipse", attributes: Record<string, string | number>];

const line = (d: string, width = 4): Shape => ["path", { d, fill: "none", stroke: "#2b2621", "stroke-width": width, "stroke-linecap": "round" }];
const area = (d: string, fill: string): Shape => ["path", { d, fill }];

const pictures: Record<string, { ground: string; shapes: Shape[] }> = {
  kettle: { ground: "#dfe6d3", shapes: [line("M44 50C44 26 76 26 76 50"), area("M34 92c-4-26 4-44 26-44s30 18 26 44z", "#5d7a4f"), area("M84 66l18-14 4 5-18 24z", "#4c6641"), ["circle", { cx: 60, cy: 46, r: 5, fill: "#2b2621" }], area("M34 92h52l-3 6H37z", "#3f5436")] },
  mug: { ground: "#efe3d0", shapes: [["path", { d: "M80 54c18-2 18 28 0 28", fill: "none", stroke: "#fbf6ea", "stroke-width": 7 }], area("M36 44h46v44c0 6-4 10-10 10H46c-6 0-10-4-10-10z", "#fbf6ea"), area("M36 44h46v6H36z", "#3b5a8c"), line("M50 34c-4-6 4-8 0-14M64 34c-4-6 4-8 0-14", 3)] },
  bottle: { ground: "#d9e2e6", shapes: [area("M48 40h24c6 8 8 12 8 20v34c0 4-3 7-7 7H47c-4 0-7-3-7-7V60c0-8 2-12 8-20z", "#5b6b75"), area("M50 22h20v14H50z", "#2f3a41"), area("M40 66h40v14H40z", "#e9b872")] },
  lantern: { ground: "#f3e2c9", shapes: [line("M44 40C44 14 76 14 76 40"), area("M44 40h32l4 8H40z", "#3a3430"), area("M42 48h36v38H42z", "#ffd27a"), ["ellipse", { cx: 60, cy: 68, rx: 8, ry: 13, fill: "#f0813a" }], area("M38 86h44v12H38z", "#3a3430"), line("M42 48v38M78 48v38", 3)] },
  blanket: { ground: "#e8dcea", shapes: [area("M26 74c0-8 4-12 10-12h58v30c0 6-3 8-8 8H34c-5 0-8-4-8-10z", "#8d6a9f"), area("M30 46c0-6 4-8 8-8h48c6 0 8 4 8 8v18H38c-5 0-8 0-8 2z", "#a584b5"), area("M26 78h68v7H26z", "#f0e3c4"), area("M30 50h64v6H30z", "#f0e3c4")] },
  hat: { ground: "#f0ddd2", shapes: [area("M32 76c-2-30 10-46 28-46s30 16 28 46z", "#c0623a"), area("M28 74h64c3 0 5 3 5 7v8c0 4-2 7-5 7H28c-3 0-5-3-5-7v-8c0-4 2-7 5-7z", "#99482a"), line("M40 78v14M52 78v14M64 78v14M76 78v14M46 44c-4 8-5 16-5 24M60 38v28M74 44c4 8 5 16 5 24", 2)] },
  rucksack: { ground: "#d5e3db", shapes: [line("M48 34c0-16 24-16 24 0"), area("M36 50c0-14 8-20 24-20s24 6 24 20v42c0 5-3 8-8 8H44c-5 0-8-3-8-8z", "#2f6b52"), area("M43 66h34v24H43z", "#255641"), area("M36 48h48v10H36z", "#3f8668"), line("M52 66v8M68 66v8", 3)] },
  notebook: { ground: "#f1e6c4", shapes: [area("M38 24h44c4 0 6 2 6 6v62c0 4-2 6-6 6H38z", "#c9962c"), area("M32 24h10v74H32c-2 0-4-2-4-4V28c0-2 2-4 4-4z", "#8c671c"), area("M52 40h26v14H52z", "#fbf3da"), line("M56 45h18M56 50h11", 2)] },
};

export function picture(product: string, label: string): SVGElement {
  const { ground, shapes } = pictures[product] ?? { ground: "#ddd", shapes: [] };
  return svg(
    "svg",
    { viewBox: "0 0 120 120", preserveAspectRatio: "xMidYMid slice", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }), class: "picture" },
    svg("rect", { width: 120, height: 120, fill: ground }),
    svg("ellipse", { cx: 60, cy: 101, rx: 36, ry: 4, fill: "#00000018" }),
    ...shapes.map(([tag, attributes]) => svg(tag, attributes)),
  );
}
