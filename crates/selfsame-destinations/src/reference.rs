//! The page about the format, made from the tables that check manifests.

use std::fmt::Write as _;

use crate::format::MANIFEST;
use crate::shape::{Named, Shape};

/// `docs/reference/manifests.md`, behind its introduction.
pub fn reference() -> String {
    let (mut text, mut waiting, mut done) = (String::new(), vec![&MANIFEST], Vec::new());
    while let Some(named) = waiting.pop() {
        if done.contains(&named.name) {
            continue;
        }
        done.push(named.name);
        section(named, &mut text);
        for key in named.keys.iter().rev() {
            waiting.extend(inside(key.shape));
        }
    }
    text
}

fn section(named: &Named, text: &mut String) {
    let title = named.name.trim_start_matches("an ").trim_start_matches("a ");
    let mut write = |line: &str| writeln!(text, "{line}").expect("text grows");
    write(&format!("\n## {title}\n\n{}", named.says));
    if named.keys.is_empty() {
        return;
    }
    if !named.one_of.is_empty() {
        write(&format!("\nExactly one of `{}`.", named.one_of.join("`, `")));
    }
    write("\n| key | what stands there | |\n|---|---|---|");
    for key in named.keys {
        let needed = if key.needed { "**needed**, " } else { "" };
        write(&format!("| `{}` | {needed}{} | {} |", key.name, kind(key.shape), key.says));
    }
}

fn kind(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Word(words) => format!("`{}`", words.join("`, `")),
        Shape::Count => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Literal => "value".to_owned(),
        Shape::Expression => "expression".to_owned(),
        Shape::Condition => "`true`, `false` or expression".to_owned(),
        Shape::Rendered => "value with expressions".to_owned(),
        Shape::Trigger => "trigger".to_owned(),
        Shape::Mapping => "mapping".to_owned(),
        Shape::List(inner) => format!("list: {}", kind(*inner)),
        Shape::Map(inner) => format!("names, each with {}", kind(*inner)),
        Shape::Object(named) => {
            let name = named.name.trim_start_matches("an ").trim_start_matches("a ");
            format!("[{name}](#{})", name.replace(' ', "-"))
        }
    }
}

fn inside(shape: Shape) -> Option<&'static Named> {
    match shape {
        Shape::Object(named) => Some(named),
        Shape::List(inner) | Shape::Map(inner) => inside(*inner),
        _ => None,
    }
}
