/** OneTrust: groups like `C0002` are the categories. */
import type { Install } from "../types.js";
import { type ConsentOptions, decide } from "./consent.js";

interface OneTrust {
  OnetrustActiveGroups?: string;
  OneTrust?: {
    GetDomainData(): { Groups: { CustomGroupId: string }[] };
    OnConsentChanged(listener: () => void): void;
    IsAlertBoxClosed(): boolean;
  };
}

const UNTIL_THERE = 100;

export default function onetrust(options: ConsentOptions | true = {}): Install {
  const required = (options !== true && options.required) || ["C0002"];
  return (analytics) => {
    const page = window as unknown as OneTrust;
    const read = (): void => {
      const active = (page.OnetrustActiveGroups ?? "").split(",");
      const groups = page.OneTrust!.GetDomainData().Groups.map(({ CustomGroupId }) => CustomGroupId);
      decide(analytics, Object.fromEntries(groups.map((id) => [id, active.includes(id)])), required);
    };
    const start = (): void => {
      if (!page.OneTrust?.IsAlertBoxClosed) return void setTimeout(start, UNTIL_THERE);
      if (page.OneTrust.IsAlertBoxClosed()) read();
      page.OneTrust.OnConsentChanged(read);
    };
    start();
  };
}
