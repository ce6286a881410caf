// The engine looks at the time between the steps of code, and in most of its own loops. These are the
// others: what they would go over without looking is bounded first. An array of the heap that a function
// has cannot have more elements than this; longer ones are empty.
const LONGEST = 1 << 20;
const fits = (list) => {
  if (list !== null && list !== undefined && list.length > LONGEST) {
    throw new RangeError(`a list of ${list.length} elements is too long for a function: at most ${LONGEST}`);
  }
};
// What the engine did in one go is paid for in steps, so that it looks at the time before it does more.
const paid = (size) => {
  if (size > 1e5) for (let step = 0; step < 10000; step++);
};
const sizeOf = (value) => (typeof value === 'string' ? value.length : Array.isArray(value) ? value.length * 16 : 0);
const apply = Reflect.apply;
const guarded = (proto, name, check) => {
  const native = proto[name];
  const made = { [name](...args) {
    check(this, args);
    const found = apply(native, this, args);
    paid(sizeOf(this) + sizeOf(args[0]) + sizeOf(found));
    return found;
  } }[name];
  Object.defineProperty(made, 'length', { value: native.length });
  Object.defineProperty(proto, name, { value: made, writable: true, enumerable: false, configurable: true });
};
const free = () => {};
for (const name of ['join', 'toLocaleString', 'fill', 'reverse', 'copyWithin', 'splice', 'slice', 'shift', 'unshift',
  'toReversed', 'toSpliced', 'with', 'lastIndexOf']) {
  guarded(Array.prototype, name, fits);
}
guarded(Array.prototype, 'concat', (self, args) => { fits(self); args.forEach(fits); });
const flat = (list, depth, into) => {
  fits(list);
  for (let at = 0; at < list.length; at++) {
    if (!(at in list)) continue;
    if (depth >= 1 && Array.isArray(list[at])) flat(list[at], depth - 1, into);
    else into.push(list[at]);
  }
  return into;
};
const define = (object, name, value) => Object.defineProperty(object, name, {
  value, writable: true, enumerable: false, configurable: true,
});
define(Array.prototype, 'flat', { flat(depth = 1) { return flat(Object(this), Number(depth) || 0, []); } }.flat);
define(Array.prototype, 'flatMap', { flatMap(call, self) { return flat(this.map(call, self), 1, []); } }.flatMap);
// With code that compares, a long list is looked at while it is sorted.
const compared = (one, other) => {
  const [left, right] = [String(one), String(other)];
  return left < right ? -1 : left > right ? 1 : 0;
};
const sorting = (usual) => (self, args) => {
  fits(self);
  if (args[0] === undefined && self.length > 10000) args[0] = usual;
};
for (const name of ['sort', 'toSorted']) {
  guarded(Array.prototype, name, sorting(compared));
  guarded(Object.getPrototypeOf(Uint8Array.prototype), name, sorting((one, other) => Number(one - other)));
}
// A search goes over both texts as often as the shorter one is long.
const short = (self, args) => {
  const [where, what] = [self, args[0]];
  if (typeof what === 'string' && typeof where === 'string' && what.length > 100 && where.length * what.length > 1e8) {
    throw new RangeError('both texts are too long to look for one in the other');
  }
};
for (const name of ['indexOf', 'lastIndexOf', 'includes', 'split', 'replace', 'replaceAll']) guarded(String.prototype, name, short);
for (const name of ['repeat', 'padStart', 'padEnd', 'concat', 'slice', 'substring', 'trim', 'toLowerCase', 'toUpperCase',
  'toWellFormed', 'localeCompare', 'at']) guarded(String.prototype, name, free);
guarded(String.prototype, 'normalize', (self) => {
  if (String(self).length > 1 << 16) throw new RangeError('the text is too long to be normalized');
});
for (const name of ['parse', 'stringify']) guarded(JSON, name, free);
for (const name of ['keys', 'values', 'entries', 'getOwnPropertyNames', 'fromEntries', 'assign']) guarded(Object, name, free);
guarded(Array, 'from', free);
guarded(BigInt.prototype, 'toString', () => paid(Infinity));
for (const name of ['drop', 'take']) {
  guarded(Iterator.prototype, name, (_self, args) => {
    if (Number(args[0]) > LONGEST) throw new RangeError(`${name}: at most ${LONGEST} steps`);
  });
}
guarded(String, 'raw', (_self, args) => fits(args[0]?.raw));
// A pattern is compiled in one go.
const pattern = (text) => {
  if (typeof text === 'string' && text.length > 10000) throw new RangeError('the pattern is too long');
};
for (const name of ['match', 'matchAll', 'search']) guarded(String.prototype, name, (_self, args) => pattern(args[0]));
guarded(RegExp.prototype, 'compile', (_self, args) => pattern(args[0]));
const Pattern = new Proxy(RegExp, {
  construct(target, args, made) {
    pattern(args[0]);
    return Reflect.construct(target, args, made === Pattern ? target : made);
  },
  apply(target, self, args) {
    pattern(args[0]);
    return apply(target, self, args);
  },
});
define(global, 'RegExp', Pattern);
define(RegExp.prototype, 'constructor', Pattern);
