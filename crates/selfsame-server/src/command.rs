//! The command line: a noun and a verb for a resource, one verb for the whole system.

mod alert;
mod audit;
mod backup;
mod config;
mod definition;
mod demo;
mod destination;
mod dev;
mod doctor;
mod function;
mod function_worker;
mod identity;
mod import;
mod member;
mod pack_worker;
mod plan;
mod profile;
mod reconcile;
mod replay;
mod resource;
mod restore;
mod serve;
mod source;
mod tail;
mod trace;
mod verify;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use toml::Value;

use crate::settings::{Layers, Loaded};

const ABOUT: &str = "Selfsame: a customer data platform in one program";

/// What the command line says.
#[derive(Debug, Parser)]
#[command(name = "selfsame", version, about = ABOUT, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Common),
    /// Run a server for tests: loopback, known key and token `dev`, a temporary data folder.
    Dev(dev::Dev),
    /// Run a shop that shows what Selfsame does: open the page it names.
    Demo(demo::Demo),
    /// Show every setting, its value and where it came from.
    Config(Common),
    Source(source::SourceCommand),
    Destination(destination::DestinationCommand),
    Function(function::FunctionCommand),
    /// What the server runs functions in.
    #[command(hide = true)]
    FunctionWorker,
    /// What the server runs the actions pack in.
    #[command(hide = true)]
    PackWorker,
    Replay(replay::Replay),
    Alert(alert::AlertCommand),
    Member(member::MemberCommand),
    Audit(audit::Audit),
    Reconcile(reconcile::Reconcile),
    Audience(definition::Audience),
    Trait(definition::Trait),
    Import(import::Import),
    Export(plan::Export),
    Plan(plan::Plan),
    Apply(plan::Apply),
    Profile(profile::Profile),
    Identity(identity::Identity),
    Tail(tail::Tail),
    Trace(trace::Trace),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    /// Make the state anew from the log and compare it with the one on disk.
    Verify(verify::Verify),
}

/// Flags of every command that reads the settings.
#[derive(Debug, Args, Default)]
pub(crate) struct Common {
    /// The settings file. Default: selfsame.toml in this folder, if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The address to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// A folder of manifests of destinations, beside those of the program.
    #[arg(long, value_name = "DIR")]
    destinations: Option<PathBuf>,
    /// An address of its own for the Control API and the metrics.
    #[arg(long, value_name = "ADDR")]
    control_listen: Option<String>,
    /// The certificate chain, PEM.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Serve other machines without TLS, behind a proxy that ends it.
    #[arg(long)]
    plain_http: bool,
}

impl Common {
    /// The settings, from all of their layers.
    pub(crate) fn load(&self) -> anyhow::Result<Loaded> {
        let path = |path: &PathBuf| Value::String(path.display().to_string());
        let text = |text: &String| Value::String(text.clone());
        let mut flags = Vec::new();
        flags.extend(self.data.as_ref().map(|value| ("server.data", path(value))));
        flags.extend(self.listen.as_ref().map(|value| ("server.listen", text(value))));
        flags.extend(self.destinations.as_ref().map(|value| ("deliver.destinations", path(value))));
        flags.extend(
            self.control_listen.as_ref().map(|value| ("server.control_listen", text(value))),
        );
        flags.extend(self.tls_cert.as_ref().map(|value| ("server.tls_cert", path(value))));
        flags.extend(self.tls_key.as_ref().map(|value| ("server.tls_key", path(value))));
        flags.extend(self.plain_http.then_some(("server.plain_http", Value::Boolean(true))));
        let file = match &self.config {
            Some(file) => (file.clone(), true),
            None => (PathBuf::from("selfsame.toml"), false),
        };
        Ok(Layers { file: Some(file), environment: environment(), flags }.load()?)
    }
}

/// The settings that the environment has.
fn environment() -> Vec<(String, String)> {
    std::env::vars().filter(|(key, _)| key.starts_with("SELFSAME__")).collect()
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(common) => serve::run(&common),
            Command::Dev(dev) => dev.run(),
            Command::Demo(demo) => demo.run(),
            Command::Config(common) => config::run(&common),
            Command::Source(source) => source.run(),
            Command::Destination(destination) => destination.run(),
            Command::Function(command) => command.run(),
            Command::FunctionWorker => function_worker::run(),
            Command::PackWorker => pack_worker::run(),
            Command::Replay(replay) => replay.run(),
            Command::Alert(alert) => alert.run(),
            Command::Member(member) => member.run(),
            Command::Audit(audit) => audit.run(),
            Command::Reconcile(reconcile) => reconcile.run(),
            Command::Audience(audience) => audience.run(),
            Command::Trait(one) => one.run(),
            Command::Import(import) => import.run(),
            Command::Export(export) => export.run(),
            Command::Plan(plan) => plan.run(),
            Command::Apply(apply) => apply.run(),
            Command::Profile(profile) => profile.run(),
            Command::Identity(identity) => identity.run(),
            Command::Tail(tail) => tail.run(),
            Command::Trace(trace) => trace.run(),
            Command::Backup(backup) => backup.run(),
            Command::Restore(restore) => restore.run(),
            Command::Doctor(doctor) => doctor.run(),
            Command::Verify(verify) => verify.run(),
        }
    }
}

/// Writes lines to standard output. A reader that has gone away ends the program quietly.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Says on standard error why a command failed, cause by cause.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut out = std::io::stderr().lock();
    let mut text = format!("selfsame: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !text.ends_with(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
    }
    // Nobody is left to tell if this fails.
    drop(writeln!(out, "{text}"));
}

/// Starts the log of this process.
pub(crate) fn start_logging(format: &str, default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SELFSAME_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        "json" => builder.json().try_init(),
        _ => builder.try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
