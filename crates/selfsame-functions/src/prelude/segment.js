// What a source function sends on: events, and objects, which have no place here and are only counted.
const sent = { events: [], objects: 0 };
const need = (call, given, ...names) => {
  if (typeof given !== 'object' || given === null) throw new ValidationError(`Segment.${call} needs an object`);
  if (!names.some((name) => given[name] !== undefined && given[name] !== null && given[name] !== '')) {
    throw new ValidationError(`Segment.${call} needs ${names.join(' or ')}`);
  }
};
const COMMON = ['userId', 'anonymousId', 'context', 'integrations', 'messageId', 'timestamp', 'sentAt'];
const emit = (type, given, own) => {
  const event = { type };
  for (const name of [...own, ...COMMON]) if (given[name] !== undefined) event[name] = given[name];
  // Now, so that what is changed later is not sent.
  sent.events.push(JSON.stringify(event).toWellFormed());
  return event;
};
const emitting = (type, needed, own) => (given) => {
  for (const name of needed) need(type, given, name);
  need(type, given, 'userId', 'anonymousId');
  return emit(type, given, own);
};
global.Segment = {
  track: emitting('track', ['event'], ['event', 'properties']),
  identify: emitting('identify', [], ['traits']),
  page: emitting('page', [], ['name', 'category', 'properties']),
  screen: emitting('screen', [], ['name', 'category', 'properties']),
  group: emitting('group', ['groupId'], ['groupId', 'traits']),
  alias: emitting('alias', ['previousId'], ['previousId']),
  set(given) {
    need('set', given, 'collection');
    need('set', given, 'id');
    sent.objects += 1;
    return given;
  },
};
// What came in, as `onRequest` sees it.
class ServerRequest {
  #body;
  constructor(url, headers, body) {
    this.#body = body;
    this.url = new URL(url);
    this.headers = new Headers(headers);
  }
  text() { return this.#body; }
  json() {
    const type = this.headers.get('content-type') ?? '';
    if (/^application\/x-www-form-urlencoded/i.test(type)) return Object.fromEntries(new URLSearchParams(this.#body));
    try {
      return JSON.parse(this.#body);
    } catch (error) {
      throw new ValidationError(`the body of the request is no JSON: ${error.message}`);
    }
  }
}
// What is kept between calls, while this sandbox lives.
const kept = new Map();
global.cache = {
  async load(key, ttl, make) {
    const name = String(key);
    const now = Date.now();
    const found = kept.get(name);
    if (found && found.until > now) return found.value;
    const value = await make();
    kept.set(name, { value, until: now + (Number(ttl) || 0) });
    for (const [one, { until }] of kept) if (until <= now || kept.size > 1000) kept.delete(one);
    return value;
  },
  delete(key) { kept.delete(String(key)); },
};
