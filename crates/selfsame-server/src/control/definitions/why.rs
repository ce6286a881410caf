//! Why a profile or an account is in an audience or out of it, or has the value that it has.

use selfsame_event::{Collection, Identifier, ProfileId};
use selfsame_pipeline::{Counted, ProfileRef, Reason, ReasonKind, UserReason};
use serde_json::Value;

use super::super::Control;
use super::super::asked::Asked;
use super::super::identity::{check_type, identifier, read};
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use super::find;

shape! {
    /// Why a definition comes to what it does for a profile.
    pub(crate) struct DefinitionWhy {
        /// The profile.
        profile_id: String,
        /// What the definition comes to now: true or false of an audience.
        value: Value,
        /// Its condition, or its value, taken apart.
        reason: ReasonShown,
        /// How many events of the profile were looked at, the newest.
        events: u64,
        /// Whether there are older ones, which were not.
        is_cut: bool,
        /// Of an account: how many users count in it.
        users: Option<u64>,
        /// Of an account: whether it may have more, which do not count.
        has_more_users: Option<bool>,
    }

    /// One part of a definition.
    pub(crate) struct ReasonShown {
        /// `and`, `or`, `not`, `any`, `all`, `identifiers`, `comparison` or `value`.
        kind: String,
        /// What it says, in the query language.
        text: String,
        /// Whether it holds; of a value, whether there is one.
        holds: bool,
        /// Of a comparison: what is compared.
        value: Value,
        /// The first moment at which that may be another one though nothing happens.
        until: Option<String>,
        /// Whether a cap had a part in it.
        is_approximate: bool,
        /// How many events it looks at.
        event_count: u64,
        /// The newest of them, at most 10, for a user of an account 3.
        events: Vec<CountedShown>,
        /// Its parts.
        parts: Vec<Value>,
        /// Of what an account asks its users: for how many it holds.
        holding: Option<u64>,
        /// Of that: some of the users who decide it, at most 5, those that were linked first.
        users: Vec<UserReasonShown>,
    }

    /// Why a condition that an account asks holds for one of its users, or does not.
    pub(crate) struct UserReasonShown {
        /// The user.
        profile_id: String,
        /// The condition, taken apart.
        reason: ReasonShown,
    }

    /// An event that a comparison looks at.
    pub(crate) struct CountedShown {
        /// Its name.
        name: String,
        /// When it happened.
        timestamp: String,
        /// Its message id: `selfsame trace` shows more.
        message_id: String,
        /// Whether it makes a difference by itself just now: one that left the window does not.
        counts: bool,
    }
}

/// `GET /api/spaces/{id}/definitions/{definition}/why`
pub(crate) async fn why(control: Control, asked: Asked) -> Result<DefinitionWhy, Problem> {
    let of = asked.get("of").unwrap_or_default().to_owned();
    let wanted = match ProfileId::parse(&of) {
        Some(id) => ProfileRef::Id(id),
        None => {
            let id = identifier(&asked, "of")?;
            ProfileRef::Identifier { kind: id.kind.into(), value: id.value.into() }
        }
    };
    let (space, id) = (asked.id().to_owned(), asked.part("definition").to_owned());
    let now = control.node.clock.wall();
    let work = move |node: &crate::node::Node| {
        let read = read(node, &space)?;
        let definition = find(&read, &id)?;
        let collection = definition.collection;
        if let ProfileRef::Identifier { kind, value } = &wanted {
            let of = Identifier::new(&**kind, &**value);
            check_type(&read, collection, "of", &of)?;
        }
        let found = read.find(collection, &wanted)?;
        let kind = match collection {
            Collection::Users => "profile",
            Collection::Accounts => "account",
        };
        let found = found.ok_or_else(|| Problem::missing(kind, &of))?;
        let reasons = found.reasons(definition, now)?;
        let reasons = reasons.ok_or_else(|| {
            Problem::new(Code::Conflict, format!("What `{id}` says cannot be read any more."))
        })?;
        Ok(DefinitionWhy {
            profile_id: found.id().to_string(),
            value: json(&reasons.value),
            reason: shown(&reasons.reason)?,
            events: reasons.events,
            is_cut: reasons.is_cut,
            users: reasons.users.map(|(users, _)| users),
            has_more_users: reasons.users.map(|(_, has_more)| has_more),
        })
    };
    control.scan(work).await
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn shown(reason: &Reason) -> Result<ReasonShown, Problem> {
    let kind = match reason.kind {
        ReasonKind::And => "and",
        ReasonKind::Or => "or",
        ReasonKind::Not => "not",
        ReasonKind::Any => "any",
        ReasonKind::All => "all",
        ReasonKind::Identifiers => "identifiers",
        ReasonKind::Comparison => "comparison",
        ReasonKind::Value => "value",
    };
    let unshown = |_| Problem::new(Code::Internal, "A reason cannot be shown.".to_owned());
    let part = |part: &Reason| serde_json::to_value(shown(part)?).map_err(unshown);
    let user = |user: &UserReason| {
        let profile_id = user.profile.to_string();
        Ok::<_, Problem>(UserReasonShown { profile_id, reason: shown(&user.reason)? })
    };
    let counted = |one: &Counted| CountedShown {
        name: one.name.clone(),
        timestamp: one.key.time.to_string(),
        message_id: one.message_id.clone(),
        counts: one.counts,
    };
    Ok(ReasonShown {
        kind: kind.to_owned(),
        text: reason.text.clone(),
        holds: reason.holds,
        value: reason.value.as_deref().map_or(Value::Null, json),
        until: reason.until.map(|until| until.to_string()),
        is_approximate: reason.is_approximate,
        event_count: reason.event_count,
        events: reason.events.iter().map(counted).collect(),
        parts: reason.parts.iter().map(part).collect::<Result<_, _>>()?,
        holding: reason.holding,
        users: reason.users.iter().map(user).collect::<Result<_, _>>()?,
    })
}
