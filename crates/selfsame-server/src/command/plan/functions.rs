//! Functions of files, and the functions that files of sources and destinations use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Map, Value};

use super::{from_environment, send};
use crate::client::{Client, part};
use crate::command::resource::{
    DestinationFile, FunctionFile, FunctionUseFile, Resource as _, SourceFile,
};
use crate::control::{FunctionShown, FunctionUseAsked, FunctionUseShown};

/// The members of files that say which function is used, and the paths of these.
const MEMBERS: [(&str, &str, &str); 3] = [
    (SourceFile::WORD, "function", "sources/{id}/function"),
    (DestinationFile::WORD, "function", "destinations/{id}/function"),
    (DestinationFile::WORD, "insert_function", "destinations/{id}/insert-function"),
];

/// A function that a file uses, at a place.
pub(super) struct Used {
    place: &'static str,
    wanted: FunctionUseFile,
}

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

/// Takes the functions out of a change of a source or destination, which are not changed with the rest.
pub(super) fn taken(
    name: &str,
    change: Option<&mut Map<String, Value>>,
) -> anyhow::Result<Vec<Used>> {
    let (Some(change), Some(word)) = (change, name.split(' ').next()) else {
        return Ok(Vec::new());
    };
    let mut used = Vec::new();
    for (_, member, place) in MEMBERS.iter().filter(|(of, ..)| *of == word) {
        let Some(wanted) = change.remove(*member).filter(|one| !one.is_null()) else { continue };
        let wanted = serde_json::from_value(wanted).context("a file's function is lost")?;
        used.push(Used { place, wanted });
    }
    Ok(used)
}

/// Uses the functions of a file that is new.
pub(super) async fn apply_new(
    client: &Client,
    word: &str,
    id: &str,
    wanted: &[(&str, Option<&FunctionUseFile>)],
) -> anyhow::Result<()> {
    for (member, wanted) in wanted {
        let known = MEMBERS.iter().find(|(of, name, _)| *of == word && name == member);
        if let (Some((.., place)), Some(wanted)) = (known, wanted) {
            apply(client, id, &Used { place, wanted: (*wanted).clone() }).await?;
        }
    }
    Ok(())
}

/// Uses a function as a file says.
pub(super) async fn apply(client: &Client, id: &str, used: &Used) -> anyhow::Result<()> {
    let Used { place, wanted } = used;
    let mut settings = wanted.settings.clone();
    for (name, variable) in &wanted.secrets_env {
        let secret = from_environment(Some(variable))?;
        settings.extend(secret.map(|secret| (name.clone(), Value::String(secret))));
    }
    let asked = FunctionUseAsked { function: wanted.function.clone(), settings: Some(settings) };
    let place = place.replace("{id}", &part(id));
    let path = format!("/api/{place}");
    let used: anyhow::Result<FunctionUseShown> = send(client, Method::PUT, &path, &asked).await;
    used.map(|_| ()).with_context(|| format!("function at {place}"))
}
