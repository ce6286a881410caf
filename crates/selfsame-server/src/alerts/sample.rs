//! How the node is, for who looks at alerts.

use std::sync::Arc;

use selfsame_alert::{
    AudienceSample, DestinationSample, DestinationState, DiskSample, IdentitySample, Sample,
    SourceSample,
};
use selfsame_deliver::{ConnectionState, ConnectionStatus};
use selfsame_event::{Collection, Time};
use selfsame_log::LogRead as _;
use selfsame_pipeline::trend::{DayGraph, Rate, unusual};
use selfsame_pipeline::workspace::{DefinitionKind, Destination, Space};
use selfsame_pipeline::{HealthBudget, View};

use crate::destination::connection_id;
use crate::node::Node;

/// How often the health of identity is looked at: it reads the whole graph.
const IDENTITY_EVERY: i64 = 3_600;
/// How many profiles and identifiers of a space are looked at for it.
const SHOWN: usize = 100;

/// Takes samples.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    /// When the health of identity was looked at last.
    identity_at: Option<i64>,
}

impl Sampler {
    /// How the node is now.
    pub(super) async fn sample(&mut self, node: &Arc<Node>) -> Sample {
        let now = super::seconds(node);
        let is_time = self.identity_at.is_none_or(|at| now - at >= IDENTITY_EVERY || now < at);
        let mut identity = None;
        if is_time {
            self.identity_at = Some(now);
            let node = Arc::clone(node);
            identity = tokio::task::spawn_blocking(move || health(&node)).await.unwrap_or(None);
        }
        let Some(view) = node.view() else { return Sample::default() };
        let stats = node.log.stats();
        Sample {
            now: node.clock.wall(),
            sources: sources(&view),
            destinations: destinations(node, &view),
            audiences: audiences(node, &view),
            disk: disk(node),
            unfolded: node.log.end().offset.saturating_sub(node.shared.folded().offset),
            clock_held_seconds: stats.held_micros / 1_000_000,
            identity,
        }
    }
}

fn sources(view: &View) -> Vec<SourceSample> {
    let counted = view.meta.workspace.sources.iter().zip(&view.meta.sources);
    let sample = counted.map(|(source, counts)| SourceSample {
        id: source.id.clone(),
        events: counts.events,
        rejected: counts.rejected.values().sum(),
        repeated: counts.duplicates + counts.changed,
    });
    sample.collect()
}

fn destinations(node: &Node, view: &View) -> Vec<DestinationSample> {
    let statuses: Vec<_> =
        node.deliverers().iter().flat_map(|(_, handle)| handle.status()).collect();
    let all = view.meta.workspace.destinations.iter().map(|destination| {
        let id = connection_id(&destination.id);
        match statuses.iter().find(|status| status.id == id) {
            Some(status) => destination_sample(destination, status),
            None => DestinationSample {
                id: destination.id.clone(),
                state: DestinationState::Unknown,
                ..DestinationSample::default()
            },
        }
    });
    all.collect()
}

fn destination_sample(destination: &Destination, status: &ConnectionStatus) -> DestinationSample {
    let state = match status.state {
        ConnectionState::Disabled if destination.enabled => DestinationState::Waiting,
        ConnectionState::Disabled => DestinationState::Off,
        ConnectionState::Running => DestinationState::Running,
        ConnectionState::Paused => {
            DestinationState::Paused(status.pause.map_or("paused", |pause| pause.label()))
        }
        ConnectionState::Down => DestinationState::Down,
    };
    let ended = status.delivered + status.filtered + status.dead + status.pending;
    DestinationSample {
        id: destination.id.clone(),
        state,
        failure: status.last_failure.map(|failure| failure.label()),
        delivered: status.delivered,
        dead: status.dead,
        pending: status.pending,
        unaccounted: status.accepted.abs_diff(ended),
        behind_percent: status.behind.percent,
        lag_seconds: i64::try_from(status.lag.max(status.behind.age).as_secs()).unwrap_or(i64::MAX),
    }
}

fn audiences(node: &Node, view: &View) -> Vec<AudienceSample> {
    let mut found = Vec::new();
    for space in &view.meta.workspace.spaces {
        let Ok(read) = node.reader().space(&space.id) else { continue };
        for one in read.definitions().filter(|one| one.kind == DefinitionKind::Audience) {
            let live = read.progress(one).and_then(|progress| progress.live.as_ref());
            // While it is computed for everybody, it only grows.
            let Some(live) = live.filter(|live| live.is_announced) else { continue };
            found.push(AudienceSample {
                id: format!("{}/{}", space.id, one.id),
                members: read.member_counts(one).count,
                version: live.since,
            });
        }
    }
    found
}

fn disk(node: &Node) -> Option<DiskSample> {
    let disk = rustix::fs::statvfs(node.folder.root()).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (free_bytes, size_bytes) = (bytes(disk.f_bavail), bytes(disk.f_blocks));
    Some(DiskSample { free_bytes, size_bytes })
}

/// The alarms of identity, of every space. None where one could not be read.
fn health(node: &Node) -> Option<Vec<IdentitySample>> {
    let view = node.view()?;
    let (mut found, mut seen) = (Vec::new(), Vec::new());
    let day = Time::from_micros(view.meta.log_time).day();
    for (space, counts) in view.meta.workspace.spaces.iter().zip(&view.meta.spaces) {
        let mut sample = |kind, count: u64| {
            found.push(IdentitySample { space: space.id.clone(), kind, count });
        };
        let graphs = graphs(node, space)?;
        sample("giant_profile", graphs.iter().map(|(_, graph)| graph.giants).sum());
        sample("shared_identifier", graphs.iter().map(|(_, graph)| graph.shared).sum());
        let named = |(of, graph)| (space.id.clone(), of, day, graph);
        seen.extend(graphs.into_iter().map(named));
        let rates: Vec<Rate> = unusual(&counts.days).into_iter().map(|one| one.rate).collect();
        for (rate, kind) in [
            (Rate::Merges, "merges"),
            (Rate::Violations, "violations"),
            (Rate::Unattached, "unattached"),
        ] {
            sample(kind, u64::from(rates.contains(&rate)));
        }
    }
    node.alerts.graph_days.note(&seen);
    Some(found)
}

/// How large the profiles of each collection are.
fn graphs(node: &Node, space: &Space) -> Option<[(Collection, DayGraph); 2]> {
    let read = node.reader().space(&space.id).ok()?;
    let budget = HealthBudget { shown: SHOWN, ..HealthBudget::default() };
    let cap = space.rules.caps.mappings;
    let look = |collection| {
        let health = read.identity_health(collection, &budget).ok()?;
        Some((collection, DayGraph::of(&health, cap)))
    };
    Some([look(Collection::Users)?, look(Collection::Accounts)?])
}
