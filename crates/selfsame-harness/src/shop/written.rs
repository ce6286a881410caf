//! The shop as files, for whoever folds its events without a server: what happened, an event on each line,
//! and its definitions.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use selfsame_event::Time;
use serde_json::json;

use super::defined::definitions;
use super::{Shop, Times, Visits};

const SEED: u64 = 4;
/// When the history ends: a moment like any other, so that the files are always the same.
const NOW: Time = Time::from_micros(1_790_000_000_000_000);
/// How far the history goes back.
const HISTORY: i64 = 180 * 86_400_000_000;
/// From one event behind the history to the next, in microseconds.
const APART: i64 = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Written {
    /// People of the shop.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..))]
    people: u64,
    /// Events of its history, which is half a year.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Events behind it.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    measured: u64,
    /// Definitions: a third of them traits, two thirds audiences.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=900))]
    definitions: u64,
    /// Where the files are written.
    #[arg(long)]
    folder: PathBuf,
}

impl Written {
    pub(crate) fn run(&self) -> Result<()> {
        create_dir_all(&self.folder)?;
        let shop = Arc::new(Shop::new(self.people, SEED));
        let (from, span) = (NOW.plus_micros(-HISTORY), i64::try_from(self.measured)? * APART);
        let history = Times::Past { from, to: NOW, events: self.events };
        let behind = Times::Past { from: NOW, to: NOW.plus_micros(span), events: self.measured };
        let parts =
            [("history.jsonl", history, self.events), ("events.jsonl", behind, self.measured)];
        for ((name, times, count), part) in parts.into_iter().zip(1..) {
            let mut file = BufWriter::new(File::create(self.folder.join(name))?);
            let mut visits = Visits::of(&shop, part, &times, (1, 1));
            let visits = visits.first_mut().context("no visits")?;
            for _ in 0..count {
                file.write_all(visits.alone(NOW.micros()))?;
                file.write_all(b"\n")?;
            }
            file.flush()?;
        }
        let mut file = BufWriter::new(File::create(self.folder.join("definitions.jsonl"))?);
        for one in definitions(self.definitions) {
            let line = json!({ "id": one.id, "audience": one.is_audience, "query": one.query });
            writeln!(file, "{line}")?;
        }
        Ok(file.flush()?)
    }
}
