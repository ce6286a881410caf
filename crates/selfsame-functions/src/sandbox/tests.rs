use std::time::Duration;

use selfsame_event::{Clock as _, SystemClock};

use super::{Sandbox, Turn};
use crate::call::Method;
use crate::{Code, FaultKind, FetchResponse, Kind, Limits};

fn code(text: &str) -> Code {
    Code::new(Kind::Insert, text)
}

fn sandbox(text: &str) -> Sandbox {
    Sandbox::new(&code(text), &Limits::default()).expect("a function")
}

/// What `onTrack` with this body makes of an event.
fn run(body: &str) -> Result<String, (FaultKind, String)> {
    let sandbox = sandbox(&format!("async function onTrack(event, settings) {{ {body} }}"));
    end(sandbox.begin(Method::Change, r#"{"type":"track","event":"E"}"#, r#"{"key":"k"}"#))
}

fn end(turn: Turn) -> Result<String, (FaultKind, String)> {
    match turn {
        Turn::Ended(Ok(json)) => Ok(json),
        Turn::Ended(Err(fault)) => Err((fault.kind, fault.message)),
        Turn::Waits => Ok("waits".to_owned()),
    }
}

/// What an expression comes to, as JSON.
fn value(expression: &str) -> String {
    let json = run(&format!("return {expression};")).unwrap_or_else(|fault| format!("{fault:?}"));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|_| json.into());
    value.get("value").unwrap_or(&value).to_string()
}

#[track_caller]
fn check(expression: &str, expected: &str) {
    assert_eq!(value(expression), expected, "{expression}");
}

#[track_caller]
fn ends(body: &str, kind: FaultKind) {
    match run(body) {
        Err((found, message)) => assert_eq!(found, kind, "{message}"),
        Ok(json) => panic!("{body} came to {json}"),
    }
}

#[test]
fn an_event_and_settings_are_what_was_given() {
    assert_eq!(
        run("event.key = settings.key; return event;").expect("an event"),
        r#"{"value":{"type":"track","event":"E","key":"k"}}"#
    );
}

#[test]
fn bytes_and_texts() {
    check("btoa('hällo')", r#""aORsbG8=""#);
    check("atob('aOQ=')", r#""hä""#);
    check("Buffer.from('grüße').toString('base64')", r#""Z3LDvMOfZQ==""#);
    check("Buffer.from('Z3LDvMOfZQ', 'base64').toString()", r#""grüße""#);
    check("Buffer.from('user:pass').toString('base64url')", r#""dXNlcjpwYXNz""#);
    check("Buffer.from('00ff', 'hex').toString('hex')", r#""00ff""#);
    check("Buffer.concat([Buffer.from('a'), Buffer.from([98])]).toString()", r#""ab""#);
    check("new TextDecoder().decode(new TextEncoder().encode('ß€'))", r#""ß€""#);
    check("Buffer.byteLength('€')", "3");
    check("Buffer.from('abc').equals(Buffer.from('abc'))", "true");
}

#[test]
fn digests_are_those_of_the_standards() {
    // RFC 1321, FIPS 180-4, RFC 2104 and RFC 4231.
    check(
        "crypto.createHash('md5').update('message digest').digest('hex')",
        r#""f96b697d7cb7938d525a2f31aaf161d0""#,
    );
    check(
        "crypto.createHash('sha256').update('a').update('bc').digest('hex')",
        r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
    );
    check(
        "crypto.createHash('sha1').update('abc').digest('base64')",
        r#""qZk+NkcGgWq6PiVxeFDCbJzQ2J0=""#,
    );
    check(
        "crypto.createHmac('md5', 'Jefe').update('what do ya want for nothing?').digest('hex')",
        r#""750c783e6ab0b503eaa86e310a5db738""#,
    );
    check(
        "crypto.createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex')",
        r#""5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843""#,
    );
    check("crypto.createHash('sha512').update('abc').digest().length", "64");
    check("uuidv5('dns', 'www.example.org')", r#""74738ff5-5367-5958-9aee-98fffdcd1876""#);
    check(
        "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/.test(crypto.randomUUID())",
        "true",
    );
    check("crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a'))", "true");
}

#[test]
fn addresses_are_read_as_browsers_do() {
    check(
        "new URL('HTTPS://User:p@Example.COM:443/a/../b?x=1#y').href",
        r#""https://User:p@example.com/b?x=1#y""#,
    );
    check("new URL('../c', 'https://e.example/a/b').pathname", r#""/c""#);
    check("new URL('https://e.example/?a=1&a=2').searchParams.getAll('a')", r#"["1","2"]"#);
    check(
        "(() => { const url = new URL('https://e.example/p'); url.searchParams.append('q', 'a b&c'); return url.href; })()",
        r#""https://e.example/p?q=a+b%26c""#,
    );
    check(
        "(() => { const url = new URL('https://e.example'); url.pathname = '/ü'; return String(url); })()",
        r#""https://e.example/%C3%BC""#,
    );
    check("new URLSearchParams({ a: 1, b: 'x y' }).toString()", r#""a=1&b=x+y""#);
    check("URL.canParse('no url')", "false");
    ends("new URL('no url')", FaultKind::Failed);
}

#[test]
fn lodash_is_there_as_far_as_it_goes() {
    check("_.get({ a: [{ b: 3 }] }, 'a[0].b')", "3");
    check("_.get({}, 'a.b', 'none')", r#""none""#);
    check("_.set({}, 'a[0].b', 1)", r#"{"a":[{"b":1}]}"#);
    check("_.pick({ a: 1, b: 2 }, ['a'])", r#"{"a":1}"#);
    check("_.omit({ a: 1, b: { c: 2, d: 3 } }, 'b.c')", r#"{"a":1,"b":{"d":3}}"#);
    check("_.merge({ a: { b: 1 } }, { a: { c: 2 } })", r#"{"a":{"b":1,"c":2}}"#);
    check(
        "[_.snakeCase('fooBar baz'), _.camelCase('Foo bar'), _.startCase('fooBar'), _.kebabCase('XMLHttp')]",
        r#"["foo_bar_baz","fooBar","Foo Bar","xml-http"]"#,
    );
    check(
        "_.orderBy([{ a: 1 }, { a: 3 }, { a: 2 }], ['a'], ['desc']).map((one) => one.a)",
        "[3,2,1]",
    );
    check("_.groupBy(['one', 'two', 'three'], 'length')", r#"{"3":["one","two"],"5":["three"]}"#);
    check("_.sortBy([3, 1, 2])", "[1,2,3]");
    check("[_.camelCase('élan vital'), _.words(\"it's me\")]", r#"["elanVital",["it's","me"]]"#);
    check("_.isEmpty({}) && !_.isEmpty('a') && _.isEqual({ a: [1] }, { a: [1] })", "true");
    check("_.reduce([1, 2, 3], (sum, one) => sum + one, 10)", "16");
    let missing = run("_.debounce(() => {})").expect_err("a fault").1;
    assert!(missing.contains("_.debounce is not part"), "{missing}");
}

#[test]
fn errors_say_their_class_their_words_and_their_line() {
    let fails = |body: &str| run(body).expect_err("a fault");
    assert_eq!(fails("throw new RetryError('later')"), (FaultKind::Retry, "later".to_owned()));
    assert_eq!(
        fails("throw new EventNotSupported('no')"),
        (FaultKind::Unsupported, "no".to_owned())
    );
    assert_eq!(fails("throw 'a text'"), (FaultKind::Failed, "a text".to_owned()));
    assert_eq!(fails("throw { code: 7 }"), (FaultKind::Failed, r#"{"code":7}"#.to_owned()));
    assert_eq!(fails("throw undefined").0, FaultKind::Failed);
    assert_eq!(fails("throw new Proxy({}, { get() { throw 1 } })").0, FaultKind::Failed);
    // A class of the function's own counts by its name.
    let own = "class RetryError extends Error { constructor(m) { super(m); this.name = 'RetryError'; } } throw new RetryError('own')";
    assert_eq!(fails(own), (FaultKind::Retry, "own".to_owned()));
    let sandbox = sandbox(
        "async function onTrack(event) {\n  const total = 1;\n  return event.missing.field;\n}",
    );
    let Turn::Ended(Err(fault)) = sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}") else {
        panic!("it ends");
    };
    assert!(fault.stack.contains("function.js:3:"), "{}", fault.stack);
}

#[test]
fn a_function_that_cannot_be_read_is_pointed_at() {
    let wrong =
        code("async function onTrack(event) {\n  return event..a;\n}").check(&Limits::default());
    let text = wrong.expect_err("wrong").to_string();
    assert!(text.starts_with("SyntaxError:") && text.contains("function.js:2"), "{text}");
    let none = code("const a = 1;").check(&Limits::default()).expect_err("no handler").to_string();
    assert!(none.contains("onTrack, onIdentify"), "{none}");
    let top = code("while (true) {}").check(&Limits::default()).expect_err("no end").to_string();
    assert!(top.contains("processor time"), "{top}");
}

#[test]
fn handlers_may_be_constants() {
    let found = code("const onTrack = async (event) => event; const onBatch = (events) => events;");
    let found = found.check(&Limits::default()).expect("a function");
    assert_eq!(found.iter().map(|one| one.name()).collect::<Vec<_>>(), ["onTrack", "onBatch"]);
}

/// What came of a body, on a thread of its own, or that it did not end: so that a loop that nothing stops
/// fails the test and does not hold it.
fn watched(body: &'static str) -> Option<Result<String, (FaultKind, String)>> {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let call = move || drop(tell.send(run(body)));
    std::thread::Builder::new().stack_size(4 << 20).spawn(call).expect("a thread");
    told.recv_timeout(Duration::from_secs(10)).ok()
}

/// What a call may not use, and what it is told.
#[test]
fn what_has_no_end_is_ended() {
    for (body, kind) in [
        ("while (true) {}", FaultKind::Processor),
        ("for (;;) await null", FaultKind::Processor),
        ("const next = () => Promise.resolve().then(next); await next()", FaultKind::Processor),
        ("try { while (true) {} } catch { return event }", FaultKind::Processor),
        ("try { while (true) {} } finally { return event }", FaultKind::Processor),
        ("/^(a+)+$/.test('a'.repeat(40) + 'b')", FaultKind::Processor),
        ("const all = []; while (true) all.push(new Array(1000).fill(1))", FaultKind::Memory),
        ("return 'x'.repeat(2 ** 29)", FaultKind::Memory),
        ("const deep = () => deep(); deep()", FaultKind::Failed),
        (
            "let at = []; for (let i = 0; i < 5000; i++) at = [at]; return JSON.stringify(at)",
            FaultKind::Failed,
        ),
        ("return { type: 'track', big: 'x'.repeat(2 << 20) }", FaultKind::Output),
        ("let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(p)", FaultKind::Memory),
        ("await new Promise(() => {})", FaultKind::Stuck),
    ] {
        match watched(body) {
            Some(Err((found, message))) => assert_eq!(found, kind, "{message}"),
            Some(Ok(ended)) if kind == FaultKind::Stuck => assert_eq!(ended, "waits"),
            other => panic!("{body} came to {other:?}"),
        }
    }
}

/// Loops that are the engine's own, where no step of code is taken.
const LOOPS: &[&str] = &[
    "const a = []; a.length = 4294967295; a.indexOf(1)",
    "[].includes.call({ length: 2 ** 53 - 1 }, 1)",
    "const a = []; a.length = 4294967295; a.every(() => true)",
    "const a = []; a.length = 4294967295; a.join()",
    "const a = []; a.length = 4294967295; a.reverse()",
    "const a = []; a.length = 4294967295; a.sort()",
    "[].fill.call({ length: 2 ** 53 - 1 }, 1)",
    "[].lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "[].copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)",
    "const a = []; a.length = 4294967295; a.flat()",
    "const a = []; a.length = 4294967295; [].concat(a, [1])",
    "const a = []; a.length = 4294967295; JSON.stringify(a)",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).drop(2 ** 52).next()",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).toArray()",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).some((one) => one === 1)",
    "new Set(Array.prototype.values.call({ length: 2 ** 53 - 1 }))",
    "Math.max(...Array.prototype.values.call({ length: 2 ** 53 - 1 }))",
    "Array.from({ length: 2 ** 32 - 1 })",
    "Object.fromEntries(Array.prototype.values.call({ length: 2 ** 53 - 1 }))",
    "const [...rest] = Array.prototype.values.call({ length: 2 ** 53 - 1 })",
    "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
    "'a'.repeat(4e6).lastIndexOf('b' + 'a'.repeat(2e6))",
    "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
    "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '')",
    "'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b')",
    "let n = 3n; while (true) n = n * n",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "new Uint8Array(8e6).sort(() => 0)",
    "'x'.repeat(7e6).normalize('NFKD')",
    "JSON.parse('['.repeat(5e6))",
    "new RegExp('(?:' + 'a?'.repeat(20000) + ')' + 'a'.repeat(20000)).test('a'.repeat(20000))",
    "const a = []; a.length = 4294967295; a.toLocaleString()",
    "const a = []; a.length = 4294967295; String(a)",
    "const a = []; a.length = 4294967295; [a].flat(2)",
    "const a = []; a.length = 4294967295; return [...a]",
    "const a = []; a.length = 4294967295; a.splice(0, 1)",
    "const a = []; a.length = 4294967295; a.unshift(1)",
    "const a = []; a.length = 4294967295; a.with(0, 1)",
    "const a = []; a.length = 4294967295; a.toSorted()",
    "const a = []; a.length = 4294967295; a.findLast(() => false)",
    "const a = []; a.length = 4294967295; a.reduce((one) => one, 0)",
    "const a = []; a.length = 4294967295; Object.entries(a)",
    "const a = []; a.length = 4294967295; Math.max.apply(null, a)",
    "const a = []; a.length = 4294967295; new Set(a)",
    "const a = []; a.length = 4294967295; Uint8Array.from(a)",
    "const a = []; a.length = 4294967295; new Uint8Array(a)",
    "[].concat.call({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true }, 1)",
    "String.raw({ raw: { length: 2 ** 53 - 1 } })",
    "Object.groupBy(Array.prototype.values.call({ length: 2 ** 53 - 1 }), () => 'a')",
    "Promise.all(Array.prototype.values.call({ length: 2 ** 53 - 1 }))",
    "new Map(Array.prototype.values.call({ length: 2 ** 53 - 1 }))",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).reduce((one) => one, 0)",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).filter(() => false).next()",
    "Array.prototype.values.call({ length: 2 ** 53 - 1 }).flatMap(() => []).next()",
    "Iterator.from(Array.prototype.values.call({ length: 2 ** 53 - 1 })).drop(2 ** 52).next()",
    "for (const one of Array.prototype.values.call({ length: 2 ** 53 - 1 })) {}",
    "('a' + '\\u0301\\u0327'.repeat(2e6)).normalize('NFD')",
    "Number('9'.repeat(8e6))",
    "BigInt('9'.repeat(8e6))",
    "JSON.parse('9'.repeat(8e6))",
    "parseInt('z'.repeat(8e6), 36)",
    "new Date('1'.repeat(8e6))",
    "new Array(1e5).fill(0).map(() => Math.random()).sort()",
    "new Uint8Array(15e6).sort()",
    "let s = 'ab'; for (let i = 0; i < 21; i++) s += s; s.match(/(?:a|b|ab)*c/)",
    "'a'.repeat(8e6).replace(/a/g, (one) => one)",
    "'a'.repeat(2e6).split(/(?=a)/)",
    "encodeURIComponent('ü'.repeat(2e6))",
    "new RegExp('[' + 'a-z'.repeat(1e5) + ']', 'i').test('b')",
    "RegExp('[' + 'a-z'.repeat(1e5) + ']', 'i').test('b')",
    "new (/a/.constructor)('[' + 'a-z'.repeat(1e5) + ']', 'i').test('b')",
    "'b'.match('[' + 'a-z'.repeat(1e5) + ']')",
    "/a/.compile('[' + 'a-z'.repeat(1e5) + ']')",
    "new RegExp('(a)'.repeat(1e5))",
    "Object.assign({}, 'x'.repeat(1e6))",
    "let o = {}; for (let i = 0; i < 1e6; i++) o['k' + i] = i; JSON.stringify(o)",
    "structuredCloneIsNotThere()",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = Object.create(p); return p.missing",
    "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.missing",
    "let s = ''; for (let i = 0; i < 1e5; i++) s = s + 'x'; return s.length",
    "let s = 'x'; for (let i = 0; i < 40; i++) s = s + s; return s.length",
    "const b = Buffer.alloc(4e6); for (;;) b.toString('hex')",
    "for (;;) crypto.createHash('sha256').update('x'.repeat(1e6)).digest('hex')",
    "for (;;) crypto.randomBytes(60000)",
    "for (;;) new URL('https://e.example/' + 'x/'.repeat(1000))",
    "for (;;) console.log('x'.repeat(1e5))",
    "Atomics.wait(new Int32Array(4), 0, 0)",
];

#[test]
fn loops_of_the_engine_end_too() {
    let clock = SystemClock::default();
    let is_long = |body: &&&'static str| {
        let began = clock.monotonic_micros();
        let _ended = watched(body);
        clock.monotonic_micros() - began > 3_000_000
    };
    let unending: Vec<_> = LOOPS.iter().filter(is_long).collect();
    assert!(unending.is_empty(), "{unending:#?}");
}

#[test]
fn what_all_code_shares_cannot_be_changed_by_an_event() {
    let sandbox = sandbox(
        "async function onTrack(event) { \
           _.merge({}, JSON.parse('{\"__proto__\":{\"admin\":true}}')); \
           ({}).__proto__.admin = true; \
           Object.prototype.admin = true; \
           try { Object.prototype.toString = () => 'mine'; } catch (error) { event.refused = error.name; } \
           try { Array.prototype.map = () => 'mine'; } catch {} \
           Array.prototype.extra = 1; \
           try { Object.defineProperty(Promise.prototype, 'then', { value: null }); } catch {} \
           JSON.parse = () => ({ type: 'track', taken: true }); \
           return event; } \
         async function onPage(event) { \
           return { ...event, admin: ({}).admin, text: String({}), list: [1].map((one) => one + 1), extra: [].extra }; }",
    );
    let first = end(sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}")).expect("an event");
    assert_eq!(first, r#"{"value":{"type":"track","refused":"TypeError"}}"#);
    let next = end(sandbox.begin(Method::Change, r#"{"type":"page"}"#, "{}")).expect("an event");
    assert_eq!(next, r#"{"value":{"type":"page","text":"[object Object]","list":[2]}}"#);
}

/// Objects may still have their own properties of the names that shared ones have.
#[test]
fn closed_objects_are_not_in_the_way() {
    check(
        "(() => { class Own extends Error { constructor(m) { super(m); this.name = 'Own'; this.message = m + '!'; } } \
          const o = {}; o.toString = () => 'o'; o.constructor = 1; function F() {} F.prototype.valueOf = () => 7; \
          return [new Own('m').name, new Own('m').message, String(o), o.constructor, +new F(), Object.keys(o)]; })()",
        r#"["Own","m!","o",1,7,["toString","constructor"]]"#,
    );
}

#[test]
fn the_top_level_may_add_to_shared_objects() {
    let sandbox = sandbox(
        "Array.prototype.second = function () { return this[1]; }; \
         async function onTrack(event) { return { ...event, found: [1, 2].second() }; }",
    );
    let ended = end(sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}"));
    assert_eq!(ended.expect("an event"), r#"{"value":{"type":"track","found":2}}"#);
}

#[test]
fn variables_stay_between_calls_of_one_sandbox() {
    let sandbox = sandbox(
        "let count = 0; async function onTrack(event) { return { ...event, count: ++count }; }",
    );
    for count in 1..4 {
        let ended = end(sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}")).expect("one");
        assert_eq!(ended, format!(r#"{{"value":{{"type":"track","count":{count}}}}}"#));
    }
}

#[test]
fn nothing_of_the_machine_is_in_reach() {
    for name in [
        "process",
        "require",
        "module",
        "std",
        "os",
        "bjson",
        "Worker",
        "importScripts",
        "scriptArgs",
        "print",
    ] {
        check(&format!("typeof {name}"), r#""undefined""#);
    }
    ends("await import('fs')", FaultKind::Failed);
    ends("await import('/etc/passwd')", FaultKind::Failed);
    check("Function('return typeof host')()", r#""undefined""#);
    check(
        "/a/ instanceof RegExp && new RegExp('a').test('a') && RegExp.escape !== undefined || RegExp.name",
        "true",
    );
}

#[test]
fn lines_are_kept_as_far_as_there_is_room() {
    let sandbox = sandbox(
        "async function onTrack() { console.log('a', 1, { b: [true, null] }, new Map([['k', 1]])); console.warn(undefined); \
         const o = {}; o.o = o; console.log(o); console.error(new RetryError('r').message, '\\ud800'); }
         async function onPage() { for (let i = 0; i < 5000; i++) console.log('line ' + i); }",
    );
    let _ended = sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}");
    let texts: Vec<String> = sandbox
        .asked()
        .borrow()
        .lines
        .iter()
        .map(|line| format!("{} {}", line.level.word(), line.text))
        .collect();
    assert_eq!(
        texts,
        [
            "info a 1 { b: [ true, null ] } { k: 1 }",
            "warn undefined",
            "info { o: [Circular] }",
            "error r \u{fffd}"
        ]
    );
    let _ended = sandbox.begin(Method::Change, r#"{"type":"page"}"#, "{}");
    let asked = sandbox.asked().borrow();
    assert!(asked.lines_cut);
    let kept: usize = asked.lines.iter().map(|line| line.text.len()).sum();
    assert!(kept <= Limits::default().log_bytes, "{kept}");
    assert!(asked.lines.len() > 100);
}

#[test]
fn a_request_is_asked_for_and_its_answer_read() {
    let sandbox = sandbox(
        "async function onTrack(event, settings) { \
           const response = await fetch('https://tool.example/v1?q=ü', { method: 'post', body: JSON.stringify(event), \
             headers: { Authorization: `Basic ${btoa(settings.key + ':')}`, 'Content-Type': 'application/json' } }); \
           if (!response.ok) throw new RetryError(`status ${response.status} ${response.headers.get('X-Why')}`); \
           return { ...event, id: (await response.json()).id }; }",
    );
    let begin = || sandbox.begin(Method::Change, r#"{"type":"track"}"#, r#"{"key":"k"}"#);
    assert!(matches!(begin(), Turn::Waits));
    let wanted = std::mem::take(&mut sandbox.asked().borrow_mut().wanted);
    let (id, request) = wanted.first().expect("a request");
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, "https://tool.example/v1?q=%C3%BC");
    let header = |name: &str| {
        request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(header("authorization"), Some("Basic azo="));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(request.body, br#"{"type":"track"}"#);
    let response = FetchResponse {
        status: 200,
        body: br#"{"id":"\u00fc"}"#.to_vec(),
        ..FetchResponse::default()
    };
    let ended = end(sandbox.answer(*id, Ok(response))).expect("an event");
    assert_eq!(ended, r#"{"value":{"type":"track","id":"ü"}}"#);

    assert!(matches!(begin(), Turn::Waits));
    let (id, _) = sandbox.asked().borrow_mut().wanted.remove(0);
    let headers = vec![("X-Why".to_owned(), "busy".to_owned())];
    let ended =
        end(sandbox
            .answer(id, Ok(FetchResponse { status: 503, headers, ..FetchResponse::default() })));
    assert_eq!(ended, Err((FaultKind::Retry, "status 503 busy".to_owned())));

    assert!(matches!(begin(), Turn::Waits));
    let (id, _) = sandbox.asked().borrow_mut().wanted.remove(0);
    let ended = end(sandbox.answer(id, Err("the address is not public".to_owned())));
    assert_eq!(
        ended,
        Err((FaultKind::Failed, "fetch failed: the address is not public".to_owned()))
    );
}

#[test]
fn an_answer_that_was_cut_is_not_taken_for_whole() {
    let sandbox = sandbox(
        "async function onTrack(event) { return { ...event, text: await (await fetch('https://a.example')).text() }; }",
    );
    assert!(matches!(sandbox.begin(Method::Change, r#"{"type":"track"}"#, "{}"), Turn::Waits));
    let (id, request) = sandbox.asked().borrow_mut().wanted.remove(0);
    assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
    let cut = FetchResponse {
        status: 200,
        is_cut: true,
        body: vec![b'a'; 10],
        ..FetchResponse::default()
    };
    let (_, message) = end(sandbox.answer(id, Ok(cut))).expect_err("a fault");
    assert!(message.contains("longer than a function may read"), "{message}");
}

#[test]
fn bodies_are_encoded_by_what_they_are() {
    let sandbox = sandbox(
        "async function onTrack() { const form = new FormData(); form.append('a', 'ü'); form.append('f', Buffer.from([0, 255]), 'f.bin'); \
           fetch('https://a.example', { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) }); \
           fetch('https://a.example', { method: 'POST', body: Buffer.from([1, 255]) }); \
           fetch(new Request('https://a.example', { method: 'POST', body: form })); await new Promise(() => {}); }",
    );
    assert!(matches!(sandbox.begin(Method::Deliver, r#"{"type":"track"}"#, "{}"), Turn::Waits));
    let wanted = std::mem::take(&mut sandbox.asked().borrow_mut().wanted);
    let bodies: Vec<&[u8]> = wanted.iter().map(|(_, request)| &request.body[..]).collect();
    assert_eq!(bodies[0], b"a=b+c");
    assert!(
        wanted[0]
            .1
            .headers
            .iter()
            .any(|(_, value)| value.starts_with("application/x-www-form-urlencoded"))
    );
    assert_eq!(bodies[1], [1, 255]);
    let form = String::from_utf8_lossy(bodies[2]);
    assert!(
        form.contains("name=\"a\"\r\n\r\nü\r\n") && form.contains("filename=\"f.bin\""),
        "{form}"
    );
    assert!(bodies[2].windows(2).any(|pair| pair == [0, 255]));
}

#[test]
fn requests_have_a_number_and_a_size() {
    ends(
        "for (let i = 0; i < 51; i++) fetch('https://a.example'); await fetch('https://a.example')",
        FaultKind::Failed,
    );
    ends(
        "await fetch('https://a.example', { method: 'POST', body: 'x'.repeat(2 << 20) })",
        FaultKind::Failed,
    );
    ends("await fetch('https://a.example', { method: 'CONNECT' })", FaultKind::Failed);
}

#[test]
fn a_source_function_makes_events_of_a_request() {
    let code = Code::new(
        Kind::Source,
        "async function onRequest(request, settings) { const body = request.json(); \
           Segment.track({ event: `${request.headers.get('X-Kind')} ${body.action}`, userId: String(body.sender.id), \
             properties: { page: request.url.searchParams.get('page'), key: settings.key }, unknown: 1 }); \
           Segment.identify({ userId: '7', traits: { name: 'Ü' } }); Segment.set({ collection: 'c', id: '1', properties: {} }); }",
    );
    let sandbox = Sandbox::new(&code, &Limits::default()).expect("a function");
    let request = serde_json::json!({
        "url": "https://s.example/fn/k?page=2",
        "headers": [["x-kind", "issue"], ["content-type", "application/json"]],
        "body": r#"{"action":"opened","sender":{"id":5}}"#,
    });
    let ended = end(sandbox.begin(Method::Request, &request.to_string(), r#"{"key":"k"}"#))
        .expect("events");
    let ended: serde_json::Value = serde_json::from_str(&ended).expect("JSON");
    assert_eq!(
        ended["events"][0],
        r#"{"type":"track","event":"issue opened","properties":{"page":"2","key":"k"},"userId":"5"}"#
    );
    assert_eq!(ended["events"][1], r#"{"type":"identify","traits":{"name":"Ü"},"userId":"7"}"#);
    assert_eq!(ended["objects"], 1);
    let bad = serde_json::json!({ "url": "https://s.example/", "headers": [], "body": "no json" });
    assert_eq!(
        end(sandbox.begin(Method::Request, &bad.to_string(), "{}")).expect_err("wrong").0,
        FaultKind::Validation
    );
    let nobody = serde_json::json!({ "url": "https://s.example/", "headers": [], "body": r#"{"sender":{}}"# });
    let ended = end(sandbox.begin(Method::Request, &nobody.to_string(), "{}"))
        .expect("String(undefined) is an id");
    assert!(ended.contains("undefined"));
}
