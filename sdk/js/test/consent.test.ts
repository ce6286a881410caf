import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import cookiebot from "../src/modules/cookiebot.js";
import onetrust from "../src/modules/onetrust.js";
import tcf from "../src/modules/tcf.js";
import type { Analytics, Install } from "../src/types.js";
import { clock, globally, restore } from "./world.js";

afterEach(restore);

/** What an adapter tells the SDK, in a window with these things in it. */
function told(install: Install, things: Record<string, unknown> = {}) {
  const calls: unknown[] = [];
  globally("window", things);
  install({ consent: (...call: unknown[]) => calls.push(call) } as unknown as Analytics);
  return calls;
}

test("OneTrust: groups that are active, once somebody has answered, and whenever that changes", () => {
  let closed = false;
  let changed = (): void => undefined;
  const page = {
    OnetrustActiveGroups: ",C0001,",
    OneTrust: {
      GetDomainData: () => ({ Groups: [{ CustomGroupId: "C0001" }, { CustomGroupId: "C0002" }] }),
      OnConsentChanged: (listener: () => void) => (changed = listener),
      IsAlertBoxClosed: () => closed,
    },
  };
  const calls = told(onetrust(true), page);
  assert.deepEqual(calls, []);
  page.OnetrustActiveGroups = ",C0001,C0002,";
  changed();
  page.OnetrustActiveGroups = ",C0001,";
  changed();
  assert.deepEqual(calls, [["granted", { C0001: true, C0002: true }], ["denied", { C0001: true, C0002: false }]]);
  closed = true;
  assert.deepEqual(told(onetrust({ required: ["C0001"] }), page), [["granted", { C0001: true, C0002: false }]]);
});

test("OneTrust: it may come later than the SDK", async () => {
  const pass = clock();
  const page: Record<string, unknown> = {};
  const calls = told(onetrust(true), page);
  await pass(500);
  page["OnetrustActiveGroups"] = ",C0002,";
  page["OneTrust"] = { GetDomainData: () => ({ Groups: [{ CustomGroupId: "C0002" }] }), OnConsentChanged: () => undefined, IsAlertBoxClosed: () => true };
  await pass(200);
  assert.deepEqual(calls, [["granted", { C0002: true }]]);
});

test("Cookiebot: nothing before an answer, then the categories", () => {
  const listeners: Record<string, () => void> = {};
  globally("addEventListener", (name: string, listener: () => void) => (listeners[name] = listener));
  const page = { Cookiebot: { hasResponse: false, consent: { preferences: true, statistics: false, marketing: false } } };
  const calls = told(cookiebot(true), page);
  assert.deepEqual(calls, []);
  page.Cookiebot.hasResponse = true;
  listeners["CookiebotOnDecline"]!();
  page.Cookiebot.consent.statistics = true;
  listeners["CookiebotOnAccept"]!();
  assert.deepEqual(calls, [
    ["denied", { preferences: true, statistics: false, marketing: false }],
    ["granted", { preferences: true, statistics: true, marketing: false }],
  ]);
});

test("TCF: every required purpose, and nobody is asked where the law does not apply", () => {
  let listener = (_data: object, _isGood: boolean): void => undefined;
  const page = { __tcfapi: (_command: string, _version: number, heard: typeof listener) => (listener = heard) };
  const calls = told(tcf(true), page);
  listener({ eventStatus: "cmpuishown", purpose: { consents: {} } }, true);
  assert.deepEqual(calls, []);
  listener({ eventStatus: "useractioncomplete", purpose: { consents: { 1: true, 8: false } } }, true);
  listener({ eventStatus: "useractioncomplete", purpose: { consents: { 1: true, 8: true } } }, true);
  listener({ eventStatus: "tcloaded", gdprApplies: false, purpose: { consents: {} } }, true);
  assert.deepEqual(calls, [["denied", { 1: true, 8: false }], ["granted", { 1: true, 8: true }], ["granted"]]);
});
