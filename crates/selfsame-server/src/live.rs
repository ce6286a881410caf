//! Numbers of the node, once a second, for whoever watches: one sample for all of them.
//!
//! **Invariants:** nothing is sampled while nobody watches; a watcher holds up nobody: what it was too slow
//! for is passed over and counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use selfsame_deliver::ConnectionStatus;
use selfsame_log::LogRead as _;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::Destination;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::control::{LiveDestination, LiveShown, LiveSource, alarm};
use crate::destination::connection_id;
use crate::node::Node;
use crate::tasks::Tasks;

const EVERY: Duration = Duration::from_secs(1);

/// The newest sample, as long as anybody watches.
#[derive(Debug)]
pub(crate) struct Live {
    newest: watch::Sender<Option<Arc<LiveShown>>>,
    running: Arc<Mutex<bool>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { newest: watch::Sender::new(None), running: Arc::default() }
    }
}

impl Live {
    /// Samples from now on, each as soon as it is taken.
    pub(crate) fn watch(
        self: &Arc<Self>,
        node: &Arc<Node>,
        tasks: &Tasks,
    ) -> watch::Receiver<Option<Arc<LiveShown>>> {
        let receiver = self.newest.subscribe();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !*running {
            *running = true;
            let (live, node, stopping) = (Arc::clone(self), Arc::clone(node), tasks.clone());
            tasks.spawn("live numbers", async move {
                tokio::select! {
                    () = live.run(&node) => {}
                    () = stopping.stopping() => {}
                }
                Ok(())
            });
        }
        receiver
    }

    /// Takes samples until nobody watches any more.
    async fn run(&self, node: &Node) {
        let mut seconds = tokio::time::interval(EVERY);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut before: Option<(Instant, Arc<LiveShown>)> = None;
        loop {
            seconds.tick().await;
            {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                if self.newest.receiver_count() == 0 {
                    *running = false;
                    self.newest.send_replace(None);
                    return;
                }
            }
            let Some(view) = node.view() else { continue };
            let now = Instant::now();
            let mut sample = sample(node, &view);
            if let Some((then, older)) = &before {
                rate(&mut sample, older, now.duration_since(*then));
            }
            let sample = Arc::new(sample);
            before = Some((now, Arc::clone(&sample)));
            self.newest.send_replace(Some(sample));
        }
    }
}

/// Sends samples to one client until it goes away.
pub(crate) async fn send(
    mut newest: watch::Receiver<Option<Arc<LiveShown>>>,
    client: mpsc::Sender<Bytes>,
) {
    let mut skipped = 0;
    loop {
        let sample = newest.borrow_and_update().clone();
        if let Some(sample) = sample {
            let shown = LiveShown { skipped, ..(*sample).clone() };
            let data = serde_json::to_string(&shown).unwrap_or_default();
            match client.try_send(format!("event: live\ndata: {data}\n\n").into()) {
                Ok(()) => skipped = 0,
                Err(mpsc::error::TrySendError::Full(_)) => skipped += 1,
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return },
            () = client.closed() => return,
        }
    }
}

fn sample(node: &Node, view: &View) -> LiveShown {
    let statuses: Vec<_> =
        node.deliverers().iter().flat_map(|(_, handle)| handle.status()).collect();
    let folded = node.shared.folded();
    let counted = view.meta.workspace.sources.iter().zip(&view.meta.sources);
    let sources = counted.map(|(source, counts)| LiveSource {
        id: source.id.clone(),
        events: counts.events,
        duplicates: counts.duplicates,
        changed: counts.changed,
        rejected: counts.rejected.values().sum(),
        rate: 0.0,
    });
    let destinations = view.meta.workspace.destinations.iter().map(|destination| {
        let id = connection_id(&destination.id);
        shown(destination, statuses.iter().find(|status| status.id == id))
    });
    LiveShown {
        at: node.clock.wall().to_string(),
        position: folded.to_string(),
        lag: node.log.end().offset.saturating_sub(folded.offset),
        events: view.meta.spaces.iter().map(|space| space.events).sum(),
        profiles: view.meta.spaces.iter().map(|space| space.profiles).sum(),
        alerts: u64::try_from(node.alerts.memory().raised().count()).unwrap_or(u64::MAX),
        skipped: 0,
        sources: sources.collect(),
        destinations: destinations.collect(),
    }
}

fn shown(destination: &Destination, status: Option<&ConnectionStatus>) -> LiveDestination {
    let of = |number: fn(&ConnectionStatus) -> u64| status.map_or(0, number);
    let failure = status.and_then(|status| status.last_failure);
    LiveDestination {
        id: destination.id.clone(),
        state: status.map_or("starting", |status| status.state.label()).to_owned(),
        pause: status.and_then(|status| status.pause).map(|pause| pause.label().to_owned()),
        accepted: of(|status| status.accepted),
        delivered: of(|status| status.delivered),
        filtered: of(|status| status.filtered),
        dead: of(|status| status.dead),
        pending: of(|status| status.pending),
        waiting: of(|status| status.waiting),
        lag_seconds: status.map_or(0.0, |status| status.lag.as_secs_f64()),
        alarm: status.map_or("none", alarm).to_owned(),
        last_failure: failure.map(|failure| failure.label().to_owned()),
        delivered_rate: 0.0,
        dead_rate: 0.0,
    }
}

/// Says how much more there is each second than in the sample before.
fn rate(sample: &mut LiveShown, before: &LiveShown, passed: Duration) {
    let seconds = passed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown, not added up")]
    let of = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
    let sources: BTreeMap<_, _> = before.sources.iter().map(|one| (&one.id, one.events)).collect();
    for source in &mut sample.sources {
        source.rate = of(source.events, sources.get(&source.id).copied().unwrap_or(0));
    }
    let destinations: BTreeMap<_, _> =
        before.destinations.iter().map(|one| (&one.id, (one.delivered, one.dead))).collect();
    for one in &mut sample.destinations {
        let Some((delivered, dead)) = destinations.get(&one.id) else { continue };
        one.delivered_rate = of(one.delivered, *delivered);
        one.dead_rate = of(one.dead, *dead);
    }
}

#[cfg(test)]
mod tests;
