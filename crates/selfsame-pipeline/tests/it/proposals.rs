//! Profiles that rules made which were looser than those in force: found page by page, and taken apart
//! as it was proposed.

use std::sync::Arc;

use selfsame_event::{Collection, RecordKind};
use selfsame_identity::RuleSet;
use selfsame_identity::rule::Limit;
use selfsame_log::{Log, LogRead, MemoryLog};
use selfsame_pipeline::workspace::Change;
use selfsame_pipeline::{
    Engine, HealthBudget, IdentityChange, ProfileRef, Proposal, ProposalBudget, Reader, SpaceRead,
    UndoError,
};

use crate::reader::engine;
use crate::world::{change, history_with, record};

fn limited(user_id: u32, email: u32, anonymous_id: u32) -> RuleSet {
    let mut rules = RuleSet::default();
    for rule in &mut rules.types {
        let count = match &*rule.name {
            "user_id" => user_id,
            "email" => email,
            "anonymous_id" => anonymous_id,
            _ => continue,
        };
        rule.limit = Limit { count, ..rule.limit };
    }
    rules
}

fn set(rules: RuleSet) -> Change {
    let indexed_traits = vec!["email".to_owned()];
    Change::SetSpace { id: "default".to_owned(), name: "Default".to_owned(), rules, indexed_traits }
}

/// A folded log whose rules became stricter at its end.
struct World {
    log: Arc<MemoryLog>,
    engine: Engine,
    folder: tempfile::TempDir,
    records: u64,
}

impl World {
    fn new(seed: u64, requests: u64, before: RuleSet, after: RuleSet) -> Self {
        let log = history_with(seed, requests, before);
        log.append_wait(change(900_000, &set(after))).expect("appends");
        let folder = tempfile::tempdir().expect("a folder");
        let engine = engine(folder.path(), &log, 2);
        let mut world = Self { log, engine, folder, records: 900_001 };
        world.fold();
        world
    }

    fn fold(&mut self) {
        while self.engine.state().next() < self.log.end() {
            self.engine.turns(1).expect("folds");
        }
    }

    /// The same, read from the store alone.
    fn again(self) -> Self {
        let Self { log, mut engine, folder, records } = self;
        engine.catch_up().expect("checkpoints");
        drop(engine);
        let engine = self::engine(folder.path(), &log, 2);
        Self { log, engine, folder, records }
    }

    fn read(&self) -> SpaceRead {
        let log: Arc<MemoryLog> = Arc::clone(&self.log);
        Reader::new(self.engine.shared(), log).space("default").expect("a space")
    }

    fn apply(&mut self, proposal: &Proposal) {
        let planned = proposal.plan.as_ref().expect("a plan");
        let change = IdentityChange::new("default", &planned.change);
        let head = serde_json::to_vec(&change).expect("JSON");
        let record = record(self.records, RecordKind::Identity, head, vec![]);
        self.records += 1;
        let id = record.id;
        self.log.append_wait(record).expect("appends");
        self.fold();
        assert_eq!(self.engine.shared().take_change(id), Some(Ok(())));
    }
}

/// All proposals, by pages of so many, and how many components were looked at.
fn pages(read: &SpaceRead, budget: &ProposalBudget) -> (Vec<Proposal>, usize, usize) {
    let (mut all, mut looked_at, mut count, mut behind) = (Vec::new(), 0, 0, None);
    loop {
        let page = read.proposals(Collection::Users, behind, budget).expect("reads");
        assert!(page.proposals.len() <= budget.shown);
        all.extend(page.proposals);
        (looked_at, count) = (looked_at + page.components, count + 1);
        assert!(page.next.is_none() || page.next > behind, "it goes on");
        behind = page.next;
        if behind.is_none() {
            return (all, looked_at, count);
        }
    }
}

fn told(proposals: &[Proposal]) -> Vec<String> {
    let one = |one: &Proposal| {
        format!("{} {:?} {:?} {:?} {:?}", one.profile, one.of, one.excess, one.links, one.becomes())
    };
    proposals.iter().map(one).collect()
}

fn everything() -> ProposalBudget {
    ProposalBudget { shown: 1_000, ..ProposalBudget::default() }
}

/// The same, without plans: they take the longest.
fn unplanned() -> ProposalBudget {
    ProposalBudget { sets: 1, ..everything() }
}

fn over_rules(read: &SpaceRead) -> usize {
    let health = read.identity_health(Collection::Users, &HealthBudget::default()).expect("reads");
    usize::try_from(health.over_rules).expect("few")
}

#[test]
fn every_page_size_finds_the_same_and_says_how_much_it_looked_at() {
    let world = World::new(3, 700, limited(3, 9, 9), limited(1, 2, 3));
    let read = world.read();
    let (all, looked_at, count) = pages(&read, &unplanned());
    assert!(all.len() > 5 && count == 1, "{}", all.len());
    assert_eq!(over_rules(&read), all.len());
    for shown in [1, 2, 3] {
        let (paged, _, pages) = pages(&read, &ProposalBudget { shown, ..unplanned() });
        assert!(pages >= all.len() / shown);
        assert_eq!(told(&paged), told(&all), "by {shown}");
    }
    let budget = ProposalBudget { components: 1, ..unplanned() };
    let (paged, paged_at, count) = pages(&read, &budget);
    assert_eq!((told(&paged), paged_at), (told(&all), looked_at));
    assert!(count >= 2, "700 records are three blocks: {count}");
    let told_all = told(&all);
    drop((all, read));
    let again = world.again();
    let (stored, stored_at, _) = pages(&again.read(), &unplanned());
    assert_eq!((told(&stored), stored_at), (told_all, looked_at), "from the store alone");
}

#[test]
fn every_proposal_says_what_is_too_much_and_which_events_link_it() {
    let world = World::new(5, 300, limited(3, 9, 9), limited(1, 9, 9));
    let read = world.read();
    let (all, ..) = pages(&read, &everything());
    assert!(all.len() > 3);
    for one in &all {
        let excess = &one.excess[0];
        assert_eq!((one.excess.len(), &*excess.kind), (1, "user_id"), "{one:?}");
        assert_eq!(excess.limit.map(|limit| limit.count), Some(1));
        assert_eq!(excess.held, excess.over.len() + 1);
        assert_eq!(&*one.of.kind, "user_id");
        assert!(!excess.over.contains(&one.of) && one.identifiers.contains(&one.of));
        let planned = one.plan.as_ref().expect("a plan");
        assert!(planned.pairs.iter().all(|(a, b)| (&*a.kind, &*b.kind) == ("user_id", "user_id")));
        let (from, to, path) = &one.links[0];
        assert!(*from != *to && one.identifiers.contains(from) && one.identifiers.contains(to));
        let links = path.links.as_ref().expect("a path");
        assert_eq!((&links[0].from, &links[links.len() - 1].to), (from, to));
        assert!(one.becomes().expect("a plan").0 >= 2, "{one:?}");
    }
}

/// What was proposed is done, one after the other, until nothing is proposed.
#[test]
fn what_is_proposed_is_what_is_done_until_nobody_has_too_much() {
    let mut all = 0;
    for seed in 1..5 {
        let rules = [limited(3, 9, 12), limited(1, 2, 4)];
        let [before, mut after] = rules;
        after.blocked.exact.push(format!("e{seed}@x.y"));
        let mut world = World::new(seed, 250, before, after);
        let mut done = 0;
        loop {
            let read = world.read();
            let page = read
                .proposals(Collection::Users, None, &ProposalBudget { shown: 1, ..everything() })
                .expect("reads");
            let Some(proposal) = page.proposals.into_iter().next() else { break };
            drop(read);
            world.apply(&proposal);
            done += 1;
            assert!(done < 100);
            let read = world.read();
            let planned = proposal.plan.as_ref().expect("a plan");
            assert!(!planned.is_partial, "{proposal:?}");
            for cluster in &planned.plan.after {
                let id = ProfileRef::Id(cluster.profile);
                let found = read.find(Collection::Users, &id).expect("reads").expect("a profile");
                let ids: Vec<_> = found.external_ids().map(|id| id.value.to_owned()).collect();
                let expected: Vec<_> =
                    cluster.members.iter().map(|one| read.named(one).value.to_string()).collect();
                assert_eq!(ids, expected);
            }
        }
        all += done;
        assert_eq!(over_rules(&world.read()), 0);
    }
    assert!(all > 10, "{all} were taken apart");
}

#[test]
fn rules_that_are_kept_propose_nothing_and_what_is_too_large_is_not_planned() {
    let world = World::new(2, 200, limited(1, 2, 3), limited(1, 2, 3));
    let (none, looked_at, _) = pages(&world.read(), &everything());
    assert!(none.is_empty() && looked_at > 20, "{looked_at}");
    let world = World::new(2, 200, limited(3, 9, 9), limited(1, 2, 3));
    let (all, ..) = pages(&world.read(), &unplanned());
    let is_large = |one: &Proposal| {
        let error = one.plan.as_ref().err();
        matches!(error, Some(UndoError::Plan(selfsame_identity::PlanError::JobNeeded { .. })))
    };
    assert!(!all.is_empty() && all.iter().all(|one| is_large(one) && !one.links.is_empty()));
}
