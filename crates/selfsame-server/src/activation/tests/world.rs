//! A node at work, with definitions and a receiver.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use selfsame_collect::CollectConfig;
use selfsame_deliver::ConnectionStatus;
use selfsame_event::{Collection, EventsHead, RecordKind};
use selfsame_log::{Item, Log as _, LogRead as _, NewRecord};
use selfsame_pipeline::workspace::{
    Activation, Announce, Change, Definition, DefinitionKind, Destination, Since,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::receiver::Receiver;
use crate::access::Access;
use crate::bootstrap::{FirstNames, first_start};
use crate::destination::connection_id;
use crate::feed::{SpaceFeed, end_of};
use crate::node::{Node, NodeConfig};
use crate::tasks::Tasks;
use crate::tokens::Tokens;

pub(super) const SPACE: &str = "dev";

pub(super) struct World {
    pub(super) node: Arc<Node>,
    folder: TempDir,
    tasks: Tasks,
}

/// Waits until there is something.
pub(super) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    const PATIENCE: Duration = Duration::from_secs(60);
    let waiting = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

pub(super) fn told(destination: &str, send: Announce) -> Activation {
    Activation { destination: destination.to_owned(), send, identifiers: Vec::new() }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_all(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a copy");
        }
    }
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder")).await
    }

    async fn start_in(folder: TempDir) -> Self {
        // The TLS library is set up once in this process; a second call finds it there.
        drop(rustls::crypto::ring::default_provider().install_default());
        let tasks = Tasks::new();
        let config = NodeConfig { allow_loopback: true, ..NodeConfig::default() };
        let node = Node::start(folder.path(), config, &tasks).await.expect("it starts");
        assert!(node.folded(node.shared.configured()).await);
        first_start(&node, &FirstNames::known(SPACE)).await.expect("it is made");
        node.load_configuration();
        Self { node, folder, tasks }
    }

    /// Stops the node and starts it again.
    pub(super) async fn again(self) -> Self {
        Self::start_in(self.stop().await).await
    }

    /// The same, with a copy of what was answered so far.
    pub(super) async fn again_with_a_copy(self, copy: &Path) -> Self {
        let folder = self.stop().await;
        copy_all(&folder.path().join("ledger"), copy);
        Self::start_in(folder).await
    }

    /// The same, but that nothing was written down of answers since that copy was made.
    pub(super) async fn again_as_of(self, copy: &Path) -> Self {
        let folder = self.stop().await;
        let ledger = folder.path().join("ledger");
        std::fs::remove_dir_all(&ledger).expect("it was there");
        copy_all(copy, &ledger);
        Self::start_in(folder).await
    }

    async fn stop(self) -> TempDir {
        let Self { node, folder, tasks } = self;
        tasks.stop();
        tasks.join().await;
        tokio::task::spawn_blocking(move || node.stop()).await.expect("no panic");
        folder
    }

    /// What there is to deliver by now.
    pub(super) fn feed(&self) -> SpaceFeed {
        let node = &self.node;
        let (_, end) = tokio::sync::watch::channel(end_of(&node.shared, 0));
        SpaceFeed {
            space: 0,
            space_id: SPACE.to_owned(),
            log: Arc::clone(&node.log),
            outbox: Arc::clone(&node.outbox),
            found: node.found,
            shared: Arc::clone(&node.shared),
            reader: node.reader(),
            manifests: Arc::clone(&node.connectors.manifests),
            end,
        }
    }

    pub(super) async fn change(&self, change: Change) {
        self.node.change(&change).await.expect("it is taken");
    }

    /// Makes a destination that gets changes only.
    pub(super) async fn destination(&self, id: &str, receiver: &Receiver) {
        let destination = Destination {
            id: id.to_owned(),
            name: format!("The {id}"),
            space: SPACE.to_owned(),
            kind: "webhook".to_owned(),
            tool: None,
            url: receiver.url.clone(),
            secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()],
            events: vec!["alias".to_owned()],
            relaxed: false,
            enabled: true,
            since: Since::default(),
        };
        self.change(Change::SetDestination(destination)).await;
    }

    /// Sets a definition, and waits until it is in force and every profile evaluated.
    pub(super) async fn define(
        &self,
        kind: DefinitionKind,
        id: &str,
        query: &str,
        destinations: Vec<Activation>,
    ) {
        self.define_of(Collection::Users, kind, (id, query), destinations).await;
    }

    /// The same of users or of accounts.
    pub(super) async fn define_of(
        &self,
        collection: Collection,
        kind: DefinitionKind,
        (id, query): (&str, &str),
        destinations: Vec<Activation>,
    ) {
        let (id, query) = (id.to_owned(), query.to_owned());
        let definition = Definition {
            number: 0,
            name: id.clone(),
            id: id.clone(),
            space: SPACE.to_owned(),
            kind,
            collection,
            description: String::new(),
            query,
            filter_by_external_ids: Vec::new(),
            public: false,
            destinations,
        };
        self.change(Change::SetDefinition(definition)).await;
        eventually("the definition to be in force", || {
            let meta = self.node.shared.meta();
            let number = meta.workspace.definition(SPACE, &id)?.number;
            let progress = meta.spaces[0].computing.definitions.get(&number)?;
            let is_done = progress.next.is_none() && progress.announcing.is_none();
            (is_done && progress.live.as_ref()?.is_announced).then_some(())
        })
        .await;
    }

    /// Appends an event as the collector does, and waits until it is folded. Returns its message id.
    pub(super) async fn send(&self, mut event: Value) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("m{}", NEXT.fetch_add(1, Ordering::Relaxed));
        event["messageId"] = json!(id);
        let record = NewRecord {
            id: crate::chance::record_id(),
            kind: RecordKind::Events as u8,
            head: EventsHead::default().encode().into(),
            items: vec![Item::Body(Bytes::from(event.to_string()))],
        };
        let appended = self.node.log.append(record).await.expect("it is taken");
        assert!(self.node.folded(appended.position.next()).await);
        id
    }

    /// What the Control API answers.
    pub(super) async fn get(&self, path: &str) -> Value {
        let tokens = Tokens(Arc::clone(&self.node.shared));
        let access = Access::new(&self.node, &tokens, CollectConfig::default());
        let router = crate::control::router(&self.node, &access, &self.tasks);
        let request = Request::get(path).header("authorization", "Bearer dev");
        let request = request.body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{path} answered {}", answer.status());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        serde_json::from_slice(&body).expect("JSON")
    }

    /// The numbers of a destination.
    pub(super) fn status(&self, destination: &str) -> Option<ConnectionStatus> {
        let (_, handle) = self.node.deliverers().into_iter().next()?;
        let id = connection_id(destination);
        let status = handle.status().into_iter().find(|status| status.id == id)?;
        let ConnectionStatus { accepted, delivered, filtered, dead, pending, .. } = status;
        assert_eq!(accepted, delivered + filtered + dead + pending, "{status:?}");
        Some(status)
    }

    /// Waits until a destination has nothing left to do, and everything that was offered to it is counted.
    pub(super) async fn quiet(&self, destination: &str) -> ConnectionStatus {
        eventually("deliveries to end", || {
            let meta = self.node.shared.meta();
            let all = meta.spaces[0].deliveries();
            let since = meta.workspace.destinations.iter().find(|one| one.id == destination)?.since;
            let status = self.status(destination)?;
            let is_whole = status.accepted == all - since.events;
            (status.pending == 0 && is_whole && meta.next == self.node.log.end().offset)
                .then_some(status)
        })
        .await
    }
}
