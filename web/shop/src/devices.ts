/**
 * One page plays several devices. Each keeps what a real one would have in its own
 * browser: the SDK's ids and traits, and a cart. Only one is in use at a time.
 */
import { emptyCart, type Cart } from "./cart.ts";

export interface Identity {
  anonymousId: string;
  userId: string | null;
  traits: Record<string, unknown>;
  groupId: string | null;
  groupTraits: Record<string, unknown>;
}

export interface Device {
  name: string;
  identity: Identity;
  cart: Cart;
}

export interface Devices {
  current: number;
  all: Device[];
}

const KEY = "selfsame-demo-devices";
const NAMES = ["Laptop", "Phone", "Tablet"];

export function freshIdentity(anonymousId: string = crypto.randomUUID()): Identity {
  return { anonymousId, userId: null, traits: {}, groupId: null, groupTraits: {} };
}

export function freshDevice(index: number, identity = freshIdentity()): Device {
  return { name: NAMES[index] ?? `Device ${index + 1}`, identity, cart: emptyCart(crypto.randomUUID()) };
}

export function currentOf(devices: Devices): Device {
  const device = devices.all[devices.current];
  if (!device) throw new Error("the current device is one of all");
  return device;
}

/** What was remembered, or a first device with what the SDK already has. */
export function restored(text: string | null, first: Identity): Devices {
  const fresh: Devices = { current: 0, all: [freshDevice(0, first)] };
  if (text === null) return fresh;
  try {
    const found = JSON.parse(text) as Partial<Devices>;
    if (!Array.isArray(found.all) || !found.all.every(isDevice)) return fresh;
    if (typeof found.current !== "number" || !found.all[found.current]) return fresh;
    return { current: found.current, all: found.all };
  } catch {
    return fresh;
  }
}

function isDevice(value: unknown): value is Device {
  const device = value as Partial<Device> | null;
  return (
    typeof device?.name === "string" &&
    typeof device.identity?.anonymousId === "string" &&
    typeof device.cart?.id === "string" &&
    Array.isArray(device.cart.lines)
  );
}

export function remember(devices: Devices): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(devices));
  } catch {
    // Without storage the devices live as long as the page.
  }
}

export function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
