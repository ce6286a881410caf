//! What is to be done, done.

use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;

use super::{New, Step, environment, functions, identity_keys, oauth, send};
use crate::client::Client;
use crate::command::plan::from_environment;
use crate::command::resource::{Change, DestinationFile, Resource as _, SourceFile};
use crate::command::say;
use crate::control::{
    AlertChannelSet, AlertShown, DefinitionShown, NewSecret, NewSource, NewSpace, SourceShown,
    SpaceShown,
};
use crate::printable::printable;

/// Does one thing.
pub(super) async fn take(client: &Client, step: &Step<'_>) -> anyhow::Result<()> {
    match step {
        Step::Create(new) => create(client, new).await.with_context(|| new.name()),
        Step::Change { name, id, change: Change { method, path, body }, .. } => {
            let mut body = body.clone();
            environment::put_in(&mut body)?;
            let mut members = body.as_object_mut();
            let keys = members.as_deref_mut().map(identity_keys::taken).transpose()?.flatten();
            let oauth = members.as_deref_mut().map(oauth::taken).transpose()?.flatten();
            let used = functions::taken(name, members)?;
            if body.as_object().is_none_or(|body| !body.is_empty()) {
                let sent: anyhow::Result<Value> = send(client, method.clone(), path, &body).await;
                sent.with_context(|| name.clone())?;
            }
            if let Some(keys) = keys {
                identity_keys::apply(client, id, &keys).await.with_context(|| name.clone())?;
            }
            if let Some(oauth) = oauth {
                oauth::apply(client, id, &oauth).await?;
            }
            for used in &used {
                functions::apply(client, id, used).await?;
            }
            Ok(())
        }
        Step::Remove { name, path } => {
            let request = client.request(Method::DELETE, path);
            client.send(request).await.map(|_| ()).with_context(|| name.clone())
        }
    }
}

async fn create(client: &Client, new: &New<'_>) -> anyhow::Result<()> {
    match new {
        New::Space(file) => {
            let new = NewSpace {
                id: Some(file.id.clone()),
                name: file.name.clone(),
                rules: Some(file.rules.clone()),
                indexed_traits: Some(file.indexed_traits.clone()),
            };
            send::<SpaceShown>(client, Method::POST, "/api/spaces", &new).await?;
        }
        New::Source(file) => {
            let new = NewSource {
                id: Some(file.id.clone()),
                name: file.name.clone(),
                space: Some(file.space.clone()),
                strict: Some(file.strict),
                dedupe: Some(file.dedupe),
                kind: Some(file.kind),
                browser_sdk: file.browser_sdk,
                identity_required: Some(file.identity_required),
                write_key: from_environment(file.write_key_env.as_deref())?,
            };
            let made: SourceShown = send(client, Method::POST, "/api/sources", &new).await?;
            if file.write_key_env.is_none() {
                let key = made.write_keys.first().map_or("", |key| &key.key);
                say(&format!("  write key of source {}: {}", file.id, printable(key)))?;
            }
            if let Some(keys) = file.identity_keys.as_ref().filter(|keys| !keys.is_empty()) {
                identity_keys::apply(client, &file.id, keys).await?;
            }
            if let Some(oauth) = file.oauth.as_ref().filter(|oauth| !oauth.is_nothing()) {
                oauth::apply(client, &file.id, oauth).await?;
            }
            let wanted = [("function", file.function.as_ref())];
            functions::apply_new(client, SourceFile::WORD, &file.id, &wanted).await?;
        }
        New::Function(file) => functions::create(client, file).await?,
        New::Destination(file) => {
            let new = environment::new_destination(file)?;
            let made: NewSecret = send(client, Method::POST, "/api/destinations", &new).await?;
            if let (None, Some(secret)) = (&file.secret_env, &made.secret) {
                let secret = printable(secret);
                say(&format!("  secret of destination {}, shown this once: {secret}", file.id))?;
            }
            let wanted = [
                ("function", file.function.as_ref()),
                ("insert_function", file.insert_function.as_ref()),
            ];
            functions::apply_new(client, DestinationFile::WORD, &file.id, &wanted).await?;
        }
        New::AlertChannel(file) => {
            let secrets = environment::named(&file.secrets_env)?;
            let (path, new) = (file.path(), file.wanted(secrets));
            let made: AlertChannelSet = send(client, Method::PUT, &path, &new).await?;
            if let Some(secret) = &made.secret {
                let secret = printable(secret);
                say(&format!("  secret of alert channel {}, shown this once: {secret}", file.id))?;
            }
        }
        New::Alert(file) => {
            send::<AlertShown>(client, Method::PUT, &file.path(), &file.wanted()?).await?;
        }
        New::Audience(_) | New::Trait(_) => {
            if let Some((file, kind)) = new.definition() {
                let (path, new) = (file.path(), file.new_definition(kind));
                send::<DefinitionShown>(client, Method::PUT, &path, &new).await?;
            }
        }
    }
    Ok(())
}
