// Digests and random values, by the names of Node's `crypto`.
const digested = (bytes, encoding) => {
  const made = Buffer.from(bytes);
  return encoding === undefined || encoding === 'buffer' ? made : made.toString(encoding);
};
const collecting = (finish) => {
  const pieces = [];
  let ended = false;
  const self = {
    update(value, encoding) {
      if (ended) throw new Error('digest was called before');
      pieces.push(binary(bytesOf(value, encoding)));
      return self;
    },
    digest(encoding) {
      if (ended) throw new Error('digest was called before');
      ended = true;
      return digested(finish(pieces.join('')), encoding);
    },
  };
  return self;
};
const known = (name) => {
  const plain = String(name).toLowerCase().replace('-', '');
  if (!['md5', 'sha1', 'sha256', 'sha384', 'sha512'].includes(plain)) {
    throw new Error(`crypto: there is no digest ${name}; there are md5, sha1, sha256, sha384 and sha512`);
  }
  return plain;
};
const uuid = (bytes, version) => {
  const made = Buffer.from(bytes).subarray(0, 16);
  made[6] = (made[6] & 0x0f) | (version << 4);
  made[8] = (made[8] & 0x3f) | 0x80;
  return made.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
};
global.crypto = {
  createHash(name) {
    const plain = known(name);
    return collecting((bytes) => host.digest(plain, bytes));
  },
  createHmac(name, key) {
    const [plain, secret] = [known(name), binary(bytesOf(key))];
    return collecting((bytes) => host.hmac(plain, secret, bytes));
  },
  randomBytes: (size) => Buffer.from(host.random(size)),
  randomUUID: () => uuid(host.random(16), 4),
  getRandomValues(into) {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(host.random(into.byteLength));
    return into;
  },
  timingSafeEqual(one, other) {
    if (one.length !== other.length) throw new RangeError('both must have the same length');
    let different = 0;
    for (let at = 0; at < one.length; at++) different |= one[at] ^ other[at];
    return different === 0;
  },
};
const NAMESPACES = { dns: '0', url: '1', oid: '2', x500: '4' };
global.uuidv5 = (namespace, name) => {
  const plain = String(namespace).toLowerCase();
  const digit = NAMESPACES[plain];
  const space = digit === undefined ? plain : `6ba7b81${digit}-9dad-11d1-80b4-00c04fd430c8`;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(space)) {
    throw new TypeError('uuidv5: the namespace is a UUID, or one of dns, url, oid, x500');
  }
  const bytes = Buffer.concat([Buffer.from(space.replace(/-/g, ''), 'hex'), Buffer.from(String(name))]);
  return uuid(host.digest('sha1', binary(bytes)), 5);
};
