/** Takes "do not sell or share" (GPC) or "do not track" of a browser for a refusal. */
import type { Install } from "../types.js";

export interface SignalOptions {
  /** Global Privacy Control; on unless it is `false`. */
  gpc?: boolean;
  /** Do Not Track. */
  dnt?: boolean;
}

export default function signals(options: SignalOptions | true = {}): Install {
  const { gpc = true, dnt = false }: SignalOptions = options === true ? {} : options;
  return (analytics) => {
    const { globalPrivacyControl, doNotTrack } = navigator as { globalPrivacyControl?: boolean; doNotTrack?: string | null };
    if ((gpc && globalPrivacyControl) || (dnt && doNotTrack === "1")) analytics.consent("denied");
  };
}
