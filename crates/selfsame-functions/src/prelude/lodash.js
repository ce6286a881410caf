// The part of lodash that functions use most. A name that is not here says so.
const pathOf = (path) => (Array.isArray(path) ? path.map(String)
  : String(path).split(/[.[\]]+/).map((part) => part.replace(/^["']|["']$/g, '')).filter((part) => part !== ''));
const inherited = new Set(['__proto__', 'constructor', 'prototype']);
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const isPlain = (value) => isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
const listOf = (value) => (value === null || value === undefined ? []
  : Array.isArray(value) ? value : typeof value === 'string' ? [...value] : Object.values(value));
const by = (wish) => {
  if (typeof wish === 'function') return wish;
  if (wish === undefined || wish === null) return (value) => value;
  if (Array.isArray(wish)) return (value) => _.isEqual(_.get(value, wish[0]), wish[1]);
  if (isObject(wish)) return (value) => _.isMatch(value, wish);
  return (value) => _.get(value, wish);
};
const words = (text) => String(text ?? '')
  .match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+(?:['\u2019]\p{Ll}+)?|\p{N}+|[^\p{L}\p{N}\s\p{P}\p{S}]+/gu) ?? [];
// Names are made of plain letters.
const deburr = (text) => String(text ?? '').normalize('NFD').replace(/[\u0300-\u036f]/g, '')
  .replace(/[\u00df\u00e6\u00c6\u00f8\u00d8\u0153\u0152\u0142\u0141]/g, (letter) => ({
    '\u00df': 'ss', '\u00e6': 'ae', '\u00c6': 'Ae', '\u00f8': 'o', '\u00d8': 'O', '\u0153': 'oe', '\u0152': 'Oe', '\u0142': 'l', '\u0141': 'L',
  })[letter]);
const parts = (text) => words(deburr(text).replace(/['\u2019]/g, ''));
const upperFirst = (text) => String(text ?? '').replace(/^./u, (letter) => letter.toUpperCase());
const copy = (value, deep, seen = new Map()) => {
  if (!isObject(value) || typeof value === 'function') return value;
  if (seen.has(value)) return seen.get(value);
  if (value instanceof Date) return new Date(value);
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  const inner = (one) => (deep ? copy(one, deep, seen) : one);
  const made = Array.isArray(value) ? [] : value instanceof Map ? new Map() : value instanceof Set ? new Set()
    : Object.create(Object.getPrototypeOf(value));
  seen.set(value, made);
  if (value instanceof Map) for (const [key, one] of value) made.set(key, inner(one));
  else if (value instanceof Set) for (const one of value) made.add(inner(one));
  else for (const key of Object.keys(value)) if (!inherited.has(key)) made[key] = inner(value[key]);
  return made;
};
const merge = (into, from) => {
  for (const key of Object.keys(from ?? {})) {
    if (inherited.has(key)) continue;
    const value = from[key];
    if (isPlain(value) || Array.isArray(value)) {
      const there = Object.hasOwn(into, key) ? into[key] : undefined;
      const fits = Array.isArray(value) ? Array.isArray(there) : isObject(there);
      into[key] = merge(fits ? there : Array.isArray(value) ? [] : {}, value);
    } else if (value !== undefined) {
      into[key] = value;
    }
  }
  return into;
};
const order = (one, other) => {
  if (one === other) return 0;
  if (one === undefined || one === null) return 1;
  if (other === undefined || other === null) return -1;
  return one < other ? -1 : one > other ? 1 : 0;
};
const grouped = (list, wish, put) => {
  const made = {};
  const key = by(wish);
  for (const one of listOf(list)) put(made, String(key(one)), one);
  return made;
};
const entriesOf = (value) => (Array.isArray(value) ? value.map((one, at) => [at, one]) : Object.entries(value ?? {}));
const best = (list, wish, wins) => {
  const key = by(wish);
  return listOf(list).reduce((found, one) => (found === undefined || wins(key(one), key(found)) ? one : found), undefined);
};
const lodash = {
  get(object, path, otherwise) {
    let value = object;
    for (const part of pathOf(path)) {
      if (value === undefined || value === null) return otherwise;
      value = value[part];
    }
    return value === undefined ? otherwise : value;
  },
  set(object, path, value) {
    const parts = pathOf(path);
    if (!isObject(object) || parts.some((part) => inherited.has(part))) return object;
    let at = object;
    parts.forEach((part, index) => {
      if (index === parts.length - 1) at[part] = value;
      else at = isObject(at[part]) ? at[part] : (at[part] = /^\d+$/.test(parts[index + 1]) ? [] : {});
    });
    return object;
  },
  has(object, path) {
    let value = object;
    return pathOf(path).every((part) => {
      const there = value !== undefined && value !== null && Object.hasOwn(Object(value), part);
      if (there) value = value[part];
      return there;
    });
  },
  unset(object, path) {
    const parts = pathOf(path);
    const last = parts.pop();
    const inside = parts.length ? _.get(object, parts) : object;
    return isObject(inside) ? delete inside[last] : true;
  },
  pick(object, ...paths) {
    const made = {};
    for (const path of paths.flat()) if (_.has(object, path)) _.set(made, path, _.get(object, path));
    return made;
  },
  omit(object, ...paths) {
    const made = copy(object ?? {}, true);
    for (const path of paths.flat()) _.unset(made, path);
    return made;
  },
  pickBy: (object, test = Boolean) => Object.fromEntries(Object.entries(object ?? {}).filter(([key, value]) => by(test)(value, key))),
  omitBy: (object, test = Boolean) => Object.fromEntries(Object.entries(object ?? {}).filter(([key, value]) => !by(test)(value, key))),
  mapValues: (object, wish) => Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key, by(wish)(value, key, object)])),
  mapKeys: (object, wish) => Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [by(wish)(value, key, object), value])),
  invert: (object) => Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [value, key])),
  keys: (object) => Object.keys(object ?? {}),
  values: (object) => Object.values(object ?? {}),
  toPairs: (object) => Object.entries(object ?? {}),
  fromPairs: (pairs) => Object.fromEntries(pairs ?? []),
  assign: (object, ...others) => Object.assign(object, ...others),
  extend: (object, ...others) => Object.assign(object, ...others),
  merge: (object, ...others) => others.reduce((into, from) => merge(into, from), object),
  defaults(object, ...others) {
    for (const other of others) for (const key of Object.keys(other ?? {})) if (object[key] === undefined) object[key] = other[key];
    return object;
  },
  clone: (value) => copy(value, false),
  cloneDeep: (value) => copy(value, true),
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isDate: (value) => value instanceof Date,
  isEmpty: (value) => (value instanceof Map || value instanceof Set ? value.size === 0 : isObject(value) ? Object.keys(value).length === 0 : typeof value === 'string' ? value === '' : true),
  isEqual(one, other) {
    if (Object.is(one, other) || one === other) return true;
    if (!isObject(one) || !isObject(other) || Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
    if (one instanceof Date) return one.getTime() === other.getTime();
    const [left, right] = [Object.keys(one), Object.keys(other)];
    return left.length === right.length && left.every((key) => Object.hasOwn(other, key) && _.isEqual(one[key], other[key]));
  },
  isMatch: (value, wish) => Object.keys(wish).every((key) => (isPlain(wish[key]) ? isObject(value?.[key]) && _.isMatch(value[key], wish[key]) : _.isEqual(value?.[key], wish[key]))),
  isError: (value) => value instanceof Error,
  isFinite: Number.isFinite,
  isFunction: (value) => typeof value === 'function',
  isInteger: Number.isInteger,
  isNaN: (value) => typeof value === 'number' && Number.isNaN(value),
  isNil: (value) => value === undefined || value === null,
  isNull: (value) => value === null,
  isNumber: (value) => typeof value === 'number',
  isObject,
  isPlainObject: isPlain,
  isRegExp: (value) => value instanceof RegExp,
  isString: (value) => typeof value === 'string',
  isUndefined: (value) => value === undefined,
  map: (list, wish) => entriesOf(list).map(([key, value]) => by(wish)(value, key, list)),
  flatMap: (list, wish) => _.flatten(_.map(list, wish)),
  filter: (list, wish) => entriesOf(list).filter(([key, value]) => by(wish)(value, key, list)).map(([, value]) => value),
  reject: (list, wish) => entriesOf(list).filter(([key, value]) => !by(wish)(value, key, list)).map(([, value]) => value),
  find: (list, wish) => entriesOf(list).find(([key, value]) => by(wish)(value, key, list))?.[1],
  findIndex: (list, wish) => listOf(list).findIndex((value, at) => by(wish)(value, at, list)),
  findKey: (object, wish) => Object.keys(object ?? {}).find((key) => by(wish)(object[key], key, object)),
  forEach(list, call) {
    for (const [key, value] of entriesOf(list)) if (call(value, key, list) === false) break;
    return list;
  },
  reduce: (list, call, ...start) => entriesOf(list).reduce((sum, [key, value]) => (start.length || sum !== lodash
    ? call(sum, value, key, list) : value), start.length ? start[0] : lodash),
  some: (list, wish) => entriesOf(list).some(([key, value]) => by(wish)(value, key, list)),
  every: (list, wish) => entriesOf(list).every(([key, value]) => by(wish)(value, key, list)),
  includes: (list, value) => (typeof list === 'string' ? list.includes(value) : listOf(list).includes(value)),
  indexOf: (list, value) => listOf(list).indexOf(value),
  groupBy: (list, wish) => grouped(list, wish, (made, key, one) => { (Object.hasOwn(made, key) ? made[key] : (made[key] = [])).push(one); }),
  countBy: (list, wish) => grouped(list, wish, (made, key) => { made[key] = (Object.hasOwn(made, key) ? made[key] : 0) + 1; }),
  keyBy: (list, wish) => grouped(list, wish, (made, key, one) => { made[key] = one; }),
  partition: (list, wish) => [_.filter(list, wish), _.reject(list, wish)],
  sortBy: (list, ...wishes) => _.orderBy(list, wishes.length ? wishes.flat() : [undefined]),
  orderBy(list, wishes = [undefined], directions = []) {
    const keys = [wishes].flat().map(by);
    const signs = keys.map((_key, at) => ([directions].flat()[at] === 'desc' ? -1 : 1));
    return [...listOf(list)].sort((one, other) => {
      for (const [at, key] of keys.entries()) {
        const found = order(key(one), key(other)) * signs[at];
        if (found !== 0) return found;
      }
      return 0;
    });
  },
  uniq: (list) => [...new Set(listOf(list))],
  uniqBy(list, wish) {
    const seen = new Set();
    return listOf(list).filter((one) => !seen.has(by(wish)(one)) && seen.add(by(wish)(one)));
  },
  compact: (list) => listOf(list).filter(Boolean),
  concat: (list, ...others) => [].concat(list, ...others),
  chunk(list, size = 1) {
    const made = [];
    for (let at = 0; at < listOf(list).length; at += Math.max(1, size)) made.push(listOf(list).slice(at, at + Math.max(1, size)));
    return made;
  },
  flatten: (list) => listOf(list).flat(),
  flattenDeep: (list) => listOf(list).flat(Infinity),
  difference: (list, ...others) => listOf(list).filter((one) => !others.flat().includes(one)),
  intersection: (list, ...others) => _.uniq(listOf(list).filter((one) => others.every((other) => other.includes(one)))),
  union: (...lists) => _.uniq(lists.flat()),
  without: (list, ...values) => listOf(list).filter((one) => !values.includes(one)),
  zipObject: (keys, values) => Object.fromEntries(listOf(keys).map((key, at) => [key, values?.[at]])),
  first: (list) => listOf(list)[0],
  last: (list) => listOf(list).at(-1),
  nth: (list, at = 0) => listOf(list).at(at),
  take: (list, count = 1) => listOf(list).slice(0, count),
  drop: (list, count = 1) => listOf(list).slice(count),
  tail: (list) => listOf(list).slice(1),
  join: (list, between) => listOf(list).join(between),
  range(start, end, step = 1) {
    const [from, to] = end === undefined ? [0, start] : [start, end];
    const made = [];
    for (let at = from; step > 0 ? at < to : at > to; at += step || 1) made.push(at);
    return made;
  },
  times: (count, call = (at) => at) => _.range(count).map((at) => call(at)),
  size: (value) => (value instanceof Map || value instanceof Set ? value.size : listOf(value).length),
  sum: (list) => listOf(list).reduce((sum, one) => sum + one, 0),
  sumBy: (list, wish) => listOf(list).reduce((sum, one) => sum + by(wish)(one), 0),
  mean: (list) => _.sum(list) / listOf(list).length,
  min: (list) => best(list, undefined, (one, other) => one < other),
  max: (list) => best(list, undefined, (one, other) => one > other),
  minBy: (list, wish) => best(list, wish, (one, other) => one < other),
  maxBy: (list, wish) => best(list, wish, (one, other) => one > other),
  clamp: (number, low, high) => Math.min(Math.max(number, low), high),
  round: (number, digits = 0) => Number(`${Math.round(Number(`${number}e${digits}`))}e${-digits}`),
  random: (low = 0, high = 1) => low + Math.floor(Math.random() * (high - low + 1)),
  camelCase: (text) => parts(text).map((word, at) => (at === 0 ? word.toLowerCase() : upperFirst(word.toLowerCase()))).join(''),
  snakeCase: (text) => parts(text).map((word) => word.toLowerCase()).join('_'),
  kebabCase: (text) => parts(text).map((word) => word.toLowerCase()).join('-'),
  startCase: (text) => parts(text).map(upperFirst).join(' '),
  lowerCase: (text) => parts(text).map((word) => word.toLowerCase()).join(' '),
  upperCase: (text) => parts(text).map((word) => word.toUpperCase()).join(' '),
  words,
  deburr,
  upperFirst,
  lowerFirst: (text) => String(text ?? '').replace(/^./u, (letter) => letter.toLowerCase()),
  capitalize: (text) => upperFirst(String(text ?? '').toLowerCase()),
  toLower: (text) => String(text ?? '').toLowerCase(),
  toUpper: (text) => String(text ?? '').toUpperCase(),
  trim: (text) => String(text ?? '').trim(),
  split: (text, between) => String(text ?? '').split(between),
  replace: (text, from, to) => String(text ?? '').replace(from, to),
  startsWith: (text, start) => String(text ?? '').startsWith(start),
  endsWith: (text, end) => String(text ?? '').endsWith(end),
  padStart: (text, size, fill) => String(text ?? '').padStart(size, fill),
  padEnd: (text, size, fill) => String(text ?? '').padEnd(size, fill),
  toString: (value) => (value === undefined || value === null ? '' : String(value)),
  toNumber: Number,
  toInteger: (value) => Math.trunc(Number(value)) || 0,
  toArray: listOf,
  castArray: (...value) => (value.length === 0 ? [] : Array.isArray(value[0]) ? value[0] : [value[0]]),
  identity: (value) => value,
  noop() {},
  constant: (value) => () => value,
};
Object.assign(lodash, { each: lodash.forEach, head: lodash.first, entries: lodash.toPairs });
const _ = new Proxy(Object.freeze(lodash), {
  get(target, name) {
    if (Object.hasOwn(target, name)) return target[name];
    if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined;
    throw new ReferenceError(`_.${name} is not part of the lodash that functions have (docs/reference/functions.md lists it)`);
  },
});
global._ = _;
