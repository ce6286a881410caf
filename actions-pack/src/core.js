// What destinations take of @segment/actions-core: its words, without its executor, validation and HTTP.
export * from '../node_modules/@segment/actions-core/dist/esm/errors.js'
export { defaultValues } from '../node_modules/@segment/actions-core/dist/esm/defaults.js'
export { omit } from '../node_modules/@segment/actions-core/dist/esm/omit.js'
export { get } from '../node_modules/@segment/actions-core/dist/esm/get.js'
export { removeUndefined } from '../node_modules/@segment/actions-core/dist/esm/remove-undefined.js'
export { realTypeOf, isObject, isArray, isString } from '../node_modules/@segment/actions-core/dist/esm/real-type-of.js'
export { HTTPError, RequestTimeoutError, DEFAULT_REQUEST_TIMEOUT } from '../node_modules/@segment/actions-core/dist/esm/request-client.js'
export {
  ActionDestinationSuccessResponse,
  ActionDestinationErrorResponse,
  MultiStatusResponse
} from '../node_modules/@segment/actions-core/dist/esm/destination-kit/action.js'
export { resolveAudienceMembership } from '../node_modules/@segment/actions-core/dist/esm/audience-membership.js'
export { FLAGS } from '../node_modules/@segment/actions-core/dist/esm/flags.js'
export { default as createRequestClient } from './client.js'
