//! Answers cases that come as lines of JSON, each with a line of its own.
//!
//! `tests/sdk/test/mapping.test.mjs` draws the cases and compares the answers with those of Segment's packages.

use std::io::{self, BufRead, Write};

use selfsame_mapping::{Mapping, Trigger};
use serde_json::{Value, json};

fn answer(case: &Value) -> Value {
    let event = &case["event"];
    if let Some(trigger) = case["trigger"].as_str() {
        return json!({ "holds": Trigger::closed(trigger).holds(event) });
    }
    match Mapping::compile(&case["mapping"]) {
        Ok(mapping) => match mapping.try_resolve(event) {
            Ok(value) => json!({ "value": value }),
            Err(failure) => json!({ "failure": failure.to_string() }),
        },
        Err(problems) => {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            json!({ "problems": problems })
        }
    }
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let case = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&case))?;
    }
    Ok(())
}
