// Makes of the published package what the program has in it.
//
// In dist/pack.bin are the code that all destinations share, and for each one its own, which runs behind that, and what
// it is told and can do, as a manifest of ours.
//
//     node build.mjs             (after `npm ci` here; `make pack` does both)
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import esbuild from 'esbuild'
import { environment, manifestOf, version } from './manifest.mjs'

const root = path.dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const into = path.join(root, 'dist')
const { LEFT_OUT } = JSON.parse(fs.readFileSync(path.join(root, 'left-out.json')))

/** Modules of the program's engine, and those that all destinations share. */
const ours = {
  name: 'ours',
  setup(build) {
    const builtin = new RegExp(`^(node:.*|${require('node:module').builtinModules.join('|')})$`)
    const virtual = (contents) => ({ contents, loader: 'js' })
    build.onResolve({ filter: builtin }, ({ path }) => ({ path, namespace: 'node' }))
    build.onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => virtual(`module.exports = __pack.node(${JSON.stringify(path)})`))
    build.onResolve({ filter: /^@segment\/actions-core(\/.*)?$/ }, ({ path }) => ({ path, namespace: 'core' }))
    build.onLoad({ filter: /.*/, namespace: 'core' }, () => virtual('module.exports = __pack.core'))
    // Of the client of the network nothing is used.
    build.onResolve({ filter: /^cross-fetch$/ }, ({ path }) => ({ path, namespace: 'none' }))
    build.onResolve({ filter: /^liquidjs$/ }, () => ({ path: path.join(root, 'node_modules/liquidjs/dist/liquid.browser.mjs') }))
    build.onLoad({ filter: /.*/, namespace: 'none' }, () => virtual('module.exports = {}'))
  }
}
/** Of the package's core the executor is not used: what only it needs is left out. */
const withoutExecutor = {
  name: 'without-executor',
  setup(build) {
    const unused = /(mapping-kit|schema-validation|fields-to-jsonschema|create-request-client|\/fetch)(\.js)?$/
    build.onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'none' }))
    // A class of it is one of these, and nobody makes any.
    build.onResolve({ filter: /^events$/ }, () => ({ path: 'events', namespace: 'events' }))
    build.onLoad({ filter: /.*/, namespace: 'events' }, () => ({ contents: 'export class EventEmitter {}' }))
  }
}
const options = {
  bundle: true,
  minify: true,
  // Names of errors are told.
  keepNames: true,
  format: 'iife',
  platform: 'neutral',
  mainFields: ['browser', 'module', 'main'],
  conditions: ['browser', 'default'],
  target: 'es2022',
  write: false,
  logLevel: 'silent',
  legalComments: 'none'
}

const texts = {}
/** The folders of the packages that something of is in the pack. */
const packages = new Set()
const built = async (name, entry, plugins) => {
  const stdin = { contents: entry, resolveDir: root, sourcefile: `${name}.js` }
  const { outputFiles, metafile } = await esbuild.build({ ...options, stdin, plugins, metafile: true, absWorkingDir: root })
  texts[name] = outputFiles[0].text
  for (const file of Object.keys(metafile.inputs)) {
    const folder = file.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0]
    if (folder) packages.add(folder)
  }
}

/** Whose work is in the pack, and under which terms. */
const licences = () => [...packages].sort().map((folder) => {
  const at = path.join(root, folder)
  const { name, version, license, author } = JSON.parse(fs.readFileSync(path.join(at, 'package.json')))
  const file = fs.readdirSync(at).find((one) => /^(licen[cs]e|copying)/i.test(one))
  // Some say it in their package.json only.
  const by = (typeof author === 'string' ? author : author?.name) ?? (name.startsWith('@segment/') ? 'Segment' : name)
  const terms = license === 'MIT' ? `\n\n${fs.readFileSync(path.join(root, 'mit.txt'), 'utf8').trim()}` : ''
  const text = file ? fs.readFileSync(path.join(at, file), 'utf8').trim() : `Copyright (c) ${by}${terms}`
  return `${name} ${version}, ${license ?? 'no licence named'}\n\n${text}`.trim()
}).join('\n\n----\n\n')

const { manifest } = require('@segment/action-destinations')
const found = Object.values(manifest).filter(({ directory }) => !(directory in LEFT_OUT))
const slugs = [...new Set(found.map(({ directory }) => directory))].sort()

await built('shared', `import './src/shared.js'`, [withoutExecutor, ours])
await Promise.all(slugs.map((slug) => {
  const file = `./node_modules/@segment/action-destinations/dist/destinations/${slug}/index.js`
  // It is loaded by the first call: some look at their environment while they are.
  return built(slug, `globalThis.onCall = __pack.run(() => require('${file}').default)`, [ours])
}))

const entries = slugs.map((slug) => {
  const { definition } = found.find(({ directory }) => directory === slug)
  return { slug, made: manifestOf(slug, definition, texts[slug]), application: environment(texts[slug]) }
})

/** The file of the pack: see crates/selfsame-pack/src/archive.rs. */
const packed = () => {
  const parts = []
  let at = 0
  const part = (text) => {
    const bytes = zlib.gzipSync(text, { level: 9 })
    parts.push(bytes)
    at += bytes.length
    return [at - bytes.length, bytes.length]
  }
  const index = {
    version,
    shared: part(texts.shared),
    licences: part(licences()),
    left_out: LEFT_OUT,
    entries: entries.map(({ slug, made, application }) => ({
      id: made.id,
      program: slug,
      name: made.name,
      category: made.category,
      actions: Object.keys(made.actions).length,
      instead_of: made.program.instead_of,
      partner: made.program.partner,
      application,
      manifest: part(JSON.stringify(made)),
      code: part(texts[slug])
    }))
  }
  const head = zlib.gzipSync(JSON.stringify(index), { level: 9 })
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([Buffer.from('SSPACK\0\x01', 'latin1'), length, head, ...parts])
}

const pack = packed()
fs.rmSync(into, { recursive: true, force: true })
fs.mkdirSync(into)
fs.writeFileSync(path.join(into, 'pack.bin'), pack)
const bytes = Object.values(texts).reduce((sum, text) => sum + text.length, 0)
const mb = (count) => (count / 2 ** 20).toFixed(1)
console.log(`${slugs.length} destinations, ${mb(bytes)} MB of code, ${(texts.shared.length / 1024).toFixed(0)} KB of it shared; packed ${mb(pack.length)} MB`)
