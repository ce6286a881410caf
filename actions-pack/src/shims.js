// What of Node there is beside the names that functions have too.
class EventEmitter {
  on() { return this }
  emit() { return false }
}
const basename = (path) => path.replace(/.*\//, '')
const modules = {
  crypto: globalThis.crypto,
  events: Object.assign(EventEmitter, { EventEmitter }),
  https: { Agent: class Agent {} },
  http: { Agent: class Agent {} },
  net: { isIP: (text) => (/^\d+(\.\d+){3}$/.test(text) ? 4 : /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text) ? 6 : 0) },
  path: { basename, extname: (path) => basename(path).match(/.\.[^.]*$/)?.[0].slice(1) ?? '' },
  buffer: { Buffer: globalThis.Buffer },
  url: { URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams }
}
globalThis.process = { env: {}, version: '', versions: {}, nextTick: (call, ...rest) => Promise.resolve().then(() => call(...rest)) }
modules.process = globalThis.process
globalThis.performance = { now: () => Date.now() }
globalThis.AbortController ??= class AbortController {
  signal = { aborted: false, addEventListener() {}, removeEventListener() {} }
  abort() { this.signal.aborted = true }
}
globalThis.structuredClone ??= (value) => JSON.parse(JSON.stringify(value))

/** A module of Node's, or nothing that can be used. */
export const node = (name) => {
  const plain = name.replace(/^node:/, '')
  return modules[plain] ?? {}
}
