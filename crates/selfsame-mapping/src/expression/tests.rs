use serde_json::{Value, json};

use super::{Expression, Scope, functions};

fn event() -> Value {
    json!({
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "timestamp": "2026-11-29T12:00:00.5Z",
        "properties": {
            "revenue": 12.5,
            "currency": "eur",
            "big": 12_345_678_901_234_567_890_u64,
            "none": null,
            "empty": "",
            "products": [{"sku": "a", "price": 2}, {"sku": "b", "price": 10}, {"price": 3}],
        },
        "traits": {"email": " Ada@Example.com ", "first name": "Ada", "vip": true},
        "context": {"page": {"url": "https://shop.example:8443/a/b?utm_source=x+y&z=1#top"}},
    })
}

fn check(text: &str, expected: &Value) {
    let event = event();
    let scope = Scope::at(1_700_000_000_123).with("event", &event);
    let expression =
        Expression::compile(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    let value = expression.value(&scope);
    assert_eq!(value.as_ref(), Some(expected), "{text}");
}

fn check_undefined(text: &str) {
    let event = event();
    let scope = Scope::at(0).with("event", &event);
    let expression =
        Expression::compile(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    assert_eq!(expression.value(&scope), None, "{text}");
}

fn check_problem(text: &str, expected: &str) {
    let problem = Expression::compile(text).expect_err(text);
    assert_eq!(problem.to_string(), expected, "{text}");
}

#[test]
fn members_lead_to_values_and_never_throw() {
    check("event.properties.revenue", &json!(12.5));
    check("event.traits['first name']", &json!("Ada"));
    check("event.properties.products[1].sku", &json!("b"));
    check("event?.properties?.products?.[0]?.sku", &json!("a"));
    check("event.properties.products.length", &json!(3));
    check("event.userId.length", &json!(2));
    check("event.properties.none", &Value::Null);
    check_undefined("event.properties.missing.further.on[3]['x']");
    check_undefined("nobody.knows");
    check_undefined("event.userId.x.y");
}

#[test]
fn operators_are_those_of_javascript_without_its_conversions() {
    check("1 + 2 * 3 - 4 / 2", &json!(5));
    check("(1 + 2) * 3 % 4", &json!(1));
    check("-event.properties.revenue", &json!(-12.5));
    check("0.1 + 0.2", &json!(0.30000000000000004));
    check("'a' + 1 + true", &json!("a1true"));
    check("1 == 1.0 && '1' != 1 && 'a' === 'a' && 2 !== 3", &json!(true));
    check("[1, {a: 2}] == [1, {a: 2}]", &json!(true));
    check("'a' < 'b' && 2 <= 2 && 3 > 2 && !('a' < 1)", &json!(true));
    check("event.properties.none ?? event.missing ?? 'x'", &json!("x"));
    check("event.properties.empty || 'x'", &json!("x"));
    check("event.properties.empty && 'x'", &json!(""));
    check("event.traits.vip ? 'yes' : 'no'", &json!("yes"));
    check("false ? 1 : true ? 2 : 3", &json!(2));
    check("!event.missing", &json!(true));
    check_undefined("1 + event.missing");
    check_undefined("'a' + null");
    check_undefined("'a' * 2");
    check_undefined("1 / 0");
}

#[test]
fn lists_and_objects_leave_out_what_is_undefined() {
    check("[1, event.missing, null, ...[2, 3], ...event.missing]", &json!([1, null, 2, 3]));
    check(
        "{a: 1, 'b c': event.missing, n: null, [event.userId]: 2}",
        &json!({"a": 1, "n": null, "u1": 2}),
    );
    check("{a: 1, b: 1, ...{b: 2, c: event.missing}, ...'no', a: 3}", &json!({"a": 3, "b": 2}));
    check("{event}.event.userId", &json!("u1"));
    check("{a: 1, ...{a: event.missing}}", &json!({"a": 1}));
}

#[test]
fn functions_of_elements_see_names_around_them() {
    check("map(event.properties.products, p => p.sku)", &json!(["a", "b"]));
    check(
        "map(event.properties.products, (p, i) => i + ':' + (p.sku ?? '-'))",
        &json!(["0:a", "1:b", "2:-"]),
    );
    check("filter(event.properties.products, p => p.price > 2).length", &json!(2));
    check("find(event.properties.products, p => p.price > 2)", &json!({"sku": "b", "price": 10}));
    check(
        "any(event.properties.products, p => !p.sku) && !all(event.properties.products, p => p.sku)",
        &json!(true),
    );
    check("flat_map([1, 2], x => map([10, 20], y => x * y))", &json!([10, 20, 20, 40]));
    check("map([1, 2], x => map([1], x => x + 10)[0] + x)", &json!([12, 13]));
    check("map_values({a: 1, b: 2}, (v, k) => v == 1 ? undefined : k + v)", &json!({"b": "b2"}));
    check("map_keys({a: 1, b: 2}, (v, k) => upper(k))", &json!({"A": 1, "B": 2}));
    check(
        "map_leaves({a: {b: 1, c: [1]}, d: 2}, (v, k) => is_list(v) ? v : k == 'd' ? undefined : v + 1)",
        &json!({"a": {"b": 2, "c": [1]}}),
    );
    check("filter_fields({a: 1, b: null}, v => v)", &json!({"a": 1}));
    check(
        "map(sort_by(event.properties.products, p => -p.price), p => p.price)",
        &json!([10, 3, 2]),
    );
    check("group_by(['a', 'b', 'A'], x => lower(x))", &json!({"a": ["a", "A"], "b": ["b"]}));
    check("any(event.missing, x => x) || all(event.missing, x => x)", &json!(true));
    check_undefined("map(event.missing, x => x)");
}

#[test]
fn texts() {
    check("clean(event.traits.email)", &json!("ada@example.com"));
    check(
        "text(event.properties.big) + text(1.50) + text([1, null, 'a'])",
        &json!("123456789012345678901.51,,a"),
    );
    check("capitalize('ößa') + upper('ß') + lower('ÄB') + trim(' x ')", &json!("ÖßaSSäbx"));
    check("replace('a.b.c', '.', '-')", &json!("a-b-c"));
    check("replace_matches('a1b22', '([0-9]+)', '<$1>')", &json!("a<1>b<22>"));
    check("matches('abc', '^a.c$') && !matches(event.missing, 'a')", &json!(true));
    check("[extract('id=17', 'id=(\\\\d+)'), extract('a17', '\\\\d+')]", &json!(["17", "17"]));
    check("join(split('a,b,,c', ','), '|')", &json!("a|b||c"));
    check(
        "contains('abc', 'b') && contains([1, 2], 2) && !contains(event.missing, 1)",
        &json!(true),
    );
    check("starts_with('abc', 'ab') && ends_with('abc', 'bc')", &json!(true));
    check(
        "[slice('abcdef', 1, 3), slice('abcdef', -2), slice([1, 2, 3], 1)]",
        &json!(["bc", "ef", [2, 3]]),
    );
    check("pad_start(7, 3, '0') + truncate('abcdef', 2) + digits('+1 (2) 3')", &json!("007ab123"));
    check("length('a\\u00e4') + length([1]) + length({a: 1})", &json!(4));
    check("json({a: [1, 'x'], b: event.missing})", &json!("{\"a\":[1,\"x\"]}"));
    check("parse_json('{\"a\": [1]}').a[0]", &json!(1));
    check("url_encode('a b&ü') + url_decode('%20x')", &json!("a%20b%26%C3%BC x"));
    check("query({a: 'x y', b: [1, 2], c: null})", &json!("a=x%20y&b=1&b=2"));
    check("escape_html('<a b=\"c\">')", &json!("&lt;a b=&quot;c&quot;&gt;"));
    check("default('', 1) + default(event.missing, 2) + default(0, 3)", &json!(3));
    check_undefined("clean('  ')");
    check_undefined("lower([1])");
    check_undefined("parse_json('{')");
}

#[test]
fn hashes_are_those_of_everybody_else() {
    check("md5('')  ?? 'nothing'", &json!("nothing"));
    check(
        "md5('The quick brown fox jumps over the lazy dog')",
        &json!("9e107d9d372bb6826bd81d3542a419d6"),
    );
    check(
        "md5('12345678901234567890123456789012345678901234567890123456789012345678901234567890')",
        &json!("57edf4a22be3c955ac49da2e2107b67a"),
    );
    check("sha1('abc')", &json!("a9993e364706816aba3e25717850c26c9cd0d89d"));
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    check("sha256('abc')", &json!(sha256));
    check("hashed(upper(sha256('abc')))", &json!(sha256));
    check("sha256('abc', 'base64')", &json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
    check("sha256('abc', 'base64url')", &json!("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"));
    check("slice(sha512('abc'), 0, 16)", &json!("ddaf35a193617aba"));
    check(
        "hmac('what do ya want for nothing?', 'Jefe')",
        &json!("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    );
    check(
        "hmac('what do ya want for nothing?', 'Jefe', 'sha1')",
        &json!("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    );
    check("base64('a?>') + base64url('a?>') + base64_decode('YT8-')", &json!("YT8+YT8-a?>"));
    check(
        "uuid_of('x') == uuid_of('x') && matches(uuid_of('x'), '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$')",
        &json!(true),
    );
    check_undefined("sha256('')");
    check_undefined("sha256(event.missing)");
    check_undefined("hmac('a', 'b', 'rot13')");
}

#[test]
fn numbers() {
    check("number('12.5') + number(true) + number(' 1e1 ')", &json!(23.5));
    check("number(event.properties.big)", &json!(12_345_678_901_234_567_890_u64));
    check(
        "[round(2.5), round(-2.5), round(1.005, 2), round(12.345, 1)]",
        &json!([3, -3, 1.01, 12.3]),
    );
    check("[floor(-1.5), ceil(1.2), abs(-3), integer('7.9')]", &json!([-2, 2, 3, 7]));
    check("fixed(1.005, 2) + fixed(3, 1)", &json!("1.013.0"));
    check("min(3, [1, 2], 'x') + max(1, '7')", &json!(8));
    check("sum(map(event.properties.products, p => p.price))", &json!(15));
    check_undefined("number('12a')");
    check_undefined("number('')");
}

#[test]
fn times() {
    check("now()", &json!(1_700_000_000_123_i64));
    check("epoch_ms(event.timestamp)", &json!(1_795_953_600_500_i64));
    check("epoch(event.timestamp)", &json!(1_795_953_600));
    check(
        "[iso(1700000000), iso(1700000000123), iso('1700000000')]",
        &json!([
            "2023-11-14T22:13:20.000Z",
            "2023-11-14T22:13:20.123Z",
            "2023-11-14T22:13:20.000Z"
        ]),
    );
    check(
        "date('2026-11-29T23:30:00Z', 'Europe/Berlin') + date('2026-11-29')",
        &json!("2026-11-302026-11-29"),
    );
    check("format_time(event.timestamp, '%d.%m.%Y %H:%M')", &json!("29.11.2026 12:00"));
    check("iso(add_seconds(event.timestamp, 90))", &json!("2026-11-29T12:01:30.500Z"));
    check_undefined("iso('no time')");
    check_undefined("format_time(0, '%Q%')");
    check_undefined("date(0, 'Mars/Olympus')");
}

#[test]
fn lists_and_objects() {
    check("[first([1, 2]), last([1, 2])]", &json!([1, 2]));
    check("[list('a'), list([1]), list(event.missing)]", &json!([["a"], [1], []]));
    check("unique([1, 1.0, '1', [2], [2]])", &json!([1, "1", [2]]));
    check("compact([null, '', 0, 'a'])", &json!([0, "a"]));
    check("concat([1], 2, event.missing, [3])", &json!([1, 2, 3]));
    check("chunks(reverse([1, 2, 3]), 2)", &json!([[3, 2], [1]]));
    check("[keys({b: 1, a: 2}), values({b: 1, a: 2})]", &json!([["b", "a"], [1, 2]]));
    check(
        "from_entries(map(entries({a: 1}), e => {key: e.key + 'x', value: e.value}))",
        &json!({"ax": 1}),
    );
    check("pick({a: 1, b: 2, c: 3}, 'a', ['c'])", &json!({"a": 1, "c": 3}));
    check("omit({a: 1, b: 2, c: 3}, 'a', ['c'])", &json!({"b": 2}));
    check("merge({a: 1}, event.missing, {a: 2, b: 3})", &json!({"a": 2, "b": 3}));
    check("drop_null({a: null, b: [null, {c: null}], d: ''})", &json!({"b": [{}], "d": ""}));
    check("drop_empty({a: null, b: [null, {c: null}], d: '', e: 0})", &json!({"e": 0}));
    check("flatten({a: {b: 1, c: {d: [2]}}, e: 3}, '_')", &json!({"a_b": 1, "a_c_d": [2], "e": 3}));
    check("get(event, 'properties.products[0].sku')", &json!("a"));
    check("has({a: null}, 'a') || !has({a: 0}, 'a')", &json!(false));
}

#[test]
fn kinds_and_what_vendors_ask_for() {
    check(
        "map([1, 'a', true, null, [], {}], x => type(x))",
        &json!(["number", "string", "boolean", "null", "list", "object"]),
    );
    check("type(event.missing)", &json!("undefined"));
    check(
        "is_text('') && is_number(0) && is_bool(false) && is_list([]) && is_object({}) && is_empty({}) && is_empty(event.missing)",
        &json!(true),
    );
    check("map(['true', 'no', 1, 0, 'perhaps'], x => bool(x))", &json!([true, false, true, false]));
    check("is_email('a@b.c') && !is_email('a@b') && !is_email('a b@c.d')", &json!(true));
    check("email_domain(event.traits.email)", &json!("example.com"));
    check(
        "url_host(event.context.page.url) + url_path(event.context.page.url)",
        &json!("shop.example/a/b"),
    );
    check("url_param(event.context.page.url, 'utm_source')", &json!("x y"));
    let chrome = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";
    check(
        &format!("[ua_browser('{chrome}'), ua_os('{chrome}'), ua_device('{chrome}')]"),
        &json!(["Chrome", "Android", "mobile"]),
    );
    check(
        "is_currency('eur') && !is_currency('EURO') && !is_currency(event.missing)",
        &json!(true),
    );
    check("[us_state('New  York'), us_state('CA')]", &json!(["ny", "ca"]));
    check_undefined("us_state('Bavaria')");
}

#[test]
fn problems_point_and_help() {
    check_problem("", "byte 0: expected an expression, found the end of the text");
    check_problem("a.b(", "byte 3: expected no call of a member, found `(`; write b(value, …)");
    check_problem("lowr(a)", "byte 0: expected a function, found `lowr`; did you mean `lower`?");
    check_problem(
        "a = 1",
        "byte 2: expected the end of the expression, found `=`; equality is `==`; nothing can be assigned",
    );
    check_problem(
        "a || b ?? c",
        "byte 7: expected brackets around what is joined by `||` or `&&`, found `??`",
    );
    check_problem(
        "a ?? b || c",
        "byte 7: expected brackets around what is joined by `??`, found `||`",
    );
    check_problem("'abc", "byte 0: expected a closing ', found the end of the text");
    check_problem("lower()", "byte 6: expected another argument, found `)`; lower(text)");
    check_problem(
        "lower(a, b)",
        "byte 9: expected `)`, as lower takes 1 arguments, found `b`; lower(text)",
    );
    check_problem("map(a, b)", "byte 8: expected `=>`, found `)`; a function is written `x => …`");
    check_problem(
        "x => x",
        "byte 0: expected no function here, found `x`; only functions such as `map` take one",
    );
    check_problem(
        "matches(a, b)",
        "byte 11: expected a regular expression, found something computed; it has to be written as a text",
    );
    check_problem(
        "1 < 2 < 3",
        "byte 6: expected `&&`, `||` or the end of the comparison, found `<`; a comparison has two sides",
    );
    check_problem("a # b", "byte 2: expected an expression, found `#`");
    check_problem("{a 1}", "byte 3: expected `:`, found `1`");
    check_problem(
        "a & b",
        "byte 2: expected the end of the expression, found `&`; did you mean `&&`?",
    );
    check_problem("5x", "byte 1: expected the end of a number, found `x`");
    let deep = "(".repeat(100);
    check_problem(&deep, "byte 64: expected at most 64 levels of nesting, found `(`");
    let bad = Expression::compile("matches(a, '(')").expect_err("no pattern");
    assert_eq!(bad.hint.as_deref(), Some("unclosed group"));
}

#[test]
fn names_are_those_of_the_scope() {
    let names = |text: &str| Expression::compile(text).expect(text).names().to_vec();
    assert_eq!(names("a.b + lower(d) + a.c + {e}.e"), ["a", "d", "e"]);
    assert_eq!(names("map(a, (x, i) => x + i + y)"), ["a", "y"]);
}

#[test]
fn growth_is_bounded() {
    // Each level doubles a text: 2^40 bytes if nothing stopped it.
    let mut text = "'xxxxxxxxxxxxxxxx'".to_owned();
    for _ in 0..40 {
        text = format!("map([{text}], x => x + x)[0]");
    }
    let expression = Expression::compile(&text);
    assert!(expression.is_err(), "it is nested too deep");
    let text =
        "flat_map(l, a => flat_map(l, b => flat_map(l, c => flat_map(l, d => [[a, b, c, d]]))))";
    let l = json!((0..100).collect::<Vec<_>>());
    let expression = Expression::compile(text).expect("an expression");
    assert_eq!(expression.value(&Scope::at(0).with("l", &l)), None);
}

#[test]
fn every_function_is_called_as_its_signature_says() {
    for function in functions() {
        let inner = function.signature.strip_prefix(function.name).expect(function.name);
        assert!(inner.starts_with('(') && inner.ends_with(')'), "{}", function.signature);
        assert!(function.about.ends_with('.'), "{}", function.name);
    }
    let mut names: Vec<_> = functions().iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), functions().len());
}
