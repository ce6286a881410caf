//! The OAuth clients of a source.

use selfsame_collect::oauth::ClientKey;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{OAuthClient, OAuthKey, Source};

use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use super::shape::shape;
use super::sources::{find, set};
use crate::chance;

/// Most clients of a source.
const MOST_CLIENTS: usize = 20;
/// Most keys of a client. Two are needed while one takes the place of another.
const MOST_KEYS: usize = 2;
const KEY_LENGTH: usize = 4_000;
const ID_LENGTH: usize = 64;
const DAY: u64 = 86_400;
/// How long a token may be good for.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=30 * DAY;

shape! {
    /// The OAuth of a source: clients that get tokens at `POST /oauth2/token`.
    pub(crate) struct OAuthShown {
        /// Whether a request without a token of one of these clients is refused.
        required: bool,
        /// The clients.
        clients: Vec<OAuthClientShown>,
    }

    /// A client.
    pub(crate) struct OAuthClientShown {
        /// Its id: the `sub` of its assertions.
        id: String,
        /// How long its tokens are good for.
        token_seconds: u64,
        /// Its public keys.
        keys: Vec<OAuthKeyShown>,
    }

    /// A public key of a client.
    pub(crate) struct OAuthKeyShown {
        /// Its id: the `kid` of assertions.
        id: String,
        /// By which algorithm it signs: RS256 or ES256.
        algorithm: String,
        /// Its text.
        public_key: String,
    }

    /// Whether tokens are needed, and who gets them.
    #[serde(deny_unknown_fields)]
    pub(crate) struct OAuthChange {
        /// Whether a request without a token of one of the clients is refused.
        required: bool,
        /// All of its clients; where it is not given, they stay.
        clients: Option<Vec<OAuthClientGiven>>,
    }

    /// A client of a source, whole.
    #[serde(deny_unknown_fields)]
    pub(crate) struct OAuthClientGiven {
        /// Its id: the `sub` of its assertions.
        id: String,
        /// How long its tokens are good for, from a minute to 30 days; a day where it is not given.
        token_seconds: Option<u64>,
        /// Its public keys, one or two.
        keys: Vec<OAuthKeyGiven>,
    }

    /// A public key of a client.
    #[serde(deny_unknown_fields)]
    pub(crate) struct OAuthKeyGiven {
        /// Its id: the `kid` of assertions.
        id: String,
        /// The key: RSA of 2,048 bits or more, or P-256; PEM or JWK.
        public_key: String,
    }

    /// A client to be added.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewOAuthClient {
        /// Its id; drawn where it is not given.
        id: Option<String>,
        /// Its public key: RSA of 2,048 bits or more, or P-256; PEM or JWK.
        public_key: String,
        /// The id of the key: the `kid` of assertions; `k1` where it is not given.
        key_id: Option<String>,
        /// How long its tokens are good for, from a minute to 30 days; a day where it is not given.
        token_seconds: Option<u64>,
    }

    /// A key to be added to a client.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewOAuthKey {
        /// The id: the `kid` of assertions; `k1` or `k2` where it is not given.
        id: Option<String>,
        /// The public key: RSA of 2,048 bits or more, or P-256; PEM or JWK.
        public_key: String,
    }

    /// The client that was added.
    pub(crate) struct AddedOAuthClient {
        /// Its id.
        id: String,
        /// The OAuth of its source.
        oauth: OAuthShown,
    }
}

pub(super) fn shown(source: &Source) -> OAuthShown {
    let key = |key: &OAuthKey| OAuthKeyShown {
        id: key.id.clone(),
        algorithm: ClientKey::read(&key.id, &key.public_key)
            .map_or("", |key| key.algorithm())
            .to_owned(),
        public_key: key.public_key.clone(),
    };
    let client = |client: &OAuthClient| OAuthClientShown {
        id: client.id.clone(),
        token_seconds: client.token_seconds,
        keys: client.keys.iter().map(key).collect(),
    };
    let oauth = &source.identity.oauth;
    OAuthShown { required: oauth.required, clients: oauth.clients.iter().map(client).collect() }
}

impl From<OAuthShown> for OAuthChange {
    fn from(shown: OAuthShown) -> Self {
        let key = |key: OAuthKeyShown| OAuthKeyGiven {
            id: key.id,
            public_key: key.public_key.trim().to_owned(),
        };
        let client = |client: OAuthClientShown| OAuthClientGiven {
            id: client.id,
            token_seconds: Some(client.token_seconds),
            keys: client.keys.into_iter().map(key).collect(),
        };
        let clients = Some(shown.clients.into_iter().map(client).collect());
        Self { required: shown.required, clients }
    }
}

async fn stored(control: &Control, source: Source) -> Result<OAuthShown, Problem> {
    let id = source.id.clone();
    set(control, source).await?;
    Ok(shown(find(&control.view()?, &id)?))
}

/// `GET /api/sources/{id}/oauth`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<OAuthShown, Problem> {
    let view = control.view()?;
    Ok(shown(find(&view, asked.id())?))
}

/// `PUT /api/sources/{id}/oauth`
pub(crate) async fn change(
    control: Control,
    asked: Asked,
    change: OAuthChange,
) -> Result<OAuthShown, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    if let Some(clients) = change.clients {
        source.identity.oauth.clients = given(&view, &source.id, clients)?;
    }
    if change.required && source.identity.oauth.clients.is_empty() {
        let message = "Nobody could send: add a client first.";
        return Err(Problem::new(Code::Conflict, message).at("required"));
    }
    source.identity.oauth.required = change.required;
    stored(&control, source).await
}

/// `POST /api/sources/{id}/oauth/clients`
pub(crate) async fn add(
    control: Control,
    asked: Asked,
    new: NewOAuthClient,
) -> Result<AddedOAuthClient, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let mut source = find(&view, asked.id())?.clone();
    let clients = &mut source.identity.oauth.clients;
    if clients.len() >= MOST_CLIENTS {
        let message = format!("A source has at most {MOST_CLIENTS} clients; remove one first.");
        return Err(Problem::new(Code::Conflict, message));
    }
    let token_seconds = lifetime(new.token_seconds)?;
    let id = new.id.unwrap_or_else(|| chance::token("sfc_", 24));
    check_id(&id, "id")?;
    if is_client(&view, &id, None) {
        return Err(Problem::new(Code::Taken, "The workspace has a client of that id.").at("id"));
    }
    let key = key(new.key_id.unwrap_or_else(|| "k1".to_owned()), &new.public_key, "key_id")?;
    clients.push(OAuthClient { id: id.clone(), token_seconds, keys: vec![key] });
    Ok(AddedOAuthClient { id, oauth: stored(&control, source).await? })
}

/// `DELETE /api/sources/{id}/oauth/clients/{client}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<OAuthShown, Problem> {
    let _turn = control.turn().await;
    let mut source = find(&control.view()?, asked.id())?.clone();
    let oauth = &mut source.identity.oauth;
    let before = oauth.clients.len();
    oauth.clients.retain(|client| client.id != asked.part("client"));
    if oauth.clients.len() == before {
        return Err(Problem::missing("client", asked.part("client")));
    }
    if oauth.required && oauth.clients.is_empty() {
        let message =
            "Nobody could send any more: first let the source take requests without tokens.";
        return Err(Problem::new(Code::Conflict, message));
    }
    stored(&control, source).await
}

/// `POST /api/sources/{id}/oauth/clients/{client}/keys`
pub(crate) async fn add_key(
    control: Control,
    asked: Asked,
    new: NewOAuthKey,
) -> Result<OAuthShown, Problem> {
    let _turn = control.turn().await;
    let mut source = find(&control.view()?, asked.id())?.clone();
    let keys = &mut client(&mut source, asked.part("client"))?.keys;
    if keys.len() >= MOST_KEYS {
        let message = format!("A client has at most {MOST_KEYS} keys; remove the old one first.");
        return Err(Problem::new(Code::Conflict, message));
    }
    let is_taken = |id: &str| keys.iter().any(|key| key.id == id);
    let free = ["k1", "k2", "k3"].into_iter().find(|id| !is_taken(id)).unwrap_or("k1");
    let id = new.id.unwrap_or_else(|| free.to_owned());
    if is_taken(&id) {
        return Err(Problem::new(Code::Taken, "The client has a key of that id.").at("id"));
    }
    keys.push(key(id, &new.public_key, "id")?);
    stored(&control, source).await
}

/// `DELETE /api/sources/{id}/oauth/clients/{client}/keys/{key}`
pub(crate) async fn remove_key(control: Control, asked: Asked) -> Result<OAuthShown, Problem> {
    let _turn = control.turn().await;
    let mut source = find(&control.view()?, asked.id())?.clone();
    let keys = &mut client(&mut source, asked.part("client"))?.keys;
    if !keys.iter().any(|key| key.id == asked.part("key")) {
        return Err(Problem::missing("key", asked.part("key")));
    }
    if keys.len() == 1 {
        let message = "It is the client's last key: add another one first, or remove the client.";
        return Err(Problem::new(Code::Conflict, message));
    }
    keys.retain(|key| key.id != asked.part("key"));
    stored(&control, source).await
}

fn client<'s>(source: &'s mut Source, id: &str) -> Result<&'s mut OAuthClient, Problem> {
    let found = source.identity.oauth.clients.iter_mut().find(|client| client.id == id);
    found.ok_or_else(|| Problem::missing("client", id))
}

fn lifetime(given: Option<u64>) -> Result<u64, Problem> {
    let seconds = given.unwrap_or(DAY);
    let message = "`token_seconds` is from 60 to 2592000, which is 30 days.";
    let wrong = || Problem::field("token_seconds", message);
    Some(seconds).filter(|seconds| LIFETIMES.contains(seconds)).ok_or_else(wrong)
}

/// All clients of a source, as they are given.
fn given(
    view: &View,
    source: &str,
    clients: Vec<OAuthClientGiven>,
) -> Result<Vec<OAuthClient>, Problem> {
    if clients.len() > MOST_CLIENTS {
        let message = format!("`clients`: a source has at most {MOST_CLIENTS}.");
        return Err(Problem::field("clients", message));
    }
    let mut all: Vec<OAuthClient> = Vec::with_capacity(clients.len());
    for OAuthClientGiven { id, token_seconds, keys } in clients {
        check_id(&id, "clients.id")?;
        if is_client(view, &id, Some(source)) || all.iter().any(|other| other.id == id) {
            let message = format!("The workspace has another client `{id}`.");
            return Err(Problem::new(Code::Taken, message).at("clients.id"));
        }
        let is_twice = |index: usize| keys[..index].iter().any(|one| one.id == keys[index].id);
        if !(1..=MOST_KEYS).contains(&keys.len()) || (0..keys.len()).any(is_twice) {
            let message = format!("`clients.keys`: `{id}` has one or two keys, of different ids.");
            return Err(Problem::field("clients.keys", message));
        }
        let keys = keys.into_iter().map(|one| key(one.id, &one.public_key, "clients.keys.id"));
        let keys = keys.collect::<Result<_, _>>()?;
        all.push(OAuthClient { id, token_seconds: lifetime(token_seconds)?, keys });
    }
    Ok(all)
}

/// Whether a source has a client of that id, but for one of them.
fn is_client(view: &View, id: &str, but: Option<&str>) -> bool {
    let sources = view.meta.workspace.sources.iter();
    let mut sources = sources.filter(|source| but != Some(source.id.as_str()));
    sources.any(|source| source.identity.oauth.clients.iter().any(|client| client.id == id))
}

fn check_id(id: &str, field: &'static str) -> Result<(), Problem> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if id.is_empty() || id.len() > ID_LENGTH || !id.bytes().all(is_plain) {
        let message = format!("`{field}` has 1 to 64 ASCII letters, digits, `_`, `-` and `.`.");
        return Err(Problem::field(field, message));
    }
    Ok(())
}

fn key(id: String, text: &str, field: &'static str) -> Result<OAuthKey, Problem> {
    check_id(&id, field)?;
    if text.len() > KEY_LENGTH {
        let message = format!("`public_key` has at most {KEY_LENGTH} bytes.");
        return Err(Problem::field("public_key", message));
    }
    ClientKey::read(&id, text)
        .map_err(|error| Problem::field("public_key", format!("`public_key`: {error}.")))?;
    Ok(OAuthKey { id, public_key: text.trim().to_owned() })
}
