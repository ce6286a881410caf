// fetch and what belongs to it, as Segment's functions know it. The host sends; here is only the shape.
const waiting = new Map();
let lastId = 0;
class Headers {
  #list = new Map();
  constructor(from) {
    if (from === undefined || from === null) return;
    const pairs = typeof from[Symbol.iterator] === 'function' ? from : Object.entries(from);
    for (const [key, value] of pairs) this.append(key, value);
  }
  append(key, value) {
    const name = String(key).toLowerCase();
    const before = this.#list.get(name);
    this.#list.set(name, before === undefined ? String(value) : `${before}, ${value}`);
  }
  delete(key) { this.#list.delete(String(key).toLowerCase()); }
  get(key) { return this.#list.get(String(key).toLowerCase()) ?? null; }
  has(key) { return this.#list.has(String(key).toLowerCase()); }
  set(key, value) { this.#list.set(String(key).toLowerCase(), String(value)); }
  forEach(call, self) { for (const [key, value] of this) call.call(self, value, key, this); }
  raw() { return Object.fromEntries([...this].map(([key, value]) => [key, [value]])); }
  *entries() { yield* [...this.#list].sort(([one], [other]) => (one < other ? -1 : 1)); }
  *keys() { for (const [key] of this.entries()) yield key; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  toJSON() { return Object.fromEntries(this); }
}
class FormData {
  #parts = [];
  append(key, value, name) { this.#parts.push([String(key), value, name]); }
  get(key) { return this.#parts.find(([one]) => one === String(key))?.[1] ?? null; }
  has(key) { return this.#parts.some(([one]) => one === String(key)); }
  encode() {
    const boundary = `----form${Buffer.from(host.random(12)).toString('hex')}`;
    const quoted = (text) => String(text).replace(/["\r\n]/g, (sign) => encodeURIComponent(sign));
    const pieces = [];
    for (const [key, value, name] of this.#parts) {
      const file = name === undefined ? '' : `; filename="${quoted(name)}"`;
      pieces.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(key)}"${file}\r\n\r\n`));
      pieces.push(Buffer.from(typeof value === 'object' && value !== null ? value : String(value)), Buffer.from('\r\n'));
    }
    pieces.push(Buffer.from(`--${boundary}--\r\n`));
    return { type: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(pieces) };
  }
}
const bodyOf = (body) => {
  if (body === undefined || body === null) return { bytes: null, type: null };
  if (typeof body === 'string') return { bytes: body, type: 'text/plain;charset=UTF-8' };
  if (body instanceof URLSearchParams) {
    return { bytes: body.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (body instanceof FormData) return body.encode();
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return { bytes: bytesOf(body), type: null };
  return { bytes: String(body), type: 'text/plain;charset=UTF-8' };
};
class Body {
  #bytes;
  #used = false;
  #cut;
  constructor(bytes, cut = false) {
    this.#bytes = bytes;
    this.#cut = cut;
  }
  get bodyUsed() { return this.#used; }
  #take() {
    if (this.#used) throw new TypeError('the body was read before');
    if (this.#cut) throw new RangeError('the answer is longer than a function may read');
    this.#used = true;
    return this.#bytes ?? '';
  }
  async text() {
    const bytes = this.#take();
    return typeof bytes === 'string' ? bytes : host.text(binary(bytes));
  }
  async json() {
    const text = await this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new SyntaxError(`the body is no JSON: ${error.message}`);
    }
  }
  async arrayBuffer() {
    const bytes = bytesOf(this.#take());
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }
  async buffer() { return Buffer.from(this.#take()); }
  peek() { return this.#bytes; }
}
class Request extends Body {
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : undefined;
    const { bytes, type } = init.body === undefined && from ? { bytes: from.peek(), type: null } : bodyOf(init.body);
    super(bytes);
    this.method = String(init.method ?? from?.method ?? 'GET').toUpperCase();
    this.url = from ? from.url : new URL(input).href;
    this.headers = new Headers(init.headers ?? from?.headers);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
  }
  clone() { return new Request(this); }
}
class Response extends Body {
  constructor(body, init = {}) {
    const { bytes, type } = bodyOf(body);
    super(bytes, init.cut);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? '';
    this.headers = new Headers(init.headers);
    if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
    this.url = init.url ?? '';
    this.redirected = false;
    this.type = 'default';
  }
  get ok() { return this.status >= 200 && this.status < 300; }
  clone() {
    return new Response(this.peek(), { status: this.status, statusText: this.statusText, headers: this.headers, url: this.url });
  }
}
const answered = (id, failure, status, headers, body, cut) => {
  const call = waiting.get(id);
  waiting.delete(id);
  if (!call) return;
  if (failure) {
    call.reject(Object.assign(new TypeError(`fetch failed: ${failure}`), { type: 'system' }));
    return;
  }
  call.resolve(new Response(body, { status, headers: JSON.parse(headers), url: call.url, cut }));
};
const fetch = (input, init) => new Promise((resolve, reject) => {
  const request = new Request(input, init);
  const bytes = request.peek();
  const id = ++lastId;
  waiting.set(id, { resolve, reject, url: request.url });
  try {
    host.fetch(
      id,
      request.method,
      request.url,
      JSON.stringify([...request.headers]).toWellFormed(),
      typeof bytes === 'string' ? bytes.toWellFormed() : bytes === null ? null : binary(bytes),
      typeof bytes === 'string',
    );
  } catch (error) {
    waiting.delete(id);
    reject(error);
  }
});
const timers = new Map();
const timer = (call, delay, rest, again) => {
  if (typeof call !== 'function') throw new TypeError('a timer needs a function');
  const wait = Math.max(1, Math.trunc(Number(delay)) || 1);
  const id = ++lastId;
  timers.set(id, { call, rest, wait, again });
  host.timer(id, wait);
  return id;
};
const clear = (id) => { if (timers.delete(id)) host.untimer(id); };
const fired = (id) => {
  const one = timers.get(id);
  if (!one) return;
  if (one.again) host.timer(id, one.wait); else timers.delete(id);
  one.call(...one.rest);
};
Object.assign(global, {
  Headers, FormData, Request, Response, fetch,
  setTimeout: (call, delay, ...rest) => timer(call, delay, rest, false),
  setInterval: (call, delay, ...rest) => timer(call, delay, rest, true),
  clearTimeout: clear,
  clearInterval: clear,
});
