//! Attempts of deliveries, searched; and the requests of one, rendered again (requests.rs).

pub(crate) mod requests;

use selfsame_deliver::{
    AttemptPage, AttemptPlace, AttemptQuery, FoundAttempt, ProfileMark, Wanted,
};
use selfsame_event::{Collection, Identifier, ProfileId, Time};
use selfsame_pipeline::ProfileRef;
use selfsame_pipeline::workspace::Destination;

use super::Control;
use super::asked::{Asked, moment};
use super::destinations::{deliverer, find};
use super::identity::{check_type, identifier, read};
use super::problem::Problem;
use super::shape::shape;
use super::trace::{AttemptShown, attempt};
use crate::destination::connection_id;
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
