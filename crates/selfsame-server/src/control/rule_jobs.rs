//! Trying rules out over the whole history, and publishing them as if they had always held.

use std::sync::Arc;

use selfsame_event::Identifier;
use selfsame_identity::RuleSet;
use selfsame_pipeline::{
    DefinitionDiff, GraphDiff, ProfileChange, Regrouped, Sample, SampleProfile, TrialReport,
};
use serde_json::Value;

use super::Control;
use super::asked::Asked;
use super::identity::{IdentifierShown, id_shown};
use super::insights;
use super::problem::{Code, Problem};
use super::shape::shape;
use super::spaces::{check_rules_of, find};
use crate::rule_job::{Asking, Deed, Job, Stage};

shape! {
    /// Rules that are tried out or published, and how far that is.
    pub(crate) struct RuleJobShown {
        /// `try` or `publish`.
        job: String,
        /// `running`, `done`, `stopped` or `failed`.
        state: String,
        /// When it was begun.
        started_at: String,
        /// How many records of the log it has looked at.
        records: u64,
        /// Of how many.
        of: u64,
        /// Why it failed.
        error: Option<String>,
        /// What the rules would change, once they are tried.
        report: Option<TrialShown>,
        /// The place of the record that put the rules in force, once they are published.
        position: Option<String>,
        /// Profiles before they were published.
        profiles_before: Option<u64>,
        /// Profiles since.
        profiles_after: Option<u64>,
        /// The rules.
        rules: RuleSet,
    }

    /// What rules would change, had they been in force from the first record on.
    pub(crate) struct TrialShown {
        /// Up to which place the log was looked at.
        until: String,
        /// Events of the space, duplicates not counted.
        events: u64,
        /// Events that would belong to a profile with another id.
        events_moved: u64,
        /// Events of nobody that would be somebody's.
        events_gained: u64,
        /// Events of somebody that would be nobody's.
        events_lost: u64,
        /// The graph of users.
        users: GraphDiffShown,
        /// The graph of accounts.
        accounts: GraphDiffShown,
        /// Merges made, as it is.
        merges_before: u64,
        /// Merges that would have been made.
        merges_after: u64,
        /// Limits, blocks and caps that events met, or would have met.
        violations: Vec<ViolationsShown>,
        /// What would be different of each computed trait and audience.
        definitions: Vec<DefinitionDiffShown>,
    }

    /// What would be different of a computed trait or an audience.
    pub(crate) struct DefinitionDiffShown {
        /// Its id.
        id: String,
        /// `computed_trait` or `audience`.
        kind: String,
        /// How many profiles are in the audience, or have another value than where nothing happened.
        before: u64,
        /// How many would be and would have.
        after: u64,
        /// Profiles that would be in the audience, of which no part is.
        enter: u64,
        /// Profiles that would not be in the audience, of which a part is.
        leave: u64,
        /// Profiles for which the trait would have another value than for some part of theirs.
        changed: u64,
        /// Some of those that would enter, leave or have another value.
        samples: Vec<ProfileChangeShown>,
    }

    /// A profile for which a definition would come to something else.
    pub(crate) struct ProfileChangeShown {
        /// Its id as it would be; as it is, if it would be gone.
        profile_id: String,
        /// What it comes to for those that hold its identifiers now.
        before: Vec<Value>,
        /// What it would come to.
        after: Value,
    }

    /// How one graph would become the other.
    pub(crate) struct GraphDiffShown {
        /// Profiles, as it is.
        before: u64,
        /// Profiles, as it would be.
        after: u64,
        /// Profiles that would keep exactly the identifiers that they have.
        unchanged: u64,
        /// Of these, those whose id would be another one of their own.
        renamed: u64,
        /// Profiles of identifiers that are nobody's.
        created: u64,
        /// Profiles none of whose identifiers would be anybody's.
        gone: u64,
        /// Profiles that would have identifiers of several others.
        merged: u64,
        /// Of how many others these would be made.
        merged_of: u64,
        /// Profiles whose identifiers would be in several others.
        split: u64,
        /// In how many others these would be.
        split_into: u64,
        /// Examples, the largest of each kind.
        samples: Vec<SampleShown>,
    }

    /// An example of a profile that would be another.
    pub(crate) struct SampleShown {
        /// `merged`, `split`, `created` or `gone`.
        what: String,
        /// The profile that would be made of others, or become others.
        profile: SampleProfileShown,
        /// Some of the others.
        others: Vec<SampleProfileShown>,
        /// How many others there are.
        other_count: u64,
    }

    /// A profile of an example.
    pub(crate) struct SampleProfileShown {
        /// Its id.
        profile_id: String,
        /// Some of its identifiers.
        identifiers: Vec<IdentifierShown>,
        /// How many it has.
        identifier_count: u64,
    }

    /// How often a limit, block or cap was met.
    pub(crate) struct ViolationsShown {
        /// Which.
        kind: String,
        /// As it is.
        before: u64,
        /// As it would be.
        after: u64,
    }
}

/// `POST /api/spaces/{id}/rules/try`
pub(crate) async fn try_out(
    control: Control,
    asked: Asked,
    rules: RuleSet,
) -> Result<RuleJobShown, Problem> {
    start(&control, asking(Deed::Try, asked.id(), rules))
}

/// `POST /api/spaces/{id}/rules/publish`
pub(crate) async fn publish(
    control: Control,
    asked: Asked,
    rules: RuleSet,
) -> Result<RuleJobShown, Problem> {
    start(&control, asking(Deed::Publish, asked.id(), rules))
}

fn asking(deed: Deed, space: &str, rules: RuleSet) -> Asking {
    Asking { deed, space: space.to_owned(), rules, identity: None }
}

/// `GET /api/spaces/{id}/rules/job`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<RuleJobShown, Problem> {
    Ok(shown(&*job(&control, asked.id())?))
}

/// `DELETE /api/spaces/{id}/rules/job`
pub(crate) async fn stop(control: Control, asked: Asked) -> Result<RuleJobShown, Problem> {
    let job = job(&control, asked.id())?;
    job.stop();
    Ok(shown(&job))
}

fn job(control: &Control, space: &str) -> Result<Arc<Job>, Problem> {
    // The state is not there to be asked while a job lets another take its place.
    if let Some(job) = control.rule_jobs.of(space) {
        return Ok(job);
    }
    find(&control.view()?, space)?;
    let message = "No rules of this space were tried or published since the server started.";
    Err(Problem::new(Code::NotFound, message))
}

pub(super) fn start(control: &Control, asking: Asking) -> Result<RuleJobShown, Problem> {
    let view = control.view()?;
    check_rules_of(&view, find(&view, &asking.space)?, &asking.rules)?;
    drop(view);
    let runtime = tokio::runtime::Handle::current();
    let changing = control.clone();
    let append = move |change| {
        runtime.block_on(async {
            let _turn = changing.turn().await;
            Ok(changing.node.change(&change).await?)
        })
    };
    match control.rule_jobs.start(&control.node, &control.tasks, asking, append) {
        Ok(job) => Ok(shown(&job)),
        Err(other) => {
            let space = &other.asking.space;
            let message =
                format!("Rules of the space `{space}` are just being tried or published.");
            Err(Problem::new(Code::Conflict, message))
        }
    }
}

fn shown(job: &Job) -> RuleJobShown {
    let (records, of) = job.progress();
    let word = match job.asking.deed {
        Deed::Try => "try",
        Deed::Publish => "publish",
    };
    let mut shown = RuleJobShown {
        job: word.to_owned(),
        state: "done".to_owned(),
        started_at: job.started.to_string(),
        records,
        of,
        error: None,
        report: None,
        position: None,
        profiles_before: None,
        profiles_after: None,
        rules: job.asking.rules.clone(),
    };
    match job.stage() {
        Stage::Running => "running".clone_into(&mut shown.state),
        Stage::Stopped => "stopped".clone_into(&mut shown.state),
        Stage::Failed(error) => {
            "failed".clone_into(&mut shown.state);
            shown.error = Some(error);
        }
        Stage::Tried(report) => shown.report = Some(trial(&report)),
        Stage::Published { position, profiles: [before, after] } => {
            shown.position = Some(position.to_string());
            (shown.profiles_before, shown.profiles_after) = (Some(before), Some(after));
        }
    }
    shown
}

fn trial(report: &TrialReport) -> TrialShown {
    let [merges_before, merges_after] = report.merges;
    let violations = report.violations.iter().map(|(kind, [before, after])| ViolationsShown {
        kind: insights::words(*kind).0,
        before: *before,
        after: *after,
    });
    TrialShown {
        until: report.until.to_string(),
        events: report.events,
        events_moved: report.moved,
        events_gained: report.gained,
        events_lost: report.lost,
        users: diff(&report.users),
        accounts: diff(&report.accounts),
        merges_before,
        merges_after,
        violations: violations.collect(),
        definitions: report.definitions.iter().map(definition).collect(),
    }
}

fn definition(diff: &DefinitionDiff) -> DefinitionDiffShown {
    DefinitionDiffShown {
        id: diff.id.clone(),
        kind: diff.kind.word().to_owned(),
        before: diff.before,
        after: diff.after,
        enter: diff.enter,
        leave: diff.leave,
        changed: diff.changed,
        samples: diff.samples.iter().map(change).collect(),
    }
}

fn change(change: &ProfileChange) -> ProfileChangeShown {
    let value = |json: &str| serde_json::from_str(json).unwrap_or_default();
    ProfileChangeShown {
        profile_id: change.profile.to_string(),
        before: change.before.iter().map(|json| value(json)).collect(),
        after: value(&change.after),
    }
}

fn diff(diff: &GraphDiff) -> GraphDiffShown {
    GraphDiffShown {
        before: diff.before,
        after: diff.after,
        unchanged: diff.unchanged,
        renamed: diff.renamed,
        created: diff.created,
        gone: diff.gone,
        merged: diff.merged,
        merged_of: diff.merged_of,
        split: diff.split,
        split_into: diff.split_into,
        samples: diff.samples.iter().map(sample).collect(),
    }
}

fn sample(sample: &Sample) -> SampleShown {
    let what = match sample.what {
        Regrouped::Merged => "merged",
        Regrouped::Split => "split",
        Regrouped::Created => "created",
        Regrouped::Gone => "gone",
    };
    SampleShown {
        what: what.to_owned(),
        profile: profile(&sample.profile),
        others: sample.others.iter().map(profile).collect(),
        other_count: sample.other_count,
    }
}

fn profile(profile: &SampleProfile) -> SampleProfileShown {
    let named = |id: &Identifier| id_shown(&id.kind, &id.value);
    SampleProfileShown {
        profile_id: profile.profile.to_string(),
        identifiers: profile.identifiers.iter().map(named).collect(),
        identifier_count: profile.identifier_count,
    }
}
