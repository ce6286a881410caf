import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import http from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { read } from "../support/profiles.mjs";
import { target } from "../support/target.mjs";
import { eventually } from "../support/wait.mjs";

const folder = new URL("../../../fixtures/requests/", import.meta.url);
const names = (await readdir(folder)).filter((name) => name.endsWith(".http.json"));

/** Sends exactly the headers of the fixture, as the SDK does; no client adds its own. */
function send({ method, path, headers, body, gzip, chunked }) {
  const bytes = gzip ? gzipSync(body) : Buffer.from(body);
  const length = chunked ? {} : { "Content-Length": bytes.length };
  return new Promise((resolve, reject) => {
    const request = http.request(new URL(path, target.url), { method, headers: { ...headers, ...length } }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    if (chunked) for (let at = 0; at < bytes.length; at += 700) request.write(bytes.subarray(at, at + 700));
    request.end(chunked ? undefined : bytes);
  });
}

function filled(text) {
  const basic = Buffer.from(`${target.writeKey}:`).toString("base64");
  return text.replaceAll("{{writeKey}}", target.writeKey).replaceAll("{{basic}}", basic);
}

for (const name of names) {
  test(`${name}: accepted, and every event on its profile`, async () => {
    const fixture = JSON.parse(filled(await readFile(new URL(name, folder), "utf8")));
    const { batch } = JSON.parse(fixture.body);
    const ids = ({ type, userId, anonymousId }) => ({ type, userId: userId ?? null, anonymousId: anonymousId ?? null });
    assert.deepEqual(batch.map(ids), fixture.expect.events, "the fixture agrees with itself");

    const answer = await send(fixture);
    assert.equal(answer.status, fixture.expect.status, answer.text);
    assert.equal(JSON.parse(answer.text).success, true);

    const { userId } = batch.find((event) => event.userId);
    await eventually(async () => {
      const { data } = await read(`user_id:${userId}`, "events", "?limit=100");
      assert.deepEqual(data.map((event) => event.message_id).sort(), batch.map((event) => event.messageId).sort());
    });
    const { traits } = await read(`user_id:${userId}`, "traits", "?limit=200");
    assert.equal(traits.name, "Zoë Müller");
  });
}
