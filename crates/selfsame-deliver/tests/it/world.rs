//! A deliverer with everything around it.

use std::sync::Arc;
use std::time::Duration;

use selfsame_deliver::{
    AttemptLimits, AttemptLog, Connection, ConnectionId, ConnectionStatus, DeliverConfig,
    DeliverError, Deliverer, DelivererHandle, Ledger, MemoryLedger, Outbound, OutboundConfig,
    Parts, Resolver, Secret, SeededRandom, Start, SystemResolver,
};
use selfsame_event::SystemClock;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::feed::MemoryFeed;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn outbound(resolver: Arc<dyn Resolver>) -> Outbound {
    // Another test may have been first; one provider is as good as the other.
    rustls::crypto::ring::default_provider().install_default().ok();
    Outbound::new(OutboundConfig::default(), resolver).expect("a client")
}

pub(crate) fn connection(number: u8, url: String) -> Connection {
    let secret = Secret::parse(SECRET).expect("valid");
    let connection = Connection::new(ConnectionId([number; 16]), url, secret);
    let start = Start::At(selfsame_deliver::FeedEnd::default());
    Connection { allow_loopback: true, start, ..connection }
}

pub(crate) struct World {
    pub(crate) handle: DelivererHandle,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), DeliverError>>,
}

impl World {
    pub(crate) fn start(feed: &Arc<MemoryFeed>, ledger: Arc<dyn Ledger>) -> Self {
        Self::with(feed, ledger, DeliverConfig::default())
    }

    pub(crate) fn with(
        feed: &Arc<MemoryFeed>,
        ledger: Arc<dyn Ledger>,
        config: DeliverConfig,
    ) -> Self {
        let parts = Parts {
            feed: Arc::clone(feed) as Arc<dyn selfsame_deliver::Feed>,
            ledger,
            attempts: Arc::new(AttemptLog::in_memory(AttemptLimits::default())),
            outbound: outbound(Arc::new(SystemResolver)),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SeededRandom::new(1)),
        };
        let deliverer = Deliverer::new(config, parts);
        let handle = deliverer.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(deliverer.run(async move {
            stopped.await.ok();
        }));
        Self { handle, stop, running }
    }

    pub(crate) fn status(&self, number: u8) -> Option<ConnectionStatus> {
        let id = ConnectionId([number; 16]);
        let status = self.handle.status().into_iter().find(|status| status.id == id)?;
        assert_eq!(status.accepted, status.accounted(), "{status:?}");
        let by_reason: u64 = status.filtered_by().map(|(_, units)| units).sum();
        assert_eq!(status.filtered, by_reason, "{status:?}");
        Some(status)
    }

    /// Waits until a connection's numbers are so.
    pub(crate) async fn until(
        &self,
        number: u8,
        condition: impl Fn(&ConnectionStatus) -> bool,
    ) -> ConnectionStatus {
        let mut changes = self.handle.subscribe();
        let waiting = async {
            loop {
                if let Some(status) = self.status(number).filter(&condition) {
                    return status;
                }
                changes.changed().await.expect("the deliverer is there");
            }
        };
        let last = || format!("last seen: {:?}", self.status(number));
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{}", last()))
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("it runs");
        timeout(PATIENCE, self.running)
            .await
            .expect("it stops")
            .expect("no panic")
            .expect("no error");
    }
}

pub(crate) fn ledger() -> Arc<MemoryLedger> {
    Arc::default()
}
