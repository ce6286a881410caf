// The address bar: what it says, and how to go elsewhere without loading the page again.
import { tick } from "svelte";
import { BASE, withQuery, type Query } from "./router.ts";

const below = () => (location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) || "/" : location.pathname);

// Each by itself, so that what depends on the path is not done again when only the question changes.
let path = $state(below());
let search = $state(location.search);
let hash = $state(location.hash.slice(1));
const query = $derived(new URLSearchParams(search));

function read(): void {
  path = below();
  search = location.search;
  hash = location.hash.slice(1);
}

/** Set by screens that hold something unsaved: the sentence that asks whether to leave. */
let held: (() => string | undefined) | undefined;

export const place = {
  get path(): string {
    return path;
  },
  get query(): URLSearchParams {
    return query;
  },
  get hash(): string {
    return hash;
  },
};

function mayLeave(): boolean {
  const question = held?.();
  return question === undefined || confirm(question);
}

/** While the caller is shown, `ask` says whether something would be lost by leaving. */
export function holdOn(ask: () => string | undefined): void {
  $effect(() => {
    held = ask;
    const unload = (event: BeforeUnloadEvent) => {
      if (ask() !== undefined) event.preventDefault();
    };
    addEventListener("beforeunload", unload);
    return () => {
      held = undefined;
      removeEventListener("beforeunload", unload);
    };
  });
}

async function arrived(moved: boolean): Promise<void> {
  read();
  if (!moved) return;
  scrollTo(0, 0);
  await tick();
  document.getElementById("main")?.focus({ preventScroll: true });
}

/** Goes to an address of the console. */
export function go(to: string, { replace = false } = {}): void {
  const moved = new URL(to, location.href).pathname !== location.pathname;
  if (moved && !mayLeave()) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  void arrived(moved);
}

/** Changes what the address asks, in place. */
export function ask(query: Query, { push = false } = {}): void {
  const to = withQuery(location.pathname + location.search, query);
  if (push) history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  read();
}

/** Listens to links and to the browser's buttons. */
export function follow(): void {
  addEventListener("popstate", () => void arrived(true));
  addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.download || link.origin !== location.origin) return;
    if (link.pathname !== BASE && !link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    if (link.href !== location.href) go(link.href);
  });
}
