// Recorded cases through the published package, as it is, in Node: what it would send, one line of JSON for each case.
//
//     node cases.cjs CASES.jsonl.gz > found.jsonl
//
// The network is replaced by the recorded answers, the clock by the recorded moment.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const zlib = require('node:zlib')

let answers = []
let sent = []
const shown = async (request) => {
  const headers = Object.fromEntries(request.headers)
  const text = await request.text()
  return { method: request.method, url: request.url, headers, text }
}
const fetchInstead = async (input, init) => {
  const request = new Request(input, init)
  const reply = answers[sent.length] ?? { status: 200, body: '' }
  sent.push(await shown(request))
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? '')
  const headers = reply.headers ?? { 'content-type': typeof reply.body === 'string' ? 'text/plain' : 'application/json' }
  return new Response([204, 205, 304].includes(reply.status) ? null : text, { status: reply.status, headers })
}
const place = require.resolve('cross-fetch', { paths: [path.dirname(require.resolve('@segment/actions-core'))] })
require.cache[place] = {
  id: place,
  filename: place,
  loaded: true,
  exports: Object.assign(fetchInstead, { default: fetchInstead, fetch: fetchInstead, Headers, Request, Response })
}

const RealDate = Date
let now = 0
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [now]))
  }
  static now() {
    return now
  }
}

const { Destination } = require('@segment/actions-core')
const { manifest } = require('@segment/action-destinations')
const definitions = new Map(Object.values(manifest).map(({ directory, definition }) => [directory, definition]))
const made = new Map()
const destination = (slug) => {
  if (!made.has(slug)) made.set(slug, new Destination(definitions.get(slug)))
  return made.get(slug)
}

const run = async (one) => {
  const action = destination(one.slug).actions[one.action]
  if (!action) return { missing: true }
  const state = new Map()
  const bundle = {
    mapping: one.mapping,
    settings: one.settings,
    auth: one.auth ?? {},
    features: one.features ?? {},
    statsContext: {},
    audienceSettings: one.audience_settings ?? one.events[0]?.context?.personas?.audience_settings ?? {},
    personasContext: one.events[0]?.context?.personas,
    transactionContext: { transaction: {}, setTransaction(key, value) { this.transaction[key] = value } },
    stateContext: { getRequestContext: (key) => state.get(key) ?? '', setResponseContext: (key, value) => state.set(key, value) },
    subscriptionMetadata: {}
  }
  if (one.mode !== 'batch') {
    await action.execute({ ...bundle, data: one.events[0] })
    return {}
  }
  const found = await action.executeBatch({ ...bundle, data: one.events })
  return { statuses: found.map((item) => item?.status ?? null) }
}

const main = async () => {
  const input = readline.createInterface({ input: fs.createReadStream(process.argv[2]).pipe(zlib.createGunzip()) })
  for await (const line of input) {
    const one = JSON.parse(line)
    if (!definitions.has(one.slug) || !['single', 'batch'].includes(one.mode)) continue
    answers = one.expected.requests.map(({ reply }) => reply)
    sent = []
    now = one.now_ms
    let end
    try {
      end = await run(one)
    } catch (error) {
      end = { error: String(error?.name ?? error) }
    }
    process.stdout.write(`${JSON.stringify({ id: one.id, requests: sent, ...end })}\n`)
  }
}
main()
