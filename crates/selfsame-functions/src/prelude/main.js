// How the host calls in.
const described = (error) => {
  const plain = (read) => {
    try {
      const value = read();
      return typeof value === 'string' ? value.toWellFormed() : null;
    } catch {
      return null;
    }
  };
  if (typeof error === 'object' && error !== null) {
    const name = plain(() => error.name) ?? plain(() => error.constructor.name) ?? 'Error';
    const message = plain(() => error.message) ?? plain(() => JSON.stringify(error)) ?? '';
    return { name, message, stack: plain(() => error.stack) };
  }
  return { name: 'Error', message: plain(() => String(error)) ?? '', stack: null };
};
const named = (type) => `on${type.charAt(0).toUpperCase()}${type.slice(1)}`;
const unsupported = (type) => new global.EventNotSupported(`the function has no ${named(type)}`);
let handlers = {};
// One event: by its own handler, or as a batch of one where there is only that.
const one = async (event, settings) => {
  const type = String(event.type);
  const handler = handlers[named(type)];
  if (handler) return { value: await handler(event, settings) };
  if (!handlers.onBatch) throw unsupported(type);
  return { batch: await handlers.onBatch([event], settings) };
};
const several = async (events, settings) => {
  if (!handlers.onBatch) throw unsupported('batch');
  return { batch: await handlers.onBatch(events, settings) };
};
const statuses = (batch) => (Array.isArray(batch)
  ? batch.map((item) => ({ status: item?.status, message: item?.errormessage ?? item?.errorMessage })) : null);
const run = {
  async request(input, settings) {
    if (!handlers.onRequest) throw new Error('the function has no onRequest');
    await handlers.onRequest(new ServerRequest(input.url, input.headers, input.body), settings);
    return { events: sent.events, objects: sent.objects };
  },
  // What a destination function returns says nothing, but for a batch.
  async deliver(event, settings) {
    const { batch } = await one(event, settings);
    return { batch: batch === undefined ? null : statuses(batch) };
  },
  async deliverBatch(events, settings) { return { batch: statuses((await several(events, settings)).batch) }; },
  async change(event, settings) {
    const { value, batch } = await one(event, settings);
    return { value: (Array.isArray(batch) ? batch[0] : value) ?? null };
  },
  async program(call, settings) { return (await handlers.onCall(call, settings)) ?? null; },
  async changeBatch(events, settings) { return { batch: (await several(events, settings)).batch ?? null }; },
};
const begin = (how, input, settings) => {
  sent.events = [];
  sent.objects = 0;
  waiting.clear();
  timers.clear();
  const ended = (ok) => (value) => host.done(ok, JSON.stringify(ok ? value : described(value)).toWellFormed());
  const calling = async () => run[how](JSON.parse(input), JSON.parse(settings));
  calling().then(ended(true)).catch((error) => ended(false)(error));
};
// Behind the function's own top level, which may still add to them, the objects that all code shares
// are closed: what an event does to one would otherwise be seen by the events behind it.
const closed = () => {
  const open = ['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError',
    'TypeError', 'URIError', 'EventNotSupported', 'InvalidEventPayload', 'ValidationError', 'RetryError', 'DropEvent'];
  // An object that inherits from these may still have own properties of the same names.
  const yielding = (proto) => {
    for (const key of Reflect.ownKeys(proto)) {
      const { value, writable, configurable, enumerable } = Object.getOwnPropertyDescriptor(proto, key);
      if (!writable || !configurable) continue;
      Object.defineProperty(proto, key, {
        get: () => value,
        set(next) {
          if (this === proto) throw new TypeError(`${String(key)} belongs to all objects and cannot be changed by a call`);
          Object.defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
        },
        enumerable,
        configurable: false,
      });
    }
    Object.freeze(proto);
  };
  yielding(Object.prototype);
  for (const name of open) {
    yielding(global[name].prototype);
    Object.freeze(global[name]);
  }
  for (const name of Reflect.ownKeys(global)) {
    const { value } = Object.getOwnPropertyDescriptor(global, name);
    if (!shared.has(name) || open.includes(name) || (typeof value !== 'function' && typeof value !== 'object') || !value) continue;
    if (typeof value === 'function' && value.prototype) Object.freeze(value.prototype);
    Object.freeze(value);
  }
  const hidden = [Object.getPrototypeOf(async () => {}), Object.getPrototypeOf(function* () {}),
    Object.getPrototypeOf(async function* () {}), Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf([][Symbol.iterator]()), Object.getPrototypeOf(new Map().entries()),
    Object.getPrototypeOf(new Set().values()), Object.getPrototypeOf(''[Symbol.iterator]())];
  for (const one of hidden) {
    if (one.prototype) Object.freeze(one.prototype);
    Object.freeze(one);
  }
};
const shared = new Set(Reflect.ownKeys(global).filter((name) => name !== 'globalThis'));
const bind = (found) => {
  handlers = found;
  closed();
};
return { begin, bind, answered, fired };
