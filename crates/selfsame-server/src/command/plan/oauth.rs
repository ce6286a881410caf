//! The OAuth clients of a source's file: all of them at once.

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Map, Value};

use super::send;
use crate::client::{Client, part};
use crate::command::resource::OAuthFile;
use crate::control::OAuthShown;

/// The member of a source that has them.
const MEMBER: &str = "oauth";

/// Takes the clients out of a change, which are not changed with the rest.
pub(super) fn taken(change: &mut Map<String, Value>) -> anyhow::Result<Option<OAuthFile>> {
    let wanted = change.remove(MEMBER).filter(|wanted| !wanted.is_null());
    wanted.map(serde_json::from_value).transpose().context("a file's OAuth clients are lost")
}

/// Makes the clients of a source as the file says.
pub(super) async fn apply(client: &Client, source: &str, wanted: &OAuthFile) -> anyhow::Result<()> {
    let path = format!("/api/sources/{}/oauth", part(source));
    let told: anyhow::Result<OAuthShown> = send(client, Method::PUT, &path, &wanted.change()).await;
    told.map(|_| ()).with_context(|| format!("OAuth clients of source {source}"))
}
