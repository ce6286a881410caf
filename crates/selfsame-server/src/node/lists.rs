//! A node makes the lists that audiences are at tools.

use std::sync::Arc;
use std::time::Duration;

use selfsame_deliver::Job;
use selfsame_pipeline::workspace::{Change, Definition, Destination};
use serde_json::json;

use super::Node;
use crate::destination::connection_id;
use crate::lists;
use crate::tasks::Tasks;

/// How often it is looked for lists that are missing.
const LOOK: Duration = Duration::from_secs(1);
/// How long an answer is waited for, where the manifest does not say it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Node {
    /// Makes lists that are missing, one after the other.
    pub(super) async fn follow_lists(self: Arc<Self>, tasks: Tasks) -> anyhow::Result<()> {
        loop {
            let making = async {
                tokio::time::sleep(LOOK).await;
                self.make_lists().await;
            };
            tokio::select! {
                () = making => {}
                () = tasks.stopping() => return Ok(()),
            }
        }
    }

    async fn make_lists(&self) {
        let Some(view) = self.view() else { return };
        let manifests = &self.connectors.manifests;
        let missing = lists::missing(&view.meta.workspace, manifests);
        self.connectors.lists.keep(|destination, audience| {
            missing.iter().any(|(one, of)| one.id == destination && of.id == audience)
        });
        let missing: Vec<(Destination, Definition)> =
            missing.into_iter().map(|(one, of)| (one.clone(), of.clone())).collect();
        drop(view);
        for (destination, audience) in missing {
            let now = self.clock.monotonic_micros();
            if !self.connectors.lists.is_due(&destination.id, &audience.id, now) {
                continue;
            }
            if let Err(why) = self.make_list(&destination, &audience).await {
                tracing::warn!(destination = %destination.id, audience = %audience.id, "the list of an audience was not made");
                let now = self.clock.monotonic_micros();
                self.connectors.lists.failed(&destination.id, &audience.id, why, now);
            }
        }
    }

    async fn make_list(
        &self,
        destination: &Destination,
        audience: &Definition,
    ) -> Result<(), String> {
        let Some(tool) = &destination.tool else { return Ok(()) };
        let connector = self.connectors.connector(destination, tool, &self.vault);
        let connector = connector.map_err(|why| why.to_string())?;
        let key = format!("list_{}_{}", connection_id(&destination.id), audience.number);
        let job = Job {
            key: &key,
            outbound: &self.outbound,
            allow_loopback: self.allow_loopback(),
            timeout: PATIENCE,
            clock: &*self.clock,
        };
        let id = format!("aud_{}_{}", audience.space, audience.number);
        let shown = json!({ "id": id, "name": audience.id });
        let list = connector.list_of(&shown, job).await.map_err(|carried| {
            let label = carried.outcome.label();
            if carried.note.is_empty() {
                label.to_owned()
            } else {
                format!("{label}: {}", carried.note)
            }
        })?;
        self.keep_list(&destination.id, &audience.id, list)
            .await
            .map_err(|error| error.to_string())?;
        connector.list_is_kept(job);
        tracing::info!(destination = %destination.id, audience = %audience.id, "an audience has a list");
        Ok(())
    }

    /// Keeps the id of a list with the destination.
    async fn keep_list(
        &self,
        destination: &str,
        audience: &str,
        list: String,
    ) -> anyhow::Result<()> {
        let _turn = self.turn().await;
        let Some(view) = self.view() else { anyhow::bail!("the engine has stopped") };
        let mut destinations = view.meta.workspace.destinations.iter();
        let found = destinations.find(|one| one.id == destination).cloned();
        drop(view);
        let Some(mut destination) = found else { return Ok(()) };
        let Some(tool) = &mut destination.tool else { return Ok(()) };
        tool.audiences.insert(audience.to_owned(), list);
        self.change(&Change::SetDestination(destination)).await?;
        Ok(())
    }
}
