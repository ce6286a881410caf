/** "What Selfsame makes of you": everything here was said by the server. */
import type { Identity } from "../devices.ts";
import { h, type Child } from "../dom.ts";
import { sentenceOf, type Moment } from "../moments.ts";
import type { Arrival, Delivery, Me, Profile, Status } from "../wire.ts";

export interface PanelState {
  me: Me | undefined;
  identity: Identity;
  deliveries: Delivery[];
  deliveriesTotal: number;
  onlyMine: boolean;
  open: Set<string>;
  /** Message ids that came with the last change, and those a claim has just named. */
  fresh: Set<string>;
  claimed: Set<string>;
}

const EVENTS_SHOWN = 25;

export function statusLine(status: Status | undefined): Child[] {
  if (!status) return ["–"];
  const figure = (value: number, name: string) => h("span", {}, h("b", {}, Math.round(value).toLocaleString("en")), ` ${name}`);
  return [
    figure(status.events_total, "events"),
    figure(status.events_per_second, "per second"),
    figure(status.profiles_total, "profiles"),
    figure(status.deliveries_total, "deliveries"),
  ];
}

export function momentList(moments: Moment[]): Child[] {
  return moments.map((moment, index) =>
    h("div", { class: index === 0 ? "moment new" : "moment" }, h("strong", {}, sentenceOf(moment)), h("p", {}, ...because(moment))),
  );
}

function because(moment: Moment): Child[] {
  if (moment.kind === "claimed") {
    return ["Signing in tied this device’s anonymous id to ", code(moment.userId), ". Nothing was rewritten: the profile ", code(short(moment.profile)), " simply holds both."];
  }
  const by = moment.identifiers.map(({ type, value }) => `${type} ${value}`).join(", ");
  return [code(short(moment.child)), " now lives in ", code(short(moment.parent)), by ? `, because of ${by}.` : "."];
}

export function profileCard(state: PanelState): Child[] {
  const profile = state.me?.profile;
  if (!profile) {
    return [h("p", { class: "quiet" }, "Nobody yet. Look at something, and a profile appears here."), identifiers([{ type: "anonymous_id", value: state.identity.anonymousId }])];
  }
  return [
    h("p", { class: "profile-head" }, h("strong", {}, nameOf(profile)), " ", h("span", { class: "quiet" }, plural(profile.events_total, "event"))),
    h("p", { class: "quiet" }, "Profile ", code(profile.id), " since ", clock(profile.created_at)),
    identifiers(profile.identifiers),
    traits(profile.traits),
    profile.merges.length > 0 ? h("p", { class: "quiet" }, `Made of ${profile.merges.length + 1} profiles.`) : null,
  ];
}

function identifiers(list: { type: string; value: string }[]): HTMLElement {
  return h("ul", { class: "ids", "aria-label": "Identifiers" }, list.map(({ type, value }) => h("li", { "data-type": type }, h("span", {}, type), " ", code(value))));
}

function traits(all: Record<string, unknown>): HTMLElement | null {
  const entries = Object.entries(all);
  if (entries.length === 0) return null;
  return h("dl", { class: "traits", "aria-label": "Traits" }, entries.map(([name, value]) => [h("dt", {}, name), h("dd", {}, text(value))]));
}

export function eventList(state: PanelState): Child {
  const events = state.me?.events ?? [];
  if (events.length === 0) return h("p", { class: "quiet" }, "None has arrived.");
  return h("ol", { class: "events" }, events.slice(0, EVENTS_SHOWN).map((event) => eventRow(event, state)));
}

function eventRow(event: Arrival, state: PanelState): HTMLElement {
  const classes = [state.fresh.has(event.message_id) ? "fresh" : "", state.claimed.has(event.message_id) ? "claimed" : ""];
  return h(
    "li",
    { class: classes.join(" ").trim() || undefined },
    h("span", { class: `kind ${/^[a-z]+$/.test(event.type) ? event.type : ""}` }, event.type),
    h("span", { class: "what" }, event.event ?? ""),
    h("span", { class: "who" }, event.user_id ?? "anonymous"),
    clock(event.received_at),
  );
}

export function inbox(state: PanelState, mine: (delivery: Delivery) => boolean, toggle: (onlyMine: boolean) => void): Child[] {
  const shown = state.deliveries.filter((delivery) => !state.onlyMine || mine(delivery));
  return [
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", checked: state.onlyMine, "data-key": "only-mine", change: (event) => toggle((event.target as HTMLInputElement).checked) }),
      `Only about me (${state.deliveriesTotal.toLocaleString("en")} in all)`,
    ),
    shown.length === 0
      ? h("p", { class: "quiet" }, "Nothing yet. Deliveries land here as a partner’s server would get them.")
      : h("ul", { class: "inbox" }, shown.slice(0, 30).map((delivery) => deliveryRow(delivery, state))),
  ];
}

function deliveryRow(delivery: Delivery, state: PanelState): HTMLElement {
  const details = h(
    "details",
    { open: state.open.has(delivery.webhook_id) },
    h(
      "summary",
      { "data-key": `delivery-${delivery.webhook_id}` },
      h("span", { class: `kind ${/^[a-z]+$/.test(delivery.type) ? delivery.type : ""}` }, delivery.type),
      h("span", { class: "what" }, delivery.event ?? ""),
      h("span", { class: "who" }, delivery.user_id ?? "anonymous"),
      delivery.signature_valid
        ? h("span", { class: "seal", title: "The signature matches the body" }, "✓ signed")
        : h("span", { class: "seal broken", title: "The signature does not match the body" }, "✗ not signed by us"),
    ),
    h("p", { class: "quiet" }, code(delivery.webhook_id), " at ", clock(delivery.received_at)),
    h("pre", { tabindex: 0 }, JSON.stringify(delivery.body, null, 2)),
  );
  details.addEventListener("toggle", () => {
    if (details.open) state.open.add(delivery.webhook_id);
    else state.open.delete(delivery.webhook_id);
  });
  return h("li", {}, details);
}

const code = (value: string) => h("code", {}, value);
const short = (id: string) => (id.length > 14 ? `${id.slice(0, 13)}…` : id);
const plural = (count: number, noun: string) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function nameOf(profile: Profile): string {
  const { name, email } = profile.traits;
  if (typeof name === "string" && name) return name;
  if (typeof email === "string" && email) return email;
  return profile.identifiers.find(({ type }) => type === "user_id")?.value ?? "Somebody";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function clock(iso: string): HTMLElement {
  const time = new Date(iso);
  const shown = Number.isNaN(time.getTime()) ? iso : time.toLocaleTimeString("en-GB");
  return h("time", { datetime: iso, title: iso }, shown);
}
