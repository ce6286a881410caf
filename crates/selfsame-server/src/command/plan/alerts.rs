//! Alerts of the server: those by default are there without a file, and cannot be removed.

use super::{Live, Steps, name_of};
use crate::client::Client;
use crate::command::resource::{AlertFile, Files, Resource as _, Tree};
use crate::control::{AlertShown, Page};

/// The alerts of the server.
pub(super) struct LiveAlerts {
    pub(super) files: Vec<AlertFile>,
    /// The ids of those by default that nobody changed.
    untouched: Vec<String>,
}

impl LiveAlerts {
    pub(super) async fn read(client: &Client) -> anyhow::Result<Self> {
        let page: Page<AlertShown> = client.get("/api/alerts").await?;
        let untouched = page.data.iter().filter(|one| one.origin == "default");
        let untouched = untouched.map(|one| one.id.clone()).collect();
        let files = page.data.into_iter().map(AlertFile::try_from).collect::<Result<_, _>>()?;
        Ok(Self { files, untouched })
    }

    /// Those to be written into files: of those by default only what somebody changed or has in a file, so that a
    /// later version can better the others.
    pub(super) fn exported(&self, known: &Files<AlertFile>) -> Vec<AlertFile> {
        let is_own =
            |one: &&AlertFile| known.contains_key(&one.key()) || !self.untouched.contains(&one.id);
        self.files.iter().filter(is_own).cloned().collect()
    }
}

/// Removes alerts that are in no file, so that changed ones are as by default, then channels.
pub(super) fn remove(all: &mut Steps<'_>, tree: &Tree, live: &Live, prune: bool) {
    for alert in &live.alerts.files {
        if !tree.alerts.contains_key(&alert.id) && !live.alerts.untouched.contains(&alert.id) {
            all.remove(name_of(alert), alert.path(), prune);
        }
    }
    for channel in &live.channels {
        if !tree.channels.contains_key(&channel.id) {
            all.remove(name_of(channel), channel.path(), prune);
        }
    }
}
