import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { Analytics } from "@segment/analytics-node";
import { somebody } from "../support/calls.mjs";
import { expectProfile } from "../support/profiles.mjs";
import { target } from "../support/target.mjs";

async function control(method, path, body) {
  const headers = { authorization: `Bearer ${target.token}`, "content-type": "application/json" };
  const answer = await fetch(`${target.url}${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

function keys() {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function client(settings) {
  const analytics = new Analytics({ host: target.url, maxRetries: 1, ...settings });
  const failures = [];
  analytics.on("error", (error) => failures.push(error));
  return { analytics, failures };
}

test("@segment/analytics-node: a source that needs a token gets it by OAuth", async () => {
  const name = `oauth-${Date.now().toString(36)}`;
  const writeKey = `${name}-write-key`;
  const { publicKey, privateKey } = keys();
  await control("POST", "/api/sources", { id: name, name, space: target.space, write_key: writeKey });
  await control("POST", `/api/sources/${name}/oauth/clients`, { id: name, public_key: publicKey, key_id: "k1" });
  await control("PUT", `/api/sources/${name}/oauth`, { required: true });
  const oauthSettings = { authServer: `${target.url}/oauth2`, clientId: name, clientKey: privateKey, keyId: "k1" };

  const who = somebody("oauth");
  const { analytics, failures } = client({ writeKey, oauthSettings });
  analytics.identify({ userId: who.userId, traits: { name: "Sent with a token" }, messageId: who.message("identify") });
  analytics.track({ userId: who.userId, event: "Sent", messageId: who.message("sent") });
  await analytics.closeAndFlush();
  assert.deepEqual(failures, []);
  await expectProfile(`user_id:${who.userId}`, {
    messageIds: who.messageIds,
    traits: { name: "Sent with a token" },
    ids: [`user_id:${who.userId}`],
  });

  const stranger = client({ writeKey, oauthSettings: { ...oauthSettings, clientKey: keys().privateKey } });
  stranger.analytics.track({ userId: who.userId, event: "By a stranger" });
  await stranger.analytics.closeAndFlush();
  assert.notDeepEqual(stranger.failures, [], "another key gets no token");

  const without = client({ writeKey });
  without.analytics.track({ userId: who.userId, event: "Without a token" });
  await without.analytics.closeAndFlush();
  assert.notDeepEqual(without.failures, [], "nor is there a way without one");
});
