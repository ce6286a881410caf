/** What happens in the shop: each action changes the device's state and sends its events. */
import { changed, emptyCart, itemCount } from "./cart.ts";
import { productOf, products, search, type Product } from "./catalogue.ts";
import { currentOf, freshDevice, remember, type Device, type Devices } from "./devices.ts";
import * as events from "./events.ts";
import { hashOf, nameOf, routeOf, type Route } from "./route.ts";
import type { Tracker } from "./tracker.ts";

export interface Reaction {
  /** The device's state changed: show it again. */
  redraw(): void;
  /** Another identity is in use from now on. */
  identified(): void;
  say(text: string): void;
}

const word = () => crypto.randomUUID().slice(0, 8);

export class Shop {
  readonly devices: Devices;
  readonly #tracker: Tracker | undefined;
  readonly #reaction: Reaction;
  #checkoutId = word();

  constructor(devices: Devices, tracker: Tracker | undefined, reaction: Reaction) {
    this.devices = devices;
    this.#tracker = tracker;
    this.#reaction = reaction;
  }

  get device(): Device {
    return currentOf(this.devices);
  }

  /** A page was opened: a page call, and what the specification wants for it. */
  viewed(route: Route): void {
    const track = this.#tracker;
    if (!track) return;
    track.page("Shop", nameOf(route), { path: `/demo/shop${location.hash}` });
    if (route.page === "home") track.track("Product List Viewed", events.listProperties("all", "All", products));
    if (route.page === "category") {
      const list = products.filter((product) => product.category === route.category);
      track.track("Product List Viewed", events.listProperties(route.category, route.category, list));
    }
    if (route.page === "search") {
      track.track("Products Searched", { query: route.query });
      track.track("Product List Viewed", events.listProperties("search", "Search", search(route.query)));
    }
    const product = route.page === "product" ? productOf(route.id) : undefined;
    if (product) track.track("Product Viewed", events.viewedProperties(product));
    if (route.page === "cart") track.track("Cart Viewed", events.cartProperties(this.device.cart));
    if (route.page === "checkout" && itemCount(this.device.cart) > 0) {
      this.#checkoutId = word();
      track.track("Checkout Started", events.checkoutProperties(this.device.cart, this.#orderId()));
    }
  }

  change(product: Product, by: number): void {
    const { device } = this;
    device.cart = changed(device.cart, product.id, by);
    const name = by > 0 ? "Product Added" : "Product Removed";
    this.#tracker?.track(name, events.cartChangeProperties(device.cart, product, Math.abs(by)));
    this.#reaction.say(by > 0 ? `${product.name} is in your cart` : `One ${product.name} less in your cart`);
    this.#keep();
  }

  buy(): void {
    const { device } = this;
    if (itemCount(device.cart) === 0) return;
    const order = this.#orderId();
    this.#tracker?.track("Order Completed", events.orderProperties(device.cart, order, this.#checkoutId));
    device.cart = emptyCart(crypto.randomUUID());
    this.#keep();
    location.hash = hashOf("thanks", order);
  }

  async signIn(userId: string, email: string, name: string): Promise<void> {
    if (userId === "") return;
    await this.#tracker?.identify(userId, { email, name });
    this.#tracker?.track("Signed In", { username: userId, method: "demo" });
    this.#takeIdentity();
  }

  async signOut(): Promise<void> {
    this.#tracker?.track("Signed Out", { username: this.device.identity.userId });
    await this.#tracker?.reset();
    this.device.cart = emptyCart(crypto.randomUUID());
    this.#takeIdentity();
  }

  async join(groupId: string, name: string, plan: string): Promise<void> {
    if (groupId === "") return;
    await this.#tracker?.group(groupId, { name, plan });
    this.#takeIdentity();
    this.#reaction.say(`You buy for ${name || groupId} now`);
  }

  /** Picks up the device at `index`, or a new one when there is none. */
  async use(index: number): Promise<void> {
    if (index === this.devices.current) return;
    this.#takeFromSdk();
    const device = (this.devices.all[index] ??= freshDevice(index));
    this.devices.current = index;
    await this.#tracker?.become(device.identity);
    this.#keep();
    this.#reaction.identified();
    this.#reaction.say(`You use the ${device.name.toLowerCase()} now`);
    this.viewed(routeOf(location.hash));
  }

  another(): Promise<void> {
    return this.use(this.devices.all.length);
  }

  #orderId(): string {
    return `order-${this.#checkoutId}`;
  }

  #takeFromSdk(): void {
    if (this.#tracker) this.device.identity = this.#tracker.identity();
  }

  #takeIdentity(): void {
    this.#takeFromSdk();
    this.#keep();
    this.#reaction.identified();
  }

  #keep(): void {
    remember(this.devices);
    this.#reaction.redraw();
  }
}
