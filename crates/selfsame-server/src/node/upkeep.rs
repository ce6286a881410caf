//! What a node does for the connectors of its destinations: it keeps tokens that they fetched, and looks
//! whether manifests have changed.

use std::sync::Arc;
use std::time::Duration;

use selfsame_pipeline::workspace::Change;
use serde_json::Value;
use tokio::sync::{MutexGuard, mpsc};

use super::Node;
use crate::connectors::{Fetched, opened};
use crate::tasks::Tasks;
use crate::vault::Purpose;

/// How often the folder of manifests is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl Node {
    /// Whoever reads the configuration in order to change it waits here for the others.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Seals tokens that were fetched, where the ones before are worth nothing any more.
    pub(super) async fn keep_tokens(
        self: Arc<Self>,
        mut fetched: mpsc::Receiver<Fetched>,
        tasks: Tasks,
    ) -> anyhow::Result<()> {
        loop {
            let Fetched { destination, auth } = tokio::select! {
                one = fetched.recv() => match one {
                    Some(one) => one,
                    None => return Ok(()),
                },
                () = tasks.stopping() => return Ok(()),
            };
            if let Err(error) = self.keep(&destination, auth).await {
                tracing::error!(%destination, %error, "tokens that were fetched are in memory only");
            }
        }
    }

    /// Seals the tokens of a destination.
    pub(crate) async fn keep(&self, id: &str, auth: Value) -> anyhow::Result<()> {
        let _turn = self.turn().await;
        let Some(view) = self.view() else { return Ok(()) };
        let found = view.meta.workspace.destinations.iter().find(|one| one.id == id).cloned();
        drop(view);
        let Some(mut destination) = found else { return Ok(()) };
        let Some(tool) = &mut destination.tool else { return Ok(()) };
        let mut secrets = opened(&self.vault, id, tool)?;
        let Value::Object(auth) = auth else { return Ok(()) };
        secrets.auth = auth;
        tool.sealed = self.vault.seal(Purpose::Tool(id), &secrets.text())?;
        self.change(&Change::SetDestination(destination)).await?;
        Ok(())
    }

    /// Takes up manifests that have changed.
    pub(super) async fn follow_manifests(self: Arc<Self>, tasks: Tasks) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = tasks.stopping() => return Ok(()),
            }
            let node = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || node.connectors.manifests.look()).await? {
                self.load_configuration();
            }
        }
    }
}
