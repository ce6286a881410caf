//! `fleet`: hundreds of connections, some of which are dead, slow or failing; what the others notice of them.
//!
//! The same fleet is run twice, first with everybody well, then with a tenth dead, a tenth a hundred times
//! slower and a tenth failing half of the time:
//!
//! ```text
//! connections made, off | events of the backlog | on: until the healthy have theirs | a constant rate
//!                                                 -> throughput                       -> p99
//! ```
//!
//! Meanwhile the numbers of every connection are asked for again and again, and must add up each time. At the
//! end those that were ill are made well: each has what it wants, in order, or says what is still pending.

mod connections;
mod mock;
mod run;
mod traffic;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::child::Program;
use crate::print;
use crate::table::machine;
pub(crate) use connections::{Kind, make, numbers, switch_on};
pub(crate) use mock::{Fleet as Receivers, Manner};
use run::{Outcome, Plan};
pub(crate) use traffic::{Doings, names};

#[derive(Debug, clap::Args)]
pub(crate) struct Fleet {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// Connections. One in ten is dead, one in ten slow, one in ten fails half of the time.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=5_000))]
    connections: u64,
    /// Events that wait before anything is sent.
    #[arg(long, default_value_t = 10_000_000)]
    backlog: u64,
    /// Names of events. Each connection of the catalogue wants three of them.
    #[arg(long, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    names: u64,
    /// People.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(64..))]
    people: u64,
    /// Events a second behind the backlog.
    #[arg(long, default_value_t = 2_000)]
    rate: u64,
    /// For how long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How long a healthy receiver takes to answer, in milliseconds.
    #[arg(long, default_value_t = 2)]
    answer_ms: u64,
    /// The most memory that the server may hold, in MiB.
    #[arg(long, default_value_t = 1_024)]
    memory_mib: u64,
    /// By how many percent the throughput of the healthy may be less beside the others.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=100))]
    slower: u64,
    /// By how many percent their p99 may be more.
    #[arg(long, default_value_t = 10)]
    later: u64,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

impl Fleet {
    pub(crate) async fn run(&self) -> Result<bool> {
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let folder = tempfile::Builder::new().prefix("selfsame-fleet-").tempdir_in(&self.folder)?;
        machine::print(folder.path())?;
        print::line(format!("real: {}", program.line()));
        print::line(format!("again: {}\n", std::env::args().collect::<Vec<_>>().join(" ")));
        let plan = |is_well, data: &str| Plan {
            program: &program,
            data: folder.path().join(data),
            is_well,
            connections: usize::try_from(self.connections).unwrap_or(usize::MAX),
            backlog: self.backlog,
            names: usize::try_from(self.names).unwrap_or(usize::MAX),
            people: self.people,
            rate: self.rate,
            time: Duration::from_secs(self.seconds),
            answer: Duration::from_millis(self.answer_ms),
        };
        let well = run::run(&plan(true, "well")).await?;
        let ill = run::run(&plan(false, "ill")).await?;
        Ok(self.judge(&well, &ill))
    }

    fn judge(&self, well: &Outcome, ill: &Outcome) -> bool {
        let throughput = ill.per_second() * 100 >= well.per_second() * (100 - self.slower);
        let p99 = [well, ill].map(|one| one.latency.quantile(990));
        let in_time = p99[1] <= p99[0].mul_f64((100 + self.later) as f64 / 100.0);
        let limit = self.memory_mib << 20;
        let is_small = well.memory.max(ill.memory) <= limit;
        let count = |of: fn(&Outcome) -> u64| [well, ill].map(|one| print::count(of(one)));
        let none = |of: fn(&Outcome) -> u64| of(well) + of(ill) == 0;
        let rows = [
            ("deliveries/s to the healthy", count(Outcome::per_second), Some(throughput)),
            (
                "p50 to them",
                [well, ill].map(|one| print::duration(one.latency.quantile(500))),
                None,
            ),
            ("p99 to them", p99.map(print::duration), Some(in_time)),
            ("most memory", [well, ill].map(|one| print::mebibytes(one.memory)), Some(is_small)),
            ("delivered", count(|one| one.delivered), None),
            ("  of it to those that were ill", count(|one| one.to_ill), None),
            ("filtered", count(|one| one.filtered), None),
            ("pending at the end", count(|one| one.pending), None),
            ("dead", count(|one| one.dead), None),
            ("looks at the numbers of a connection", count(|one| one.looks), None),
            (
                "  that did not add up",
                count(|one| one.unbalanced),
                Some(none(|one| one.unbalanced)),
            ),
            ("wanted and not accounted for", count(|one| one.lost), Some(none(|one| one.lost))),
            (
                "taken and not counted, or the reverse",
                count(|one| one.uncounted),
                Some(none(|one| one.uncounted)),
            ),
            (
                "out of a person's order",
                count(|one| one.disordered),
                Some(none(|one| one.disordered)),
            ),
            ("taken twice", count(|one| one.repeated), Some(none(|one| one.repeated))),
        ];
        let mut table =
            vec![["measure", "all well", "a tenth each ill", ""].map(str::to_owned).to_vec()];
        for (measure, [well, ill], met) in rows.clone() {
            let verdict = met.map_or("", print::verdict).to_owned();
            table.push(vec![measure.to_owned(), well, ill, verdict]);
        }
        print::line("");
        print::columns(&table);
        rows.iter().all(|(_, _, met)| *met != Some(false))
    }
}
