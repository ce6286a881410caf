//! A person is sent to the vendor, to agree that a destination acts for them.

use axum::http::Uri;

use super::super::Control;
use super::super::asked::Asked;
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use super::{connector, find};
use crate::consent::CALLBACK;

shape! {
    /// Where the vendor is to send people back to.
    #[serde(deny_unknown_fields)]
    pub(crate) struct AuthorizeAsked {
        /// The address of `/oauth2/callback` of this server, as a browser reaches it and as the vendor has it registered;
        /// https, or http on this machine. Where it is not given, that of the request, if it came from this machine.
        redirect_uri: Option<String>,
    }

    /// Where somebody has to agree.
    pub(crate) struct AuthorizeShown {
        /// The vendor's page, to be opened in a browser within ten minutes.
        url: String,
        /// Where the vendor sends them back to.
        redirect_uri: String,
    }
}

/// `POST /api/destinations/{id}/authorize`
pub(crate) async fn authorize(
    control: Control,
    asked: Asked,
    wanted: AuthorizeAsked,
) -> Result<AuthorizeShown, Problem> {
    let redirect_uri = match wanted.redirect_uri {
        Some(given) => given,
        None => {
            let host = asked.header("host").unwrap_or_default();
            format!("http://{host}{CALLBACK}")
        }
    };
    check(&redirect_uri)?;
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let node = &control.node;
    let connector = connector(&control, destination)?;
    let now = node.clock.monotonic_micros();
    let made = node
        .consents
        .begin(&destination.id, &redirect_uri, now, |consent| connector.authorize(consent));
    match made {
        Some(Ok(url)) => Ok(AuthorizeShown { url, redirect_uri }),
        Some(Err(why)) => {
            Err(Problem::new(Code::Conflict, format!("Its settings give no address: {why}.")))
        }
        None => {
            let message = "Nobody has to agree: its manifest has no `authorize_url`. Give it `auth` or `settings`.";
            Err(Problem::new(Code::Conflict, message))
        }
    }
}

fn check(text: &str) -> Result<(), Problem> {
    let is_good = text.parse::<Uri>().is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default();
        let is_here = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        let is_safe = match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => is_here,
            _ => false,
        };
        let is_plain = uri.query().is_none()
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        is_safe && is_plain && uri.path().ends_with(CALLBACK)
    });
    let wrong = || {
        let message = format!(
            "`redirect_uri` is the address of this server's {CALLBACK} that the vendor has registered: https, or \
             http on this machine."
        );
        Problem::field("redirect_uri", message)
    };
    if is_good { Ok(()) } else { Err(wrong()) }
}
