//! Undo. Expected on one core: a profile of 1,000 identifiers taken apart in under 50 ms, the plan and
//! its rows together.

use std::collections::BTreeSet;

use divan::{Bencher, black_box};
use selfsame_event::{Collection, IdentifierKey, KeyHasher, Position, Time};
use selfsame_identity::rule::{Limit, TypeRule, Window};
use selfsame_identity::{
    Change, Claim, Claims, MemoryRows, Occurrence, Pair, RuleSet, Rules, RulesLog, Sizes, Stamp,
    TypeNumbers, apply, plan, plan_split, resolve,
};

fn main() {
    divan::main();
}

/// A history of one person.
struct History {
    rows: MemoryRows,
    rules: Rules,
    hasher: KeyHasher,
    events: u64,
}

impl History {
    fn new() -> Self {
        let types = ["user_id", "email", "anonymous_id"].into_iter().zip(1..);
        let types = types.map(|(name, priority)| {
            let limit = Limit { count: 10_000, window: Window::Ever };
            TypeRule { limit, ..TypeRule::new(name, priority) }
        });
        let set = RuleSet { types: types.collect(), ..RuleSet::default() };
        let rules = Rules::compile(&set, &mut TypeNumbers::default()).expect("valid");
        let hasher = KeyHasher::new([7; 32]);
        Self { rows: MemoryRows::default(), rules, hasher, events: 0 }
    }

    fn key(&self, kind: &str, value: &str) -> IdentifierKey {
        self.hasher.identifier(1, Collection::Users, kind, value)
    }

    /// An event with these identifiers, the most trusted first.
    fn event(&mut self, ids: &[(&str, u16, &str)]) {
        self.events += 1;
        let users = ids
            .iter()
            .map(|(kind, priority, value)| Claim {
                number: self.rules.number(Collection::Users, kind).expect("listed"),
                priority: *priority,
                key: self.key(kind, value),
                value: (*value).into(),
            })
            .collect();
        let time = Time::from_micros(1_800_000_000_000_000);
        let position = Position::embedded(self.events).item(0);
        let stamp = Stamp { position, event_time: time, log_time: time, ..Stamp::default() };
        let at = Occurrence { stamp, message_id: None };
        let claims = Claims { users, ..Claims::default() };
        resolve(&claims, &at, &self.rules, &mut self.rows).expect("memory");
    }
}

/// Two people with so many devices each, one by one, whom one event made one.
fn merged(devices: usize) -> History {
    let mut history = History::new();
    for person in ["ada", "bob"] {
        for device in 0..devices {
            let device = format!("{person}-{device}");
            history.event(&[("user_id", 1, person), ("anonymous_id", 3, &device)]);
        }
    }
    history.event(&[("user_id", 1, "ada"), ("user_id", 1, "bob")]);
    history
}

/// The merge of two people with 499 devices each is undone.
#[divan::bench(sample_count = 20)]
fn unmerge_1000_identifiers(bencher: Bencher<'_, '_>) {
    let history = merged(499);
    let pair = Pair::new(history.key("user_id", "ada"), history.key("user_id", "bob"));
    let change = Change { apart: pair.into_iter().collect(), ..Change::default() };
    let rules = RulesLog::new(vec![history.rules.clone()]);
    bencher.with_inputs(|| history.rows.clone()).bench_local_values(|mut rows| {
        let plan = plan(black_box(&change), &rules, Sizes::default(), &mut rows, &mut |_| true)
            .expect("a plan");
        assert_eq!(plan.after.len(), 2);
        apply(&plan, &mut rows).expect("memory");
        rows
    });
}

/// Half of the 1,000 identifiers of one person are split off, each by a pair of its own.
#[divan::bench(sample_count = 20)]
fn split_500_of_1000_identifiers(bencher: Bencher<'_, '_>) {
    let history = merged(499);
    let devices = (0..499).map(|device| history.key("anonymous_id", &format!("bob-{device}")));
    let chosen: BTreeSet<_> = devices.chain([history.key("user_id", "bob")]).collect();
    let rules = RulesLog::new(vec![history.rules.clone()]);
    bencher.with_inputs(|| history.rows.clone()).bench_local_values(|mut rows| {
        let wish = Change::default();
        let split =
            plan_split(black_box(&chosen), &wish, &rules, Sizes::default(), &mut rows, &mut |_| {
                true
            });
        let split = split.expect("a plan");
        assert!(!split.is_partial);
        apply(&split.plan, &mut rows).expect("memory");
        rows
    });
}
