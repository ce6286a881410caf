//! `selfsame destination authorize`: somebody agrees at the vendor, and the destination gets its tokens.

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::super::plan::send;
use super::super::say;
use crate::client::{Remote, block_on, part};
use crate::control::AuthorizeShown;
use crate::printable::printable;

/// Print the address at which somebody agrees that a destination acts for them. The vendor sends their browser
/// back to the server, which fetches the tokens and seals them.
#[derive(Debug, Args)]
pub(super) struct Authorize {
    /// The destination.
    destination: String,
    /// The address of `/oauth2/callback` of the server, as the vendor has it registered. Default: that of a server
    /// on this machine.
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl Authorize {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = format!("/api/destinations/{}/authorize", part(&self.destination));
        let body = json!({ "redirect_uri": self.redirect_uri });
        let shown: AuthorizeShown =
            block_on(async { send(&client, Method::POST, &path, &body).await })?;
        say("Open this in a browser within ten minutes:")?;
        say(&format!("  {}", printable(&shown.url)))?;
        say(&format!(
            "The vendor has to have this redirect address registered: {}",
            printable(&shown.redirect_uri)
        ))
    }
}
