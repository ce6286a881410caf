//! The OAuth clients of a source's file.

use serde::{Deserialize, Deserializer, Serialize};

use crate::control::{OAuthChange, OAuthClientGiven, OAuthKeyGiven, OAuthShown};

/// `oauth` of `sources/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct OAuthFile {
    #[serde(default)]
    pub(in crate::command) required: bool,
    #[serde(default)]
    pub(in crate::command) clients: Vec<ClientFile>,
}

/// A client, with what it signs its assertions by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct ClientFile {
    id: String,
    #[serde(default = "day")]
    token_seconds: u64,
    keys: Vec<KeyFile>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    id: String,
    #[serde(deserialize_with = "trimmed")]
    public_key: String,
}

const fn day() -> u64 {
    86_400
}

/// A block of YAML ends with a line break, which is no part of a key.
fn trimmed<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    Ok(String::deserialize(from)?.trim().to_owned())
}

impl OAuthFile {
    /// Whether it says what there is where nobody said anything.
    pub(in crate::command) fn is_nothing(&self) -> bool {
        !self.required && self.clients.is_empty()
    }

    /// As the server is told.
    pub(in crate::command) fn change(&self) -> OAuthChange {
        let key = |key: &KeyFile| OAuthKeyGiven {
            id: key.id.clone(),
            public_key: key.public_key.clone(),
        };
        let client = |client: &ClientFile| OAuthClientGiven {
            id: client.id.clone(),
            token_seconds: Some(client.token_seconds),
            keys: client.keys.iter().map(key).collect(),
        };
        let clients = Some(self.clients.iter().map(client).collect());
        OAuthChange { required: self.required, clients }
    }
}

impl From<OAuthShown> for OAuthFile {
    fn from(shown: OAuthShown) -> Self {
        let OAuthChange { required, clients } = shown.into();
        let key = |key: OAuthKeyGiven| KeyFile { id: key.id, public_key: key.public_key };
        let client = |client: OAuthClientGiven| ClientFile {
            id: client.id,
            token_seconds: client.token_seconds.unwrap_or_else(day),
            keys: client.keys.into_iter().map(key).collect(),
        };
        let clients = clients.unwrap_or_default().into_iter().map(client).collect();
        Self { required, clients }
    }
}
