//! The identity keys of a source's file: made and removed one by one, so that a new one is there before an
//! old one goes.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Map, Value};

use super::{from_environment, send};
use crate::client::{Client, part};
use crate::command::resource::{IdentityKeyFile, SourceFile};
use crate::command::say;
use crate::control::{AddedIdentityKey, IdentityKeyShown, NewIdentityKey, Page};
use crate::printable::printable;

/// The member of a source that lists them.
const MEMBER: &str = "identity_keys";

/// What a key checks with stays what it is: tokens name it by its id.
pub(super) fn check(live: &SourceFile, file: &SourceFile) -> anyhow::Result<()> {
    for key in file.identity_keys.iter().flatten() {
        let there = live.identity_keys.iter().flatten().find(|there| there.id == key.id);
        ensure!(
            there.is_none_or(|there| there.public_key == key.public_key),
            "what the identity key {} of source {} checks with cannot change; give the new key another \
             id beside the old one, and take the old one out when its last token has ended",
            printable(&key.id),
            printable(&file.id)
        );
    }
    Ok(())
}

/// Takes the keys out of a change, which are not changed with the rest.
pub(super) fn taken(
    change: &mut Map<String, Value>,
) -> anyhow::Result<Option<Vec<IdentityKeyFile>>> {
    let wanted = change.remove(MEMBER).filter(|wanted| !wanted.is_null());
    wanted.map(serde_json::from_value).transpose().context("a file's identity keys are lost")
}

/// Makes the keys of a source as the file says.
pub(super) async fn apply(
    client: &Client,
    source: &str,
    wanted: &[IdentityKeyFile],
) -> anyhow::Result<()> {
    let path = format!("/api/sources/{}/identity-keys", part(source));
    let live: Page<IdentityKeyShown> = client.get(&path).await?;
    for key in wanted.iter().filter(|key| !live.data.iter().any(|there| there.id == key.id)) {
        let secret = from_environment(key.secret_env.as_deref())?;
        let is_drawn = key.public_key.is_none() && secret.is_none();
        let new =
            NewIdentityKey { id: Some(key.id.clone()), public_key: key.public_key.clone(), secret };
        let added: AddedIdentityKey = send(client, Method::POST, &path, &new)
            .await
            .with_context(|| format!("identity key {}", key.id))?;
        if let Some(secret) = added.secret.filter(|_| is_drawn) {
            let (id, secret) = (printable(&key.id), printable(&secret));
            say(&format!(
                "  secret of identity key {id} of source {source}, shown this once: {secret}"
            ))?;
        }
    }
    for there in live.data.iter().filter(|there| !wanted.iter().any(|key| key.id == there.id)) {
        let path = format!("{path}/{}", part(&there.id));
        let removed = client.send(client.request(Method::DELETE, &path)).await;
        removed.with_context(|| format!("identity key {}", there.id))?;
    }
    Ok(())
}
