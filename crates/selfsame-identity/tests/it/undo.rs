//! Undo against a slow and obvious resolver that goes through the whole history again, with the pairs
//! set apart from its first event on.

use std::collections::BTreeSet;

use selfsame_identity::rule::{Strategy, Window};
use selfsame_identity::{ComponentRow, IdentifierRow, Member, MemoryRows, Plan, RuleSet};

use crate::naive::{Call, Chance, Id, Naive, random_call, random_rules, real};
use crate::world::{World, collection};

/// What histories are made of.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) windows: bool,
    pub(crate) mapping_cap: bool,
    pub(crate) changing_rules: bool,
}

/// A history with everything that was said about it.
pub(crate) struct History {
    pub(crate) world: World,
    /// Each event, and the number of the rules that it was judged by.
    pub(crate) calls: Vec<(Call, usize)>,
    pub(crate) rules: Vec<RuleSet>,
    pub(crate) apart: BTreeSet<(Id, Id)>,
}

/// What the histories met.
#[derive(Debug, Default)]
struct Tally {
    compared: u32,
    changed: u32,
    others: u32,
    uncertain: u32,
    different: u32,
}

pub(crate) fn rules(chance: &mut Chance, kind: Kind) -> RuleSet {
    let mut rules = random_rules(chance);
    if !kind.windows {
        rules.types.iter_mut().for_each(|rule| rule.limit.window = Window::Ever);
    }
    if !kind.mapping_cap {
        rules.caps.mappings = 1_000;
    }
    // Where devices move, it is refused: see `strategies`.
    if rules.strategy == Strategy::Link {
        rules.strategy = Strategy::Isolate;
    }
    rules.shared_devices = None;
    rules
}

impl History {
    pub(crate) fn new(chance: &mut Chance, kind: Kind) -> Self {
        Self::under(rules(chance, kind))
    }

    pub(crate) fn under(rules: RuleSet) -> Self {
        let rules = vec![rules];
        let world = World::with(&rules[0]);
        Self { world, calls: Vec::new(), rules, apart: BTreeSet::new() }
    }

    pub(crate) fn event(&mut self, call: Call) {
        real(&mut self.world, &call);
        self.calls.push((call, self.rules.len() - 1));
    }

    pub(crate) fn change_rules(&mut self, rules: RuleSet) {
        self.world.set_rules(&rules);
        self.rules.push(rules);
    }

    pub(crate) fn naive(&self) -> BTreeSet<Vec<String>> {
        let mut naive = Naive::new(&self.rules[0]);
        naive.apart = self.apart.iter().cloned().collect();
        for (call, rules) in &self.calls {
            naive.rules = &self.rules[*rules];
            naive.resolve(call);
        }
        naive.everybody()
    }

    /// The same history from its beginning, by the real resolver.
    fn resolved_whole(&self) -> MemoryRows {
        let mut world = World::with(&self.rules[0]);
        world.rows.apart = self.world.rows.apart.clone();
        let mut now = 0;
        for (call, rules) in &self.calls {
            if *rules != now {
                world.set_rules(&self.rules[*rules]);
                now = *rules;
            }
            real(&mut world, call);
        }
        world.rows
    }

    pub(crate) fn everybody(&self) -> BTreeSet<Vec<String>> {
        let letter = |kind: &str| match kind {
            "user_id" => 'u',
            "email" => 'e',
            "anonymous_id" => 'a',
            "phone" => 'p',
            other => panic!("no type {other}"),
        };
        let values = |row: &ComponentRow| {
            let numbers = &self.world.numbers;
            let value = |member: &Member| {
                let (_, kind) = numbers.name(member.number).expect("a type");
                format!("{}:{}", letter(kind), member.value)
            };
            let mut values: Vec<String> = row.members.iter().map(value).collect();
            values.sort();
            values
        };
        let rows = self.world.rows.components.values();
        rows.filter(|row| row.parent.is_none()).map(|row| values(row)).collect()
    }

    pub(crate) fn told(&self) -> String {
        let mut told = String::new();
        for (call, rules) in &self.calls {
            let ids: Vec<_> = call.ids.iter().map(|(_, value)| value.as_str()).collect();
            let day = call.time / crate::world::DAY;
            told += &format!("{} <{:?} day {day} rules {rules}\n", ids.join(" "), call.previous);
        }
        for rules in &self.rules {
            for rule in &rules.types {
                told += &format!(
                    "{} {} {:?} {:?}\n",
                    rule.name, rule.priority, rule.limit, rule.blocked
                );
            }
            told += &format!("{:?} {:?}\n", rules.caps, rules.options);
        }
        format!("{told} {:?}", self.apart)
    }

    /// Two identifiers that were on events, and that the rules know.
    fn pair(&self, chance: &mut Chance) -> Option<(Id, Id)> {
        let keys: BTreeSet<_> = {
            let rows = &self.world.rows;
            let seen = rows.evidence.values().flat_map(|row| &row.identifiers);
            seen.map(|seen| seen.key).chain(rows.identifiers.keys().copied()).collect()
        };
        let ids = self.calls.iter().flat_map(|(call, _)| call.ids.clone());
        let key = |(letter, value): &Id| {
            let name = crate::naive::name_of(*letter);
            self.world.hasher.identifier(1, collection("u"), name, value)
        };
        let mut ids: Vec<Id> = ids.filter(|id| keys.contains(&key(id))).collect();
        ids.sort();
        ids.dedup();
        if ids.len() < 2 {
            return None;
        }
        let mut pick =
            || ids[usize::try_from(chance.below(ids.len() as u64)).expect("an index")].clone();
        let (one, other) = (pick(), pick());
        match one.cmp(&other) {
            std::cmp::Ordering::Less => Some((one, other)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some((other, one)),
        }
    }

    /// Sets a pair apart, or lifts one.
    fn change(&mut self, chance: &mut Chance) -> Option<Plan> {
        let lift = self.apart.first().filter(|_| chance.one_in(3)).cloned();
        let (apart, lift) = match lift {
            Some(lift) => (vec![], vec![lift]),
            None => (vec![self.pair(chance)?], vec![]),
        };
        for pair in &lift {
            self.apart.remove(pair);
        }
        self.apart.extend(apart.iter().cloned());
        let text = |pairs: &[(Id, Id)]| -> Vec<(String, String)> {
            pairs.iter().map(|(one, other)| (one.1.clone(), other.1.clone())).collect()
        };
        let (apart, lift) = (text(&apart), text(&lift));
        fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
            pairs.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect()
        }
        Some(self.world.undo(&borrowed(&apart), &borrowed(&lift)))
    }
}

/// A row of the graph, but for what an unmerge cannot know or keeps otherwise.
fn essence(rows: &MemoryRows, has_alias: bool) -> Vec<String> {
    let components = rows.components.iter().map(|(id, row)| {
        let members = row.members.iter().map(|member| {
            let Member { rank, is_apart, mapped_at, event_time, .. } = member;
            format!("{member:?} {rank} {is_apart} {mapped_at:?} {event_time:?}")
        });
        format!("{id:?} {:?} {} {:?}", row.parent, row.merges, members.collect::<Vec<_>>())
    });
    let identifiers = rows.identifiers.iter().map(|(key, row)| {
        let anchored = row.anchored || has_alias;
        format!("{key:?} {:?}", IdentifierRow { anchored, ..*row })
    });
    components.chain(identifiers).collect()
}

/// Goes through so many histories.
fn compare(seed: u64, histories: u32, kind: Kind) -> Tally {
    let mut chance = Chance(seed);
    let mut tally = Tally::default();
    for number in 0..histories {
        let mut history = History::new(&mut chance, kind);
        let mut now = 1_700_000_000_000_000;
        let mut is_uncertain = false;
        for step in 0..4 + chance.below(14) {
            if kind.changing_rules && chance.one_in(8) {
                history.change_rules(rules(&mut chance, kind));
            }
            let repeated = chance.one_in(3).then(|| {
                let place = chance.below(history.calls.len().max(1) as u64);
                history.calls.get(usize::try_from(place).expect("an index")).cloned()
            });
            let call = match repeated.flatten() {
                Some((call, _)) => {
                    Call { time: random_call(&mut chance, &mut now, false).time, ..call }
                }
                None => random_call(&mut chance, &mut now, false),
            };
            history.event(call);
            if step > 2 && chance.one_in(3) {
                let before = history.everybody();
                let Some(plan) = history.change(&mut chance) else { continue };
                is_uncertain |= plan.uncertain > 0 || plan.left_over > 0;
                let is_plain = !kind.windows && !kind.mapping_cap && !kind.changing_rules;
                assert!(!is_plain || plan.uncertain == 0);
                tally.changed += u32::from(before != history.everybody());
                assert!(before == history.everybody() || !plan.moved.is_empty());
                tally.others += u32::from(!plan.others.is_empty());
            }
            if history.apart.is_empty() {
                continue;
            }
            tally.compared += 1;
            tally.uncertain += u32::from(is_uncertain);
            let (ours, theirs) = (history.everybody(), history.naive());
            if is_uncertain {
                tally.different += u32::from(ours != theirs);
                continue;
            }
            let told = || history.told();
            assert_eq!(ours, theirs, "history {number}: {}", told());
            if !kind.mapping_cap {
                let (ours, theirs) = {
                    let has_alias = history.calls.iter().any(|(call, _)| call.previous.is_some());
                    let rows = [&history.world.rows, &history.resolved_whole()];
                    rows.map(|rows| essence(rows, has_alias)).into()
                };
                assert!(ours == theirs, "history {number}: {}\n{ours:#?}\n{theirs:#?}", told());
            }
        }
    }
    tally
}

#[test]
fn undo_is_the_whole_history_again_under_limits_caps_and_blocks() {
    let kind = Kind { windows: false, mapping_cap: false, changing_rules: false };
    let tally = compare(1, 700, kind);
    println!("{tally:?}");
    assert!(
        tally.uncertain * 20 < tally.compared,
        "alias calls may leave something over: {tally:?}"
    );
    assert!(tally.changed > 300 && tally.others > 20, "{tally:?}");
}

#[test]
fn undo_is_the_whole_history_again_under_windows_where_it_does_not_say_otherwise() {
    let kind = Kind { windows: true, mapping_cap: false, changing_rules: false };
    let tally = compare(2, 700, kind);
    println!("{tally:?}");
    assert!(tally.uncertain * 4 < tally.compared, "{tally:?}");
}

#[test]
fn undo_is_the_whole_history_again_under_the_rules_of_each_time() {
    let kind = Kind { windows: true, mapping_cap: true, changing_rules: true };
    let tally = compare(3, 700, kind);
    println!("{tally:?}");
}
