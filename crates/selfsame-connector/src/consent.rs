//! A person agrees at the vendor that the connection may act for them, and it gets its first tokens.

use selfsame_deliver::{Carried, Failure, Job, Outcome};
use selfsame_destinations::{Code, Consent};
use serde_json::Value;

use crate::connector::Connector;
use crate::credentials;

impl Connector {
    /// The address at which a person agrees; none where the manifest has none.
    pub fn authorize(&self, consent: Consent<'_>) -> Option<Result<String, String>> {
        let made = self.config.manifest.authorize(&self.config.settings, consent)?;
        Some(made.map(String::from).map_err(|error| self.mask.text(&error.to_string())))
    }

    /// Fetches the tokens for a code. What it is given is to be kept: they are not used before.
    ///
    /// # Errors
    ///
    /// The vendor gives none.
    pub async fn redeem(&self, code: Code<'_>, job: Job<'_>) -> Result<Value, Carried> {
        let request = self.config.manifest.redeem(&self.config.settings, code);
        let Some(request) = request else {
            let note = "the manifest has no such tokens".to_owned();
            return Err(Carried { outcome: Outcome::failed(Failure::Unmapped), note });
        };
        let held = self.credentials.held();
        credentials::fetch(request, &held, job).await.map(|fetched| fetched.auth)
    }
}
