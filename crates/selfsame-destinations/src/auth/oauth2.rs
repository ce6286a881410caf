//! Access tokens: how a person agrees, and how tokens are fetched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame_mapping::{Scope, Tree};
use url::Url;

use super::rendered;
use crate::request::{Body, Request, RequestError};

/// Where tokens come from.
#[derive(Debug, Clone)]
pub(crate) struct OAuth2 {
    pub(crate) access_token: Tree,
    pub(crate) refresh_token: Tree,
    pub(crate) authorize_url: Option<Tree>,
    pub(crate) token_url: Tree,
    pub(crate) client_id: Tree,
    pub(crate) client_secret: Tree,
    pub(crate) client_in_header: bool,
    pub(crate) client_credentials: bool,
    pub(crate) scopes: Vec<String>,
}

/// What a person is sent to the vendor with, to agree.
#[derive(Debug, Clone, Copy)]
pub struct Consent<'c> {
    /// Where the vendor sends them back to.
    pub redirect_uri: &'c str,
    /// What comes back with them, so that nobody else's answer is taken.
    pub state: &'c str,
    /// The hash of the verifier that is shown when the code is redeemed: RFC 7636, S256.
    pub challenge: &'c str,
}

/// What a person came back with.
#[derive(Debug, Clone, Copy)]
pub struct Code<'c> {
    /// The code.
    pub code: &'c str,
    /// Where they were sent back to.
    pub redirect_uri: &'c str,
    /// What the challenge was the hash of.
    pub verifier: &'c str,
}

fn address(place: String) -> Result<Url, RequestError> {
    Url::parse(&place).map_err(|error| RequestError::Url { url: place, why: error.to_string() })
}

impl OAuth2 {
    /// The address at which a person agrees, where there is one.
    pub(crate) fn authorize(
        &self,
        consent: Consent<'_>,
        scope: &Scope<'_>,
    ) -> Option<Result<Url, RequestError>> {
        let tree = self.authorize_url.as_ref().filter(|_| !self.client_credentials)?;
        Some(address(rendered(tree, scope).unwrap_or_default()).map(|mut url| {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("response_type", "code");
            pairs.append_pair("client_id", &rendered(&self.client_id, scope).unwrap_or_default());
            pairs.append_pair("redirect_uri", consent.redirect_uri);
            if !self.scopes.is_empty() {
                pairs.append_pair("scope", &self.scopes.join(" "));
            }
            pairs.append_pair("state", consent.state);
            pairs.append_pair("code_challenge", consent.challenge);
            pairs.append_pair("code_challenge_method", "S256");
            drop(pairs);
            url
        }))
    }

    /// The request that fetches the first tokens for a code.
    pub(crate) fn redeem(
        &self,
        code: Code<'_>,
        scope: &Scope<'_>,
    ) -> Result<Request, RequestError> {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier),
        ];
        self.fetch(&pairs, scope)
    }

    /// The request that fetches another access token.
    pub(crate) fn refresh(&self, scope: &Scope<'_>) -> Result<Request, RequestError> {
        if self.client_credentials {
            let scopes = self.scopes.join(" ");
            let mut pairs = vec![("grant_type", "client_credentials")];
            if !scopes.is_empty() {
                pairs.push(("scope", &scopes));
            }
            return self.fetch(&pairs, scope);
        }
        let token = rendered(&self.refresh_token, scope).unwrap_or_default();
        self.fetch(&[("grant_type", "refresh_token"), ("refresh_token", &token)], scope)
    }

    /// A request to where tokens are given out, by the client.
    fn fetch(&self, pairs: &[(&str, &str)], scope: &Scope<'_>) -> Result<Request, RequestError> {
        let all = |tree: &Tree| rendered(tree, scope).unwrap_or_default();
        let (id, secret) = (all(&self.client_id), all(&self.client_secret));
        let url = address(all(&self.token_url))?;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
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
