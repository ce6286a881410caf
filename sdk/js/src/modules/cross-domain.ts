/**
 * Takes the anonymous id along to your other domains: a link that is followed gets `_selfsame=ID~TIME`, and the page at
 * its end becomes the same device if it was opened within two minutes from one of your domains. A link that was copied
 * and passed on makes nobody the same person.
 */
import type { Install } from "../types.js";

export interface CrossDomainOptions {
  /** Your domains, with all that is under them. */
  domains: string[];
}

const PARAMETER = "_selfsame";
const VALID_SECONDS = 120;

export default function crossDomain({ domains }: CrossDomainOptions): Install {
  const isOurs = (host: string): boolean => domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  return (analytics) => {
    const here = new URL(location.href);
    const carried = here.searchParams.get(PARAMETER);
    if (carried) {
      const [id, time = ""] = carried.split("~");
      const age = Date.now() / 1000 - parseInt(time, 36);
      const from = document.referrer && new URL(document.referrer).hostname;
      if (id && age > -VALID_SECONDS && age < VALID_SECONDS && from && isOurs(from)) analytics.setAnonymousId(id);
      here.searchParams.delete(PARAMETER);
      history.replaceState(history.state, "", here);
    }
    const decorate = ({ target }: Event): void => {
      const link = target instanceof Element && target.closest("a");
      if (!link || !link.hostname || link.hostname === location.hostname || !isOurs(link.hostname)) return;
      const url = new URL(link.href);
      url.searchParams.set(PARAMETER, `${analytics.user().anonymousId()}~${Math.floor(Date.now() / 1000).toString(36)}`);
      link.href = url.href;
    };
    for (const name of ["click", "auxclick"]) addEventListener(name, decorate, true);
  };
}
