//! What undo takes and shows.

use crate::control::identity::{EventRefShown, IdentifierShown};
use crate::control::shape::shape;

shape! {
    /// What is to be undone: one of `unmerge`, `apart`, `split`, `within_rules` and `lift`.
    #[serde(deny_unknown_fields)]
    pub(crate) struct UndoRequest {
        /// `users` or `accounts`. Default: users.
        collection: Option<String>,
        /// The id of a profile that was merged into another: that merge is undone.
        unmerge: Option<String>,
        /// Two identifiers, as type:value, that may never share a profile.
        apart: Option<Vec<String>>,
        /// Identifiers that leave the profile that holds them.
        split: Option<Vec<String>>,
        /// With `split`: an identifier that stays.
        from: Option<String>,
        /// An identifier of a profile that is taken apart until it keeps the rules in force.
        within_rules: Option<String>,
        /// Two identifiers that may share a profile again.
        lift: Option<Vec<String>>,
        /// Who asks, or why, in a few words.
        by: Option<String>,
        /// Whether to do it. Default: no, and the answer shows what it would do.
        apply: Option<bool>,
        /// Whether to do it by publishing the rules in force with it: every event is resolved again, so it also
        /// reaches people who are verified, devices that moved, and any number of sets. A job tries that, or with
        /// `apply` publishes it: `GET /api/spaces/ID/rules/job` shows how far that is.
        publish: Option<bool>,
    }

    /// What undoing does.
    pub(crate) struct UndoShown {
        /// Whether it was done.
        applied: bool,
        /// The record that did it.
        position: Option<String>,
        /// Whether it is too much for one step: it is planned by a job, and with `apply` done by it.
        large: bool,
        /// Whether it now goes on as a job. What it would do, or does, the job says in the end.
        job: bool,
        /// Whether it now goes on as a job that tries or publishes the rules in force with it, and
        /// `GET /api/spaces/ID/rules/job` says what it does.
        publishing: bool,
        /// The pairs that are set apart or lifted.
        pairs: Vec<PairShown>,
        /// The profiles that change, as they are.
        before: Vec<ClusterShown>,
        /// What they become.
        after: Vec<ClusterShown>,
        /// The identifiers whose profile is another one afterwards.
        moved: Vec<MovedShown>,
        /// Profiles that change and hold no identifier of the pairs: other people.
        others: Vec<String>,
        /// Sets of identifiers that are resolved again.
        sets: u64,
        /// Events of these sets that meet a pair.
        met: u64,
        /// Sets of which it is not sure that the whole history would give the same.
        uncertain: u64,
        /// Identifiers that get a profile of their own because events are folded under them.
        left_over: u64,
        /// Whether identifiers that were to leave still share a profile with some that stay.
        partial: bool,
        /// Whether the lists are cut.
        cut: bool,
    }

    /// An undo that is planned, and with `apply` done, by a job, and how far that is.
    pub(crate) struct UndoJobShown {
        /// `running`, `done`, `stopped` or `failed`.
        state: String,
        /// When it was begun.
        started_at: String,
        /// How many events of the history are resolved again.
        resolved: u64,
        /// Of how many, as far as they are found.
        of: u64,
        /// Why it failed.
        error: Option<String>,
        /// What it would do, or did, once it is done.
        undo: Option<UndoShown>,
    }

    /// Two identifiers.
    pub(crate) struct PairShown {
        /// One.
        one: IdentifierShown,
        /// The other.
        other: IdentifierShown,
    }

    /// A profile.
    pub(crate) struct ClusterShown {
        /// Its id.
        profile_id: String,
        /// Its identifiers, in the order in which they were mapped.
        identifiers: Vec<IdentifierShown>,
    }

    /// An identifier that changes its profile.
    pub(crate) struct MovedShown {
        /// The identifier.
        id: IdentifierShown,
        /// The profile that holds it.
        from: Option<String>,
        /// The profile that will.
        to: Option<String>,
        /// Whether events are folded under it, which move with it.
        has_events: bool,
    }

    /// The pairs that are set apart.
    pub(crate) struct ApartList {
        /// The pairs, the oldest first.
        data: Vec<ApartShown>,
        /// Whether there are more.
        cut: bool,
    }

    /// Two identifiers that are set apart.
    pub(crate) struct ApartShown {
        /// One.
        one: IdentifierShown,
        /// The other.
        other: IdentifierShown,
        /// Since when.
        since: String,
        /// Who said so.
        by: String,
        /// How many events would have brought them together.
        times: u64,
        /// The last of these.
        last: Option<EventRefShown>,
    }
}
