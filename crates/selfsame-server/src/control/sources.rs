//! Sources and their write keys.

use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{
    BrowserSdk, Change, DedupeScope, Identity, Source, SourceKind, WriteKey,
};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::function_uses::{self, FunctionUseShown};
use super::identity_keys::{self, IdentityKeyShown};
use super::oauth::{self, OAuthShown};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use crate::chance;
use crate::vault::Vault;

const KEY_LENGTH: usize = 32;

shape! {
    /// Where events come from.
    pub(crate) struct SourceShown {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
        /// The space that its events feed.
        space: String,
        /// Whether one invalid event on its own is answered 400.
        strict: bool,
        /// Among which events a message id is unique.
        dedupe: DedupeScope,
        /// Who sends to it: the address of a connection becomes `context.ip` only of browsers and
        /// phones. With `any` the route decides.
        kind: SourceKind,
        /// Which script `/analytics.js/v1/{key}/analytics.min.js` is: ours, or Segment's.
        browser_sdk: BrowserSdk,
        /// The keys that its senders use. Keys of browsers are public, so they are shown.
        write_keys: Vec<WriteKeyShown>,
        /// The keys that check identity tokens. While a source of a space has one, the space guards
        /// its people against claims that nothing proves.
        identity_keys: Vec<IdentityKeyShown>,
        /// Whether a user id needs a proof: an identity token, or a device that a verified event named.
        identity_required: bool,
        /// Its OAuth clients, and whether events need a token of one of them.
        oauth: OAuthShown,
        /// The function that makes events of requests to it; null where there is none.
        function: Option<FunctionUseShown>,
        /// Events accepted, duplicates not counted.
        events: u64,
        /// Events that were there before.
        duplicates: u64,
        /// Events whose id was there before with other content.
        changed: u64,
        /// Events set aside.
        rejected: u64,
    }

    /// A write key.
    pub(crate) struct WriteKeyShown {
        /// The key.
        key: String,
        /// Whether it is no longer accepted.
        revoked: bool,
    }

    /// A source to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewSource {
        /// The id; made from the name where it is not given.
        id: Option<String>,
        /// The name for people.
        name: String,
        /// The space; may be left out while there is one only.
        space: Option<String>,
        /// Whether one invalid event on its own is answered 400.
        strict: Option<bool>,
        /// Among which events a message id is unique.
        dedupe: Option<DedupeScope>,
        /// Who sends to it.
        kind: Option<SourceKind>,
        /// Which script browsers get; ours where it is not given.
        browser_sdk: Option<BrowserSdk>,
        /// The first write key; drawn where it is not given.
        write_key: Option<String>,
        /// Whether a user id needs a proof, once the space guards its people.
        identity_required: Option<bool>,
    }

    /// What is to change; what is not given stays.
    #[serde(deny_unknown_fields)]
    pub(crate) struct SourceChange {
        /// The name for people.
        name: Option<String>,
        /// The space that its events feed from now on.
        space: Option<String>,
        /// Whether one invalid event on its own is answered 400.
        strict: Option<bool>,
        /// Among which events a message id is unique.
        dedupe: Option<DedupeScope>,
        /// Who sends to it.
        kind: Option<SourceKind>,
        /// Which script browsers get.
        browser_sdk: Option<BrowserSdk>,
        /// Whether a user id needs a proof, once the space guards its people.
        identity_required: Option<bool>,
    }

    /// A write key to be added.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewWriteKey {
        /// The key; drawn where it is not given.
        key: Option<String>,
    }

    /// The write key that was added.
    pub(crate) struct AddedWriteKey {
        /// The key.
        key: String,
        /// Its source.
        source: SourceShown,
    }

    /// A rotation of write keys.
    #[serde(deny_unknown_fields)]
    pub(crate) struct Rotation {
        /// Whether to end it: all keys but the newest are revoked. Otherwise a key is added.
        finish: Option<bool>,
    }
}

fn shown(vault: &Vault, view: &View, source: &Source) -> SourceShown {
    let slot = usize::try_from(source.number).unwrap_or(usize::MAX);
    let counts = view.meta.sources.get(slot).cloned().unwrap_or_default();
    let keys = source.identity.keys.iter();
    let keys = keys.map(|key| identity_keys::shown(vault, &source.id, key));
    let key = |key: &WriteKey| WriteKeyShown { key: key.key.clone(), revoked: key.revoked };
    SourceShown {
        id: source.id.clone(),
        name: source.name.clone(),
        space: source.space.clone(),
        strict: source.strict,
        dedupe: source.dedupe,
        kind: source.kind,
        browser_sdk: source.browser_sdk,
        write_keys: source.write_keys.iter().map(key).collect(),
        identity_keys: keys.collect(),
        identity_required: source.identity.required,
        oauth: oauth::shown(source),
        function: function_uses::shown_of_source(view, &source.id),
        events: counts.events,
        duplicates: counts.duplicates,
        changed: counts.changed,
        rejected: counts.rejected.values().sum(),
    }
}

pub(super) fn find<'v>(view: &'v View, id: &str) -> Result<&'v Source, Problem> {
    let found = view.meta.workspace.source_named(id);
    found.ok_or_else(|| Problem::missing("source", id))
}

/// `GET /api/sources`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<SourceShown>, Problem> {
    let view = control.view()?;
    let sources =
        view.meta.workspace.sources.iter().map(|source| shown(&control.node.vault, &view, source));
    Ok(sources.collect::<Vec<_>>().into())
}

/// `GET /api/sources/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<SourceShown, Problem> {
    let view = control.view()?;
    Ok(shown(&control.node.vault, &view, find(&view, asked.id())?))
}

/// `POST /api/sources`
pub(crate) async fn create(
    control: Control,
    _: Asked,
    new: NewSource,
) -> Result<SourceShown, Problem> {
    check_name(&new.name)?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    let id = choose_id(new.id, &new.name, |id| workspace.source_named(id).is_some())?;
    let space = match (new.space, workspace.spaces.as_slice()) {
        (Some(space), _) => space,
        (None, [only]) => only.id.clone(),
        (None, _) => return Err(Problem::field("space", "`space` is needed: there are several.")),
    };
    check_space(&view, &space)?;
    let key = new_key(&view, new.write_key, "write_key")?;
    let source = Source {
        number: 0,
        id: id.clone(),
        name: new.name,
        space,
        write_keys: vec![WriteKey { key, revoked: false }],
        strict: new.strict.unwrap_or(false),
        dedupe: new.dedupe.unwrap_or_default(),
        kind: new.kind.unwrap_or_default(),
        browser_sdk: new.browser_sdk.unwrap_or(BrowserSdk::Selfsame),
        identity: Identity {
            required: new.identity_required.unwrap_or(false),
            ..Identity::default()
        },
    };
    set(&control, source).await
}

/// `PATCH /api/sources/{id}`
pub(crate) async fn update(
    control: Control,
    asked: Asked,
    change: SourceChange,
) -> Result<SourceShown, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        source.name = name;
    }
    if let Some(space) = change.space {
        check_space(&view, &space)?;
        source.space = space;
    }
    source.strict = change.strict.unwrap_or(source.strict);
    source.dedupe = change.dedupe.unwrap_or(source.dedupe);
    source.kind = change.kind.unwrap_or(source.kind);
    source.browser_sdk = change.browser_sdk.unwrap_or(source.browser_sdk);
    let required = &mut source.identity.required;
    *required = change.identity_required.unwrap_or(*required);
    set(&control, source).await
}

/// `POST /api/sources/{id}/write-keys`
pub(crate) async fn add_key(
    control: Control,
    asked: Asked,
    new: NewWriteKey,
) -> Result<AddedWriteKey, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    let key = new_key(&view, new.key, "key")?;
    source.write_keys.push(WriteKey { key: key.clone(), revoked: false });
    Ok(AddedWriteKey { key, source: set(&control, source).await? })
}

/// `POST /api/sources/{id}/write-keys/rotate`
pub(crate) async fn rotate(
    control: Control,
    asked: Asked,
    rotation: Rotation,
) -> Result<SourceShown, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    if rotation.finish == Some(true) {
        let mut live =
            source.write_keys.iter_mut().rev().filter(|key| !key.revoked).skip(1).peekable();
        if live.peek().is_none() {
            return Err(Problem::new(Code::Conflict, "There is no older key to revoke."));
        }
        live.for_each(|key| key.revoked = true);
    } else {
        let key = new_key(&view, None, "key")?;
        source.write_keys.push(WriteKey { key, revoked: false });
    }
    set(&control, source).await
}

/// `DELETE /api/sources/{id}/write-keys/{key}`
pub(crate) async fn revoke_key(control: Control, asked: Asked) -> Result<SourceShown, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    let found = source.write_keys.iter_mut().find(|key| key.key == asked.part("key"));
    let key = found.ok_or_else(|| Problem::missing("write key", asked.part("key")))?;
    if key.revoked {
        return Ok(shown(&control.node.vault, &view, &source));
    }
    key.revoked = true;
    set(&control, source).await
}

pub(super) async fn set(control: &Control, source: Source) -> Result<SourceShown, Problem> {
    let id = source.id.clone();
    let view = control.change(&Change::SetSource(source)).await?;
    Ok(shown(&control.node.vault, &view, find(&view, &id)?))
}

pub(super) fn check_space(view: &View, space: &str) -> Result<(), Problem> {
    match view.meta.workspace.space(space) {
        Some(_) => Ok(()),
        None => Err(Problem::field("space", format!("`space`: there is no space `{space}`."))),
    }
}

fn new_key(view: &View, asked: Option<String>, field: &'static str) -> Result<String, Problem> {
    let Some(key) = asked else { return Ok(chance::token("", KEY_LENGTH)) };
    let fits = (8..=100).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !fits {
        let message = format!("`{field}` has 8 to 100 ASCII letters, digits, `_` and `-`.");
        return Err(Problem::field(field, message));
    }
    match view.meta.workspace.by_key(&key) {
        Some(_) => Err(Problem::new(Code::Taken, "The write key is in use, or was.").at(field)),
        None => Ok(key),
    }
}
