//! A data folder at work: log, engine, deliveries, and handles to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::Context as _;
use selfsame_deliver::{
    AttemptLog, Deliverer, DelivererHandle, FeedEnd, Outbound, OutboundConfig, Parts,
    SegmentLedger, SystemRandom, SystemResolver,
};
use selfsame_event::{Clock, Position, RecordId, RecordKind, SystemClock};
use selfsame_log::{Log, LogConfig, LogRead, NewRecord, RealFs, RegenerableLog, SegmentLog};
use selfsame_pipeline::workspace::{Change, ChangeError};
use selfsame_pipeline::{
    Compute, Engine, EngineConfig, EngineError, EngineParts, IdentityChange, Shared, View,
};
use tokio::sync::watch;

use crate::alerts::Alerts;
use crate::audit::Audit;
use crate::chance;
use crate::computing::Computing;
use crate::connectors::Connectors;
use crate::consent::Consents;
use crate::destination::{self, Speaking};
use crate::feed::{SpaceFeed, end_of};
use crate::folder::Folder;
use crate::function::{FunctionTools, Functions, Outside};
use crate::intake::KeyTable;
use crate::members::Members;
use crate::tasks::Tasks;
use crate::urgency;
use crate::vault::{self, Vault};

mod lists;
mod unlock;
mod upkeep;

/// How a node runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeConfig {
    /// Whether destinations may be on this machine.
    pub(crate) allow_loopback: bool,
    /// The log's settings.
    pub(crate) log: crate::settings::LogSettings,
    /// The engine's settings.
    pub(crate) engine: crate::settings::EngineSettings,
    /// The settings of deliveries.
    pub(crate) deliver: crate::settings::DeliverSettings,
    /// The key file; empty: the one in the data folder.
    pub(crate) key_file: PathBuf,
    /// A folder of manifests beside those of the program; empty: there is none.
    pub(crate) destinations: PathBuf,
    /// Mail servers of alerts whose addresses need not be public.
    pub(crate) mail_relays: Vec<String>,
}

impl NodeConfig {
    /// What the settings say of it.
    pub(crate) fn of(settings: &crate::settings::Settings, allow_loopback: bool) -> Self {
        Self {
            allow_loopback,
            log: settings.log.clone(),
            engine: settings.engine.clone(),
            deliver: settings.deliver.clone(),
            key_file: settings.server.key_file.clone(),
            destinations: settings.deliver.destinations.clone(),
            mail_relays: settings.alerts.mail_relays.clone(),
        }
    }
}

/// A data folder at work.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) folder: Folder,
    pub(crate) log: Arc<SegmentLog>,
    pub(crate) outbox: Arc<RegenerableLog>,
    /// Where the outbox and the log ended before this process wrote to them.
    pub(crate) found: Found,
    pub(crate) shared: Arc<Shared>,
    pub(crate) keys: Arc<KeyTable>,
    pub(crate) outbound: Outbound,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) computing: Computing,
    pub(crate) functions: Arc<Functions>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) members: Members,
    pub(crate) audit: Audit,
    function_tools: FunctionTools,
    pub(crate) connectors: Connectors,
    pub(crate) consents: Consents,
    /// Who changes the configuration by what it is, one after the other.
    changing: tokio::sync::Mutex<()>,
    config: NodeConfig,
    deliverers: std::sync::Mutex<Vec<(u32, DelivererHandle)>>,
    engine: EngineThread,
}

#[derive(Debug)]
struct EngineThread {
    stop: Arc<AtomicBool>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<Option<Arc<EngineError>>>,
}

/// The logs of a data folder, opened.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) log: Arc<SegmentLog>,
    pub(crate) outbox: Arc<RegenerableLog>,
    pub(crate) found: Found,
}

/// Where logs ended when they were opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) log: Position,
    pub(crate) outbox: Position,
}

impl Logs {
    /// Opens the logs of a folder. What the outbox lost in a crash is written again by the engine.
    pub(crate) fn open(
        folder: &Folder,
        settings: &crate::settings::LogSettings,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let config = settings.apply(LogConfig::new(folder.log(), chance::bytes()));
        let log = SegmentLog::open(&config, Arc::clone(clock), Arc::new(RealFs))
            .context("the event log cannot be opened")?;
        let config = settings.apply(LogConfig::new(folder.outbox(), chance::bytes()));
        let outbox = RegenerableLog::open(&config, Arc::clone(clock), Arc::new(RealFs), 0)
            .context("the outbox cannot be opened")?;
        let found = Found { log: log.end(), outbox: outbox.end() };
        Ok(Self { log: Arc::new(log), outbox: Arc::new(outbox), found })
    }
}

/// The engine of a folder, over its logs.
pub(crate) fn open_engine(
    folder: &Folder,
    logs: &Logs,
    clock: &Arc<dyn Clock>,
    settings: &crate::settings::EngineSettings,
) -> Result<Engine, EngineError> {
    let mut config = settings.apply(EngineConfig::new(folder.state()));
    config.base = crate::base::newest(folder.root()).map_err(EngineError::Marker)?;
    let log: Arc<dyn Log> = Arc::<SegmentLog>::clone(&logs.log);
    let (outbox, clock) = (Arc::clone(&logs.outbox), Arc::clone(clock));
    let parts = EngineParts { log, outbox, clock };
    Engine::open(config, parts)
}

/// Opens the engine on a thread that yields, as the threads that the state's store starts then do.
fn open_engine_aside(
    folder: &Folder,
    logs: &Logs,
    clock: &Arc<dyn Clock>,
    settings: &crate::settings::EngineSettings,
) -> Result<Engine, EngineError> {
    let open = || {
        urgency::yield_by(urgency::UPKEEP);
        open_engine(folder, logs, clock, settings)
    };
    std::thread::scope(|scope| match scope.spawn(open).join() {
        Ok(opened) => opened,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

impl Node {
    /// Opens a data folder and starts its engine and deliveries.
    pub(crate) async fn start(
        root: &Path,
        config: NodeConfig,
        tasks: &Tasks,
    ) -> anyhow::Result<Arc<Self>> {
        let folder = Folder::open_or_create(root)?;
        let vault = Vault::open(vault::file_of(&config.key_file, folder.root()))?;
        let alerts = Arc::new(Alerts::open(&folder, config.mail_relays.clone())?);
        let members = Members::open(folder.members(), &vault)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let audit = Audit::open(&folder, &clock)?;
        let (connectors, fetched) = Connectors::open(&folder, &config.destinations, &clock)?;
        let logs = Logs::open(&folder, &config.log, &clock)?;
        let engine = open_engine_aside(&folder, &logs, &clock, &config.engine)
            .context("the state cannot be opened")?;
        let shared = engine.shared();
        let outbound = Outbound::new(OutboundConfig::default(), Arc::new(SystemResolver))
            .context("the outbound client cannot be made")?;
        let engine = EngineThread::start(engine)?;
        let compute = Compute {
            shared: Arc::clone(&shared),
            log: Arc::<SegmentLog>::clone(&logs.log),
            outbox: Arc::<RegenerableLog>::clone(&logs.outbox),
            folder: folder.history(),
            draw: Box::new(chance::record_id),
        };
        let share = config.engine.compute_percent;
        let computing = Computing::start(compute, Arc::clone(&clock), share)
            .context("the thread that computes definitions cannot be started")?;
        let outside = Outside {
            outbound: outbound.clone(),
            clock: Arc::clone(&clock),
            allow_loopback: config.allow_loopback,
            runtime: tokio::runtime::Handle::current(),
        };
        let functions = Functions::new(outside, Arc::clone(&clock), folder.function_logs());
        let functions = Arc::new(functions.context("the logs of functions cannot be read")?);
        let node = Arc::new(Self {
            folder,
            log: logs.log,
            outbox: logs.outbox,
            found: logs.found,
            shared,
            keys: Arc::new(KeyTable::default()),
            outbound,
            vault,
            clock,
            computing,
            function_tools: FunctionTools::new(&functions),
            functions,
            alerts,
            members,
            audit,
            connectors,
            consents: Consents::default(),
            changing: tokio::sync::Mutex::default(),
            config,
            deliverers: std::sync::Mutex::default(),
            engine,
        });
        tasks.spawn("configuration", Arc::clone(&node).follow_configuration(tasks.clone()));
        tasks.spawn("tokens", Arc::clone(&node).keep_tokens(fetched, tasks.clone()));
        let functions = Arc::clone(&node.functions);
        tasks.spawn("logs of functions", functions.keep_logs(tasks.clone()));
        tasks.spawn("lists", Arc::clone(&node).follow_lists(tasks.clone()));
        if node.connectors.manifests.has_folder() {
            tasks.spawn("manifests", Arc::clone(&node).follow_manifests(tasks.clone()));
        }
        Ok(node)
    }

    /// Waits until everything before the position is folded. `false` if the engine has stopped.
    pub(crate) async fn folded(&self, position: Position) -> bool {
        let mut folded = self.shared.subscribe();
        let mut failed = self.engine.failed.clone();
        loop {
            if *folded.borrow_and_update() >= position.offset {
                return true;
            }
            tokio::select! {
                changed = folded.changed() => if changed.is_err() { return false },
                changed = failed.changed() => {
                    if changed.is_err() || failed.borrow().is_some() { return false }
                }
            }
        }
    }

    /// Reads profiles.
    pub(crate) fn reader(&self) -> selfsame_pipeline::Reader {
        let log: Arc<dyn LogRead> = Arc::<SegmentLog>::clone(&self.log);
        selfsame_pipeline::Reader::new(Arc::clone(&self.shared), log)
    }

    /// Why the engine has stopped, if it has.
    pub(crate) fn failure(&self) -> Option<Arc<EngineError>> {
        self.engine.failed.borrow().clone()
    }

    /// Resolves when the engine fails.
    pub(crate) async fn failed(&self) -> Arc<EngineError> {
        let mut failed = self.engine.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(failure) => failure.clone().expect("waited for"),
            Err(_) => std::future::pending().await,
        }
    }

    /// The state as it is now.
    pub(crate) fn view(&self) -> Option<View> {
        self.shared.view()
    }

    /// Makes a change of the configuration and waits until it holds.
    pub(crate) async fn change(&self, change: &Change) -> Result<Position, SubmitError> {
        let head = serde_json::to_vec(change).map_err(|_| SubmitError::Stopped)?;
        self.submit(RecordKind::Config, head).await
    }

    /// Makes a change of who is who and waits until it holds.
    pub(crate) async fn change_identity(
        &self,
        change: &IdentityChange,
    ) -> Result<Position, SubmitError> {
        let head = serde_json::to_vec(change).map_err(|_| SubmitError::Stopped)?;
        self.submit(RecordKind::Identity, head).await
    }

    async fn submit(&self, kind: RecordKind, head: Vec<u8>) -> Result<Position, SubmitError> {
        let id: RecordId = chance::record_id();
        let kind = kind as u8;
        let record = NewRecord { id, kind, head: head.into(), items: Vec::new() };
        let appended = self.log.append(record).await?;
        if !self.folded(appended.position.next()).await {
            return Err(SubmitError::Stopped);
        }
        match self.shared.take_change(id) {
            Some(Err(error)) => Err(error.into()),
            Some(Ok(())) => {
                self.load_configuration();
                self.computing.look();
                Ok(appended.position)
            }
            None => Err(SubmitError::Stopped),
        }
    }

    /// Takes keys and connections as they are configured now.
    pub(crate) fn load_configuration(&self) {
        let Some(view) = self.view() else { return };
        self.connectors.retain(&view.meta.workspace.destinations);
        self.keys.load(&view.meta.workspace, &self.vault);
        self.functions.load(&view.meta.workspace, &self.vault);
        self.alerts.look();
        for (space, handle) in self.deliverers() {
            let workspace = &view.meta.workspace;
            let loopback = self.config.allow_loopback;
            let with = Speaking {
                vault: &self.vault,
                connectors: &self.connectors,
                functions: &self.function_tools,
            };
            let connections = destination::connections(workspace, space, with, loopback);
            handle.set_connections(connections);
        }
    }

    /// How the engine runs.
    pub(crate) fn engine_config(&self) -> EngineConfig {
        self.config.engine.apply(EngineConfig::new(self.folder.state()))
    }

    /// Whether destinations may be on this machine.
    pub(crate) fn allow_loopback(&self) -> bool {
        self.config.allow_loopback
    }

    /// The deliveries of each space.
    pub(crate) fn deliverers(&self) -> Vec<(u32, DelivererHandle)> {
        self.deliverers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Keeps keys, spaces and connections as configured.
    async fn follow_configuration(self: Arc<Self>, tasks: Tasks) -> anyhow::Result<()> {
        let mut folded = self.shared.subscribe();
        let mut known = None;
        let mut ends: Vec<(u32, watch::Sender<FeedEnd>)> = Vec::new();
        loop {
            let Some(view) = self.view() else {
                if folded.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            };
            if known.as_ref() != Some(&view.meta.workspace) {
                for space in &view.meta.workspace.spaces {
                    if ends.iter().all(|(number, _)| *number != space.number) {
                        let (end, ends_at) = watch::channel(end_of(&self.shared, space.number));
                        ends.push((space.number, end));
                        self.start_deliverer(space.number, &space.id, ends_at, &tasks)?;
                    }
                }
                self.load_configuration();
                known = Some(view.meta.workspace.clone());
            }
            drop(view);
            for (space, end) in &ends {
                end.send_replace(end_of(&self.shared, *space));
            }
            tokio::select! {
                changed = folded.changed() => if changed.is_err() { return Ok(()) },
                () = tasks.stopping() => return Ok(()),
            }
        }
    }

    fn start_deliverer(
        &self,
        space: u32,
        space_id: &str,
        end: watch::Receiver<FeedEnd>,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let mut config = LogConfig::new(self.folder.ledger(space), chance::bytes());
        config.segment_bytes = 16 << 20;
        let log = SegmentLog::open(&config, Arc::clone(&self.clock), Arc::new(RealFs))
            .context("the ledger of deliveries cannot be opened")?;
        let random = Arc::new(SystemRandom);
        let feed = SpaceFeed {
            space,
            space_id: space_id.to_owned(),
            log: Arc::clone(&self.log),
            outbox: Arc::clone(&self.outbox),
            found: self.found,
            shared: Arc::clone(&self.shared),
            reader: self.reader(),
            manifests: Arc::clone(&self.connectors.manifests),
            end,
        };
        let attempts =
            AttemptLog::open(self.folder.attempts(space), self.config.deliver.attempts())
                .context("the attempts of deliveries cannot be opened")?;
        let parts = Parts {
            feed: Arc::new(feed),
            attempts: Arc::new(attempts),
            ledger: Arc::new(SegmentLedger::new(Arc::new(log), random.clone())),
            outbound: self.outbound.clone(),
            clock: Arc::clone(&self.clock),
            random,
        };
        let deliverer = Deliverer::new(self.config.deliver.config(), parts);
        let handle = deliverer.handle();
        self.deliverers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push((space, handle));
        let stopping = tasks.clone();
        tasks.spawn("deliveries", async move {
            Ok(deliverer.run(async move { stopping.stopping().await }).await?)
        });
        Ok(())
    }

    /// Stops the engine behind a last checkpoint.
    pub(crate) fn stop(&self) {
        self.functions.stop();
        self.connectors.stop();
        self.computing.stop(self.failure().is_none());
        self.engine.stop.store(true, Ordering::Release);
        let thread =
            self.engine.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the engine panicked");
        }
    }
}

impl EngineThread {
    fn start(engine: Engine) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (failure, failed) = watch::channel(None);
        let flag = Arc::clone(&stop);
        let run = move || {
            urgency::yield_by(urgency::FOLDING);
            if let Err(error) = engine.run(&flag) {
                failure.send_replace(Some(Arc::new(error)));
            }
        };
        let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(run)?;
        Ok(Self { stop, thread: std::sync::Mutex::new(Some(thread)), failed })
    }
}

/// Why a change of the configuration was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SubmitError {
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("the change could not be written")]
    Append(#[from] selfsame_log::AppendError),
    #[error("the engine has stopped")]
    Stopped,
}
