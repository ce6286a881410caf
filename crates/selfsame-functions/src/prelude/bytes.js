// Bytes: Buffer, TextEncoder, TextDecoder, btoa and atob. Between here and the host bytes are strings
// whose characters are below 256.
const binary = (bytes) => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096));
  }
  return text;
};
const unbinary = (text) => {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
};
const HEX = [...Array(256).keys()].map((byte) => byte.toString(16).padStart(2, '0'));
const unhex = (text) => {
  const bytes = new Uint8Array(text.length >> 1);
  for (let at = 0; at < bytes.length; at++) {
    const pair = text.slice(2 * at, 2 * at + 2);
    if (!/^[0-9a-f]{2}$/i.test(pair)) return bytes.subarray(0, at);
    bytes[at] = parseInt(pair, 16);
  }
  return bytes;
};
const bytesOf = (value, encoding) => {
  if (typeof value === 'string') {
    switch (String(encoding ?? 'utf8').toLowerCase()) {
      case 'utf8': case 'utf-8': return host.utf8(value.toWellFormed());
      case 'base64': case 'base64url': return host.unbase64(value.toWellFormed());
      case 'hex': return unhex(value);
      case 'latin1': case 'binary': case 'ascii': return unbinary(value);
      default: throw new TypeError(`Unknown encoding: ${encoding}`);
    }
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return Uint8Array.from(value);
  throw new TypeError('bytes are a string, a Buffer, a typed array, an ArrayBuffer or an array');
};
class Buffer extends Uint8Array {
  static from(value, encoding) {
    const bytes = bytesOf(value, encoding);
    const made = new Buffer(bytes.length);
    made.set(bytes);
    return made;
  }
  static alloc(size, fill) {
    const made = new Buffer(size);
    return fill === undefined ? made : made.fill(typeof fill === 'string' ? fill.charCodeAt(0) : fill);
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static concat(list) {
    const made = new Buffer(list.reduce((size, one) => size + one.length, 0));
    let at = 0;
    for (const one of list) {
      made.set(one, at);
      at += one.length;
    }
    return made;
  }
  static isBuffer(value) { return value instanceof Buffer; }
  static byteLength(value, encoding) { return bytesOf(value, encoding).length; }
  static compare(one, other) {
    const [left, right] = [binary(one), binary(other)];
    return left < right ? -1 : left > right ? 1 : 0;
  }
  equals(other) { return Buffer.compare(this, other) === 0; }
  slice(start, end) { return this.subarray(start, end); }
  write(text, offset = 0) {
    const bytes = bytesOf(String(text)).subarray(0, this.length - offset);
    this.set(bytes, offset);
    return bytes.length;
  }
  readUInt8(at = 0) { return this[at]; }
  readUInt16BE(at = 0) { return (this[at] << 8) | this[at + 1]; }
  readUInt32BE(at = 0) { return this.readUInt16BE(at) * 65536 + this.readUInt16BE(at + 2); }
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
  toString(encoding, start, end) {
    const bytes = start === undefined && end === undefined ? this : this.subarray(start, end);
    switch (String(encoding ?? 'utf8').toLowerCase()) {
      case 'utf8': case 'utf-8': return host.text(binary(bytes));
      case 'base64': return host.base64(binary(bytes));
      case 'base64url': return host.base64(binary(bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
      case 'hex': return Array.from(bytes, (byte) => HEX[byte]).join('');
      case 'latin1': case 'binary': return binary(bytes);
      case 'ascii': return binary(bytes.map((byte) => byte & 127));
      default: throw new TypeError(`Unknown encoding: ${encoding}`);
    }
  }
}
global.Buffer = Buffer;
global.TextEncoder = class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return host.utf8(String(text).toWellFormed()); }
};
global.TextDecoder = class TextDecoder {
  constructor(label = 'utf-8') {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder: only utf-8 is there, not ${label}`);
  }
  get encoding() { return 'utf-8'; }
  decode(bytes) { return bytes === undefined ? '' : host.text(binary(bytesOf(bytes))); }
};
global.btoa = (text) => {
  const given = String(text);
  if (/[^\x00-\xff]/.test(given)) throw new RangeError('btoa: a character is above 255; encode it with Buffer.from(text).toString("base64")');
  return host.base64(given);
};
global.atob = (text) => binary(host.unbase64(String(text).toWellFormed()));
