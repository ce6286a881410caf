/** The page's fixed parts, into which the views are shown, and what keeps focus and tabs. */
import { h, show, type Child } from "./dom.ts";

export interface Frame {
  header: HTMLElement;
  shop: HTMLElement;
  moments: HTMLElement;
  profile: HTMLElement;
  events: HTMLElement;
  inbox: HTMLElement;
  status: HTMLElement;
  /** Which SDK the page uses. */
  sdk: HTMLElement;
  notices: HTMLElement;
  said: HTMLElement;
  tabs: HTMLElement;
}

export function frame(root: Element): Frame {
  const parts: Frame = {
    header: h("header", { class: "top" }),
    shop: h("main", { id: "shop" }),
    moments: h("div", { class: "moments", role: "status", "aria-live": "polite" }),
    profile: h("div", { id: "profile" }),
    events: h("div", { id: "events" }),
    inbox: h("div", { id: "inbox" }),
    status: h("p", { class: "figures" }),
    sdk: h("p", { class: "figures", id: "sdk" }),
    notices: h("div", { class: "notices", role: "alert" }),
    said: h("p", { class: "said", role: "status" }),
    tabs: h("nav", { class: "tabs", "aria-label": "Views" }),
  };
  const panel = h(
    "aside",
    { id: "panel", "aria-labelledby": "panel-title" },
    h("div", { class: "panel-head" }, h("h2", { id: "panel-title" }, "What Selfsame makes of you"), parts.status),
    parts.moments,
    section("Your profile", parts.profile),
    section("Your events, as they arrive", parts.events),
    section("Deliveries to your webhook", parts.inbox),
    parts.sdk,
  );
  tabs(root, parts.tabs);
  show(root, parts.notices, h("div", { class: "columns" }, h("div", { class: "store" }, parts.header, parts.shop), panel), parts.tabs, parts.said);
  return parts;
}

function section(title: string, body: HTMLElement): HTMLElement {
  return h("section", {}, h("h3", {}, title), body);
}

/** On a narrow screen the shop and the panel are two tabs. */
function tabs(root: Element, nav: HTMLElement): void {
  const choose = (view: string) => {
    root.setAttribute("data-view", view);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    if (view === "panel") nav.classList.remove("news");
    window.scrollTo(0, 0);
  };
  const button = (view: string, text: string) => h("button", { type: "button", "data-view": view, click: () => choose(view) }, text);
  const buttons = [button("shop", "Shop"), button("panel", "Selfsame’s view")];
  show(nav, buttons);
  choose("shop");
}

/**
 * Replaces what a part shows, unless it would look the same: a click must not lose its
 * target because something elsewhere changed. The focus stays on the same `data-key`.
 */
export function renew(part: HTMLElement, ...children: Child[]): void {
  const next = part.cloneNode(false) as HTMLElement;
  show(next, ...children);
  if (next.isEqualNode(part)) return;
  const active = document.activeElement;
  const key = active instanceof HTMLElement && part.contains(active) ? active.dataset.key : undefined;
  const typed = active instanceof HTMLInputElement && active.type !== "checkbox" ? active.value : undefined;
  part.replaceChildren(...next.childNodes);
  if (key === undefined) return;
  const again = [...part.querySelectorAll<HTMLElement>("[data-key]")].find((element) => element.dataset.key === key);
  if (again instanceof HTMLInputElement && typed !== undefined) again.value = typed;
  again?.focus({ preventScroll: true });
}

/** Says what went wrong, once per text, until it is taken back. */
export class Notices {
  readonly #texts = new Map<string, string>();
  readonly #part: HTMLElement;

  constructor(part: HTMLElement) {
    this.#part = part;
  }

  set(about: string, text: string | undefined): void {
    if (this.#texts.get(about) === text) return;
    if (text === undefined) this.#texts.delete(about);
    else this.#texts.set(about, text);
    show(this.#part, [...this.#texts.values()].map((one) => h("p", {}, one)));
  }
}
