//! Functions at work: the process that runs them, where they are used, and what the last calls came to.
//!
//! A function is called by the place where it is used: a source, or a destination. What calls came to is
//! kept, the last [`history::KEPT`] of each function: it has what functions print, which may be personal, so
//! only who may see events sees it.

mod batch;
mod history;
mod outside;
mod settings;
mod tool;

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use metrics::{counter, histogram};
use selfsame_event::Clock;
use selfsame_functions::{Apart, Call, Code, Fault, Input, Instance, Kind, Limits, Report};
use selfsame_pipeline::workspace::{FunctionKind, FunctionPlace, Workspace};

pub(crate) use self::history::{Called, History};
pub(crate) use self::outside::Outside;
pub(crate) use self::settings::{SettingError, open, seal};
pub(crate) use self::tool::{FUNCTION, FunctionTools};
use crate::measures;
use crate::tasks::Tasks;
use crate::vault::{Locked, Vault};

/// How often what functions printed is written.
const LOGS_EVERY: Duration = Duration::from_secs(5);

/// The functions of a node.
#[derive(Debug)]
pub(crate) struct Functions {
    outside: Outside,
    /// The process, from the first configuration on that uses a function.
    apart: OnceLock<Apart>,
    uses: RwLock<Arc<BTreeMap<FunctionPlace, Used>>>,
    history: History,
    /// Whether the configuration is known up to its end. Before, functions may be missing in it.
    is_current: AtomicBool,
    clock: Arc<dyn Clock>,
}

/// A function where it is used.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    function: String,
    version: u32,
    /// What runs; not while its secrets cannot be opened.
    instance: Result<Instance, Locked>,
}

/// A version of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    function: String,
    version: u32,
}

/// Why a function was not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotCalled {
    /// There is none at that place.
    None,
    /// Its secrets cannot be opened.
    Locked(Locked),
}

impl Functions {
    /// The functions of a node that has none yet.
    pub(crate) fn new(
        outside: Outside,
        clock: Arc<dyn Clock>,
        logs: PathBuf,
    ) -> std::io::Result<Self> {
        let history = History::open(logs, clock.wall())?;
        let (apart, uses) = (OnceLock::new(), RwLock::default());
        let is_current = AtomicBool::new(false);
        Ok(Self { outside, apart, uses, history, is_current, clock })
    }

    /// Says that the configuration is known up to its end: functions that it lacks are gone.
    pub(crate) fn is_caught_up(&self) {
        self.is_current.store(true, Ordering::Release);
    }

    /// Writes what calls came to since this was done last, every few seconds.
    pub(crate) async fn keep_logs(self: Arc<Self>, tasks: Tasks) -> anyhow::Result<()> {
        loop {
            let is_over = tokio::select! {
                () = tokio::time::sleep(LOGS_EVERY) => false,
                () = tasks.stopping() => true,
            };
            let functions = Arc::clone(&self);
            let written = tokio::task::spawn_blocking(move || functions.history.write()).await?;
            if let Err(error) = written {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what functions printed could not be written");
            }
            if is_over {
                return Ok(());
            }
        }
    }

    /// Takes functions and their places as they are configured now.
    pub(crate) fn load(&self, workspace: &Workspace, vault: &Vault) {
        let mut uses = BTreeMap::new();
        for (place, used) in &workspace.function_uses {
            let Some(function) = workspace.function(&used.function) else { continue };
            let instance = open(vault, place, &function.settings, used).map(|settings| Instance {
                connection: place.to_string().into(),
                code: Code::new(kind(function.kind), &function.code),
                settings: settings.into(),
            });
            let (function, version) = (function.id.clone(), function.version);
            uses.insert(place.clone(), Used { function, version, instance });
        }
        if !uses.is_empty() && self.apart.get().is_none() {
            match Apart::start(
                Box::new(|| launch("function-worker")),
                Arc::new(self.outside.clone()),
            ) {
                // Somebody else may have been first; theirs is as good.
                Ok(apart) => drop(self.apart.set(apart)),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the process of functions cannot be started");
                }
            }
        }
        *self.uses.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(uses);
        if self.is_current.load(Ordering::Acquire) {
            self.history.keep(|id| workspace.function(id).is_some());
        }
    }

    /// Whether a function is used at a place.
    pub(crate) fn is_used(&self, place: &FunctionPlace) -> bool {
        self.uses.read().unwrap_or_else(PoisonError::into_inner).contains_key(place)
    }

    /// What runs at a place, if it may have `onBatch`.
    pub(crate) fn batching(&self, place: &FunctionPlace) -> Option<Running> {
        let uses = self.uses.read().unwrap_or_else(PoisonError::into_inner);
        let used = uses.get(place)?;
        let code = &used.instance.as_ref().ok()?.code;
        // Only whoever runs it knows; code that does not even have the word has none.
        let running = || Running { function: used.function.clone(), version: used.version };
        code.text().contains("onBatch").then(running)
    }

    /// Calls the function of a place.
    pub(crate) async fn call(
        &self,
        place: &FunctionPlace,
        input: Input,
    ) -> Result<Report, NotCalled> {
        let uses = Arc::clone(&self.uses.read().unwrap_or_else(PoisonError::into_inner));
        let Used { function, version, instance } = uses.get(place).ok_or(NotCalled::None)?;
        let instance = instance.clone().map_err(NotCalled::Locked)?;
        let began = self.clock.wall();
        let report = self.run(Call { instance, input, measure: false, fetch: None }).await;
        let outcome = report.result.as_ref().err().map_or("done", |fault| fault.kind.label());
        let kind = place.kind().word();
        counter!(measures::FUNCTION_CALLS, "kind" => kind, "outcome" => outcome).increment(1);
        histogram!(measures::FUNCTION_CPU_SECONDS).record(report.cpu.as_secs_f64());
        self.history.note(function, Called::of(place, *version, began, &report));
        Ok(report)
    }

    async fn run(&self, call: Call) -> Report {
        let Some(apart) = self.apart.get() else { return Report::unstarted() };
        let (tell, told) = tokio::sync::oneshot::channel();
        apart.call(call, move |report| {
            // Whoever asked may have gone.
            drop(tell.send(report));
        });
        told.await.unwrap_or_else(|_| Report::unstarted())
    }

    /// The last calls of a function, the newest first.
    pub(crate) fn calls(&self, function: &str) -> Vec<Called> {
        self.history.of(function)
    }

    /// Ends the process.
    pub(crate) fn stop(&self) {
        if let Some(apart) = self.apart.get() {
            apart.stop();
        }
    }
}

/// Starts a process that runs code: this program, with nothing but two pipes.
pub(crate) fn launch(command: &str) -> std::io::Result<Child> {
    // It is found there also when another version has taken its place.
    let program =
        if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
    Command::new(program)
        .arg0("selfsame")
        .arg(command)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // What is typed at a terminal is for its parent.
        .process_group(0)
        .spawn()
}

/// The kind of a function, as the engine knows it.
pub(crate) fn kind(kind: FunctionKind) -> Kind {
    match kind {
        FunctionKind::Source => Kind::Source,
        FunctionKind::Insert => Kind::Insert,
        FunctionKind::Destination => Kind::Destination,
    }
}

/// Whether a text is a function of a kind; else what is wrong with it.
pub(crate) fn check(kind: Kind, code: &str) -> Result<(), String> {
    let checked = Code::new(kind, code).check(&Limits::default());
    checked.map(drop).map_err(|error| error.to_string())
}

/// What a fault says, with its place in the code.
pub(crate) fn sentence(fault: &Fault) -> String {
    let place = fault.stack.lines().next().map(str::trim).unwrap_or_default();
    if place.is_empty() { fault.message.clone() } else { format!("{} ({place})", fault.message) }
}
