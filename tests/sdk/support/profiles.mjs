import assert from "node:assert/strict";
import { target } from "./target.mjs";
import { eventually } from "./wait.mjs";

const authorization = `Basic ${Buffer.from(`${target.token}:`).toString("base64")}`;

/** One part (`traits`, `external_ids`, `events`, `metadata`, `links`) of the profile of `type:value`. */
export async function read(id, part, query = "") {
  const path = `/v1/spaces/${target.space}/collections/users/profiles/${encodeURIComponent(id)}/${part}${query}`;
  const answer = await fetch(target.url + path, { headers: { authorization } });
  const text = await answer.text();
  assert.equal(answer.status, 200, `${part} of ${id}: ${text}`);
  return JSON.parse(text);
}

/**
 * Waits until the profile of `id` holds exactly the events of `messageIds`, then
 * checks all else that is expected of it: `traits` (these, perhaps more), `ids` and
 * `groups` (exactly these).
 */
export async function expectProfile(id, { messageIds, traits = {}, ids, groups = [] }) {
  const events = await eventually(async () => {
    const { data } = await read(id, "events", "?limit=100");
    const found = data.map((event) => event.message_id).sort();
    assert.deepEqual(found, [...messageIds].sort());
    return data;
  });

  const found = await read(id, "traits", "?limit=200");
  for (const [name, value] of Object.entries(traits)) assert.deepEqual(found.traits[name], value, `trait ${name}`);

  const { data: external } = await read(id, "external_ids", "?limit=100");
  const held = external.map((one) => `${one.type}:${one.id}`).sort();
  assert.deepEqual(held, [...ids].sort());

  const { data: links } = await read(id, "links");
  const linked = links.flatMap((link) => link.external_ids.filter(({ type }) => type === "group_id").map((one) => one.id));
  assert.deepEqual(linked.sort(), [...groups].sort());

  const { metadata } = await read(id, "metadata");
  assert.ok(!Number.isNaN(Date.parse(metadata.created_at)), `created_at ${metadata.created_at}`);
  return events;
}
