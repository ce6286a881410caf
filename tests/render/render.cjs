// What one event costs from its JSON to the bytes of its requests: here, and in Segment's published package.
//
//     node tests/render/render.cjs         (after `make pack`; `make bench-render` does both)
//
// The same recorded cases in the same run, one after the other, on one thread each. Three ways:
// * ours: the bench `render` of selfsame-destinations, by `cargo bench`;
// * stock: `Destination.onEvent` of the package, with the network replaced by the recorded answers;
// * direct: only its mapping kit and the action's `perform`, with a function in the place of its client. It checks no
//   payload, makes no Request, and adds no authentication, which ours does.
// Everywhere the event is read from its text and bodies are written as text.
'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const zlib = require('node:zlib')

const root = path.join(__dirname, '../..')
const WARM_MS = 500
const MEASURED_MS = 1500
const ROUND = 50

/** What the package wants otherwise than the recording, which went around its check of settings. */
const SETTINGS = {
  braze: { endpoint: 'https://rest.iad-01.braze.com' },
  iterable: { apiKey: 'key' },
  salesforce: { instanceUrl: 'https://example.my.salesforce.com' }
}

// The package asks for its fetch when it is loaded.
let answers = []
let asked = 0
const answered = () => answers[asked++] ?? { status: 200, body: '' }
const fetchInstead = async () => {
  const { status, body } = answered()
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Response([204, 304].includes(status) ? null : text, { status, headers: { 'content-type': 'application/json' } })
}
const packed = createRequire(path.join(root, 'actions-pack/package.json'))
const place = packed.resolve('cross-fetch', { paths: [path.dirname(packed.resolve('@segment/actions-core'))] })
require.cache[place] = {
  id: place,
  filename: place,
  loaded: true,
  exports: Object.assign(fetchInstead, { default: fetchInstead, fetch: fetchInstead, Headers, Request, Response })
}

const { Destination } = packed('@segment/actions-core')
const core = path.dirname(packed.resolve('@segment/actions-core'))
const { transform } = require(path.join(core, 'mapping-kit'))
const { manifest } = packed('@segment/action-destinations')

/** The names and medians of ours, in microseconds. */
function ours() {
  const table = execFileSync(process.env.CARGO ?? 'cargo', ['bench', '--quiet', '--locked', '-p', 'selfsame-destinations', '--bench', 'render', '--', '--sample-count', '2000', 'request'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const units = { ns: 0.001, 'µs': 1, ms: 1000 }
  const rows = table.matchAll(/[├╰]─ (\S+\/\S+) [^│]*│[^│]*│ +([\d.]+) (ns|µs|ms)/g)
  return [...rows].map(([, name, median, unit]) => [name, Number(median) * units[unit]])
}

function cases() {
  const packed = fs.readFileSync(path.join(root, 'fixtures/destinations/cases.jsonl.gz'))
  return zlib.gunzipSync(packed).toString().trimEnd().split('\n').map(JSON.parse)
}

/** The median of rounds, in microseconds for one call. */
async function median(call) {
  const rounds = []
  const begun = performance.now()
  for (;;) {
    const start = performance.now()
    for (let n = 0; n < ROUND; n++) await call()
    const end = performance.now()
    if (end - begun > WARM_MS) rounds.push(((end - start) * 1000) / ROUND)
    if (end - begun > WARM_MS + MEASURED_MS) break
  }
  return rounds.sort((a, b) => a - b)[Math.floor(rounds.length / 2)]
}

async function row(name, found) {
  const { definition } = Object.values(manifest).find((one) => one.directory === found.slug)
  const text = JSON.stringify(found.events[0])
  const replies = found.expected.requests.map((request) => request.reply)
  const auth = found.auth ?? undefined
  const destination = new Destination(definition)
  const subscription = { partnerAction: found.action, subscribe: 'type = "track" or type != "track"', mapping: found.mapping, enabled: true }
  const given = { ...found.settings, ...SETTINGS[found.slug] }
  const settings = { ...given, subscription, oauth: auth && { access_token: auth.accessToken } }
  const stock = async () => {
    ;[answers, asked] = [replies, 0]
    destination.responses.length = 0
    const results = await destination.onEvent(JSON.parse(text), settings)
    if (results.some((result) => result.error)) throw new Error(`${name}: ${JSON.stringify(results)}`)
  }
  const { perform } = definition.actions[found.action]
  let written = 0
  const request = async (url, options) => {
    const { status, body } = answered()
    const sent = options?.json === undefined ? String(options?.body ?? '') : JSON.stringify(options.json)
    written += url.length + sent.length
    return { status, data: body, content: body, headers: new Map(), options }
  }
  const direct = async () => {
    ;[answers, asked] = [replies, 0]
    const event = JSON.parse(text)
    const payload = transform(found.mapping, event)
    const bundle = { payload, settings: given, auth, rawData: event, rawMapping: found.mapping, features: {}, statsContext: {} }
    await perform(request, { ...bundle, syncMode: found.mapping.__segment_internal_sync_mode, matchingKey: found.mapping.__segment_internal_matching_key })
  }
  await stock()
  const sent = asked
  await direct()
  if (sent === 0 || asked === 0 || written === 0) throw new Error(`${name} sends nothing`)
  return [await median(stock), await median(direct)]
}

async function main() {
  const recorded = cases()
  const times = ours()
  if (times.length === 0) throw new Error('the bench has no rows')
  const shown = (number) => number.toFixed(1).padStart(8)
  console.log('us an event                     ours    stock  of ours   direct  of ours   wanted: below 15, 5 times, once')
  let met = true
  for (const [name, own] of times) {
    const sends = (one) => one.id.startsWith(name) && one.mode === 'single' && one.expected.requests?.length > 0
    const [stock, direct] = await row(name, recorded.find(sends))
    const good = own < 15 && stock >= 5 * own && direct > own
    met &&= good
    console.log(`${name.padEnd(28)}${shown(own)} ${shown(stock)} ${shown(stock / own)} ${shown(direct)} ${shown(direct / own)}   ${good ? 'met' : 'missed'}`)
  }
  process.exitCode = met ? 0 : 1
}

main()
