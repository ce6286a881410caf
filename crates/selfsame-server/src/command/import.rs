//! `selfsame import`: the events of a file, each line once.

mod csv_rows;
mod lines;

use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::Method;
use sha2::{Digest as _, Sha256};

use self::lines::Row;
use super::say;
use crate::client::{Client, Remote, block_on};
use crate::control::{KEY_HEADER, Outcome, Progress};
use crate::printable::printable;

/// How much one request carries.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_LINES: usize = 5_000;
/// How many invalid lines are named one by one.
const SHOWN: u64 = 100;
/// How often a request is tried while the server does not answer.
const TRIES: u32 = 8;

/// Import the events of a file, each line once.
///
/// JSONL: one event per line, as Segment's APIs take them. CSV: a header and a row per event. The
/// columns `userId`, `anonymousId`, `groupId`, `previousId`, `type`, `event`, `timestamp` and
/// `messageId` (or `user_id` and so on) are the event's own; `traits.x`, `properties.x` and `context.x` go where they
/// say; every other column is a trait of an identify or group, a property of any other event. Values
/// are text; a column whose header ends in `:number`, `:boolean` or `:json` is read as that. Empty
/// cells are left out.
///
/// Timestamps are kept as they are. Run again, also after it was interrupted, the same file goes on
/// where it ended: no line counts twice. A file may be compressed with gzip.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Import {
    /// The file.
    file: PathBuf,
    /// The write key of the source that the events come from.
    #[arg(long, value_name = "KEY")]
    write_key: String,
    /// The format. Default: by the file's name.
    #[arg(long)]
    format: Option<Format>,
    /// The type of events that name none. Default for CSV: identify, or track where there is a
    /// column `event`.
    #[arg(long = "type", value_name = "TYPE",
        value_parser = ["identify", "track", "page", "screen", "group", "alias"])]
    kind: Option<String>,
    /// Exit with 1 if any line is invalid.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// A file that was looked at once.
struct Looked {
    bytes: u64,
    digest: String,
}

#[derive(Debug, Default)]
struct Totals {
    lines: u64,
    skipped: u64,
    accepted: u64,
    already_there: u64,
    changed: u64,
    unattached: u64,
    untimed: u64,
    invalid: u64,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        // A file that is not there is said before anything about its name.
        drop(open(&self.file)?);
        let format = self.format()?;
        let looked = self.look(format)?;
        let client = self.remote.client()?;
        let totals = block_on(self.send_all(&client, format, &looked))?;
        let row = |name: &str, count: u64| say(&format!("{name:<15} {count:>12}"));
        row("lines", totals.lines)?;
        row("accepted", totals.accepted)?;
        row("already there", totals.already_there + totals.skipped)?;
        row("invalid", totals.invalid)?;
        if totals.changed > 0 {
            row("id used before", totals.changed)?;
            say("  (an event with other content has the same messageId: kept, but not counted)")?;
        }
        if totals.unattached > 0 {
            row("identify nobody", totals.unattached)?;
        }
        if totals.untimed > 0 {
            row("without a time", totals.untimed)?;
            say("  (their timestamp is not ISO 8601; they count as of now)")?;
        }
        if totals.invalid > 0 {
            say("Invalid lines are in the source's list of rejected events.")?;
        }
        let failed = self.strict && totals.invalid > 0;
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn format(&self) -> anyhow::Result<Format> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        let name = self.file.file_name().map(|name| name.to_string_lossy().to_lowercase());
        let name = name.unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Format::Csv),
            Some("jsonl" | "ndjson" | "json") => Ok(Format::Jsonl),
            _ => anyhow::bail!(
                "the name {} does not say what is in it; give --format jsonl or --format csv",
                self.file.display()
            ),
        }
    }

    /// Reads the file once, for its digest. The digest is of what is imported: also of how.
    fn look(&self, format: Format) -> anyhow::Result<Looked> {
        let mut file = open(&self.file)?;
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("{} cannot be read", self.file.display()));
                }
            };
            hash.update(buffer.get(..count).unwrap_or_default());
            bytes += u64::try_from(count).unwrap_or(0);
        }
        anyhow::ensure!(bytes > 0, "{} is empty", self.file.display());
        hash.update(format!("{format:?} {}", self.kind.as_deref().unwrap_or_default()));
        let digest = hash.finalize();
        let digest = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Looked { bytes, digest })
    }

    fn rows(
        &self,
        format: Format,
    ) -> anyhow::Result<Box<dyn Iterator<Item = anyhow::Result<Row>>>> {
        let file = open(&self.file)?;
        Ok(match format {
            Format::Jsonl => Box::new(lines::Lines::new(file)),
            Format::Csv => Box::new(csv_rows::Rows::new(file, self.kind.as_deref())?),
        })
    }

    async fn send_all(
        &self,
        client: &Client,
        format: Format,
        looked: &Looked,
    ) -> anyhow::Result<Totals> {
        let path = format!("/api/import/{}", looked.digest);
        let request = client.request(Method::GET, &path).header(KEY_HEADER, &self.write_key);
        let Progress { next_line } = client.send(request).await?.json().await?;
        let mut totals = Totals::default();
        let mut progress = Progressed::new(looked.bytes);
        if next_line > 1 {
            progress.say(&format!(
                "this file was imported up to line {}; going on behind it",
                next_line - 1
            ));
        }
        let mut batch = Batch::default();
        for row in self.rows(format)? {
            let row = row.with_context(|| format!("{} cannot be read", self.file.display()))?;
            progress.at = row.end;
            if row.number < next_line {
                totals.lines += u64::from(!row.is_blank());
                totals.skipped += u64::from(!row.is_blank());
                continue;
            }
            totals.lines += u64::from(!row.is_blank());
            batch.add(row);
            if batch.body.len() >= BATCH_BYTES || batch.places.len() >= BATCH_LINES {
                self.send(client, looked, &mut batch, &mut totals, &mut progress).await?;
            }
        }
        if !batch.places.is_empty() {
            self.send(client, looked, &mut batch, &mut totals, &mut progress).await?;
        }
        progress.finish();
        if totals.invalid > SHOWN {
            progress.say(&format!("… and {} more invalid lines", totals.invalid - SHOWN));
        }
        Ok(totals)
    }

    async fn send(
        &self,
        client: &Client,
        looked: &Looked,
        batch: &mut Batch,
        totals: &mut Totals,
        progress: &mut Progressed,
    ) -> anyhow::Result<()> {
        let Batch { first, body, places } = std::mem::take(batch);
        let kind = self.kind.as_ref().map(|kind| format!("&type={kind}")).unwrap_or_default();
        let path = format!("/api/import?file={}&first_line={first}{kind}", looked.digest);
        let body = bytes::Bytes::from(body);
        let mut tries = 0;
        let outcome: Outcome = loop {
            let request = client.request(Method::POST, &path).header(KEY_HEADER, &self.write_key);
            let request = request.timeout(Duration::from_secs(120)).body(body.clone());
            match client.send(request).await {
                Ok(response) => break response.json().await?,
                Err(error) if Client::is_passing(&error) && tries + 1 < TRIES => {
                    tries += 1;
                    progress.say("the server does not take events just now; trying again");
                    tokio::time::sleep(Duration::from_millis(250 << tries.min(5))).await;
                }
                Err(error) => {
                    return Err(error.context(format!(
                        "the import stopped before line {first}; run the same command again to go on there"
                    )));
                }
            }
        };
        for invalid in &outcome.invalid {
            totals.invalid += 1;
            if totals.invalid > SHOWN {
                continue;
            }
            let index = usize::try_from(invalid.line.saturating_sub(first)).unwrap_or(usize::MAX);
            let place = places.get(index);
            let line = place.map_or(invalid.line, |place| place.line);
            let message =
                place.and_then(|place| place.fault.as_deref()).unwrap_or(&invalid.message);
            progress.say(&format!(
                "line {line}: {}: {}",
                printable(&invalid.code),
                printable(message)
            ));
        }
        totals.accepted += outcome.accepted;
        totals.already_there += outcome.already_there;
        totals.changed += outcome.changed;
        totals.unattached += outcome.unattached;
        totals.untimed += outcome.untimed;
        progress.moved(totals.lines);
        Ok(())
    }
}

/// Rows on their way.
#[derive(Debug, Default)]
struct Batch {
    first: u64,
    body: Vec<u8>,
    places: Vec<Place>,
}

/// Where a row is in the file, and what was wrong with it before it was an event.
#[derive(Debug)]
struct Place {
    line: u64,
    fault: Option<String>,
}

impl Batch {
    fn add(&mut self, row: Row) {
        if self.places.is_empty() {
            self.first = row.number;
        }
        self.body.extend_from_slice(&row.bytes);
        self.body.push(b'\n');
        self.places.push(Place { line: row.line, fault: row.fault });
    }
}

/// Opens a file, through gzip if it is compressed.
fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    let failed = || format!("{} cannot be opened", path.display());
    let mut file = File::open(path).with_context(failed)?;
    anyhow::ensure!(
        file.metadata().with_context(failed)?.is_file(),
        "{} is not a file",
        path.display()
    );
    let mut start = [0; 2];
    let count = file.read(&mut start).with_context(failed)?;
    let file = BufReader::with_capacity(256 << 10, File::open(path).with_context(failed)?);
    Ok(if count == 2 && start == [0x1f, 0x8b] {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progressed {
    bar: ProgressBar,
    is_terminal: bool,
    at: u64,
    total: u64,
    began: tokio::time::Instant,
    said: tokio::time::Instant,
}

impl Progressed {
    fn new(total: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = "{wide_bar} {bytes}/{total_bytes}, {msg}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        let now = tokio::time::Instant::now();
        Self { bar, is_terminal, at: 0, total, began: now, said: now }
    }

    fn say(&self, line: &str) {
        if self.is_terminal {
            self.bar.println(line);
        } else {
            // Nobody is left to tell if this fails.
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }

    fn moved(&mut self, lines: u64) {
        const EVERY: Duration = Duration::from_secs(5);
        let rate = u128::from(lines) * 1_000 / self.began.elapsed().as_millis().max(1);
        if self.is_terminal {
            self.bar.set_message(format!("{lines} lines, {rate}/s"));
            self.bar.set_position(self.at);
        } else if self.said.elapsed() >= EVERY {
            self.said = tokio::time::Instant::now();
            let share = self.at * 100 / self.total.max(1);
            self.say(&format!("{share} %, {lines} lines, {rate}/s"));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests;
