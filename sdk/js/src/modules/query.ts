/** Calls in the address of a page: `?ajs_uid=ada&ajs_trait_plan=pro`, `?ajs_event=Opened&ajs_prop_from=mail`, `?ajs_aid=ID`. */
import { parameters } from "../page.js";
import type { Analytics } from "../types.js";

export default function query(analytics: Analytics, search: string): void {
  const { useQueryString } = analytics.options;
  const { aid = /./, uid = /./ } = typeof useQueryString === "object" ? useQueryString : {};
  const asked = parameters(search, "ajs_");
  if (asked["aid"] && aid.test(asked["aid"])) analytics.setAnonymousId(asked["aid"]);
  if (asked["uid"] && uid.test(asked["uid"])) void analytics.identify(asked["uid"], parameters(search, "ajs_trait_"));
  if (asked["event"]) void analytics.track(asked["event"], parameters(search, "ajs_prop_"));
}
