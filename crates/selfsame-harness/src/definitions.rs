//! `definitions`: what computed traits and audiences of a realistic shop cost, and how soon what
//! they come to is told, in one run and one table.
//!
//! Of one server on a fresh folder: the history without definitions, full load without them, their
//! computation over the history, full load with them, half of that with a webhook that listens, many
//! people whose window ends in the same seconds, and one more definition beside live events. Then
//! the same with a smaller shop and few to many definitions.

mod backfill;
mod exits;
mod latency;
mod measure;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use self::measure::Size;
use crate::child::Program;
use crate::print;
use crate::table::machine;

#[derive(Debug, clap::Args)]
pub(crate) struct Definitions {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// People of the shop.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    people: u64,
    /// Events of its history, which is half a year.
    #[arg(long, default_value_t = 20_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Definitions: a third of them traits, two thirds audiences.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=900))]
    definitions: u64,
    /// Events of each run at full load.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    measured: u64,
    /// How long half load lasts.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..))]
    seconds: u64,
    /// People whose window ends, 20,000 in each second.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    exits: u64,
    /// That window in seconds: they have to be sent, and told that they are in, before it ends.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(5..))]
    window: u64,
    /// How much of one processor new definitions may take, in percent.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100))]
    share: u64,
    /// For how many seconds one more definition is computed beside live events; where that is not
    /// enough, how far it came is shown, and the speed until then.
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u64).range(1..))]
    beside: u64,
    /// With how many definitions it is done again, with the smaller shop; 0: not.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 500])]
    growth: Vec<u64>,
    /// People of the smaller shop.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..))]
    growth_people: u64,
    /// Events of its history.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    growth_events: u64,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
    /// About a minute in all: 5,000 people, 60,000 events, and growth to 30 definitions.
    #[arg(long)]
    quick: bool,
}

impl Definitions {
    pub(crate) async fn run(&self) -> Result<bool> {
        let folder = tempfile::Builder::new().prefix("selfsame-shop-").tempdir_in(&self.folder)?;
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let program = program.with("ENGINE__COMPUTE_PERCENT", self.share);
        machine::print(folder.path())?;
        print::line(format!("real: {}", program.line()));
        print::line(format!("again: {}\n", std::env::args().collect::<Vec<_>>().join(" ")));
        let (large, small, growth) = self.sizes();
        let measured = measure::measure(&program, folder.path(), &large).await;
        let measured =
            measured.with_context(|| format!("with {} definitions", large.definitions))?;
        let (rows, is_met) = report::rows(&measured);
        let mut grown = Vec::new();
        for definitions in growth.into_iter().filter(|count| *count > 0) {
            let size = Size { definitions, ..small };
            let one = measure::measure(&program, folder.path(), &size).await;
            grown.push(one.with_context(|| format!("with {definitions} definitions"))?);
        }
        print::line("");
        print::columns(&rows);
        if !grown.is_empty() {
            print::line("");
            print::columns(&report::growth(&grown));
        }
        Ok(is_met)
    }

    /// The shop, the smaller one, and how many definitions that one gets in turn.
    fn sizes(&self) -> (Size, Size, Vec<u64>) {
        let large = Size {
            people: self.people,
            events: self.events,
            definitions: self.definitions,
            measured: self.measured,
            half_load: Duration::from_secs(self.seconds),
            exits: self.exits,
            window: self.window,
            beside: Duration::from_secs(self.beside),
        };
        let small = Size {
            people: self.growth_people,
            events: self.growth_events,
            measured: (self.measured / 5).max(1),
            half_load: Duration::from_secs((self.seconds / 3).max(4)),
            exits: (self.exits / 5).max(1),
            window: (self.window / 3).max(5),
            beside: Duration::from_secs(self.beside / 2),
            ..large
        };
        if !self.quick {
            return (large, small, self.growth.clone());
        }
        let tiny = Size {
            people: 5_000,
            events: 60_000,
            measured: 20_000,
            half_load: Duration::from_secs(5),
            exits: 1_000,
            window: 8,
            beside: Duration::from_secs(20),
            ..large
        };
        (tiny, Size { people: 2_000, events: 20_000, measured: 10_000, ..tiny }, vec![30])
    }
}
