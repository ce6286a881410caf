//! The connectors of destinations of the catalogue: made of what is configured, and kept while that stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use selfsame_connector::{Config, ConfigError, Connector, Journal, Keep, Mapped, check};
use selfsame_deliver::{SegmentLedger, SystemRandom};
use selfsame_destinations::Manifest;
use selfsame_event::Clock;
use selfsame_log::{LogConfig, RealFs, SegmentLog};
use selfsame_pack::{PackError, Programs};
use selfsame_pipeline::workspace::{Destination, Tool, ToolMapping};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::chance;
use crate::folder::Folder;
use crate::lists::Lists;
use crate::manifests::Manifests;
use crate::pack::pack;
use crate::pack::workers::Workers;
use crate::vault::{Locked, Vault};

/// Tokens that wait to be kept. Beyond, they are kept in memory only.
const KEPT: usize = 64;

/// Why a destination of the catalogue cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("its secrets cannot be opened: {0}")]
    Locked(#[from] Locked),
    #[error("there is no manifest of `{0}`")]
    NoManifest(String),
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Pack(#[from] PackError),
}

/// Tokens that are to be kept, and whose they are.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) destination: String,
    pub(crate) auth: Value,
}

/// How large a file of the journal becomes before the next one begins.
const JOURNAL_FILE_BYTES: u32 = 8 << 20;

/// Opens the journal of exchanges of a data folder.
fn open_journal(folder: &Folder, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<Journal>> {
    let mut config = LogConfig::new(folder.exchanges(), chance::bytes());
    config.segment_bytes = JOURNAL_FILE_BYTES;
    let log = SegmentLog::open(&config, Arc::clone(clock), Arc::new(RealFs))?;
    let ledger = SegmentLedger::new(Arc::new(log), Arc::new(SystemRandom));
    Ok(Arc::new(Journal::open(Arc::new(ledger), clock.wall())?))
}

/// Connectors by the ids of their destinations.
#[derive(Debug)]
pub(crate) struct Connectors {
    pub(crate) manifests: Arc<Manifests>,
    live: Mutex<BTreeMap<String, Live>>,
    journal: Arc<Journal>,
    pub(crate) lists: Lists,
    fetched: mpsc::Sender<Fetched>,
    workers: Arc<Workers>,
}

/// A connector, and what it was made of.
#[derive(Debug)]
struct Live {
    tool: Tool,
    manifest: Arc<Manifest>,
    connector: Arc<Connector>,
}

#[derive(Debug)]
struct Keeper {
    destination: String,
    fetched: mpsc::Sender<Fetched>,
}

impl Keep for Keeper {
    fn keep(&self, auth: &Value) {
        let fetched = Fetched { destination: self.destination.clone(), auth: auth.clone() };
        if self.fetched.try_send(fetched).is_err() {
            tracing::error!(destination = %self.destination, "tokens that were fetched are in memory only");
        }
    }
}

impl Connectors {
    /// Connectors of the manifests of the program and of a folder, with the journal of a data folder; and where the
    /// tokens that they fetch come out.
    pub(crate) fn open(
        folder: &Folder,
        destinations: &Path,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Fetched>)> {
        let manifests = Arc::new(Manifests::of(destinations)?);
        let journal = open_journal(folder, clock).context("the exchanges cannot be opened")?;
        let (fetched, kept) = mpsc::channel(KEPT);
        let (live, lists, workers) = (Mutex::default(), Lists::default(), Arc::default());
        Ok((Self { manifests, live, journal, lists, fetched, workers }, kept))
    }

    /// The connector of a destination.
    pub(crate) fn connector(
        &self,
        destination: &Destination,
        tool: &Tool,
        vault: &Vault,
    ) -> Result<Arc<Connector>, NotReady> {
        let kind = &destination.kind;
        let manifest =
            self.manifests.get(kind).ok_or_else(|| NotReady::NoManifest(kind.clone()))?;
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let before = live.get(&destination.id);
        if let Some(known) = before
            && known.tool == *tool
            && Arc::ptr_eq(&known.manifest, &manifest)
        {
            return Ok(Arc::clone(&known.connector));
        }
        let config = config(&manifest, tool, &opened(vault, &destination.id, tool)?)?;
        let programs = Programs::new(Arc::<Workers>::clone(&self.workers));
        let config = with_program(config, &manifest, &programs, &destination.id)?;
        let keeper = Keeper { destination: destination.id.clone(), fetched: self.fetched.clone() };
        let before = before.map(|known| &*known.connector);
        let notes = self.journal.of(&destination.id);
        let connector = Arc::new(Connector::new(config, Arc::new(keeper), notes, before));
        let made = Live { tool: tool.clone(), manifest, connector: Arc::clone(&connector) };
        live.insert(destination.id.clone(), made);
        Ok(connector)
    }

    /// Ends the processes that run programs.
    pub(crate) fn stop(&self) {
        self.workers.stop();
    }

    /// A connector of what a destination was told at another time, to show what it would send.
    pub(crate) fn as_told(
        &self,
        destination: &Destination,
        tool: &Tool,
        vault: &Vault,
    ) -> Result<Connector, NotReady> {
        let kind = &destination.kind;
        let manifest =
            self.manifests.get(kind).ok_or_else(|| NotReady::NoManifest(kind.clone()))?;
        let config = config(&manifest, tool, &opened(vault, &destination.id, tool)?)?;
        let keeper = Keeper { destination: destination.id.clone(), fetched: self.fetched.clone() };
        let notes = Arc::new(Journal::in_memory()).of(&destination.id);
        Ok(Connector::new(config, Arc::new(keeper), notes, None))
    }

    /// Forgets the connectors of destinations that are not there any more.
    pub(crate) fn retain(&self, destinations: &[Destination]) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|id, _| {
            let is_there = destinations.iter().any(|one| one.id == *id);
            // Of those that nobody has seen yet, the configuration may not be folded yet.
            if !is_there {
                self.journal.forget(id);
            }
            is_there
        });
    }
}

/// A configuration with the program that its manifest names.
pub(crate) fn with_program(
    config: Config,
    manifest: &Manifest,
    programs: &Programs,
    connection: &str,
) -> Result<Config, PackError> {
    let Some(program) = &manifest.program else { return Ok(config) };
    let Some(pack) = pack() else { return Err(PackError::Unknown(program.name.clone())) };
    Ok(config.with_program(programs.program(connection, pack.code(&program.name)?)))
}

/// What a destination keeps secret.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Opened {
    pub(crate) settings: Map<String, Value>,
    pub(crate) auth: Map<String, Value>,
}

impl Opened {
    /// As it is sealed.
    pub(crate) fn text(&self) -> String {
        json!({ "settings": self.settings, "auth": self.auth }).to_string()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.auth.is_empty()
    }
}

/// Opens what a destination keeps secret.
pub(crate) fn opened(vault: &Vault, destination: &str, tool: &Tool) -> Result<Opened, Locked> {
    if tool.sealed.is_empty() {
        return Ok(Opened::default());
    }
    let text = vault.tool(destination, tool)?;
    let value: Value = serde_json::from_str(&text).map_err(|_| Locked::Damaged)?;
    let part = |name: &str| value.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(Opened { settings: part("settings"), auth: part("auth") })
}

/// What a connector is made of.
pub(crate) fn config(
    manifest: &Arc<Manifest>,
    tool: &Tool,
    opened: &Opened,
) -> Result<Config, ConfigError> {
    let mut settings = tool.settings.clone();
    settings.extend(opened.settings.clone());
    let auth = match opened.auth.is_empty() {
        true => Value::Null,
        false => Value::Object(opened.auth.clone()),
    };
    let mappings: Vec<Mapped> = tool.mappings.iter().map(mapped).collect();
    check(manifest, Value::Object(settings), auth, &mappings)
}

fn mapped(one: &ToolMapping) -> Mapped {
    let ToolMapping { number, action, trigger, mapping, enabled, .. } = one;
    Mapped {
        number: *number,
        action: action.clone(),
        trigger: trigger.clone(),
        mapping: mapping.clone(),
        enabled: *enabled,
    }
}
