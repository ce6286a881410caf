//! What explanations of identity look like.

use std::collections::BTreeMap;

use crate::control::shape::shape;

shape! {
    /// Why two identifiers are one profile, or why they are not.
    pub(crate) struct IdentityWhy {
        /// `same_profile`, `different_profiles` or `no_profile`.
        verdict: String,
        /// What the verdict means.
        sentence: String,
        /// The first identifier.
        from: WhyEndShown,
        /// The second.
        to: WhyEndShown,
        /// Of one profile, the shortest path of links; null where none was found.
        links: Option<Vec<LinkShown>>,
        /// Of two profiles, the earliest events that would have joined them.
        refusals: Vec<RefusalShown>,
        /// How many such events are recorded.
        refusal_count: u64,
        /// Of two profiles, identifiers of the two that somebody set apart.
        set_apart: Vec<SetApartShown>,
        /// Of two profiles, what joining them would exceed by the rules of now, windows not looked at.
        limits: Vec<OverLimitShown>,
        /// Sets of identifiers that were looked at.
        sets_read: u64,
        /// Whether there was more than is read for one answer.
        cut: bool,
    }

    /// Two identifiers that somebody set apart.
    pub(crate) struct SetApartShown {
        /// One.
        one: IdentifierShown,
        /// The other.
        other: IdentifierShown,
        /// Since when.
        since: String,
        /// Who said so.
        by: String,
    }

    /// An identifier, and where it is.
    pub(crate) struct WhyEndShown {
        /// The identifier.
        id: IdentifierShown,
        /// The profile that holds it.
        profile_id: Option<String>,
        /// Where no profile holds it, what stopped it last; null also where it was never seen.
        stopped: Option<StoppedShown>,
        /// Where no profile holds it, how many entries of the list of insights are about it.
        stopped_count: u64,
    }

    /// An identifier.
    pub(crate) struct IdentifierShown {
        /// Its type.
        r#type: String,
        /// Its value.
        value: String,
    }

    /// Two identifiers that one event carried.
    pub(crate) struct LinkShown {
        /// The end nearer to the first identifier.
        from: IdentifierShown,
        /// The other end.
        to: IdentifierShown,
        /// `mapped`: the event added one to the other's profile. `merged`: each had a profile. `seen`: they were of one profile already.
        effect: String,
        /// By which rule.
        rule: RuleShown,
        /// The profile that survived, of a merge.
        into: Option<String>,
        /// The profile that became part of it, of a merge.
        merged: Option<String>,
        /// The event.
        event: EventRefShown,
    }

    /// The rule of a link.
    pub(crate) struct RuleShown {
        /// `deterministic`: both identifiers were on one event, and no limit, block or cap was met.
        kind: String,
        /// The priority of the first one's type in the rules of now.
        from_priority: Option<u16>,
        /// The priority of the other's.
        to_priority: Option<u16>,
    }

    /// An event, as explanations name it.
    pub(crate) struct EventRefShown {
        /// Where it is in the log: `GET /api/trace?position=` shows all of it.
        position: String,
        /// Its message id; null where its body is gone.
        message_id: Option<String>,
        /// Its type; null where its body is gone.
        r#type: Option<String>,
        /// Its name, of a track call.
        name: Option<String>,
        /// When it happened.
        timestamp: String,
        /// When it was received.
        received_at: String,
        /// The source that it came by.
        source: String,
    }

    /// An event that would have joined two profiles.
    pub(crate) struct RefusalShown {
        /// The limit or cap that it met, as a code.
        rule: Option<String>,
        /// That, as a sentence.
        sentence: String,
        /// Of limits on a type, which it was, as it was then; null where that is not kept.
        limit: Option<MetLimitShown>,
        /// The identifier that was left out.
        left_out: Option<IdentifierShown>,
        /// The event.
        event: EventRefShown,
    }

    /// An event on which an identifier was stopped.
    pub(crate) struct StoppedShown {
        /// What stopped it, as a code.
        rule: String,
        /// That, as a sentence.
        sentence: String,
        /// Of limits on a type, which it was, as it was then; null where that is not kept.
        limit: Option<MetLimitShown>,
        /// The profile that the event was folded in.
        profile_id: Option<String>,
        /// What joining all identifiers of the event would exceed by the rules of now, windows not looked at.
        limits: Vec<OverLimitShown>,
        /// The event.
        event: EventRefShown,
    }

    /// A limit on a type, as it was when an event met it.
    pub(crate) struct MetLimitShown {
        /// The type, of which there would have been too many values.
        r#type: String,
        /// How many values one profile might have.
        limit: u32,
        /// Within which window.
        window: String,
    }

    /// A type of which a profile would have too many values.
    pub(crate) struct OverLimitShown {
        /// The type.
        r#type: String,
        /// How many values one profile may have.
        limit: u32,
        /// Within which window.
        window: String,
        /// How many it would have.
        count: u32,
    }

    /// The merges of a profile, in the order of the log.
    pub(crate) struct IdentityMerges {
        /// The profile.
        profile_id: String,
        /// Its identifiers, in the order in which they were mapped.
        identifiers: Vec<IdentifierShown>,
        /// The merges, made and refused, and the devices that moved.
        data: Vec<MergeShown>,
        /// How many there are.
        total: u64,
    }

    /// A merge that was made or refused, or a device that moved.
    pub(crate) struct MergeShown {
        /// Whether the two became one.
        merged: bool,
        /// The profile that survived or would have, or that got the device.
        into: String,
        /// The other one.
        from: String,
        /// The device that moved; null where it is about a merge.
        device: Option<IdentifierShown>,
        /// The limit or cap that refused it, as a code.
        refused_by: Option<String>,
        /// Of limits on a type, which it was, as it was then; null where that is not kept.
        limit: Option<MetLimitShown>,
        /// The identifiers of the event that the profile has.
        identifiers: Vec<IdentifierShown>,
        /// The event.
        event: EventRefShown,
    }

    /// How healthy the identity graph of a space is.
    pub(crate) struct IdentityHealthShown {
        /// Profiles, of users and accounts.
        profiles: u64,
        /// Merges made, and not undone.
        merges: u64,
        /// Events folded.
        events: u64,
        /// Events that identified nobody.
        unattached: u64,
        /// How often each limit or block was met.
        violations: BTreeMap<String, u64>,
        /// How many profiles of the collection have how many identifiers.
        sizes: Vec<SizeShown>,
        /// The largest profiles of the collection.
        largest: Vec<LargeProfileShown>,
        /// What deserves a look, and why.
        alarms: Vec<AlarmShown>,
        /// The newest thirty days, the oldest first.
        days: Vec<DayShown>,
        /// Identifiers of one profile that came on events of others, those that most wanted first.
        wanted: Vec<WantedShown>,
        /// Profiles that have more than the rules in force would let them: `proposals` lists these.
        over_rules: u64,
        /// Components that were looked at.
        components_read: u64,
        /// Rows of the merge ledger that were looked at.
        ledger_read: u64,
        /// Whether there are more, so that sizes and lists are of a part only.
        cut: bool,
    }

    /// How many profiles are of a size.
    pub(crate) struct SizeShown {
        /// The least identifiers that they have.
        least: u32,
        /// The most; null where there is no bound.
        most: Option<u32>,
        /// How many profiles.
        profiles: u64,
    }

    /// A profile with many identifiers.
    pub(crate) struct LargeProfileShown {
        /// The profile.
        profile_id: String,
        /// How many identifiers it has.
        identifiers: u32,
        /// How many merges it consists of.
        merges: u32,
    }

    /// An identifier that several profiles wanted.
    pub(crate) struct WantedShown {
        /// The identifier.
        id: IdentifierShown,
        /// The profile that holds it.
        profile_id: String,
        /// How many other profiles it came with identifiers of.
        profiles: u64,
        /// In how many sets of identifiers that came together.
        sets: u64,
        /// Where it is hardly one person's: the command that tries out what blocking it would change.
        block: Option<String>,
    }

    /// What happened on a day.
    pub(crate) struct DayShown {
        /// The day, in log time.
        day: String,
        /// Events folded.
        events: u64,
        /// Events that identified nobody.
        unattached: u64,
        /// Profiles created.
        profiles: u64,
        /// Merges made.
        merges: u64,
        /// Limits, blocks and vetoes met.
        violations: u64,
        /// How large profiles of the collection were, as they were looked at last on that day: once an hour.
        graph: Option<DayGraphShown>,
    }

    /// How large profiles were on a day.
    pub(crate) struct DayGraphShown {
        /// How many profiles had how many identifiers.
        sizes: Vec<SizeShown>,
        /// The most identifiers of one profile.
        largest: u32,
        /// Profiles with so many that they are hardly one person's: alarms of the kind `giant_profile`.
        giants: u64,
        /// Identifiers that so many others came with that they are hardly one person's: alarms of the kind
        /// `shared_identifier`.
        shared: u64,
        /// Profiles that had more than the rules let them.
        over_rules: u64,
    }

    /// Something that deserves a look.
    pub(crate) struct AlarmShown {
        /// `giant_profile`, `shared_identifier`, or the rate of a day that is unusual: `merges`,
        /// `violations`, `unattached`.
        kind: String,
        /// What it is, and what can be done.
        message: String,
    }
}
