import { freshIdentity, remembered, restored } from "./devices.ts";
import { h, show } from "./dom.ts";
import { frame, Notices, renew } from "./frame.ts";
import { Live } from "./live.ts";
import { Panel } from "./panel.ts";
import { hashOf, routeOf } from "./route.ts";
import { Shop } from "./shop.ts";
import { Tracker, type LoadSdk } from "./tracker.ts";
import { header } from "./view/header.ts";
import { shopPage } from "./view/shop.ts";
import { ask, idsQuery, type Config } from "./wire.ts";

const SAID_FOR_MS = 4000;

/** The page with one of the two SDKs. */
export interface Page {
  load: LoadSdk;
  /** What the page says of its SDK. */
  sdk: string;
  /** The same shop with the other one. */
  other: { href: string; text: string };
}

/** Opens the shop. */
export async function start(root: Element, page: Page): Promise<void> {
  const parts = frame(root);
  show(parts.sdk, page.sdk, " ", h("a", { href: page.other.href }, page.other.text));
  const notices = new Notices(parts.notices);
  const tracker = await loadTracker(page.load, notices);
  const devices = restored(remembered(), tracker?.identity() ?? freshIdentity());

  const shop = new Shop(devices, tracker, {
    redraw: () => draw(),
    identified: () => follow(),
    say: (text) => say(parts.said, text),
  });
  await tracker?.become(shop.device.identity);
  const panel = new Panel(parts, shop.device.identity, (anonymousId, userId) =>
    devices.all.some(({ identity }) => identity.anonymousId === anonymousId || (userId !== null && identity.userId === userId)),
  );
  const live = new Live({
    changed: (me) => panel.changed(me),
    delivered: (delivery) => panel.delivered(delivery),
    inbox: (inbox) => panel.inbox(inbox),
    status: (status) => panel.status(status),
    connected: (connected) => {
      notices.set("live", connected ? undefined : "The live view lost the server. It tries again on its own; what you do is kept by the SDK meanwhile.");
      if (connected) notices.set("delivery", undefined);
    },
  });

  const actions = {
    change: shop.change.bind(shop),
    buy: shop.buy.bind(shop),
    signIn: (userId: string, email: string, name: string) => void shop.signIn(userId, email, name),
    signOut: () => void shop.signOut(),
    join: (groupId: string, name: string, plan: string) => void shop.join(groupId, name, plan),
    search: (query: string) => {
      location.hash = hashOf("search", query);
    },
    use: (device: number) => void shop.use(device),
    another: () => void shop.another(),
  };

  function draw(): void {
    const route = routeOf(location.hash);
    renew(parts.header, header(route, devices, actions));
    renew(parts.shop, shopPage(route, shop.device, actions));
  }

  function follow(): void {
    const { identity } = shop.device;
    panel.follow(identity);
    live.follow(idsQuery(identity.anonymousId, identity.userId));
  }

  window.addEventListener("hashchange", () => {
    draw();
    window.scrollTo(0, 0);
    parts.shop.querySelector("h1")?.focus({ preventScroll: true });
    shop.viewed(routeOf(location.hash));
  });
  draw();
  follow();
  shop.viewed(routeOf(location.hash));
}

/** Without the SDK the shop still opens, and says that nothing is sent. */
async function loadTracker(load: LoadSdk, notices: Notices): Promise<Tracker | undefined> {
  try {
    const { writeKey } = await ask<Config>("/demo/config");
    return await Tracker.load(load, writeKey, (why) => notices.set("delivery", why));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    notices.set("sdk", `The SDK could not be loaded (${why}). You can look around, but no event is sent. Reload when the server is back.`);
    return undefined;
  }
}

let silence: number | undefined;

function say(part: HTMLElement, text: string): void {
  part.textContent = text;
  clearTimeout(silence);
  silence = window.setTimeout(() => part.replaceChildren(), SAID_FOR_MS);
}
