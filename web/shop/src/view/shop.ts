/** The storefront: one function per page, from what the shop knows to elements. */
import { itemCount, linesOf, sumsOf, type Cart } from "../cart.ts";
import { categories, money, productOf, products, search, type Product } from "../catalogue.ts";
import type { Device } from "../devices.ts";
import { h, type Child } from "../dom.ts";
import { hashOf, type Route } from "../route.ts";
import { accountPage, type AccountActions } from "./account.ts";
import { picture } from "./art.ts";

export interface ShopActions extends AccountActions {
  change(product: Product, by: number): void;
  buy(): void;
}

export function shopPage(route: Route, device: Device, actions: ShopActions): Child[] {
  switch (route.page) {
    case "home":
      return homePage(actions);
    case "category":
      return [heading(route.category), grid(products.filter(({ category }) => category === route.category), actions)];
    case "product":
      return productPage(productOf(route.id), actions);
    case "search":
      return searchPage(route.query, actions);
    case "cart":
      return cartPage(device.cart, actions);
    case "checkout":
      return checkoutPage(device, actions);
    case "thanks":
      return thanksPage(route.order);
    case "account":
      return accountPage(device, actions);
  }
}

export function heading(text: string): HTMLElement {
  return h("h1", { tabindex: -1 }, text);
}

function homePage(actions: ShopActions): Child[] {
  return [
    h(
      "section",
      { class: "hero" },
      heading("Good things for going out"),
      h("p", {}, "Browse, fill a cart, sign in, buy. Everything you do is an event, and beside the shop you see what becomes of it."),
    ),
    categories.map((category) => [
      h("h2", {}, h("a", { href: hashOf("category", category) }, category)),
      grid(products.filter((product) => product.category === category), actions),
    ]),
  ];
}

function grid(list: Product[], actions: ShopActions): HTMLElement {
  return h("ul", { class: "grid" }, list.map((product) => card(product, actions)));
}

function card(product: Product, actions: ShopActions): HTMLElement {
  return h(
    "li",
    { class: "card" },
    h(
      "a",
      { href: hashOf("product", product.id), class: "card-link" },
      picture(product.id, ""),
      h("span", { class: "card-name" }, product.name),
      h("span", { class: "quiet" }, product.variant),
    ),
    h("div", { class: "card-foot" }, h("span", { class: "price" }, money(product.cents)), addButton(product, actions, "Add")),
  );
}

function addButton(product: Product, actions: ShopActions, text: string): HTMLElement {
  return h(
    "button",
    { type: "button", "data-key": `add-${product.id}`, "aria-label": `Add ${product.name} to the cart`, click: () => actions.change(product, 1) },
    text,
  );
}

function productPage(product: Product | undefined, actions: ShopActions): Child[] {
  if (!product) return [heading("We do not sell that"), h("p", {}, h("a", { href: hashOf("home") }, "Back to the shop"))];
  return [
    h(
      "article",
      { class: "product" },
      picture(product.id, product.name),
      h(
        "div",
        {},
        h("a", { href: hashOf("category", product.category), class: "quiet" }, product.category),
        heading(product.name),
        h("p", {}, product.about),
        h("p", { class: "quiet" }, `${product.variant} · ${product.sku}`),
        h("p", { class: "price big" }, money(product.cents)),
        addButton(product, actions, "Add to cart"),
      ),
    ),
  ];
}

function searchPage(query: string, actions: ShopActions): Child[] {
  const found = search(query);
  return [
    heading(`Results for “${query}”`),
    found.length > 0 ? grid(found, actions) : h("p", {}, "Nothing found. Try “wool” or “camp”."),
  ];
}

function cartPage(cart: Cart, actions: ShopActions): Child[] {
  if (itemCount(cart) === 0) {
    return [heading("Your cart is empty"), h("p", {}, h("a", { href: hashOf("home") }, "Have a look around"))];
  }
  const rows = linesOf(cart).map(({ product, quantity }) =>
    h(
      "li",
      { class: "line" },
      picture(product.id, ""),
      h("a", { href: hashOf("product", product.id) }, product.name),
      h(
        "span",
        { class: "stepper" },
        h("button", { type: "button", "data-key": `less-${product.id}`, "aria-label": `One ${product.name} less`, click: () => actions.change(product, -1) }, "−"),
        h("span", { "aria-label": "Quantity" }, quantity),
        h("button", { type: "button", "data-key": `more-${product.id}`, "aria-label": `One ${product.name} more`, click: () => actions.change(product, 1) }, "+"),
      ),
      h("span", { class: "price" }, money(product.cents * quantity)),
    ),
  );
  return [
    heading("Your cart"),
    h("ul", { class: "lines" }, rows),
    sums(cart),
    h("a", { href: hashOf("checkout"), class: "button primary" }, "Checkout"),
  ];
}

function sums(cart: Cart): HTMLElement {
  const { subtotal, shipping, tax, total } = sumsOf(cart);
  const row = (name: string, cents: number) => [h("dt", {}, name), h("dd", {}, money(cents))];
  return h("dl", { class: "sums" }, row("Goods", subtotal), row("Shipping", shipping), row("Tax", tax), row("Total", total));
}

function checkoutPage(device: Device, actions: ShopActions): Child[] {
  if (itemCount(device.cart) === 0) return cartPage(device.cart, actions);
  return [
    heading("Checkout"),
    sums(device.cart),
    device.identity.userId === null
      ? h("p", { class: "quiet" }, "You buy as a guest. ", h("a", { href: hashOf("account") }, "Sign in"), " first to see your history become yours.")
      : h("p", { class: "quiet" }, `You buy as ${device.identity.userId}.`),
    h("button", { type: "button", class: "primary", "data-key": "buy", click: () => actions.buy() }, `Buy for ${money(sumsOf(device.cart).total)}`),
  ];
}

function thanksPage(order: string): Child[] {
  return [
    heading("Thank you"),
    h("p", {}, `Order ${order} is on its way, as far as a demo can send one.`),
    h("p", {}, h("a", { href: hashOf("home") }, "Back to the shop")),
  ];
}
