//! Draws the filters of `fixtures/fql/filters.json`, which is this program's output.
//!
//! They are drawn once and kept, so that what Segment's packages and ours say of them can be compared
//! at any time: `cargo run -p selfsame-expr --example fql-filters > fixtures/fql/filters.json`.

use std::io::{self, Write};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn texts(all: &[&str]) -> BoxedStrategy<String> {
    select(all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).boxed()
}

fn path() -> BoxedStrategy<String> {
    texts(&[
        "type",
        "event",
        "name",
        "userId",
        "properties.n",
        "properties.s",
        "properties.b",
        "properties.l",
        "properties.o",
        "properties.o.a",
        "properties.z",
        "properties.none",
        "traits.n",
        "traits.s",
        "traits.b",
        "context.page.url",
        "context.ip",
        "none.at.all",
    ])
}

fn text() -> BoxedStrategy<String> {
    texts(&[
        "'track'",
        "'x'",
        "\"x y\"",
        "''",
        "'5'",
        "'true'",
        "'Order Completed'",
        "'o'",
        "'Ä'",
        "'a*b'",
    ])
}

fn number() -> BoxedStrategy<String> {
    texts(&["5", "4.5", "-1", "+0", "1000", "0.1"])
}

fn literal() -> BoxedStrategy<String> {
    prop_oneof![3 => text(), 3 => number(), 1 => texts(&["true", "false", "null"])].boxed()
}

fn list() -> BoxedStrategy<String> {
    let values = prop::collection::vec(literal(), 1..4);
    values.prop_map(|values| format!("[{}]", values.join(", "))).boxed()
}

fn glob() -> BoxedStrategy<String> {
    texts(&[
        "'*'",
        "'x*'",
        "'*x'",
        "'*x*y*'",
        "'?'",
        "'??*'",
        "'[a-z]*'",
        "'[^a-z]*'",
        "'a\\*b'",
        "'Order *'",
        "'['",
        "'[]'",
        "'[x\\]]*'",
        "'\\[x]'",
        "'https://*'",
        "'*/b?c=d'",
        "'*[!-~]'",
    ])
}

fn truth() -> BoxedStrategy<String> {
    let term = prop_oneof![
        6 => path(),
        2 => literal(),
        1 => path().prop_map(|path| format!("length({path})")),
        1 => path().prop_map(|path| format!("lowercase({path})")),
        1 => path().prop_map(|path| format!("typeof({path})")),
    ];
    let compared = (term, texts(&["=", "!=", "<", "<=", ">", ">="]), literal());
    let types = texts(&["'string'", "'number'", "'null'"]);
    prop_oneof![
        8 => compared.prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        2 => (path(), list()).prop_map(|(path, list)| format!("{path} in {list}")),
        1 => (literal(), path()).prop_map(|(literal, path)| format!("{literal} in {path}")),
        3 => (path(), text()).prop_map(|(path, text)| format!("contains({path}, {text})")),
        3 => (path(), glob()).prop_map(|(path, glob)| format!("match({path}, {glob})")),
        1 => (path(), types).prop_map(|(path, kind)| format!("typeof({path}) = {kind}")),
        1 => (path(), path()).prop_map(|(left, right)| format!("{left} = {right}")),
        1 => path(),
    ]
    .boxed()
}

fn filter() -> BoxedStrategy<String> {
    truth()
        .prop_recursive(3, 6, 3, |inner| {
            let joined = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                3 => (joined, texts(&[" and ", " or "])).prop_map(|(parts, word)| parts.join(&word)),
                2 => inner.clone().prop_map(|part| format!("({part})")),
                2 => inner.prop_map(|part| format!("!({part})")),
            ]
        })
        .boxed()
}

/// What the forms of Segment's pages for triggers can write: one group of conditions.
fn trigger() -> BoxedStrategy<String> {
    let path = || {
        texts(&[
            "event",
            "userId",
            "properties.n",
            "properties.s",
            "properties.b",
            "properties.none",
            "traits.n",
            "traits.s",
            "context.page.url",
        ])
    };
    let text = || texts(&["\"x\"", "\"5\"", "\"o\"", "\"Order Completed\"", "\"\""]);
    let condition = prop_oneof![
        1 => texts(&["track", "identify", "page"]).prop_map(|kind| format!("type = \"{kind}\"")),
        3 => (path(), texts(&["=", "!="]), text())
            .prop_map(|(path, operator, text)| format!("{path} {operator} {text}")),
        2 => (path(), texts(&["=", "!=", "<", "<=", ">", ">="]), number())
            .prop_map(|(path, operator, number)| format!("{path} {operator} {number}")),
        1 => (path(), texts(&["= null", "!= null", "= true", "= false"]))
            .prop_map(|(path, test)| format!("{path} {test}")),
        2 => (texts(&["", "!"]), path(), text())
            .prop_map(|(not, path, text)| format!("{not}contains({path}, {text})")),
        2 => (texts(&["", "!"]), path(), texts(&["\"x*\"", "\"*x\"", "\"Order *\""]))
            .prop_map(|(not, path, glob)| format!("{not}match({path}, {glob})")),
    ];
    let group = prop::collection::vec(condition, 1..4);
    (group, texts(&[" and ", " or "])).prop_map(|(parts, word)| parts.join(&word)).boxed()
}

fn main() -> io::Result<()> {
    let mut runner = TestRunner::deterministic();
    let mut draw = |from: BoxedStrategy<String>, count: usize| {
        let mut drawn: Vec<String> = vec![];
        while drawn.len() < count {
            let text = from.new_tree(&mut runner).expect("it is drawn without filters").current();
            if !drawn.contains(&text) {
                drawn.push(text);
            }
        }
        drawn
    };
    let all =
        serde_json::json!({ "filters": draw(filter(), 600), "triggers": draw(trigger(), 500) });
    writeln!(io::stdout(), "{all:#}")
}
