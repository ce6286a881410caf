//! Paths of mappings: `properties.products[0]['sku']`.

use std::borrow::Cow;

use crate::item::Item;
use crate::text::as_index;

/// Keys from a payload down.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    keys: Vec<Key>,
}

/// A key of an object, or an index of an array.
#[derive(Debug, Clone)]
struct Key {
    name: Box<str>,
    index: Option<usize>,
}

impl Path {
    /// Reads the path of a directive, which may begin with `$.`.
    ///
    /// Keys are divided by `.`, by `[` in front of a quote or a digit, and by `]` behind one; brackets around
    /// anything else are part of the key, and quotes are of none.
    pub(crate) fn of_directive(text: &str) -> Self {
        Self::read(&text.replacen("$.", "", 1))
    }

    /// Reads a path without `$.`.
    pub(crate) fn read(text: &str) -> Self {
        let is_inner = |byte: Option<&u8>| {
            byte.is_some_and(|byte| matches!(byte, b'"' | b'\'') || byte.is_ascii_digit())
        };
        let bytes = text.as_bytes();
        let mut keys = vec![];
        let (mut start, mut at) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            let behind = at.checked_sub(1).and_then(|at| bytes.get(at));
            let divides = match byte {
                b'.' => true,
                b'[' => is_inner(bytes.get(at + 1)),
                b']' => is_inner(behind),
                _ => false,
            };
            if !divides {
                at += 1;
                continue;
            }
            push(&mut keys, text.get(start..at));
            at += 1;
            if *byte == b']' {
                while bytes.get(at) == Some(&b']') {
                    at += 1;
                }
            }
            start = at;
        }
        push(&mut keys, text.get(start..));
        Self { keys }
    }

    /// What is at the end of the path. What is false, zero, empty or null on the way is what is found:
    /// so Segment's engine has it.
    pub(crate) fn find<'e>(&self, payload: &Item<'e>) -> Item<'e> {
        let mut found = Cow::Borrowed(payload);
        for key in &self.keys {
            if !found.is_true() {
                break;
            }
            found = match (key.index, found) {
                (Some(index), found) => Cow::Owned(found.element(index, &key.name)),
                (None, Cow::Borrowed(found)) => found.look(&key.name),
                (None, Cow::Owned(found)) => Cow::Owned(found.member(&key.name)),
            };
        }
        found.into_owned()
    }
}

fn push(keys: &mut Vec<Key>, piece: Option<&str>) {
    let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return };
    let name: Box<str> = piece.replace(['\'', '"'], "").into();
    keys.push(Key { index: as_index(&name), name });
}
