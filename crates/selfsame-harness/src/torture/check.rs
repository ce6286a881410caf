//! Reads every user's profile and judges it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};

use super::ledger::Ledger;
use super::model::{DEVICES, Findings};
use super::traffic::lock;
use crate::profile_api::Profiles;

const CONNECTIONS: usize = 8;

/// Looks at all users, under all their ids. `is_final` once everything was acknowledged.
pub(super) async fn all(
    address: SocketAddr,
    ledger: &Arc<Mutex<Ledger>>,
    is_final: bool,
) -> Result<Findings> {
    let (users, expected) = {
        let ledger = lock(ledger);
        (ledger.model.users(), Arc::new(ledger.model.expected()))
    };
    let (next, found) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (next, expected, ledger) =
            (Arc::clone(&next), Arc::clone(&expected), Arc::clone(ledger));
        let found = Arc::clone(&found);
        tasks.push(tokio::spawn(async move {
            let (mut profiles, mut findings) = (Profiles::new(address), Findings::default());
            let nothing = std::collections::BTreeSet::new();
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed);
                if user >= users {
                    return Ok::<_, anyhow::Error>(findings);
                }
                let mut lists = Vec::new();
                for id in ids(&ledger, user) {
                    let list = profiles.message_ids(&id).await?;
                    found.fetch_add(u64::from(list.is_some()), Ordering::Relaxed);
                    lists.push(list.unwrap_or_default());
                }
                let expected = expected.get(&user).unwrap_or(&nothing);
                findings.add(lock(&ledger).model.judge(user, expected, &lists, is_final));
            }
        }));
    }
    let mut all = Findings::default();
    for task in tasks {
        all.add(task.await?.context("reading profiles")?);
    }
    if users > 0 && found.load(Ordering::Relaxed) == 0 {
        bail!("not one profile could be read: is the Profile API served?");
    }
    Ok(all)
}

fn ids(ledger: &Mutex<Ledger>, user: u64) -> Vec<String> {
    let model = &lock(ledger).model;
    let mut ids = vec![format!("user_id:{}", model.user_id(user))];
    ids.extend((0..DEVICES).map(|d| format!("anonymous_id:{}", model.anonymous_id(user, d))));
    ids
}
