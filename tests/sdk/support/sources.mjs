import { randomUUID } from "node:crypto";
import { target } from "./target.mjs";

/** A new source of the space with the SDK that is asked for; gives its write key. */
export async function sourceWith(browserSdk) {
  const answer = await fetch(`${target.url}/api/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${target.token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: `${browserSdk} ${randomUUID().slice(0, 8)}`, space: target.space, browser_sdk: browserSdk }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`source: ${answer.status} ${text}`);
  return JSON.parse(text).write_keys[0].key;
}

/** Where the script of a write key is. */
export const scriptOf = (writeKey) => `${target.url}/analytics.js/v1/${writeKey}/analytics.min.js`;
