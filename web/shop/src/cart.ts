import { productOf, type Product } from "./catalogue.ts";

/** How many of each product, in the order they were first put in. */
export interface Cart {
  id: string;
  lines: { product: string; quantity: number }[];
}

export interface Line {
  product: Product;
  quantity: number;
}

export function emptyCart(id: string): Cart {
  return { id, lines: [] };
}

/** Changes the number of one product; a line with none left is dropped. */
export function changed(cart: Cart, product: string, by: number): Cart {
  const held = cart.lines.some((line) => line.product === product);
  const lines = held ? cart.lines : [...cart.lines, { product, quantity: 0 }];
  return {
    id: cart.id,
    lines: lines
      .map((line) => (line.product === product ? { product, quantity: line.quantity + by } : line))
      .filter((line) => line.quantity > 0),
  };
}

export function linesOf(cart: Cart): Line[] {
  return cart.lines.flatMap(({ product, quantity }) => {
    const found = productOf(product);
    return found ? [{ product: found, quantity }] : [];
  });
}

export function itemCount(cart: Cart): number {
  return cart.lines.reduce((sum, line) => sum + line.quantity, 0);
}

export interface Sums {
  subtotal: number;
  shipping: number;
  tax: number;
  total: number;
}

const FREE_SHIPPING_FROM = 10_000;
const SHIPPING = 600;
const TAX_PERCENT = 8;

/** All in cents. */
export function sumsOf(cart: Cart): Sums {
  const subtotal = linesOf(cart).reduce((sum, { product, quantity }) => sum + product.cents * quantity, 0);
  const shipping = subtotal === 0 || subtotal >= FREE_SHIPPING_FROM ? 0 : SHIPPING;
  const tax = Math.round((subtotal * TAX_PERCENT) / 100);
  return { subtotal, shipping, tax, total: subtotal + shipping + tax };
}
