/** The properties of the shop's events, as the e-commerce specification names them. */
import { linesOf, sumsOf, type Cart } from "./cart.ts";
import type { Product } from "./catalogue.ts";

export type Properties = Record<string, unknown>;

const CURRENCY = "USD";
const AFFILIATION = "Larch & Loam demo shop";
const dollars = (cents: number) => cents / 100;

export function productProperties(product: Product, quantity = 1, position?: number): Properties {
  return {
    product_id: product.id,
    sku: product.sku,
    category: product.category,
    name: product.name,
    brand: product.brand,
    variant: product.variant,
    price: dollars(product.cents),
    quantity,
    ...(position === undefined ? {} : { position }),
    url: `${location.origin}/demo/shop#/product/${product.id}`,
  };
}

export function listProperties(listId: string, category: string, products: Product[]): Properties {
  return {
    list_id: listId,
    category,
    products: products.map((product, index) => productProperties(product, 1, index + 1)),
  };
}

export function viewedProperties(product: Product): Properties {
  return { ...productProperties(product), currency: CURRENCY, value: dollars(product.cents) };
}

export function cartChangeProperties(cart: Cart, product: Product, quantity: number): Properties {
  return { cart_id: cart.id, ...productProperties(product, quantity) };
}

export function cartProperties(cart: Cart): Properties {
  return { cart_id: cart.id, products: productsIn(cart) };
}

export function checkoutProperties(cart: Cart, orderId: string): Properties {
  const { subtotal, shipping, tax } = sumsOf(cart);
  return {
    order_id: orderId,
    affiliation: AFFILIATION,
    value: dollars(subtotal),
    revenue: dollars(subtotal),
    shipping: dollars(shipping),
    tax: dollars(tax),
    discount: 0,
    currency: CURRENCY,
    products: productsIn(cart),
  };
}

/** `revenue` leaves out shipping and tax; `total` is everything. */
export function orderProperties(cart: Cart, orderId: string, checkoutId: string): Properties {
  const { subtotal, shipping, tax, total } = sumsOf(cart);
  return {
    checkout_id: checkoutId,
    order_id: orderId,
    affiliation: AFFILIATION,
    subtotal: dollars(subtotal),
    total: dollars(total),
    revenue: dollars(subtotal),
    shipping: dollars(shipping),
    tax: dollars(tax),
    discount: 0,
    currency: CURRENCY,
    products: productsIn(cart),
  };
}

function productsIn(cart: Cart): Properties[] {
  return linesOf(cart).map(({ product, quantity }, index) => productProperties(product, quantity, index + 1));
}
