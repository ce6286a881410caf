//! How a request proves who sends it.

mod jwt;
mod sigv4;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use selfsame_mapping::{Item, Scope, Tree};

use crate::request::{Body, Request, RequestError, parts};

pub(crate) use jwt::{Algorithm, Jwt};
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

/// Where tokens come from.
#[derive(Debug, Clone)]
pub(crate) struct OAuth2 {
    pub(crate) access_token: Tree,
    pub(crate) refresh_token: Tree,
    pub(crate) token_url: Tree,
    pub(crate) client_id: Tree,
    pub(crate) client_secret: Tree,
    pub(crate) client_in_header: bool,
    pub(crate) client_credentials: bool,
    pub(crate) scopes: Vec<String>,
}

impl OAuth2 {
    /// The request that fetches another access token.
    pub(crate) fn refresh(&self, scope: &Scope<'_>) -> Result<Request, RequestError> {
        let all = |tree: &Tree| rendered(tree, scope).unwrap_or_default();
        let (id, secret, place) =
            (all(&self.client_id), all(&self.client_secret), all(&self.token_url));
        let url = url::Url::parse(&place)
            .map_err(|error| RequestError::Url { url: place, why: error.to_string() })?;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        if self.client_credentials {
            form.append_pair("grant_type", "client_credentials");
            if !self.scopes.is_empty() {
                form.append_pair("scope", &self.scopes.join(" "));
            }
        } else {
            form.append_pair("grant_type", "refresh_token");
            form.append_pair("refresh_token", &all(&self.refresh_token));
        }
        if !self.client_in_header {
            form.append_pair("client_id", &id).append_pair("client_secret", &secret);
        }
        let (method, body) = ("POST".to_owned(), Body::Form(form.finish()));
        let mut request = Request { method, url, headers: Vec::new(), body };
        request.set("content-type", "application/x-www-form-urlencoded".to_owned())?;
        if self.client_in_header {
            let pair = STANDARD.encode(format!("{id}:{secret}"));
            request.set("authorization", format!("Basic {pair}"))?;
        }
        Ok(request)
    }
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
