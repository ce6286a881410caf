//! Amazon's signature, version 4, in headers.

use jiff::Timestamp;
use ring::{digest, hmac};
use selfsame_mapping::{Scope, Tree};

use super::{hex, rendered};
use crate::request::{Request, RequestError};

/// What a request is signed with.
#[derive(Debug, Clone)]
pub(crate) struct SigV4 {
    pub(crate) access_key_id: Tree,
    pub(crate) secret_access_key: Tree,
    pub(crate) session_token: Option<Tree>,
    pub(crate) region: Tree,
    pub(crate) service: Tree,
}

impl SigV4 {
    pub(crate) fn apply(
        &self,
        request: &mut Request,
        scope: &Scope<'_>,
        now_ms: i64,
    ) -> Result<(), RequestError> {
        let all = |tree: &Tree| rendered(tree, scope).unwrap_or_default();
        let (region, service) = (all(&self.region), all(&self.service));
        let now = Timestamp::from_millisecond(now_ms)
            .map_err(|error| RequestError::Key(error.to_string()))?;
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.strftime("%Y%m%d").to_string();
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let host = request.url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        request.set("host", host)?;
        request.set("x-amz-date", time.clone())?;
        if let Some(token) = self.session_token.as_ref().and_then(|tree| rendered(tree, scope)) {
            request.set("x-amz-security-token", token)?;
        }
        let mut headers = request.headers.clone();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", squeezed(value))).collect();
        let body = hex(digest::digest(&digest::SHA256, request.body.text().as_bytes()).as_ref());
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{body}",
            request.method,
            request.url.path(),
            query(request),
        );
        let place = format!("{day}/{region}/{service}/aws4_request");
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{place}\n{hashed}");
        let mut key = format!("AWS4{}", all(&self.secret_access_key)).into_bytes();
        for part in [day.as_str(), &region, &service, "aws4_request"] {
            key = keyed(&key, part);
        }
        let signature = hex(&keyed(&key, &text));
        let id = all(&self.access_key_id);
        request.set(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={id}/{place}, SignedHeaders={names}, Signature={signature}"
            ),
        )
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// A header's value with one space for every run of them.
fn squeezed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parameters in the order of their names, escaped as RFC 3986 says.
fn query(request: &Request) -> String {
    let pairs = request.url.query_pairs();
    let mut pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", escaped(&name), escaped(&value))).collect();
    pairs.sort();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
