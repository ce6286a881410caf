//! `selfsame function`: functions, tried out on this machine and kept on the server.

mod test;
mod used;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use selfsame_pipeline::workspace::FunctionKind;
use serde::de::DeserializeOwned;

pub(super) use self::used::Used;
use super::plan::send;
use super::say;
use crate::client::{Remote, block_on, part};
use crate::control::{
    Done, FunctionCalled, FunctionChange, FunctionCode, FunctionRollBack, FunctionSettingShown,
    FunctionShown, FunctionVersionShown, NewFunction, Page,
};
use crate::printable::printable;

/// Write functions: JavaScript that makes events of requests, changes what a destination gets, or is one.
#[derive(Debug, Args)]
pub(super) struct FunctionCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a function on this machine, without a server: print what it returns, prints, sends and uses.
    Test(test::Test),
    /// Make a function on the server.
    Create(Create),
    /// Change the code or the settings of a function: that is another version, which runs at once.
    Update(Update),
    /// List functions.
    List(List),
    /// Print the code of a function, or of one of its versions.
    Show(Show),
    /// List the versions of a function.
    Versions(One),
    /// Make an earlier version of a function the newest.
    RollBack(RollBack),
    /// Show the last calls of a function, with what it printed.
    Logs(One),
    /// Remove a function that is used nowhere.
    Remove(One),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// It makes events of requests to a source.
    Source,
    /// It changes or drops what a destination gets.
    Insert,
    /// It is a destination.
    Destination,
}

impl From<Kind> for FunctionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Source => Self::Source,
            Kind::Insert => Self::Insert,
            Kind::Destination => Self::Destination,
        }
    }
}

#[derive(Debug, Args)]
struct Create {
    /// The name for people.
    name: String,
    /// Where it stands.
    #[arg(long)]
    kind: Kind,
    /// The file with its code.
    #[arg(long, value_name = "FILE")]
    code: PathBuf,
    /// Its settings: a JSON list of {"name", "kind", "description", "required", "secret"}.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The id. Default: made from the name.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Update {
    /// The function.
    function: String,
    /// The file with its code.
    #[arg(long, value_name = "FILE", required_unless_present = "settings")]
    code: Option<PathBuf>,
    /// Its settings: a JSON list of {"name", "kind", "description", "required", "secret"}.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct One {
    /// The function.
    function: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Show {
    /// The function.
    function: String,
    /// The version. Default: the newest.
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct RollBack {
    /// The function.
    function: String,
    /// The version.
    #[arg(long, value_name = "NUMBER")]
    version: u32,
    #[command(flatten)]
    remote: Remote,
}

impl FunctionCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Test(test) => return test.run(),
            Verb::Create(create) => create.run()?,
            Verb::Update(update) => update.run()?,
            Verb::List(list) => list.run()?,
            Verb::Show(show) => show.run()?,
            Verb::Versions(one) => one.versions()?,
            Verb::RollBack(back) => back.run()?,
            Verb::Logs(one) => one.logs()?,
            Verb::Remove(one) => one.remove()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The text of a file.
pub(super) fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The JSON of a file.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    serde_json::from_str(&text(path)?)
        .with_context(|| format!("{} cannot be read as that JSON", path.display()))
}

fn path(function: &str, rest: &str) -> String {
    format!("/api/functions/{}{rest}", part(function))
}

fn written(function: &FunctionShown) -> anyhow::Result<()> {
    say(&format!("function {} version {}", printable(&function.id), function.version))
}

impl Create {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let settings: Option<Vec<FunctionSettingShown>> =
            self.settings.as_deref().map(json).transpose()?;
        let code = text(&self.code)?;
        let kind = self.kind.into();
        let new = NewFunction { id: self.id, name: self.name, kind, code, settings };
        written(&block_on(async { send(&client, Method::POST, "/api/functions", &new).await })?)
    }
}

impl Update {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let code = self.code.as_deref().map(text).transpose()?;
        let settings = self.settings.as_deref().map(json).transpose()?;
        let change = FunctionChange { name: None, code, settings };
        let path = path(&self.function, "");
        written(&block_on(async { send(&client, Method::PATCH, &path, &change).await })?)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let page: Page<FunctionShown> = block_on(async { client.get("/api/functions").await })?;
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        for one in &page.data {
            let used = match one.used_by.as_slice() {
                [] => "used nowhere".to_owned(),
                uses => format!("used by {}", uses.join(", ")),
            };
            let (id, kind) = (printable(&one.id), one.kind.word());
            say(&format!(
                "{id:wide$}  {kind:<11}  version {:<4}  {}",
                one.version,
                printable(&used)
            ))?;
        }
        Ok(())
    }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let code = match self.version {
            Some(version) => {
                let path = path(&self.function, &format!("/versions/{version}"));
                let found: FunctionCode = block_on(async { client.get(&path).await })?;
                found.code
            }
            None => {
                let path = path(&self.function, "");
                let found: FunctionShown = block_on(async { client.get(&path).await })?;
                found.code
            }
        };
        for line in code.trim_end().lines() {
            say(&printable(line))?;
        }
        Ok(())
    }
}

impl RollBack {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.function, "/roll-back");
        let back = FunctionRollBack { version: self.version };
        written(&block_on(async { send(&client, Method::POST, &path, &back).await })?)
    }
}

impl One {
    fn versions(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.function, "/versions");
        let page: Page<FunctionVersionShown> = block_on(async { client.get(&path).await })?;
        for one in &page.data {
            let current = if one.is_current { "  <- runs" } else { "" };
            say(&format!("{:>5}  {}  {}{current}", one.version, one.at, one.position))?;
        }
        Ok(())
    }

    fn logs(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.function, "/logs");
        let page: Page<FunctionCalled> = block_on(async { client.get(&path).await })?;
        for one in &page.data {
            say(&format!(
                "{}  version {}  {}  {}  {} us of processor, {} us in all, {} requests",
                one.at,
                one.version,
                printable(&one.place),
                one.outcome,
                one.cpu_micros,
                one.wall_micros,
                one.requests
            ))?;
            if let Some(message) = &one.message {
                say(&format!("    {}", printable(message)))?;
            }
            for line in &one.lines {
                say(&format!("    {:<5} {}", line.level, printable(&line.text)))?;
            }
            if one.lines_cut {
                say("    ... more was printed than is kept")?;
            }
        }
        Ok(())
    }

    fn remove(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.function, "");
        let _done: Done = block_on(async {
            let request = client.request(Method::DELETE, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        say("It is removed.")
    }
}
