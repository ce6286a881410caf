/**
 * Page calls without code: one when it is installed, and one whenever the address changes without a load. On demand
 * clicks on links and buttons, and forms that are submitted; never what somebody typed.
 *
 * `data-track="Plan Chosen"` names the event, `data-track-plan="pro"` adds a property, `data-no-track` on an element or
 * around it keeps out of it.
 */
import type { Fields, Install } from "../types.js";

export interface AutocaptureOptions {
  /** Page calls; on unless it is `false`. */
  pages?: boolean;
  /** Whether a change behind `#` is another page. */
  hashes?: boolean;
  /** Clicks on links and buttons. Those with `data-track` are always told. */
  clicks?: boolean;
  /** Submitted forms. */
  forms?: boolean;
}

const LONGEST_TEXT = 100;

export default function autocapture(options: AutocaptureOptions | true = {}): Install {
  const { pages = true, hashes = false, clicks = false, forms = false }: AutocaptureOptions = options === true ? {} : options;
  return (analytics) => {
    if (pages) {
      const here = (): string => (hashes ? location.href : location.href.replace(/#.*/, ""));
      let seen = here();
      let referrer = document.referrer;
      const told = (): void => void analytics.page({ referrer });
      // Titles are often set behind the change of the address.
      const changed = (): void => {
        if (here() === seen) return;
        referrer = seen;
        seen = here();
        setTimeout(told);
      };
      for (const name of ["pushState", "replaceState"] as const) {
        const original = history[name];
        history[name] = function (...args) {
          original.apply(this, args);
          changed();
        };
      }
      addEventListener("popstate", changed);
      if (hashes) addEventListener("hashchange", changed);
      told();
    }
    const listen = (on: "click" | "submit", selector: string, event: string, all: boolean): void =>
      addEventListener(
        on,
        ({ target }) => {
          const element = target instanceof Element && target.closest<HTMLElement>(selector);
          if (!element || element.closest("[data-no-track]") || !(all || element.dataset["track"])) return;
          void analytics.track(element.dataset["track"] ?? event, described(element));
        },
        true,
      );
    listen("click", "a,button,[role=button],[data-track]:not(form)", "Element Clicked", clicks);
    listen("submit", "form", "Form Submitted", forms);
  };
}

/** What is said of an element: its kind, its name, where it leads, and what its `data-track-` attributes add. */
function described(element: HTMLElement): Fields {
  const { id, tagName, dataset } = element;
  const text = tagName === "FORM" ? "" : (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ");
  const fields: Fields = { element: tagName.toLowerCase() };
  if (id) fields["id"] = id;
  if (text) fields["text"] = text.slice(0, LONGEST_TEXT);
  if (element instanceof HTMLAnchorElement) fields["href"] = element.href;
  if (element instanceof HTMLFormElement) fields["name"] = element.getAttribute("name") ?? undefined;
  for (const [name, value] of Object.entries(dataset)) {
    if (/^track[A-Z]/.test(name)) fields[name.slice(5).replace(/[A-Z]/g, (letter, at: number) => (at ? "_" : "") + letter.toLowerCase())] = value;
  }
  return fields;
}
