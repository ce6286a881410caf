/** Platforms of the IAB's Transparency and Consent Framework, version 2: purposes `1` to `11` are the categories. */
import type { Install } from "../types.js";
import { type ConsentOptions, decide } from "./consent.js";

interface TcData {
  eventStatus: string;
  gdprApplies?: boolean;
  purpose: { consents: Record<string, boolean> };
}
type TcfApi = (command: "addEventListener", version: 2, listener: (data: TcData, isGood: boolean) => void) => void;

const UNTIL_THERE = 100;

export default function tcf(options: ConsentOptions | true = {}): Install {
  // Storing on the device, and measuring content.
  const required = (options !== true && options.required) || ["1", "8"];
  return (analytics) => {
    const start = (): void => {
      const { __tcfapi } = window as unknown as { __tcfapi?: TcfApi };
      if (!__tcfapi) return void setTimeout(start, UNTIL_THERE);
      __tcfapi("addEventListener", 2, (data, isGood) => {
        if (!isGood || !["tcloaded", "useractioncomplete"].includes(data.eventStatus)) return;
        if (data.gdprApplies === false) return analytics.consent("granted");
        const all = required.every((purpose) => data.purpose.consents[purpose]);
        decide(analytics, data.purpose.consents, all ? required : []);
      });
    };
    start();
  };
}
