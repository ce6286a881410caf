//! `selfsame destination test`: one event, sent as a manifest says, to see what is answered.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use selfsame_connector::{Config, Connector, Journal, Keep, Mapped, Rehearsal, check, proposed};
use selfsame_deliver::{Job, Outbound, OutboundConfig, Outcome, SystemResolver};
use selfsame_destinations::Manifest;
use selfsame_event::SystemClock;
use serde_json::{Value, json};

use super::super::say;
use super::create::document;
use crate::chance;
use crate::client::block_on;
use crate::connectors::with_program;
use crate::manifests::Manifests;
use crate::pack::workers::here;

/// How long an answer is waited for, where the manifest does not say it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was sent and answered, as JSON: `{destination, sent, outcome, note}`. Secrets are not shown.
///
/// The event goes through the mapping of `--action`, or through those that the destination proposes and whose
/// triggers hold for it.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The destination, by its id.
    #[arg(long, value_name = "ID")]
    destination: String,
    /// The settings of the connection, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    settings: PathBuf,
    /// The event, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The action. Default: those that the destination proposes.
    #[arg(long)]
    action: Option<String>,
    /// The mapping, JSON or YAML. Default: what the action proposes.
    #[arg(long, value_name = "FILE", requires = "action")]
    mapping: Option<PathBuf>,
    /// Tokens that OAuth has left, JSON or YAML, such as `refresh_token`.
    #[arg(long, value_name = "FILE")]
    auth: Option<PathBuf>,
    /// A folder of manifests, beside those of the program.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Allow it to be on this machine.
    #[arg(long)]
    allow_loopback: bool,
}

/// Tokens of a test end with it.
#[derive(Debug)]
struct Nowhere;

impl Keep for Nowhere {
    fn keep(&self, _: &Value) {}
}

impl Test {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let manifests = Manifests::of(self.folder.as_deref().unwrap_or_else(|| Path::new("")))?;
        let Some(manifest) = manifests.get(&self.destination) else {
            bail!("{}", manifests.without(&self.destination));
        };
        let (settings, event) = (document(&self.settings)?, document(&self.event)?);
        let auth = self.auth.as_deref().map(document).transpose()?.unwrap_or(Value::Null);
        let mapping = self.mapping.as_deref().map(document).transpose()?;
        let mappings: Vec<Mapped> = match &self.action {
            Some(action) => vec![Mapped {
                number: 0,
                action: action.clone(),
                trigger: "type != \"\"".to_owned(),
                mapping,
                enabled: true,
            }],
            None => proposed(&manifest).into_iter().map(|(_, mapped)| mapped).collect(),
        };
        let config = speaking(&manifest, check(&manifest, settings, auth, &mappings)?)?;
        let notes = Arc::new(Journal::in_memory()).of("test");
        let connector = Connector::new(config, Arc::new(Nowhere), notes, None);
        let wanted = if self.action.is_some() { vec![0] } else { connector.wants(&event) };
        if wanted.is_empty() {
            let keys: Vec<&str> =
                manifest.actions().iter().map(|action| action.key.as_str()).collect();
            bail!("no trigger holds for the event; name one of --action {}", keys.join(", "));
        }
        rustls::crypto::ring::default_provider()
            .install_default()
            .map_err(|_| anyhow::anyhow!("the TLS library was set up twice"))?;
        let outbound = Outbound::new(OutboundConfig::default(), Arc::new(SystemResolver))
            .context("the outbound client cannot be made")?;
        let rehearse = async {
            let mut all: Vec<(Option<u8>, Rehearsal)> = Vec::new();
            // The settings first, where the vendor can be asked whether they are good.
            for number in [None].into_iter().chain(wanted.into_iter().map(Some)) {
                let clock = SystemClock::default();
                let key = format!("test_{}", u64::from_le_bytes(chance::bytes()));
                let job = Job {
                    key: &key,
                    outbound: &outbound,
                    allow_loopback: self.allow_loopback,
                    timeout: PATIENCE,
                    clock: &clock,
                };
                let rehearsal = match number {
                    Some(number) => connector.rehearse(&event, number, job).await,
                    None => connector.check(job).await,
                };
                let goes_on = rehearsal.as_ref().is_none_or(|one| is_good(one.carried.outcome));
                all.extend(rehearsal.map(|one| (number, one)));
                if !goes_on {
                    break;
                }
            }
            Ok(all)
        };
        let (mut sent, mut last) = (Vec::new(), None);
        for (number, rehearsal) in block_on(rehearse)? {
            let action = mappings.iter().find(|one| Some(one.number) == number);
            let action = action.map(|one| one.action.as_str());
            sent.extend(rehearsal.said.into_iter().map(
                |said| json!({ "action": action, "request": said.request, "answer": said.answer }),
            ));
            last = Some(rehearsal.carried);
        }
        let last = last.context("nothing was sent")?;
        let shown = json!({
            "destination": manifest.id,
            "sent": sent,
            "outcome": match last.outcome {
                Outcome::Withheld(reason) => reason.label(),
                outcome => outcome.label(),
            },
            "note": last.note,
        });
        say(&serde_json::to_string_pretty(&shown)?)?;
        Ok(if is_good(last.outcome) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// With the program of its manifest, if it has one.
fn speaking(manifest: &Manifest, config: Config) -> anyhow::Result<Config> {
    if manifest.program.is_none() {
        return Ok(config);
    }
    let programs = here(Arc::new(SystemClock::default()))?;
    Ok(with_program(config, manifest, &programs, "test")?)
}

fn is_good(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. } | Outcome::Withheld(_))
}
