//! `table`: every number of the performance targets, in one run on one machine, in one table.
//!
//! Everything is measured from outside on fresh folders, the bare server and the real one in turn,
//! so that a ratio compares two servers on the same disk within the same minutes.

mod acknowledge;
mod end_to_end;
pub(crate) mod machine;
mod recovery;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::child::Program;
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Table {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// How long each run of acknowledgements takes.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Events of the run to the readable profile.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Profiles they are drawn from.
    #[arg(long, default_value_t = 1_000_000)]
    profiles: u64,
    /// Profile reads a second during that run.
    #[arg(long, default_value_t = 100)]
    reads: u64,
    /// Most events acknowledged ahead of those folded during that run: a steady state, not a burst.
    #[arg(long, default_value_t = 500_000)]
    backlog: u64,
    /// Where the temporary folder is made; the disk that is measured.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
    /// About a minute in all: 3 seconds a run, 300,000 events, 30,000 profiles.
    #[arg(long)]
    quick: bool,
    /// Measure the return after a kill with a log of so many GiB too (takes minutes, and twice the
    /// space).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    recovery_gib: Option<u64>,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Acknowledge, Part::EndToEnd, Part::Recovery])]
    only: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Acknowledge,
    EndToEnd,
    Recovery,
}

/// What all parts need.
#[derive(Debug)]
struct Bench {
    bare: Program,
    real: Program,
    folder: TempDir,
    time: Duration,
    events: u64,
    profiles: u64,
    reads: u64,
    backlog: u64,
}

impl Bench {
    /// A folder that was not used before.
    fn fresh(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, is_bare: bool) -> &Program {
        if is_bare { &self.bare } else { &self.real }
    }
}

/// One line of the result.
#[derive(Debug)]
struct Row {
    measure: String,
    ours: String,
    bare: String,
    ratio: String,
    target: &'static str,
    met: Option<bool>,
}

impl Row {
    /// A number without a counterpart at the bare server.
    fn plain(measure: &str, ours: impl Into<String>) -> Self {
        let (measure, ours) = (measure.to_owned(), ours.into());
        Self { measure, ours, bare: String::new(), ratio: String::new(), target: "", met: None }
    }

    fn target(self, target: &'static str, met: bool) -> Self {
        Self { target, met: Some(met), ..self }
    }

    fn beside(self, bare: String, ratio: f64) -> Self {
        Self { bare, ratio: format!("{ratio:.2}"), ..self }
    }

    fn cells(&self) -> Vec<String> {
        let verdict = self.met.map_or("", print::verdict).to_owned();
        let target = self.target.to_owned();
        vec![
            self.measure.clone(),
            self.ours.clone(),
            self.bare.clone(),
            self.ratio.clone(),
            target,
            verdict,
        ]
    }
}

impl Table {
    pub(crate) async fn run(&self) -> Result<bool> {
        let real = std::path::absolute(&self.binary)?;
        let quick = self.quick;
        let bench = Bench {
            bare: Program::bare()?,
            real: Program::real(&real),
            folder: tempfile::Builder::new().prefix("selfsame-bench-").tempdir_in(&self.folder)?,
            time: Duration::from_secs(if quick { 3 } else { self.seconds }),
            events: if quick { 300_000 } else { self.events },
            profiles: if quick { 30_000 } else { self.profiles },
            reads: self.reads,
            backlog: if quick { self.backlog.min(50_000) } else { self.backlog },
        };
        if let Some(gibibytes) = self.recovery_gib {
            recovery::check_room(bench.folder.path(), gibibytes)?;
        }
        machine::print(bench.folder.path())?;
        print::line(format!("real: {}", bench.real.line()));
        print::line(format!("bare: {}", bench.bare.line()));
        print::line(format!("again: {}\n", std::env::args().collect::<Vec<_>>().join(" ")));
        let mut rows = Vec::new();
        if self.only.contains(&Part::Acknowledge) {
            rows.extend(acknowledge::measure(&bench).await.context("acknowledgements")?);
        }
        if self.only.contains(&Part::Recovery) {
            rows.extend(recovery::small(&bench).await.context("recovery")?);
        }
        if let Some(gibibytes) = self.recovery_gib {
            rows.extend(
                recovery::large(&bench, gibibytes).await.context("recovery of a large log")?,
            );
        }
        if self.only.contains(&Part::EndToEnd) {
            rows.extend(end_to_end::measure(&bench).await.context("end to end")?);
        }
        let head = ["measure", "selfsame", "bare", "ratio", "target", ""].map(str::to_owned);
        let mut table = vec![head.to_vec()];
        table.extend(rows.iter().map(Row::cells));
        print::line("");
        print::columns(&table);
        Ok(rows.iter().all(|row| row.met != Some(false)))
    }
}

/// Deletes the data of a part, which may be many gigabytes.
fn clear(folder: &Path) -> Result<()> {
    std::fs::remove_dir_all(folder).with_context(|| format!("deleting {}", folder.display()))
}
