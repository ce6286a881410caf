import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, emptyCart, itemCount, sumsOf } from "../src/cart.ts";
import { search } from "../src/catalogue.ts";
import { freshIdentity, restored } from "../src/devices.ts";
import { checkoutProperties, orderProperties } from "../src/events.ts";
import { hashOf, routeOf } from "../src/route.ts";
import { idsQuery } from "../src/wire.ts";

Object.assign(globalThis, { location: { origin: "http://127.0.0.1:8080" } });

test("a cart counts, and forgets what is not in it any more", () => {
  const cart = changed(changed(changed(emptyCart("c"), "mug", 2), "hat", 1), "mug", -1);
  assert.deepEqual(cart.lines, [{ product: "mug", quantity: 1 }, { product: "hat", quantity: 1 }]);
  assert.equal(itemCount(cart), 2);
  assert.deepEqual(changed(cart, "mug", -1).lines, [{ product: "hat", quantity: 1 }]);
  assert.deepEqual(changed(cart, "kettle", -1).lines, cart.lines);
});

const sums: [string, [string, number][], number[]][] = [
  ["nothing", [], [0, 0, 0, 0]],
  ["a little, with shipping", [["mug", 2]], [2800, 600, 224, 3624]],
  ["much, sent free", [["rucksack", 1]], [12900, 0, 1032, 13932]],
];
for (const [what, lines, [subtotal, shipping, tax, total]] of sums) {
  test(`the sums of ${what}`, () => {
    const cart = lines.reduce((so, [product, quantity]) => changed(so, product, quantity), emptyCart("c"));
    assert.deepEqual(sumsOf(cart), { subtotal, shipping, tax, total });
  });
}

test("an order has what the specification names, in units of the currency", () => {
  const { products, ...order } = orderProperties(changed(emptyCart("c"), "mug", 2), "o-1", "k-1");
  assert.deepEqual(order, {
    checkout_id: "k-1",
    order_id: "o-1",
    affiliation: "Larch & Loam demo shop",
    subtotal: 28,
    total: 36.24,
    revenue: 28,
    shipping: 6,
    tax: 2.24,
    discount: 0,
    currency: "USD",
  });
  assert.deepEqual(products, [
    {
      product_id: "mug",
      sku: "LL-102",
      category: "Camp kitchen",
      name: "Enamel mug",
      brand: "Larch & Loam",
      variant: "Cream",
      price: 14,
      quantity: 2,
      position: 1,
      url: "http://127.0.0.1:8080/demo/shop#/product/mug",
    },
  ]);
  assert.equal(checkoutProperties(changed(emptyCart("c"), "mug", 1), "o-1").value, 14);
});

test("search wants every word", () => {
  assert.deepEqual(search("wool blanket").map(({ id }) => id), ["blanket"]);
  assert.deepEqual(search("  "), []);
  assert.deepEqual(search("unobtainium"), []);
});

test("routes survive the address", () => {
  assert.deepEqual(routeOf(hashOf("category", "Light & warmth")), { page: "category", category: "Light & warmth" });
  assert.deepEqual(routeOf(hashOf("search", "a/b #?%")), { page: "search", query: "a/b #?%" });
  assert.deepEqual(routeOf("#/search/%E0%A4%A"), { page: "search", query: "%E0%A4%A" });
  assert.deepEqual(routeOf("#/nowhere"), { page: "home" });
  assert.deepEqual(routeOf(""), { page: "home" });
});

test("devices come back as they were, or start anew", () => {
  const first = freshIdentity("a1");
  const fresh = restored(null, first);
  assert.equal(fresh.all[0]?.identity.anonymousId, "a1");
  assert.equal(fresh.all[0]?.name, "Laptop");
  assert.deepEqual(restored(JSON.stringify(fresh), freshIdentity("a2")), fresh);
  for (const text of ["{", "null", "[]", '{"current":0,"all":[]}', '{"current":0,"all":[null]}', '{"current":3,"all":[{"name":"x"}]}']) {
    assert.equal(restored(text, first).all[0]?.identity.anonymousId, "a1", text);
  }
});

test("identifiers with commas and colons stay one", () => {
  const query = idsQuery("a1", "x,user_id:y");
  assert.deepEqual(query.split(",").map(decodeURIComponent), ["anonymous_id:a1", "user_id:x,user_id:y"]);
});
