/** What the shop sells. Prices are in US cents, so that sums stay exact. */
export interface Product {
  id: string;
  sku: string;
  name: string;
  category: Category;
  brand: string;
  variant: string;
  cents: number;
  about: string;
}

export const categories = ["Camp kitchen", "Light & warmth", "On the path"] as const;
export type Category = (typeof categories)[number];

const brand = "Larch & Loam";

export const products: Product[] = [
  { id: "kettle", sku: "LL-101", name: "Fell kettle", category: "Camp kitchen", brand, variant: "Moss", cents: 4800, about: "Boils a litre on a small stove, and whistles before the wind does." },
  { id: "mug", sku: "LL-102", name: "Enamel mug", category: "Camp kitchen", brand, variant: "Cream", cents: 1400, about: "Chips over the years; each chip is a place you remember." },
  { id: "bottle", sku: "LL-103", name: "Steel bottle", category: "Camp kitchen", brand, variant: "Slate", cents: 2600, about: "Cold for a day, hot for half of one." },
  { id: "lantern", sku: "LL-201", name: "Hut lantern", category: "Light & warmth", brand, variant: "Ember", cents: 5900, about: "Forty hours at a reading light, on one charge." },
  { id: "blanket", sku: "LL-202", name: "Wool blanket", category: "Light & warmth", brand, variant: "Heather", cents: 9500, about: "Woven from undyed wool; heavy enough to end a conversation." },
  { id: "hat", sku: "LL-203", name: "Watch hat", category: "Light & warmth", brand, variant: "Rust", cents: 2200, about: "Ribbed, warm when wet, fits under a hood." },
  { id: "rucksack", sku: "LL-301", name: "Day rucksack", category: "On the path", brand, variant: "Pine", cents: 12900, about: "Twenty-two litres, two pockets, no straps that flap." },
  { id: "notebook", sku: "LL-302", name: "Trail notebook", category: "On the path", brand, variant: "Ochre", cents: 1200, about: "Stone paper: write in the rain, regret it later." },
];

export function productOf(id: string): Product | undefined {
  return products.find((product) => product.id === id);
}

export function search(query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return products.filter((product) => {
    const text = `${product.name} ${product.category} ${product.variant} ${product.about}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function money(cents: number): string {
  return `$${(cents / 100).toFixed(2)}`;
}
