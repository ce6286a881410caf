// The package's request client: the same options make the same requests. What sends them is `fetch`, which asks the
// program to.
import { HTTPError } from '../node_modules/@segment/actions-core/dist/esm/request-client.js'

const isObjectLike = (value) => value !== null && typeof value === 'object'

/** Options over options, as the original merges them: `headers` is left in every object that was merged. */
const merge = (...sources) => {
  let result = {}
  let headers = {}
  for (const source of sources) {
    if (Array.isArray(source)) {
      result = [...(Array.isArray(result) ? result : []), ...source]
    } else if (isObjectLike(source)) {
      for (const [key, value] of Object.entries(source)) {
        result[key] = isObjectLike(value) && key in result && key !== 'headers' ? merge(result[key], value) : value
      }
      if (isObjectLike(source.headers)) headers = withHeaders(headers, source.headers)
    }
    result.headers = headers
  }
  return result
}

/** What a header may be, without space around it. */
const headerOf = (name, value) => {
  const text = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new TypeError(`the value of the header ${name} cannot be sent`)
  return text
}

const withHeaders = (before, more) => {
  const result = new Headers(before)
  for (const [name, value] of new Headers(more)) {
    if (value === 'undefined') result.delete(name)
    else result.set(name, headerOf(name, value))
  }
  return result
}

const dataOf = (response, content) => {
  if (!response.headers.get('content-type')?.includes('application/json')) return content
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

const send = async (url, options) => {
  const { method = 'get', username, password, searchParams, json } = options
  const headers = withHeaders({}, options.headers ?? {})
  if (username || password) {
    headers.set('authorization', `Basic ${Buffer.from(`${username || ''}:${password || ''}`).toString('base64')}`)
  }
  let address = url
  if (searchParams) {
    const made = new URL(url)
    made.search = new URLSearchParams(searchParams).toString()
    address = made.toString()
  }
  let body = options.body
  if (json !== undefined) {
    body = JSON.stringify(json)
    headers.set('content-type', 'application/json')
  }
  const upper = method.toUpperCase()
  if (body !== undefined && body !== null && (upper === 'GET' || upper === 'HEAD')) {
    throw new TypeError('Request with GET/HEAD method cannot have body.')
  }
  const response = await fetch(address, { method: upper, headers, body })
  const content = await response.clone().text()
  Object.assign(response, { content, data: dataOf(response, content) })
  if (!response.ok && options.throwHttpErrors !== false) {
    throw new HTTPError(response, { method: upper, url: address, headers }, options)
  }
  return response
}

const instance = (defaults) => {
  const client = (url, options = {}) => send(String(url), merge({}, defaults, options))
  client.extend = (more) => instance(merge({}, defaults, more))
  return client
}

export default (...all) => all.filter(Boolean).reduce((client, options) => client.extend(options), instance({}))
