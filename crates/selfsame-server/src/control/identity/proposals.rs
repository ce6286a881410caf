//! Profiles that have more than the rules in force would let them, and how each could be taken apart.

use selfsame_event::{Class, Collection, Identifier};
use selfsame_identity::{ComponentId, PlanError, RuleSet};
use selfsame_pipeline::{Proposal, ProposalBudget, SpaceRead, TooMuch, UndoError, UndoPlan};
use serde_json::{Value, json};

use super::{
    Asked, Control, IdentifierShown, LinkShown, Node, Problem, collection, link, of, read,
};
use crate::control::rejected::number;
use crate::control::shape::shape;
use crate::control::undo::{PairShown, reason};

/// How many identifiers of one profile are listed.
const IDENTIFIERS: usize = 100;

shape! {
    /// Profiles that have more than the rules in force would let them.
    pub(crate) struct IdentityProposals {
        /// They, in the order in which they came to be. Nothing is done with them unless somebody asks.
        data: Vec<ProposalShown>,
        /// How many components of the graph were looked at for this page.
        components_read: u64,
        /// The cursor of what was not looked at yet; null where everything was.
        next: Option<String>,
        /// Whether there is more that was not looked at.
        cut: bool,
    }

    /// A profile with too much, and what taking it apart would do.
    pub(crate) struct ProposalShown {
        /// The profile.
        profile_id: String,
        /// Its identifiers, in the order in which they were mapped; at most 100.
        identifiers: Vec<IdentifierShown>,
        /// How many it has.
        identifier_count: u64,
        /// What it has too much.
        excess: Vec<ExcessShown>,
        /// The events that link the first pairs of those that would be set apart.
        links: Vec<PairLinksShown>,
        /// The pairs that would be set apart, the most trusted identifiers of the sides; at most 100.
        pairs: Vec<PairShown>,
        /// How many pairs these are.
        pair_count: u64,
        /// In how many profiles its identifiers would be; null where there is no plan.
        profiles: Option<u64>,
        /// How many of its identifiers would be on no profile.
        nowhere: Option<u64>,
        /// How many profiles of other people would change.
        others: u64,
        /// Of how many sets of identifiers it is not sure that the whole history would give the same.
        uncertain: u64,
        /// Whether some of it would still be too much afterwards: ask again then.
        partial: bool,
        /// Whether it is too much to be planned here: the command plans it, as a job.
        large: bool,
        /// Why it cannot be taken apart, and what can be done instead.
        problem: Option<String>,
        /// The command that shows this plan, and with `--yes` does it.
        command: Option<String>,
        /// The request that does the same.
        request: Option<ApiRequest>,
    }

    /// Identifiers that a rule in force would not let a profile have.
    pub(crate) struct ExcessShown {
        /// `identifier_value_limit`, `identifier_value_time_limit` or `value_blocked`.
        rule: String,
        /// Their type.
        r#type: String,
        /// How many values one profile may have; null where they are blocked.
        limit: Option<u32>,
        /// Within which window.
        window: Option<String>,
        /// How many the profile has that are not blocked.
        count: u64,
        /// Those that are too many, which are not the earliest, or those that are blocked; at most 100.
        over: Vec<IdentifierShown>,
    }

    /// What links two identifiers.
    pub(crate) struct PairLinksShown {
        /// One.
        one: IdentifierShown,
        /// The other.
        other: IdentifierShown,
        /// The shortest path of links; null where none was found.
        links: Option<Vec<LinkShown>>,
        /// Whether there was more than is read for one answer.
        cut: bool,
    }

    /// A request to this API.
    pub(crate) struct ApiRequest {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The body: it shows what would be done; with `"apply": true` it does it.
        body: Value,
    }
}

/// `GET /api/spaces/{id}/identity/proposals`
pub(crate) async fn proposals(
    control: Control,
    asked: Asked,
) -> Result<IdentityProposals, Problem> {
    let collection = collection(&asked)?;
    let shown = asked.limit(20, 100)?;
    let behind = number(&asked, "next")?.map(ComponentId);
    let space = asked.id().to_owned();
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        let budget = ProposalBudget { shown, ..ProposalBudget::default() };
        let page = read.proposals(collection, behind, &budget)?;
        let place = Place { space: &space, collection };
        Ok(IdentityProposals {
            data: page.proposals.into_iter().map(|one| place.shown(&read, one)).collect(),
            components_read: count(page.components),
            cut: page.next.is_some(),
            next: page.next.map(|id| id.0.to_string()),
        })
    };
    control.scan(work).await
}

/// What to tell whoever made rules stricter; none where they are not.
pub(crate) fn hint(space: &str, old: &RuleSet, new: &RuleSet) -> Option<String> {
    let tightened = new.tightened_from(old);
    let tightened: Vec<_> = tightened.iter().map(ToString::to_string).collect();
    (!tightened.is_empty()).then(|| {
        format!(
            "stricter than before: {}. This holds for events from now on; profiles that have more stay \
             as they are: `selfsame identity proposals --space {}` shows them",
            tightened.join(", "),
            quoted(space),
        )
    })
}

/// Where profiles are.
struct Place<'p> {
    space: &'p str,
    collection: Collection,
}

impl Place<'_> {
    fn shown(&self, read: &SpaceRead, proposal: Proposal) -> ProposalShown {
        let becomes = proposal.becomes();
        let Proposal { profile, of: whose, identifiers, excess, links, plan } = proposal;
        let (planned, error) = match plan {
            Ok(planned) => (Some(planned), None),
            Err(error) => (None, Some(error)),
        };
        let large = matches!(error, Some(UndoError::Plan(PlanError::JobNeeded { .. })));
        let is_possible = planned.is_some() || large;
        let planned = planned.as_deref();
        let pairs = planned.map_or(&[][..], |planned| &planned.pairs);
        let of_plan = |number: fn(&UndoPlan) -> usize| count(planned.map_or(0, number));
        ProposalShown {
            profile_id: profile.to_string(),
            identifier_count: count(identifiers.len()),
            identifiers: identifiers.iter().take(IDENTIFIERS).map(of).collect(),
            excess: excess.iter().map(too_much).collect(),
            links: links
                .into_iter()
                .map(|(one, other, path)| PairLinksShown {
                    one: of(&one),
                    other: of(&other),
                    links: path
                        .links
                        .map(|links| links.into_iter().map(|one| link(read, one)).collect()),
                    cut: path.is_cut,
                })
                .collect(),
            pairs: pairs
                .iter()
                .take(IDENTIFIERS)
                .map(|(one, other)| PairShown { one: of(one), other: of(other) })
                .collect(),
            pair_count: count(pairs.len()),
            profiles: becomes.map(|(profiles, _)| count(profiles)),
            nowhere: becomes.map(|(_, nowhere)| count(nowhere)),
            others: of_plan(|planned| planned.plan.others.len()),
            uncertain: of_plan(|planned| planned.plan.uncertain),
            partial: planned.is_some_and(|planned| planned.is_partial),
            large,
            problem: error.filter(|_| !large).map(|error| problem(read, &error)),
            command: is_possible.then(|| self.command(&whose)),
            request: is_possible.then(|| self.request(&whose)),
        }
    }

    fn command(&self, whose: &Identifier) -> String {
        let whose = quoted(&format!("{}:{}", whose.kind, whose.value));
        let account = match self.collection {
            Collection::Users => "",
            Collection::Accounts => " --account",
        };
        let space = quoted(self.space);
        format!("selfsame identity split --within-rules {whose} --space {space}{account}")
    }

    fn request(&self, whose: &Identifier) -> ApiRequest {
        let whose = format!("{}:{}", whose.kind, whose.value);
        ApiRequest {
            method: "POST".to_owned(),
            path: format!("/api/spaces/{}/identity/undo", self.space),
            body: json!({ "within_rules": whose, "collection": self.collection.name() }),
        }
    }
}

fn too_much(excess: &TooMuch) -> ExcessShown {
    let TooMuch { kind, limit, held, over } = excess;
    let rule = match limit {
        None => "value_blocked",
        Some(limit) if limit.window.micros().is_some() => "identifier_value_time_limit",
        Some(_) => "identifier_value_limit",
    };
    ExcessShown {
        rule: rule.to_owned(),
        r#type: kind.clone(),
        limit: limit.map(|limit| limit.count),
        window: limit.map(|limit| limit.window.name().to_owned()),
        count: count(*held),
        over: over.iter().take(IDENTIFIERS).map(of).collect(),
    }
}

/// Why a profile is not taken apart, and what to do instead.
fn problem(read: &SpaceRead, error: &UndoError) -> String {
    let reason = reason(read, error);
    match error.class() {
        Class::Invalid | Class::Limited => format!(
            "{reason} Publish the rules instead (`selfsame identity publish`, or the command with \
             `--publish`): that judges every event by them."
        ),
        _ => reason,
    }
}

/// The command that tries out what blocking a value would change.
pub(super) fn block(space: &str, value: &Identifier) -> String {
    let value = quoted(&format!("{}:{}", value.kind, value.value));
    format!("selfsame identity try --block {value} --space {}", quoted(space))
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.:@/+,=".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests;
