//! How a request proves who sends it.

mod jwt;
mod oauth2;
mod sigv4;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use selfsame_mapping::{Item, Scope, Tree};

use crate::request::{Request, RequestError, parts};

pub(crate) use jwt::{Algorithm, Jwt};
pub(crate) use oauth2::OAuth2;
pub use oauth2::{Code, Consent};
pub(crate) use sigv4::SigV4;

/// What is added to requests.
#[derive(Debug, Clone)]
pub(crate) enum Auth {
    None,
    Basic { username: Tree, password: Option<Tree> },
    Bearer(Tree),
    Headers(Vec<(String, Tree)>),
    Query(Vec<(String, Tree)>),
    OAuth2(Box<OAuth2>),
    Jwt(Box<Jwt>),
    SigV4(Box<SigV4>),
    Hmac(Box<Hmac>),
}

impl Auth {
    pub(crate) fn apply(
        &self,
        request: &mut Request,
        scope: &Scope<'_>,
        now_ms: i64,
    ) -> Result<(), RequestError> {
        match self {
            Self::None => Ok(()),
            Self::Basic { username, password } => {
                let Some(username) = rendered(username, scope) else { return Ok(()) };
                let password = password.as_ref().and_then(|tree| rendered(tree, scope));
                let pair = format!("{username}:{}", password.unwrap_or_default());
                request.set("authorization", format!("Basic {}", STANDARD.encode(pair)))
            }
            Self::Bearer(token) => match rendered(token, scope) {
                Some(token) => request.set("authorization", format!("Bearer {token}")),
                None => Ok(()),
            },
            Self::Headers(headers) => {
                for (name, value) in parts(headers, scope) {
                    request.set(name, value)?;
                }
                Ok(())
            }
            Self::Query(pairs) => {
                for (name, value) in parts(pairs, scope) {
                    request.url.query_pairs_mut().append_pair(name, &value);
                }
                Ok(())
            }
            Self::OAuth2(oauth) => match rendered(&oauth.access_token, scope) {
                Some(token) => request.set("authorization", format!("Bearer {token}")),
                None => Ok(()),
            },
            Self::Jwt(jwt) => jwt.apply(request, scope, now_ms),
            Self::SigV4(sigv4) => sigv4.apply(request, scope, now_ms),
            Self::Hmac(hmac) => hmac.apply(request, scope),
        }
    }
}

fn rendered(tree: &Tree, scope: &Scope<'_>) -> Option<String> {
    tree.text(scope)
}

/// A keyed hash in a header.
#[derive(Debug, Clone)]
pub(crate) struct Hmac {
    pub(crate) header: String,
    pub(crate) key: Tree,
    pub(crate) key_is_base64: bool,
    /// What is hashed; the body if there is none.
    pub(crate) signs: Option<Tree>,
    pub(crate) sha1: bool,
    pub(crate) base64: bool,
    pub(crate) prefix: String,
}

impl Hmac {
    pub(crate) fn apply(
        &self,
        request: &mut Request,
        scope: &Scope<'_>,
    ) -> Result<(), RequestError> {
        let Some(key) = rendered(&self.key, scope).filter(|key| !key.is_empty()) else {
            return Ok(());
        };
        let body = request.body.text();
        let signed = match &self.signs {
            Some(tree) => {
                let scope = scope.clone().with("body", Item::Text(body));
                Cow::Owned(rendered(tree, &scope).unwrap_or_default())
            }
            None => Cow::Borrowed(body),
        };
        let key = if self.key_is_base64 {
            STANDARD.decode(&key).map_err(|error| RequestError::Key(error.to_string()))?
        } else {
            key.into_bytes()
        };
        let algorithm =
            if self.sha1 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
        let tag = hmac::sign(&hmac::Key::new(algorithm, &key), signed.as_bytes());
        let written = if self.base64 { STANDARD.encode(tag) } else { hex(tag.as_ref()) };
        request.set(&self.header, format!("{}{written}", self.prefix))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
