/** Keeps what the server said and shows it, at most once per frame. */
import { renew, type Frame } from "./frame.ts";
import type { Identity } from "./devices.ts";
import { isAbout, momentsBetween, type Moment } from "./moments.ts";
import { eventList, inbox, momentList, profileCard, statusLine, type PanelState } from "./view/panel.ts";
import type { Delivery, Inbox, Me, Status } from "./wire.ts";

const MOMENTS_KEPT = 3;
const DELIVERIES_KEPT = 200;

export class Panel {
  readonly #frame: Frame;
  readonly #own: (anonymousId: string | null, userId: string | null) => boolean;
  #state: PanelState;
  #before: Me | undefined;
  #moments: Moment[] = [];
  #status: Status | undefined;
  #asked = false;

  constructor(frame: Frame, identity: Identity, own: (anonymousId: string | null, userId: string | null) => boolean) {
    this.#frame = frame;
    this.#own = own;
    this.#state = {
      me: undefined,
      identity,
      deliveries: [],
      deliveriesTotal: 0,
      onlyMine: true,
      open: new Set(),
      fresh: new Set(),
      claimed: new Set(),
    };
    this.#draw();
  }

  /** Another device, or the same with another user: what was known stays only for the same device. */
  follow(identity: Identity): void {
    if (identity.anonymousId !== this.#state.identity.anonymousId) {
      this.#before = undefined;
      this.#state.me = undefined;
    }
    this.#state.identity = identity;
    this.#draw();
  }

  changed(me: Me): void {
    const { anonymousId } = this.#state.identity;
    const found = momentsBetween(this.#before, me, anonymousId);
    const known = new Set(this.#state.me?.events.map((event) => event.message_id));
    const first = this.#state.me === undefined;
    this.#state.fresh = new Set(me.events.map((event) => event.message_id).filter((id) => !first && !known.has(id)));
    if (found.some((moment) => moment.kind === "claimed")) {
      this.#state.claimed = new Set(me.events.filter((event) => event.anonymous_id === anonymousId && !event.user_id).map((event) => event.message_id));
    }
    if (isAbout(me, anonymousId)) this.#before = me;
    this.#state.me = me;
    if (found.length > 0) this.#tell(found);
    this.#draw();
  }

  delivered(delivery: Delivery): void {
    if (this.#state.deliveries.some((known) => known.webhook_id === delivery.webhook_id)) return;
    this.#state.deliveries = [delivery, ...this.#state.deliveries].slice(0, DELIVERIES_KEPT);
    this.#state.deliveriesTotal += 1;
    this.#draw();
  }

  inbox({ deliveries, total }: Inbox): void {
    const listed = new Set(deliveries.map((delivery) => delivery.webhook_id));
    const earlier = this.#state.deliveries.filter((delivery) => !listed.has(delivery.webhook_id));
    this.#state.deliveries = [...deliveries, ...earlier]
      .sort((a, b) => Date.parse(b.received_at) - Date.parse(a.received_at))
      .slice(0, DELIVERIES_KEPT);
    this.#state.deliveriesTotal = total;
    this.#draw();
  }

  status(status: Status): void {
    this.#status = status;
    this.#state.deliveriesTotal = Math.max(this.#state.deliveriesTotal, status.deliveries_total);
    this.#draw();
  }

  #tell(found: Moment[]): void {
    this.#moments = [...found, ...this.#moments].slice(0, MOMENTS_KEPT);
    renew(this.#frame.moments, momentList(this.#moments));
    this.#frame.moments.parentElement?.scrollTo({ top: 0 });
    this.#frame.tabs.classList.add("news");
  }

  #isMine(delivery: Delivery): boolean {
    const profile = this.#state.me?.profile?.id;
    return this.#own(delivery.anonymous_id, delivery.user_id) || (profile !== undefined && delivery.profile_id === profile);
  }

  #draw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      renew(this.#frame.status, statusLine(this.#status));
      renew(this.#frame.profile, profileCard(this.#state));
      renew(this.#frame.events, eventList(this.#state));
      renew(
        this.#frame.inbox,
        inbox(this.#state, (delivery) => this.#isMine(delivery), (onlyMine) => {
          this.#state.onlyMine = onlyMine;
          this.#draw();
        }),
      );
    });
  }
}
