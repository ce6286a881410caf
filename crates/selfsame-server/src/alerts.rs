//! Alerts at work: looks at the node every few seconds, keeps what is raised, and tells channels.
//!
//! What alerts there are is configuration, and so records of the log. What is raised and who was told is
//! no part of the fold: it is in a file of its own ([`file`]), written before anybody is told, so that a
//! process that goes on raises nothing twice. A channel that was told just before a kill may be told again,
//! with the same id.

mod channel;
mod file;
mod mail;
mod notice;
mod sample;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge};
use selfsame_alert::{Due, Memory, Rules};
use selfsame_pipeline::workspace::{Alert, Workspace};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) use self::channel::{Channel, ChannelError, Draft, opened};
pub(crate) use self::file::AlertsFileError;
pub(crate) use self::notice::Notice;
use self::sample::Sampler;
use crate::folder::Folder;
use crate::graph_days::GraphDays;
use crate::measures;
use crate::node::Node;
use crate::tasks::Tasks;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);
/// How often what nobody is told is written.
const KEEP_EVERY: i64 = 60;

/// The alerts of a node.
#[derive(Debug)]
pub(crate) struct Alerts {
    file: PathBuf,
    memory: Mutex<Memory>,
    /// Whoever writes the file has it, so that nothing older is written over it.
    writing: Mutex<()>,
    /// That something changed which deserves a look at once.
    changed: Notify,
    /// Mail servers whose addresses need not be public.
    relays: Vec<String>,
    /// What was seen of identity, day by day.
    pub(crate) graph_days: GraphDays,
}

impl Alerts {
    /// The alerts of a data folder, as they were left.
    pub(crate) fn open(folder: &Folder, relays: Vec<String>) -> Result<Self, AlertsFileError> {
        let file = folder.alerts();
        let memory = Mutex::new(file::read(&file)?);
        let (writing, changed) = (Mutex::default(), Notify::new());
        let graph_days = GraphDays::open(folder.graph_days());
        Ok(Self { file, memory, writing, changed, relays, graph_days })
    }

    /// What is raised, and what was.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a mail server need not have a public address.
    fn is_relay(&self, host: &str) -> bool {
        self.relays.iter().any(|relay| relay.eq_ignore_ascii_case(host))
    }

    /// Has the node looked at soon.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// Changes what is remembered, and keeps it.
    pub(crate) async fn keep<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Memory) -> T,
    ) -> Result<T, AlertsFileError> {
        let done = change(&mut self.memory());
        self.write().await?;
        self.look();
        Ok(done)
    }

    async fn write(self: &Arc<Self>) -> Result<(), AlertsFileError> {
        let alerts = Arc::clone(self);
        let writing = tokio::task::spawn_blocking(move || {
            let _turn = alerts.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let memory = alerts.memory().clone();
            file::write(&alerts.file, &memory)
        });
        writing.await.unwrap_or_else(|_| Err(AlertsFileError::stopped(&self.file)))
    }
}

/// An alert as it was configured. One that a later version made cannot be read here.
pub(crate) fn read(alert: &Alert) -> Result<selfsame_alert::Rule, serde_json::Error> {
    serde_json::from_value(Value::Object(alert.rule.clone()))
}

/// The rules in force: those by default, and in their place what was configured.
pub(crate) fn rules(workspace: &Workspace) -> Rules {
    let mut rules = selfsame_alert::defaults();
    for alert in &workspace.alerts {
        match read(alert) {
            Ok(rule) => drop(rules.insert(alert.id.clone(), rule)),
            Err(error) => tracing::debug!(alert = %alert.id, %error, "an alert cannot be read"),
        }
    }
    rules
}

/// Looks and tells, for as long as the server runs.
pub(crate) async fn run(node: Arc<Node>, tasks: Tasks) -> anyhow::Result<()> {
    let mut sampler = Sampler::default();
    let mut kept = 0;
    loop {
        if let Err(error) = round(&node, &mut sampler, &mut kept).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "what is raised could not be kept; nobody is told until it is");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = node.alerts.changed.notified() => {}
            () = tasks.stopping() => return Ok(()),
        }
    }
}

async fn round(
    node: &Arc<Node>,
    sampler: &mut Sampler,
    kept: &mut i64,
) -> Result<(), AlertsFileError> {
    let Some(view) = node.view() else { return Ok(()) };
    let rules = rules(&view.meta.workspace);
    let enabled = view.meta.workspace.alert_channels.iter().filter(|channel| channel.enabled);
    let channels: Vec<String> = enabled.map(|channel| channel.id.clone()).collect();
    drop(view);
    let sample = sampler.sample(node).await;
    let now = seconds(node);
    let turns = node.alerts.memory().step(&rules, &channels, &sample);
    for turn in &turns {
        let (alert, subject, turned) = (&turn.alert, &turn.subject, turn.kind.word());
        tracing::warn!(%alert, %subject, turned, why = %turn.sentence, "an alert turned");
    }
    observe(&rules, &node.alerts.memory());
    let due = node.alerts.memory().due(now);
    if !turns.is_empty() || !due.is_empty() || now - *kept >= KEEP_EVERY {
        node.alerts.write().await?;
        *kept = now;
    }
    if !due.is_empty() {
        tell(node, due).await;
        node.alerts.write().await?;
        // There may be more for the same channels.
        let is_more = !node.alerts.memory().due(seconds(node)).is_empty();
        if is_more {
            node.alerts.look();
        }
    }
    Ok(())
}

/// The wall clock, in seconds.
pub(crate) fn seconds(node: &Node) -> i64 {
    node.clock.wall().micros().div_euclid(1_000_000)
}

/// Tells channels, side by side, and notes what became of it.
async fn tell(node: &Arc<Node>, due: Vec<Due>) {
    let mut telling = JoinSet::new();
    for due in due {
        let node = Arc::clone(node);
        telling.spawn(async move {
            let notice = Notice::of(&node, &due.turn);
            let result = channel::tell_by_id(&node, &due.channel, &notice).await;
            (due, result)
        });
    }
    while let Some(told) = telling.join_next().await {
        let Ok((due, result)) = told else { continue };
        let outcome = if result.is_ok() { "sent" } else { "failed" };
        counter!(measures::ALERT_NOTICES, "outcome" => outcome).increment(1);
        if let Err(why) = &result {
            tracing::warn!(channel = %due.channel, alert = %due.turn.alert, %why, "a channel was not told");
        }
        node.alerts.memory().told(&due, seconds(node), result);
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats; these are shown, not added up")]
fn observe(rules: &Rules, memory: &Memory) {
    for (id, rule) in rules {
        let count = memory.raised().filter(|(alert, ..)| alert == id).count();
        let labels = [("alert", id.clone()), ("severity", rule.severity.word().to_owned())];
        gauge!(measures::ALERTS_RAISED, &labels).set(count as f64);
    }
}
