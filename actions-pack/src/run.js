// How the program calls a destination: `onCall` with what is to be done.
import { MultiStatusResponse, HTTPError, ActionDestinationErrorResponse, resolveAudienceMembership, createRequestClient } from './core.js'

const stats = { incr() {}, set() {}, histogram() {} }
const logger = Object.fromEntries(['level', 'debug', 'error', 'info', 'log', 'warn', 'crit', 'withTags'].map((name) => [name, () => {}]))
/** What one call keeps for itself. */
const memory = () => {
  const kept = new Map()
  const one = (key) => kept.get(String(key)) ?? ''
  return {
    transaction: { transaction: {}, setTransaction(key, value) { this.transaction[key] = value } },
    state: { getRequestContext: one, setResponseContext: (key, value) => kept.set(String(key), value) }
  }
}

const thrown = (error) => {
  const response = error?.response
  return {
    name: String(error?.name ?? 'Error'),
    message: String(error?.message ?? error),
    code: error?.code === undefined ? undefined : String(error.code),
    status: Number(error?.status ?? response?.status) || undefined,
    after: response?.headers?.get?.('retry-after') ?? undefined,
    said: typeof response?.content === 'string' ? response.content.slice(0, 2048) : undefined
  }
}

const itemOf = (one) => {
  if (one === undefined) return { status: 500, message: 'there is no status of this event' }
  if (!(one instanceof ActionDestinationErrorResponse)) return { status: 200 }
  const { status, errormessage } = one.value()
  return { status: Number(status) || 500, message: String(errormessage ?? '') }
}

/** What a batch came to, for each of its payloads. */
const itemsOf = (result, count) => {
  if (result instanceof MultiStatusResponse) return Array.from({ length: count }, (_, at) => itemOf(result.getResponseAtIndex(at)))
  if (result instanceof HTTPError) return Array(count).fill({ status: result.response.status, message: result.message })
  if (result instanceof Response) return Array(count).fill({ status: result.status, message: result.ok ? '' : String(result.content).slice(0, 1024) })
  return Array(count).fill({ status: 200 })
}

const membershipOf = (event, mode) => {
  const found = resolveAudienceMembership(event, mode)
  return typeof found === 'boolean' ? found : undefined
}

const around = (call, settings) => {
  const { transaction, state } = memory()
  const statsContext = { statsClient: stats, tags: [] }
  return { settings, auth: call.auth ?? {}, features: call.features ?? {}, statsContext, logger, transactionContext: transaction, stateContext: state }
}

const clientOf = (definition, data) => {
  const options = definition.extendRequest?.(data) ?? {}
  return createRequestClient({ ...options, statsContext: data.statsContext })
}

const hooksOf = (action, mapping) => {
  const outputs = {}
  for (const hook of Object.keys(action.hooks ?? {})) {
    if (mapping?.[hook]) outputs[hook] = mapping[hook]
  }
  return outputs
}

const MODES = ['add', 'update', 'upsert', 'delete', 'mirror']

const bundleOf = (action, call, base) => {
  const given = action.syncMode ? call.mapping.__segment_internal_sync_mode : undefined
  const key = call.mapping.__segment_internal_matching_key
  return {
    ...base,
    rawMapping: call.mapping,
    syncMode: MODES.includes(given) ? given : undefined,
    matchingKey: key ? String(key) : undefined,
    hookOutputs: hooksOf(action, call.mapping),
    subscriptionMetadata: {}
  }
}

const run = {
  async perform(definition, call, base) {
    const action = definition.actions[call.action]
    const bundle = bundleOf(action, call, base)
    const audienceMembership = membershipOf(call.event, bundle.syncMode)
    const personas = call.event.context?.personas
    const data = {
      ...bundle,
      rawData: call.event,
      payload: call.payload,
      personasContext: personas,
      audienceSettings: personas ? personas.audience_settings : {},
      ...(audienceMembership === undefined ? {} : { audienceMembership })
    }
    const result = await action.perform(clientOf(definition, data), data)
    return result instanceof MultiStatusResponse && result.length() === 1 ? { items: [itemOf(result.getResponseAtIndex(0))] } : {}
  },
  async performBatch(definition, call, base) {
    const action = definition.actions[call.action]
    const bundle = bundleOf(action, call, base)
    const personas = call.events[0]?.context?.personas
    const data = {
      ...bundle,
      rawData: call.events,
      payload: call.payloads,
      personasContext: personas,
      audienceSettings: personas ? personas.audience_settings : {},
      audienceMembership: call.members.map((at) => membershipOf(call.events[at], bundle.syncMode))
    }
    return { items: itemsOf(await action.performBatch(clientOf(definition, data), data), call.payloads.length) }
  },
  /** Another access token. */
  async refresh(definition, call, base) {
    const fetched = await definition.authentication.refreshAccessToken(clientOf(definition, base), base)
    return { token: fetched }
  },
  /** Whether the settings are good, where the destination can say. */
  async check(definition, _call, base) {
    await definition.authentication?.testAuthentication?.(clientOf(definition, base), base)
    return {}
  }
}

/** `onCall` of a destination. What it reads of its environment are settings here. */
export default (load) => {
  let definition
  return async (call, settings) => {
    try {
      if (!definition) {
        Object.assign(process.env, Object.fromEntries(Object.entries(settings).filter(([name]) => /^[A-Z][A-Z0-9_]+$/.test(name))))
        definition = load()
      }
      return await run[call.what](definition, call, around(call, settings))
    } catch (error) {
      return { error: thrown(error) }
    }
  }
}
