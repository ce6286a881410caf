import { randomUUID } from "node:crypto";

/** Somebody new for each test: the server may be one that other tests have filled. */
export function somebody(sdk) {
  const run = randomUUID().slice(0, 8);
  return {
    userId: `${sdk}-${run}`,
    anonymousId: randomUUID(),
    groupId: `${sdk}-company-${run}`,
    email: `${sdk}-${run}@example.com`,
    messageIds: [],
    /** A message id of our own, remembered. */
    message(call) {
      const id = `${sdk}-${run}-${call}`;
      this.messageIds.push(id);
      return id;
    },
  };
}

export const order = {
  order_id: "o-1",
  affiliation: "SDK tests",
  subtotal: 24,
  total: 29.5,
  revenue: 24,
  shipping: 3.5,
  tax: 2,
  currency: "USD",
  products: [{ product_id: "p-1", sku: "S-1", name: "Mug", price: 12, quantity: 2 }],
};
