/** The bar above the shop: where to go, which device this is, who is signed in. */
import { itemCount } from "../cart.ts";
import { categories } from "../catalogue.ts";
import { currentOf, type Devices } from "../devices.ts";
import { h, type Child } from "../dom.ts";
import { hashOf, type Route } from "../route.ts";

export interface HeaderActions {
  search(query: string): void;
  use(device: number): void;
  another(): void;
}

export function header(route: Route, devices: Devices, actions: HeaderActions): Child[] {
  const { identity, cart } = currentOf(devices);
  const count = itemCount(cart);
  return [
    h(
      "div",
      { class: "bar" },
      h("a", { href: hashOf("home"), class: "brand" }, "Larch & Loam"),
      searchForm(route, actions),
      h(
        "nav",
        { "aria-label": "Yours" },
        h("a", { href: hashOf("account"), "data-key": "account" }, identity.userId ?? "Sign in"),
        h("a", { href: hashOf("cart"), "data-key": "cart" }, `Cart (${count})`),
      ),
    ),
    h(
      "div",
      { class: "bar second" },
      h(
        "nav",
        { "aria-label": "Categories" },
        categories.map((category) =>
          h(
            "a",
            { href: hashOf("category", category), "aria-current": route.page === "category" && route.category === category ? "page" : undefined },
            category,
          ),
        ),
      ),
      deviceSwitch(devices, actions),
    ),
  ];
}

function searchForm(route: Route, actions: HeaderActions): HTMLElement {
  const input = h("input", { type: "search", name: "q", placeholder: "Search the shop", "aria-label": "Search the shop", "data-key": "search" });
  input.value = route.page === "search" ? route.query : "";
  return h(
    "form",
    {
      role: "search",
      submit: (event) => {
        event.preventDefault();
        const query = input.value.trim();
        if (query) actions.search(query);
      },
    },
    input,
  );
}

function deviceSwitch(devices: Devices, actions: HeaderActions): HTMLElement {
  return h(
    "div",
    { class: "devices", role: "group", "aria-label": "Device in use" },
    devices.all.map((device, index) =>
      h(
        "button",
        { type: "button", "data-key": `device-${index}`, "aria-pressed": index === devices.current ? "true" : "false", click: () => actions.use(index) },
        device.name,
        device.identity.userId === null ? null : h("small", {}, device.identity.userId),
      ),
    ),
    h("button", { type: "button", "data-key": "another-device", title: "A browser of its own: new anonymous id, empty cart", click: () => actions.another() }, "Use another device"),
  );
}
