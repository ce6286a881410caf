//! The shop that `selfsame-harness shop` wrote.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use bytes::Bytes;
use selfsame_pipeline::workspace::{Definition, DefinitionKind};
use serde_json::Value;

use crate::folded::{self, Input};

fn lines(file: &Path) -> impl Iterator<Item = String> + use<> {
    let file = File::open(file).expect("the folder is one of a shop");
    BufReader::new(file).lines().map(|line| line.expect("a line"))
}

fn definition(line: &str) -> Definition {
    let said: Value = serde_json::from_str(line).expect("JSON");
    let kind = match said["audience"] == true {
        true => DefinitionKind::Audience,
        false => DefinitionKind::ComputedTrait,
    };
    let text = |key: &str| said[key].as_str().expect("a text").to_owned();
    folded::definition(text("id"), kind, text("query"))
}

/// Its first so many definitions, and its events behind their history.
pub(crate) fn read(folder: &Path, definitions: usize) -> Input {
    let defined = lines(&folder.join("definitions.jsonl")).take(definitions);
    let defined = defined.map(|line| definition(&line)).collect();
    let history: Vec<_> = lines(&folder.join("history.jsonl")).map(Bytes::from).collect();
    let before = history.len() as u64;
    let events = lines(&folder.join("events.jsonl")).map(Bytes::from);
    Input::new(defined, history.into_iter().chain(events), before)
}
