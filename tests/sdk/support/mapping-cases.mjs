// Draws random mappings, triggers and events. The same seed draws the same ones.

/** Numbers from 0 to 1, from a seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Drawing {
  constructor(seed) {
    this.next = random(seed);
  }
  below(count) {
    return Math.floor(this.next() * count);
  }
  chance(of) {
    return this.next() < of;
  }
  one(list) {
    return list[this.below(list.length)];
  }
  /** One of `[weight, draw]`. */
  weighted(options) {
    let at = this.next() * options.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, draw] of options) {
      at -= weight;
      if (at < 0) return draw();
    }
    return options[0][1]();
  }
  list(most, draw) {
    return Array.from({ length: this.below(most + 1) }, draw);
  }
}

const texts = ["Hi", "hello World", "", " ", "  x y ", "5", "0", "-1.50", "true", "null", '{"a":1,"2":{"b":null}}', "[1,2]", "{", "ÄöÜß", "😀x", "a.b", "$&", "{{userId}}", "a,b,,c", "<b class=\"x\">T</b> & 'q'", "2026-11-29T12:30:05.123Z", "2026-03-01", "1700000000", "Sun, 29 Nov 2026 12:00:00 GMT", "one two  three\nfour", "İstanbul", "ﬁn", "100%", "a+b%20c"];
const numbers = [0, 1, -1, 5, 2.5, 0.1, 1e21, 1.5e-7, 123456789, -0.5, 1700000000];
const keys = ["a", "b", "b c", "x.y", "0", "10", "2", "size", "ä"];

export function value(d, depth) {
  return d.weighted([
    [6, () => d.one(texts)],
    [4, () => d.one(numbers)],
    [2, () => d.chance(0.5)],
    [2, () => null],
    [depth > 0 ? 2 : 0, () => d.list(3, () => value(d, depth - 1))],
    [depth > 0 ? 3 : 0, () => object(d, depth - 1)],
  ]);
}

const object = (d, depth) => Object.fromEntries(d.list(4, () => [d.one(keys), value(d, depth)]));

export function event(d) {
  const made = { type: d.one(["track", "identify", "page"]), event: d.one(["Order Completed", "Hi", "", "x"]), properties: { s: d.one(texts), n: d.one(numbers), b: d.chance(0.5), z: null, o: object(d, 2), l: d.list(3, () => value(d, 1)), p: d.list(3, () => ({ x: value(d, 1), q: d.one(numbers) })), any: value(d, 2) } };
  if (d.chance(0.7)) made.userId = d.one(["u1", "", 5, null]);
  if (d.chance(0.7)) made.traits = d.chance(0.9) ? object(d, 1) : d.one([null, "t"]);
  if (d.chance(0.7)) made.context = { page: { url: d.one(texts) }, ip: "10.0.0.1", "b c": d.one(texts) };
  if (d.chance(0.3)) made.name = d.one(texts);
  return made;
}

const paths = ["properties.s", "properties.n", "properties.b", "properties.z", "properties.o", "properties.l", "properties.p", "properties.any", "properties.o.a", "properties.o.b c", "properties.o['b c']", 'properties["o"]["a"]', "properties.l[0]", "properties.l.0", "properties.l['1']", "properties.p[0].x", "properties.p[1]['q']", "properties.l.length", "properties.o.0", "properties.none", "properties.none.at.all", "properties.z.more", "properties.n.more", "properties.s.length", "userId", "userId.x", "traits", "traits.a", "traits.b.a", "context.page.url", "context.ip", "context['b c']", "event", "type", "", ".", "..properties..s", "properties[s]", "properties.l[0]]", "properties.p.0.x", "x", "q", "a", "b", "properties.any.a", "properties.any[0]", "properties.o.x.y", "'", "properties.l[00]", "properties.$.s"];
const path = (d) => (d.chance(0.6) ? "$." : "") + d.one(paths);

const directive = (d, name, config) => (d.chance(0.1) ? { [name]: config, _metadata: { label: "x" } } : { [name]: config });

function template(d) {
  const part = () => d.weighted([
    [4, () => d.one(["Hi ", "-", "", "a{b}c", "}", "{", " ", "ä"])],
    [5, () => `{{${d.one(["", " "])}${d.one(paths)}${d.one(["", " "])}}}`],
    [2, () => `{{{${d.one(["", "  "])}${d.one(paths)}}}}`],
    [0.3, () => d.one(["{{", "}}", "{{}}", "{{{}}}", "{{ }}", "{{{{a}}}}", "{{a}"])],
  ]);
  return Array.from({ length: 1 + d.below(4) }, part).join("");
}

const textOrDirective = (d, depth) => (depth > 0 && d.chance(0.7) ? drawn(d, depth - 1) : d.one(texts));

const directives = {
  "@path": (d, depth) => (depth > 0 && d.chance(0.1) ? drawn(d, depth - 1) : path(d)),
  "@template": (d, depth) => (depth > 0 && d.chance(0.05) ? drawn(d, depth - 1) : template(d)),
  "@literal": (d, depth) => (depth > 0 && d.chance(0.5) ? node(d, depth - 1) : value(d, 1)),
  "@if": (d, depth) => {
    const config = {};
    if (d.chance(0.6)) config.exists = d.chance(0.9) ? drawn(d, depth - 1) : "set";
    if (config.exists === undefined || d.chance(0.2)) config.blank = drawn(d, depth - 1);
    if (d.chance(0.9)) config.then = node(d, depth - 1);
    if (d.chance(0.7)) config.else = node(d, depth - 1);
    return config;
  },
  "@case": (d, depth) => ({ operator: d.one(["lower", "upper"]), ...(d.chance(0.95) && { value: textOrDirective(d, depth) }) }),
  "@replace": (d, depth) => {
    const config = { pattern: d.one(["H", "i", "l", ".", " ", "a.b", "$", "ß", "Ä", "ä", "\\", "5", "[", "x y", "K", "\u017f"]), value: textOrDirective(d, depth) };
    if (d.chance(0.8)) config.replacement = d.one(["", "x", "$&$&", "$$", "$`", "$'", "$1", "-", "$"]);
    if (d.chance(0.3)) config.pattern2 = d.one(["x", "-", "", null, 5]);
    if (d.chance(0.3)) config.replacement2 = d.one(["y", "", null, true]);
    if (d.chance(0.3)) config.ignorecase = d.chance(0.5);
    if (d.chance(0.3)) config.global = d.chance(0.5);
    return config;
  },
  "@arrayPath": (d, depth) => {
    const config = [d.chance(0.7) ? path(d) : drawn(d, depth - 1)];
    if (d.chance(0.8)) config.push(d.chance(0.9) ? mapping(d, depth - 1) : d.one([{}, null, "x", [1]]));
    return config;
  },
  "@merge": (d, depth) => ({ direction: d.one(["left", "right", "Left"]), objects: d.list(3, () => (d.chance(0.6) ? drawn(d, depth - 1) : mapping(d, depth - 1))) }),
  "@transform": (d, depth) => ({ apply: mapping(d, depth - 1), mapping: d.chance(0.5) ? mapping(d, depth - 1) : drawn(d, depth - 1) }),
  "@json": (d, depth) => ({ mode: d.one(["encode", "decode"]), value: d.chance(0.8) ? drawn(d, depth - 1) : d.one(['{"a":1}', "x", [1, null], { a: { b: 1.5 } }, true]) }),
  "@flatten": (d, depth) => ({ separator: d.one([".", "_", "--"]), value: d.chance(0.8) ? drawn(d, depth - 1) : value(d, 2), ...(d.chance(0.3) && { omitArrays: d.one([true, false, 1]) }) }),
  "@excludeWhenNull": (d, depth) => (d.chance(0.8) ? drawn(d, depth - 1) : value(d, 2)),
  "@liquid": (d) => liquid(d, 2),
};

const weights = { "@path": 10, "@template": 4, "@if": 4, "@arrayPath": 3, "@case": 2, "@replace": 2, "@merge": 2, "@transform": 2, "@json": 2, "@flatten": 2, "@excludeWhenNull": 2, "@literal": 2, "@liquid": 3 };

function drawn(d, depth) {
  if (depth <= 0) return directive(d, "@path", path(d));
  const name = d.weighted(Object.entries(weights).map(([name, weight]) => [weight, () => name]));
  return directive(d, name, directives[name](d, depth));
}

function node(d, depth) {
  return d.weighted([
    [6, () => drawn(d, depth)],
    [1, () => value(d, 1)],
    [depth > 0 ? 1 : 0, () => mapping(d, depth - 1)],
    [depth > 0 ? 1 : 0, () => d.list(3, () => node(d, depth - 1))],
  ]);
}

export function mapping(d, depth) {
  return Object.fromEntries(Array.from({ length: 1 + d.below(3) }, () => [d.one(["email", "name", "a", "x", "1", "value"]), node(d, depth)]));
}

/** A mapping with one thing changed, most often for the worse. */
function broken(d, whole) {
  const places = [];
  const collect = (at) => {
    if (typeof at !== "object" || at === null) return;
    for (const key of Object.keys(at)) {
      places.push([at, key]);
      collect(at[key]);
    }
  };
  collect(whole);
  const [at, key] = d.one(places);
  d.weighted([
    [3, () => (at[key] = d.one([5, null, true, [], {}, "", "x", "abcdefghijkl"]))],
    [2, () => (at[d.one(["@path", "@other", "extra", "value"])] = d.one(["$.userId", 5]))],
    [2, () => delete at[key]],
    [1, () => ((at["@pth"] = at[key]), delete at[key])],
  ]);
  // What was deleted from a list is null in JSON.
  return JSON.parse(JSON.stringify(whole));
}

const variables = ["properties.s", "properties.n", "properties.l", "properties.o", "properties.p", "properties.none", "properties.z", "properties.b", "properties['s']", "properties.l[0]", "properties.p[0].x", "properties.p.first.q", "properties.l.last", "properties.l.size", "properties.o.size", "properties.l[-1]", "userId", "v", "event", "context.page.url", "properties[event]", "properties.s.size", "properties.any"];
const literals = ["'x'", '"Hi"', "''", "5", "-1", "2.50", "true", "false", "nil", "empty", "blank", "'a\\nb'", '"it\'s"', "(1..3)", "','", "' '"];
const operand = (d) => (d.chance(0.7) ? d.one(variables) : d.one(literals));

const filters = {
  append: 1, prepend: 1, upcase: 0, downcase: 0, capitalize: 0, strip: 0, lstrip: 0, rstrip: 0, size: 0, first: 0, last: 0, join: [0, 1], split: 1, replace: 2, replace_first: 2, replace_last: 2, remove: 1, remove_first: 1, remove_last: 1, truncate: [0, 1, 2], truncatewords: [0, 1, 2], slice: [1, 2], default: 1, plus: 1, minus: 1, times: 1, divided_by: 1, modulo: 1, abs: 0, ceil: 0, floor: 0, round: [0, 1], at_least: 1, at_most: 1, escape: 0, escape_once: 0, url_encode: 0, url_decode: 0, strip_html: 0, strip_newlines: 0, json: 0, base64_encode: 0, base64_decode: 0, compact: 0, sum: [0, 1], where: [1, 2], push: 1, pop: 0, shift: 0, unshift: 1, slugify: [0, 1], normalize_whitespace: 0, number_of_words: 0, xml_escape: 0, cgi_escape: 0, uri_escape: 0, date: [0, 1], date_to_xmlschema: 0, date_to_string: 0, sha256: 0, hmac_sha256: 1, raw: 0, to_integer: 0, nothing_known: 0, sort: 0, map: 1, reverse: 0,
};
const special = { date: ["'%Y-%m-%d'", "'%a %-d %b %H:%M:%S'", "'%j %U %e|%l|%3N|%q'", "'%^B %y %P %z %s'", "'%'"], slugify: ["'raw'", "'pretty'", "'ascii'", "'latin'", "'none'"], truncate: ["3", "10", "'4'"], truncatewords: ["2", "0"], slice: ["0", "1", "-2", "5"], round: ["1", "0"], where: ["'q'", "'x'"], sum: ["'q'"], map: ["'q'"] };

function filter(d) {
  const name = d.weighted(Object.keys(filters).map((name) => [["sort", "map", "reverse"].includes(name) ? 0.1 : 1, () => name]));
  const counts = [filters[name]].flat();
  const args = Array.from({ length: d.one(counts) }, () => (special[name] ? d.one(special[name]) : operand(d)));
  return ` | ${name}${args.length ? ": " + args.join(", ") : ""}`;
}

function condition(d, depth = 1) {
  const simple = () => d.weighted([
    [2, () => operand(d)],
    [4, () => `${operand(d)} ${d.one(["==", "!=", "<", ">", "<=", ">=", "contains"])} ${operand(d)}`],
  ]);
  if (depth === 0 || d.chance(0.6)) return (d.chance(0.1) ? "not " : "") + simple();
  return `${condition(d, 0)} ${d.one(["and", "or"])} ${condition(d, depth - 1)}`;
}

function liquid(d, depth) {
  const output = () => `{{${d.one(["", " ", "-"])} ${operand(d)}${d.list(2, () => filter(d)).join("")} ${d.one(["", "-"])}}}`;
  const inner = () => (depth > 0 ? liquid(d, depth - 1) : output());
  const part = () => d.weighted([
    [4, () => d.one(["Hi ", " ", "\n", "x", " - "])],
    [6, output],
    [2, () => `{% if ${condition(d)} %}${inner()}${d.chance(0.3) ? `{% elsif ${condition(d)} %}${inner()}` : ""}${d.chance(0.5) ? `{% else %}${inner()}` : ""}{% endif %}`],
    [1, () => `{%- unless ${condition(d)} -%} ${inner()} {%- endunless %}`],
    [2, () => `{% assign v = ${operand(d)}${d.list(2, () => filter(d)).join("")} %}`],
    [1, () => `{% capture v %}${inner()}{% endcapture %}`],
    [0.5, () => `{% comment %}${inner()}{% endcomment %}{% # note %}`],
    [0.5, () => `{% raw %}${output()}{% endraw %}`],
    [0.5, () => d.one(["{% increment c %}", "{% decrement c %}{{ c }}", "{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}", "{% echo userId | append: '!' %}", "{% liquid\nassign v = 'l'\necho v\n%}"])],
    [0.2, () => d.one(["{% for x in y %}", "{% case x %}", "{% nothing %}", "{{ }}", "{{ a", "{% if", "{{ a | }}", "{{ a b }}", "{% endif %}", "{% assign %}", "{% break %}", "{{ 'a | upcase }}"])],
  ]);
  const text = Array.from({ length: 1 + d.below(3) }, part).join("");
  return text.length <= 1000 ? text : "";
}

const subjects = ["type", "event", "name", "userId", "properties.s", "properties.n", "properties.b", "properties.z", "properties.none", "properties.o.a", "properties.o.b\\ c", "traits.a", "traits.b", "context.page.url", "context.ip", "properties.l.length", "properties.p.0.q", "properties", "anonymousId", "constructor", "properties.s-x"];
const written = ['"Hi"', '"track"', '""', '"5"', '"Order Completed"', "'Hi'", "5", "0", "-1", "2.5", "+5", "true", "false", "null", '"o"', '"true"', "other"];
const globs = ['"H*"', '"*i"', '"*"', '"*e*"', '"Hi"', '"?i"', '""', "'H*'", "5"];

export function trigger(d) {
  const simple = () => d.weighted([
    [6, () => `${d.one(subjects)} ${d.one(["=", "!=", "<", "<=", ">", ">="])} ${d.one(written)}`],
    [2, () => `${d.one(["", "!"])}contains(${d.one(subjects)}, ${d.one(written)})`],
    [2, () => `${d.one(["", "!"])}match(${d.one(subjects)}, ${d.one(globs)})`],
    [0.4, () => d.one(["event contains \"i\"", "properties.s exists null", "event in [\"Hi\", \"x\"]", "!properties.b", "event", "event =", "()", "(", "a b c", "properties.s>5", "event=\"Hi\"", "event != \"Hi\"", "\"Hi\" = event", "and", "properties.n >= 2.", "properties.s = \"a", "name_x = 1", "andy = 1", "(event = \"Hi\""])],
  ]);
  const joined = (draw, count) => Array.from({ length: count }, draw).reduce((all, part) => (all ? `${all} ${d.one(["and", "or"])} ${part}` : part), "");
  const group = () => (d.chance(0.3) ? `(${joined(simple, 1 + d.below(3))})` : simple());
  return joined(group, 1 + d.below(3));
}

/** Cases of three kinds over some events: mappings that should be fine, mappings that were broken, triggers. */
export function* cases(seed, count) {
  const d = new Drawing(seed);
  const events = Array.from({ length: 1 + Math.ceil(count / 16) }, () => event(d));
  for (let n = 0; n < count; n += 1) {
    const nth = d.below(events.length);
    const of = { nth, event: events[nth] };
    if (n % 5 === 4) yield { ...of, trigger: trigger(d) };
    else if (n % 5 === 3) yield { ...of, broken: true, mapping: broken(d, mapping(d, 2)) };
    else yield { ...of, mapping: mapping(d, 3) };
  }
}
