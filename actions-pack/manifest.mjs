// A definition of the package as a manifest of ours: data, but for what it does with an event.
import fs from 'node:fs'

const notes = JSON.parse(fs.readFileSync(new URL('notes.json', import.meta.url)))
export const version = JSON.parse(fs.readFileSync(new URL('package.json', import.meta.url))).dependencies['@segment/action-destinations']
const FORMATS = ['date', 'date-time', 'email', 'hostname', 'ipv4', 'uri', 'uuid', 'time']
/** Of an action that says how many events it takes, and of one that does not. */
const MOST_EVENTS = 1000

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const without = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
const named = (object, make) => Object.fromEntries(Object.entries(object ?? {}).map(([name, value]) => [name, make(value, name)]))

/** A member of the payload, as an expression. */
const member = (key) => key.split('.').reduce((before, name) => `${before}[${JSON.stringify(name)}]`, 'payload')

/** One condition of a field that is required because of another one. */
const condition = ({ fieldKey, operator, value }) => {
  const there = `${member(fieldKey)} != undefined`
  const isNothing = `(${member(fieldKey)} == undefined || ${member(fieldKey)} == null)`
  if (value === undefined) return operator === 'is' ? isNothing : `!${isNothing}`
  const same = `${member(fieldKey)} == ${JSON.stringify(value)}`
  return operator === 'is' ? same : `(${there} && !(${same}))`
}
const conditions = ({ conditions, match }) => conditions.map(condition).join(match === 'any' ? ' || ' : ' && ')

const isConditional = (field) => isObject(field.required)

const bounds = ({ type, minimum, maximum }) =>
  type === 'string' || type === 'number' ? { minimum: minimum || undefined, maximum: maximum || undefined } : {}

const fieldOf = (field) => {
  const { type, label, description, multiple, format, properties } = field
  const choices = Array.isArray(field.choices) ? field.choices.map((one) => (isObject(one) ? one.value : one)) : undefined
  // Beside a property that is required because of another one, the package requires none.
  const loose = Object.values(properties ?? {}).some(isConditional)
  const inner = type === 'object' && properties ? named(properties, (one) => fieldOf(loose ? { ...one, required: undefined } : one)) : undefined
  return without({
    type,
    label: label || undefined,
    help: description || undefined,
    required: isConditional(field) ? `=${conditions(field.required)}` : field.required || undefined,
    default: field.default ?? undefined,
    choices: choices?.length ? (field.allowNull ? [...choices, null] : choices) : undefined,
    multiple: multiple || undefined,
    allow_null: field.allowNull || undefined,
    format: type !== 'datetime' && FORMATS.includes(format) ? format : undefined,
    ...bounds(field),
    properties: inner,
    additional_properties: inner && field.additionalProperties ? true : undefined,
    hidden: field.unsafe_hidden || undefined
  })
}

/** Properties that are required because of other fields. */
const demands = (fields) =>
  Object.entries(fields).flatMap(([name, field]) =>
    field.type !== 'object' ? [] : Object.entries(field.properties ?? {}).filter(([, one]) => isConditional(one)).map(([key, one]) => ({
      that: `=!(${conditions(one.required)}) || ${member(`${name}.${key}`)} != undefined`,
      message: `\`${name}.${key}\` is required here`
    }))
  )

const batchOf = ({ performBatch, fields }) => {
  if (!performBatch) return undefined
  const size = fields.batch_size?.default
  const keys = fields.batch_keys?.default
  return without({
    program: true,
    max_events: typeof size === 'number' ? Math.min(Math.max(size, 1), MOST_EVENTS) : MOST_EVENTS,
    key: Array.isArray(keys) ? keys.map((key) => `=${member(key)}`) : undefined
  })
}

const actionOf = ({ title, description, defaultSubscription, fields, performBatch }) => {
  const require = demands(fields ?? {})
  return without({
    title,
    says: description || undefined,
    trigger: defaultSubscription || undefined,
    fields: Object.keys(fields ?? {}).length ? named(fields, fieldOf) : undefined,
    require: require.length ? require : undefined,
    program: true,
    batch: batchOf({ performBatch, fields: fields ?? {} })
  })
}

const settingOf = ({ type, label, description, required, default: usual, choices, multiple, format }) => {
  const values = Array.isArray(choices) ? choices.map((one) => (isObject(one) ? one.value : one)) : undefined
  return without({
    type,
    label: label || undefined,
    help: description || undefined,
    required: required === true ? true : undefined,
    default: usual ?? undefined,
    choices: values?.length ? values : undefined,
    multiple: multiple || undefined,
    format: FORMATS.includes(format) ? format : undefined
  })
}

const presetsOf = ({ presets, actions }) => {
  const usable = (presets ?? []).filter(({ type, partnerAction }) => type === 'automatic' && actions[partnerAction])
  return usable.map(({ name, partnerAction, subscribe, mapping }) => {
    const { fields } = actions[partnerAction]
    const known = Object.entries(mapping ?? {}).filter(([name, value]) => name in (fields ?? {}) && value !== undefined)
    return without({ name, action: partnerAction, trigger: subscribe, mapping: known.length ? Object.fromEntries(known) : undefined })
  })
}

/** What a destination reads of the environment of the one who published it: an application of one's own. */
export const environment = (code) => {
  const found = [...code.matchAll(/process\.env(?:\.([A-Z][A-Z0-9_]+)|\["([A-Z][A-Z0-9_]+)"\])/g)].map(([, one, other]) => one ?? other)
  return [...new Set(found)].filter((name) => !['BUF_BIGINT_DISABLE', 'DESTINATIONS_ACTION_SERVICE', 'NODE_ENV', 'SERVICE_NAME'].includes(name)).sort()
}

export const manifestOf = (slug, definition, code) => {
  const { name, description, authentication, actions } = definition
  const own = named(authentication?.fields, settingOf)
  const borrowed = Object.fromEntries(environment(code).map((key) => [key, {
    type: 'password',
    label: key,
    help: 'Of an application that you registered with the vendor yourself.'
  }]))
  const presets = presetsOf(definition)
  const { category, native, partner } = notes[slug] ?? {}
  return without({
    manifest: 1,
    id: native ? `community-${slug}` : slug,
    name: name.replace(' (Actions)', ''),
    category: category ?? 'Other',
    docs: [`https://github.com/segmentio/action-destinations/tree/main/packages/destination-actions/src/destinations/${slug}`],
    version,
    status: 'community',
    says: description || undefined,
    program: without({
      name: slug,
      instead_of: native || undefined,
      partner: partner || undefined,
      refreshes: authentication?.refreshAccessToken ? true : undefined,
      checks: authentication?.testAuthentication ? true : undefined
    }),
    settings: { ...own, ...borrowed },
    actions: named(actions, actionOf),
    presets: presets.length ? presets : undefined
  })
}
