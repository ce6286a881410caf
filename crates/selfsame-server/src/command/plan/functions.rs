//! Functions of files, and the function that a source's file uses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Map, Value};

use super::{from_environment, send};
use crate::client::{Client, part};
use crate::command::resource::{FunctionFile, FunctionUseFile, Resource as _, SourceFile};
use crate::control::{FunctionShown, FunctionUseAsked, FunctionUseShown};

/// The member of a source that says which one it uses.
const MEMBER: &str = "function";

/// Of which kind a function is, stays so.
pub(super) fn check(
    live: &[FunctionFile],
    files: &BTreeMap<String, (PathBuf, FunctionFile)>,
) -> anyhow::Result<()> {
    for (path, file) in files.values() {
        let there = live.iter().find(|there| there.id == file.id);
        ensure!(
            there.is_none_or(|there| there.kind == file.kind),
            "{}: the kind of a function cannot change; give it another id",
            path.display()
        );
    }
    Ok(())
}

pub(super) async fn create(client: &Client, file: &FunctionFile) -> anyhow::Result<()> {
    let new = file.new_function();
    send::<FunctionShown>(client, Method::POST, "/api/functions", &new).await?;
    Ok(())
}

/// Takes the function out of a change of a source, which is not changed with the rest.
pub(super) fn taken(
    name: &str,
    change: Option<&mut Map<String, Value>>,
) -> anyhow::Result<Option<FunctionUseFile>> {
    let change = change.filter(|_| name.split(' ').next() == Some(SourceFile::WORD));
    let wanted = change.and_then(|change| change.remove(MEMBER)).filter(|one| !one.is_null());
    wanted.map(serde_json::from_value).transpose().context("a file's function is lost")
}

/// Uses a function for a source as its file says.
pub(super) async fn apply(
    client: &Client,
    source: &str,
    wanted: &FunctionUseFile,
) -> anyhow::Result<()> {
    let mut settings = wanted.settings.clone();
    for (name, variable) in &wanted.secrets_env {
        let secret = from_environment(Some(variable))?;
        settings.extend(secret.map(|secret| (name.clone(), Value::String(secret))));
    }
    let asked = FunctionUseAsked { function: wanted.function.clone(), settings: Some(settings) };
    let path = format!("/api/sources/{}/function", part(source));
    let used: anyhow::Result<FunctionUseShown> = send(client, Method::PUT, &path, &asked).await;
    used.map(|_| ()).with_context(|| format!("function of source {source}"))
}
