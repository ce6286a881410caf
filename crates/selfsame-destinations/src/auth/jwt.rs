//! A signed token for each request (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::{hmac, rand, rsa, signature};
use selfsame_mapping::{Scope, Tree};
use serde_json::{Map, Value, json};

use super::rendered;
use crate::request::{Request, RequestError};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
}

/// What a token is made from.
#[derive(Debug, Clone)]
pub(crate) struct Jwt {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: Tree,
    pub(crate) key_id: Option<Tree>,
    pub(crate) claims: Vec<(String, Tree)>,
    pub(crate) seconds: i64,
    /// The header that it goes into as it is; without one it is a bearer.
    pub(crate) header: Option<String>,
}

impl Jwt {
    pub(crate) fn apply(
        &self,
        request: &mut Request,
        scope: &Scope<'_>,
        now_ms: i64,
    ) -> Result<(), RequestError> {
        let token = self.token(scope, now_ms.div_euclid(1000))?;
        match &self.header {
            Some(header) => request.set(header, token),
            None => request.set("authorization", format!("Bearer {token}")),
        }
    }

    fn token(&self, scope: &Scope<'_>, now: i64) -> Result<String, RequestError> {
        let algorithm = match self.algorithm {
            Algorithm::Hs256 => "HS256",
            Algorithm::Rs256 => "RS256",
        };
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(algorithm));
        header.insert("typ".to_owned(), json!("JWT"));
        if let Some(id) = self.key_id.as_ref().and_then(|tree| rendered(tree, scope)) {
            header.insert("kid".to_owned(), json!(id));
        }
        let mut claims = Map::new();
        claims.insert("iat".to_owned(), json!(now));
        claims.insert("exp".to_owned(), json!(now.saturating_add(self.seconds)));
        for (name, tree) in &self.claims {
            if let Some(value) = tree.value(scope) {
                claims.insert(name.clone(), value);
            }
        }
        let part =
            |value: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(value).to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let key = rendered(&self.key, scope).unwrap_or_default();
        let signature = match self.algorithm {
            Algorithm::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Algorithm::Rs256 => rs256(&key, signed.as_bytes())?,
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn rs256(pem: &str, signed: &[u8]) -> Result<Vec<u8>, RequestError> {
    let refuse = |why: String| RequestError::Key(why);
    let lines = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>());
    let der = der.map_err(|error| refuse(format!("the key is no PEM: {error}")))?;
    let pair = rsa::KeyPair::from_pkcs8(&der);
    let pair = pair.map_err(|error| refuse(format!("the key is no PKCS #8: {error}")))?;
    let mut signature = vec![0; pair.public().modulus_len()];
    // The padding of PKCS #1 has no chance in it; the source only blinds the arithmetic.
    pair.sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), signed, &mut signature)
        .map_err(|_| refuse("the key is too short".to_owned()))?;
    Ok(signature)
}
