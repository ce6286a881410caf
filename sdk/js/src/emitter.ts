/** Listeners by name. */
export type Listener = (...args: never[]) => void;

export interface Emitter {
  on(name: string, listener: Listener): void;
  off(name: string, listener: Listener): void;
  emit(name: string, ...args: unknown[]): void;
}

export function emitter(): Emitter {
  const listeners = new Map<string, Listener[]>();
  const of = (name: string): Listener[] => listeners.get(name) ?? [];
  return {
    on: (name, listener) => void listeners.set(name, [...of(name), listener]),
    off: (name, listener) => void listeners.set(name, of(name).filter((known) => known !== listener)),
    emit(name, ...args) {
      for (const listener of of(name)) (listener as (...args: unknown[]) => void)(...args);
    },
  };
}
