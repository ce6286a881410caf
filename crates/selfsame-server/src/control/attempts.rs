//! Attempts of deliveries, searched; and the request of one, rendered again.

use std::collections::BTreeMap;

use selfsame_deliver::{
    AttemptPage, AttemptPlace, AttemptQuery, FoundAttempt, ProfileMark, Wanted, webhook,
};
use selfsame_event::{Collection, Identifier, ProfileId, Time};
use selfsame_pipeline::ProfileRef;
use selfsame_pipeline::workspace::Destination;
use serde_json::value::RawValue;

use super::Control;
use super::asked::{Asked, item, moment};
use super::destinations::{deliverer, find};
use super::identity::{check_type, identifier, read};
use super::problem::{Code, Problem};
use super::shape::shape;
use super::trace::{AttemptShown, attempt};
use crate::destination::connection_id;
use crate::function::FUNCTION;
use crate::node::Node;

shape! {
    /// Attempts of a destination, newest first.
    pub(crate) struct AttemptsFound {
        /// The attempts.
        data: Vec<AttemptFound>,
        /// When the oldest attempt began that is kept; null where none is.
        reaches_back_to: Option<String>,
        /// Whether older ones were removed, because of their age or of the size of what is kept.
        older_removed: bool,
        /// What to give as `next` to look on; null at the end. How much one request reads is bounded, so
        /// there may be more though nothing was found.
        next: Option<String>,
    }

    /// An attempt that was found.
    pub(crate) struct AttemptFound {
        /// The position of the event, or of the call that tells of a change.
        position: String,
        /// How it went. Its `note` is short unless `answers` was asked for.
        attempt: AttemptShown,
    }

    /// The requests that an event would be delivered by now.
    pub(crate) struct RequestsShown {
        /// The requests, in order. None where there is nothing to send.
        requests: Vec<RequestShown>,
    }

    /// A request, without what is different each time: its timestamp and its signature.
    pub(crate) struct RequestShown {
        /// POST.
        method: String,
        /// Where it goes.
        url: String,
        /// Its headers.
        headers: BTreeMap<String, String>,
        /// Its body.
        body: Box<RawValue>,
    }
}

/// `GET /api/destinations/{id}/attempts`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<AttemptsFound, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let profiles = match asked.get("profile") {
        Some(_) => Some(marks(&control, &asked, destination.space.clone()).await?),
        None => None,
    };
    let now = control.node.clock.wall();
    let query = AttemptQuery { profiles, ..query(&asked, now)? };
    let page = handle.search_attempts(connection_id(&destination.id), query).await?;
    Ok(shown(destination, page, asked.get("answers") == Some("true")))
}

fn shown(destination: &Destination, page: AttemptPage, is_whole: bool) -> AttemptsFound {
    let one = |found: FoundAttempt| {
        let mut shown = attempt(destination, &found.attempt, found.replay);
        if is_whole {
            shown.note = found.attempt.note;
        }
        AttemptFound { position: found.attempt.at.to_string(), attempt: shown }
    };
    AttemptsFound {
        data: page.rows.into_iter().map(one).collect(),
        reaches_back_to: page.reaches_back_to.map(|time| time.to_string()),
        older_removed: page.is_cut,
        next: page.next.map(|next| format!("{}-{}", next.file, next.row)),
    }
}

fn query(asked: &Asked, now: Time) -> Result<AttemptQuery, Problem> {
    let wanted = asked.get("status").map(|word| {
        Wanted::ALL.into_iter().find(|wanted| wanted.label() == word).ok_or_else(|| {
            let message = format!("`status`: `{word}` is none of delivered, failed and withheld.");
            Problem::field("status", message)
        })
    });
    let before = asked.get("next").map(|text| {
        let place = text.split_once('-').and_then(|(file, row)| {
            Some(AttemptPlace { file: file.parse().ok()?, row: row.parse().ok()? })
        });
        place.ok_or_else(|| Problem::field("next", "`next` is no cursor of this list."))
    });
    let replay = asked.get("replay").map(|text| {
        text.parse().map_err(|_| Problem::field("replay", "`replay` is the number of a replay."))
    });
    let since = asked.get("since").map(|text| moment("since", text, now));
    if let Some(word) = asked.get("answers").filter(|word| !matches!(*word, "true" | "false")) {
        let message = format!("`answers`: `{word}` is neither true nor false.");
        return Err(Problem::field("answers", message));
    }
    Ok(AttemptQuery {
        at: asked.item("position")?.into_iter().collect(),
        profiles: None,
        wanted: wanted.transpose()?,
        replay: replay.transpose()?,
        since: since.transpose()?,
        before: before.transpose()?,
        limit: asked.limit(50, 500)?,
    })
}

/// By what the events of a profile are found: any of its identifiers may have made the id that it had when
/// an event came.
async fn marks(
    control: &Control,
    asked: &Asked,
    space: String,
) -> Result<Vec<ProfileMark>, Problem> {
    let of = asked.get("profile").unwrap_or_default().to_owned();
    let wanted = match ProfileId::parse(&of) {
        Some(id) => ProfileRef::Id(id),
        None => {
            let id = identifier(asked, "profile")?;
            ProfileRef::Identifier { kind: id.kind.into(), value: id.value.into() }
        }
    };
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        if let ProfileRef::Identifier { kind, value } = &wanted {
            let id = Identifier::new(&**kind, &**value);
            check_type(&read, Collection::Users, "profile", &id)?;
        }
        let found = read.find(Collection::Users, &wanted)?;
        let found = found.ok_or_else(|| Problem::missing("profile", &of))?;
        Ok(found.external_ids().map(|id| ProfileMark::of_key(id.key.0)).collect())
    };
    control.scan(work).await
}

/// `GET /api/destinations/{id}/attempts/{position}/requests`
pub(crate) async fn requests(control: Control, asked: Asked) -> Result<RequestsShown, Problem> {
    let text = asked.part("position");
    let at = item(text).ok_or_else(|| Problem::missing("event at", text))?;
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    if destination.tool.is_some() || destination.kind == FUNCTION {
        let message = "What would be sent now is shown for webhooks only; `selfsame destination render` shows what an event \
            becomes at a destination of the catalogue.";
        return Err(Problem::new(Code::Conflict, message));
    }
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let id = connection_id(&destination.id);
    let (effect, calls) = handle
        .render(id, at)
        .await?
        .ok_or_else(|| Problem::missing("event at", &at.to_string()))?;
    let one = |call: selfsame_deliver::Call| {
        let key = match &call.tells {
            Some(telling) => webhook::key_to(&effect.id, id, &telling.to),
            None => webhook::key(&effect.id, id),
        };
        let headers = [("content-type", "application/json".to_owned()), ("webhook-id", key)];
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let body = RawValue::from_string(body)
            .map_err(|_| Problem::new(Code::Internal, "A body is not JSON."))?;
        Ok(RequestShown {
            method: "POST".to_owned(),
            url: destination.url.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body,
        })
    };
    let requests = calls.into_iter().map(one).collect::<Result<_, Problem>>()?;
    Ok(RequestsShown { requests })
}
