//! The identity keys of a source: what checks the tokens that its senders prove themselves with.

use selfsame_collect::TokenKey;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{IdentityKey, KeyText, Source, TokenAlgorithm};

use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::sources::{SourceShown, find, set};
use crate::chance;
use crate::vault::{Purpose, Vault};

/// Most keys of a source. Two are needed while one takes the place of another.
const MOST: usize = 8;
const SECRET_LENGTH: usize = 43;
const ID_LENGTH: usize = 64;
/// Longest text of a public key or a secret.
const KEY_LENGTH: usize = 2_000;

shape! {
    /// A key that checks identity tokens.
    pub(crate) struct IdentityKeyShown {
        /// The id: the `kid` of tokens.
        id: String,
        /// By which algorithm tokens are signed.
        algorithm: TokenAlgorithm,
        /// The public key of ES256.
        public_key: Option<String>,
        /// The last four characters of the secret of HS256; null where it is locked.
        secret_ends: Option<String>,
        /// Whether the secret is sealed with a key that the server does not have. Then tokens that it signed
        /// prove nothing.
        locked: bool,
    }

    /// A key to be added.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewIdentityKey {
        /// The id: the `kid` of tokens; `k1`, `k2` and so on where it is not given.
        id: Option<String>,
        /// The public key of ES256, as PEM or JWK. Without it the key is a secret of HS256.
        public_key: Option<String>,
        /// The secret of HS256, at least 32 bytes; drawn where it is not given.
        secret: Option<String>,
    }

    /// The key that was added.
    pub(crate) struct AddedIdentityKey {
        /// The id: the `kid` of tokens.
        id: String,
        /// The secret of HS256, shown this once; null for a public key.
        secret: Option<String>,
        /// Its source.
        source: SourceShown,
    }
}

pub(super) fn shown(vault: &Vault, source: &str, key: &IdentityKey) -> IdentityKeyShown {
    let IdentityKey { id, algorithm, .. } = key;
    let opened = vault.identity_key(source, key).ok();
    let (public_key, secret_ends) = match (algorithm, &opened) {
        (_, None) => (None, None),
        (TokenAlgorithm::Es256, Some(text)) => (Some(text.clone()), None),
        (TokenAlgorithm::Hs256, Some(text)) => {
            let from = text.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
            (None, text.get(from..).map(str::to_owned))
        }
    };
    let locked = opened.is_none();
    IdentityKeyShown { id: id.clone(), algorithm: *algorithm, public_key, secret_ends, locked }
}

/// What checks tokens with a key, whose text is opened; an error is about what the key is.
pub(crate) fn checker(
    key: &IdentityKey,
    text: &str,
) -> Result<TokenKey, selfsame_collect::TokenKeyError> {
    match key.algorithm {
        TokenAlgorithm::Hs256 => TokenKey::hs256(&key.id, text),
        TokenAlgorithm::Es256 => TokenKey::es256(&key.id, text),
    }
}

/// `GET /api/sources/{id}/identity-keys`
pub(crate) async fn list(
    control: Control,
    asked: Asked,
) -> Result<Page<IdentityKeyShown>, Problem> {
    let view = control.view()?;
    let source = find(&view, asked.id())?;
    let vault = &control.node.vault;
    let keys = source.identity.keys.iter().map(|key| shown(vault, &source.id, key));
    Ok(keys.collect::<Vec<_>>().into())
}

/// `POST /api/sources/{id}/identity-keys`
pub(crate) async fn add(
    control: Control,
    asked: Asked,
    new: NewIdentityKey,
) -> Result<AddedIdentityKey, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    let id = choose(&source, new.id)?;
    let (algorithm, text, field) = match (new.public_key, new.secret) {
        (Some(_), Some(_)) => {
            let message = "`secret` and `public_key` do not go together: a key is one of the two.";
            return Err(Problem::field("secret", message));
        }
        (Some(key), None) => (TokenAlgorithm::Es256, key.trim().to_owned(), "public_key"),
        (None, Some(secret)) => (TokenAlgorithm::Hs256, secret, "secret"),
        (None, None) => (TokenAlgorithm::Hs256, chance::token("sfi_", SECRET_LENGTH), "secret"),
    };
    if text.len() > KEY_LENGTH {
        let message = format!("`{field}` has at most {KEY_LENGTH} bytes.");
        return Err(Problem::field(field, message));
    }
    let mut key = IdentityKey { id: id.clone(), algorithm, key: KeyText(String::new()) };
    checker(&key, &text).map_err(|error| Problem::field(field, format!("`{field}`: {error}.")))?;
    let secret = (algorithm == TokenAlgorithm::Hs256).then(|| text.clone());
    key.key = KeyText(match secret {
        Some(_) => control.node.vault.seal(Purpose::IdentityKey(&source.id, &id), &text)?,
        None => text,
    });
    source.identity.keys.push(key);
    Ok(AddedIdentityKey { id, secret, source: set(&control, source).await? })
}

/// `DELETE /api/sources/{id}/identity-keys/{key}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<SourceShown, Problem> {
    let _turn = control.turn().await;
    let view: View = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    let before = source.identity.keys.len();
    source.identity.keys.retain(|key| key.id != asked.part("key"));
    if source.identity.keys.len() == before {
        return Err(Problem::missing("identity key", asked.part("key")));
    }
    set(&control, source).await
}

fn choose(source: &Source, asked: Option<String>) -> Result<String, Problem> {
    let keys = &source.identity.keys;
    if keys.len() >= MOST {
        let message =
            format!("A source has at most {MOST} identity keys; remove an old one first.");
        return Err(Problem::new(Code::Conflict, message));
    }
    let is_taken = |id: &str| keys.iter().any(|key| key.id == id);
    let Some(id) = asked else {
        let mut free = (1..).map(|number: u32| format!("k{number}")).filter(|id| !is_taken(id));
        return Ok(free.next().expect("there are more numbers than keys"));
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if id.is_empty() || id.len() > ID_LENGTH || !id.bytes().all(is_plain) {
        let message = "`id` has 1 to 64 ASCII letters, digits, `_`, `-` and `.`.";
        return Err(Problem::field("id", message));
    }
    if is_taken(&id) {
        return Err(Problem::new(Code::Taken, "The source has a key of that id.").at("id"));
    }
    Ok(id)
}
