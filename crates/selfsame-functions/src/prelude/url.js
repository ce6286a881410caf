// URL and URLSearchParams. Addresses are read by the host as the WHATWG says.
const encoded = (text) => encodeURIComponent(text.toWellFormed())
  .replace(/%20/g, '+').replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
const decoded = (text) => {
  const spaced = text.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
};
class URLSearchParams {
  #pairs = [];
  #changed = () => {};
  constructor(from = '') {
    if (typeof from === 'object' && from !== null) {
      const pairs = typeof from[Symbol.iterator] === 'function' ? from : Object.entries(from);
      for (const [key, value] of pairs) this.#pairs.push([String(key), String(value)]);
    } else {
      this.#read(String(from));
    }
  }
  #read(text) {
    this.#pairs = text.replace(/^\?/, '').split('&').filter(Boolean).map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
    });
  }
  static of(text, changed) {
    const made = new URLSearchParams(text);
    made.#changed = changed;
    return made;
  }
  append(key, value) { this.#pairs.push([String(key), String(value)]); this.#changed(); }
  delete(key) { this.#pairs = this.#pairs.filter(([one]) => one !== String(key)); this.#changed(); }
  get(key) { return this.#pairs.find(([one]) => one === String(key))?.[1] ?? null; }
  getAll(key) { return this.#pairs.filter(([one]) => one === String(key)).map(([, value]) => value); }
  has(key) { return this.#pairs.some(([one]) => one === String(key)); }
  set(key, value) {
    const first = this.#pairs.find(([one]) => one === String(key));
    if (first) {
      first[1] = String(value);
      this.#pairs = this.#pairs.filter((pair) => pair === first || pair[0] !== String(key));
    } else {
      this.#pairs.push([String(key), String(value)]);
    }
    this.#changed();
  }
  sort() { this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)); this.#changed(); }
  forEach(call, self) { for (const [key, value] of this) call.call(self, value, key, this); }
  *entries() { for (const [key, value] of this.#pairs) yield [key, value]; }
  *keys() { for (const [key] of this.#pairs) yield key; }
  *values() { for (const [, value] of this.#pairs) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  get size() { return this.#pairs.length; }
  toString() { return this.#pairs.map(([key, value]) => `${encoded(key)}=${encoded(value)}`).join('&'); }
}
const PARTS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];
class URL {
  #parts;
  #params;
  constructor(input, base) {
    const parts = host.url(String(input).toWellFormed(), base === undefined ? null : String(base).toWellFormed());
    if (!parts) throw new TypeError(`Invalid URL: ${input}`);
    this.#take(parts);
  }
  #take(parts) {
    this.#parts = JSON.parse(parts);
    this.#params = URLSearchParams.of(this.#parts.search, () => this.#set('search', this.#params.toString()));
  }
  #set(part, value) {
    const params = this.#params;
    const parts = host.urlWith(this.#parts.href, part, String(value).toWellFormed());
    if (parts) this.#take(parts);
    if (part === 'search' && params.toString() === this.#params.toString()) this.#params = params;
  }
  static canParse(input, base) {
    return Boolean(host.url(String(input).toWellFormed(), base === undefined ? null : String(base).toWellFormed()));
  }
  get href() { return this.#parts.href; }
  set href(value) { this.#take(new URL(value).#text()); }
  #text() { return JSON.stringify(this.#parts); }
  get origin() { return this.#parts.origin; }
  get searchParams() { return this.#params; }
  toString() { return this.href; }
  toJSON() { return this.href; }
  static {
    for (const part of PARTS) {
      Object.defineProperty(URL.prototype, part, {
        get() { return this.#parts[part]; },
        set(value) { this.#set(part, value); },
        enumerable: true,
        configurable: true,
      });
    }
  }
}
global.URLSearchParams = URLSearchParams;
global.URL = URL;
