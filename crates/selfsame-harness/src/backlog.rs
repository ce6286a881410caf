//! How far folding is behind acknowledging, and holding a load to a limit of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::scrape::{Scrape, State};

/// How often the server is asked.
const POLL: Duration = Duration::from_millis(100);

/// Follows what a server has folded.
#[derive(Debug)]
pub(crate) struct Follower {
    folded: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<Point>>,
}

/// So many events were folded at that time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) at: Instant,
    pub(crate) state: State,
}

impl Follower {
    pub(crate) fn start(address: SocketAddr) -> Self {
        Self::start_behind(address, 0)
    }

    /// Follows a server that has folded so many events before.
    pub(crate) fn start_behind(address: SocketAddr, before: u64) -> Self {
        let (folded, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (shared, ended) = (Arc::clone(&folded), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let (mut scrape, mut points) = (Scrape::new(address), Vec::new());
            while !ended.load(Ordering::Relaxed) {
                // A server that is too busy to answer is asked again.
                if let Ok(state) = scrape.state().await {
                    shared.store(state.events.saturating_sub(before), Ordering::Relaxed);
                    points.push(Point { at: Instant::now(), state });
                }
                sleep(POLL).await;
            }
            points
        });
        Self { folded, stop, task }
    }

    /// The number of events folded, as last heard.
    pub(crate) fn folded(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.folded)
    }

    /// All that was heard.
    pub(crate) async fn stop(self) -> Vec<Point> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap_or_default()
    }
}

/// When that many events were folded, between the two points around it.
pub(crate) fn crossing(points: &[Point], events: u64) -> Option<Instant> {
    let after = points.iter().position(|point| point.state.events >= events)?;
    let (high, low) = (points.get(after)?, points.get(after.checked_sub(1)?)?);
    let span = high.at - low.at;
    let (part, whole) = (events - low.state.events, high.state.events - low.state.events);
    Some(low.at + span.mul_f64(part as f64 / whole.max(1) as f64))
}
