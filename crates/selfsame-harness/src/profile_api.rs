//! Reads of the Profile API, as the operator's own client makes them.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::http::Connection;

/// Most events of a page.
const PAGE: u32 = 100;

/// A GET of one part of a profile: `traits`, `events`, `metadata`, `external_ids`.
pub(crate) fn request(id: &str, part: &str) -> Vec<u8> {
    let user = BASE64_STANDARD.encode("dev:");
    format!(
        "GET /v1/spaces/dev/collections/users/profiles/{id}/{part} HTTP/1.1\r\n\
         Host: localhost\r\nAuthorization: Basic {user}\r\n\r\n"
    )
    .into_bytes()
}

/// Reads whole profiles.
#[derive(Debug)]
pub(crate) struct Profiles(Connection);

impl Profiles {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(Connection::new(address))
    }

    /// The computed traits and audiences of a profile, or `None` if there is no such profile.
    pub(crate) async fn traits(&mut self, id: &str) -> Result<Option<Value>> {
        let answer = self.0.ask(&request(id, "traits?limit=100")).await?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            status => bail!("reading {id}: the server answered {status}"),
        }
        let page: Value = serde_json::from_slice(self.0.body()).context("a page of traits")?;
        Ok(Some(page.get("traits").context("no traits")?.clone()))
    }

    /// The message ids of all events of a profile, or `None` if there is no such profile.
    pub(crate) async fn message_ids(&mut self, id: &str) -> Result<Option<Vec<String>>> {
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let start = if next.is_empty() { String::new() } else { format!("&next={next}") };
            let part = format!("events?limit={PAGE}{start}");
            let answer = self.0.ask(&request(id, &part)).await?;
            match answer.status {
                200 => {}
                404 => return Ok(None),
                status => bail!("reading {id}: the server answered {status}"),
            }
            let page: Value = serde_json::from_slice(self.0.body()).context("a page of events")?;
            let events = page.get("data").and_then(Value::as_array).context("no data")?;
            for event in events {
                let message_id = event.get("message_id").and_then(Value::as_str);
                ids.push(message_id.context("an event without message_id")?.to_owned());
            }
            let cursor = page.get("cursor").context("no cursor")?;
            if cursor.get("has_more").and_then(Value::as_bool) != Some(true) {
                return Ok(Some(ids));
            }
            let following = cursor.get("next").and_then(Value::as_str).context("no next")?;
            if following == next || events.is_empty() {
                bail!("reading {id}: the pages do not end");
            }
            next = escaped(following);
        }
    }
}

/// A cursor as part of a query.
fn escaped(cursor: &str) -> String {
    cursor.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
