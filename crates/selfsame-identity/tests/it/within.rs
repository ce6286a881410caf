//! Profiles that older and looser rules made are taken apart until the rules in force hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{IdentifierKey, Time};
use selfsame_identity::rule::{Limit, Strategy, Window};
use selfsame_identity::{
    Change, ComponentId, ComponentRow, Excess, PlanError, RuleSet, RulesLog, Sizes, Split, apply,
    plan_within,
};

use crate::naive::{Chance, Id, random_call};
use crate::undo::{History, Kind, rules};
use crate::world::World;

/// Types by the letter, each with how many a profile may have.
fn limits(of: &str) -> String {
    let rule = |(priority, one): (usize, &str)| {
        let (letter, count) = one.split_at(1);
        let name = crate::world::kind(letter);
        format!("{{ name: {name}, priority: {}, limit: {{ count: {count} }} }}", priority + 1)
    };
    let rules: Vec<_> = of.split_whitespace().enumerate().map(rule).collect();
    format!("types: [{}]", rules.join(", "))
}

fn within(
    world: &mut World,
    key: IdentifierKey,
) -> Result<Split, PlanError<std::convert::Infallible>> {
    let log = RulesLog::new(world.log.clone());
    let at = Time::from_micros(1_900_000_000_000_000);
    let wish = Change { by: "test".into(), at, ..Change::default() };
    plan_within(key, &wish, &log, Sizes::default(), &mut world.rows, &mut |_| true)
}

/// Profiles that have what the rules in force would not let them.
fn excess(world: &World) -> BTreeMap<ComponentId, (IdentifierKey, Vec<Excess>)> {
    let roots = world.rows.components.iter().filter(|(_, row)| row.parent.is_none());
    let found =
        roots.map(|(id, row)| (*id, (row.members[0].key, world.rules.excess(&row.members))));
    found.filter(|(_, (_, excess))| !excess.is_empty()).collect()
}

/// After `events` under the limits `before`, the limits `after` come into force, and the profile of `of` is
/// taken apart: by these pairs, into these profiles.
fn check(before: &str, events: &str, after: &str, of: &str, pairs: &[&str], profiles: &str) {
    let mut world = World::new(&limits(before));
    for event in events.split(',') {
        world.event(event);
    }
    world.rules(&limits(after));
    let key = world.key(of);
    let split = within(&mut world, key).expect("a plan");
    let value = |key: &IdentifierKey| {
        let mut names = split.plan.names();
        names.find(|one| one.key == *key).expect("a name").value.to_string()
    };
    let told: BTreeSet<String> = split
        .change
        .apart
        .iter()
        .map(|pair| {
            let mut ids = pair.keys().map(|key| value(&key));
            ids.sort();
            ids.join(" ")
        })
        .collect();
    assert_eq!(told, pairs.iter().map(ToString::to_string).collect(), "{events}");
    assert!(!split.is_partial);
    apply(&split.plan, &mut world.rows).expect("memory does not fail");
    assert_eq!(world.profiles(), profiles, "{events}");
    assert!(excess(&world).is_empty());
    assert!(matches!(within(&mut world, key), Err(PlanError::Within)));
}

#[test]
fn a_second_user_is_set_apart_from_the_first() {
    // Who stays is who was there first, not whose id is the smaller.
    check("u2 e5 a5", "u2 e1,u1 e1,u1 a1,u2 a2", "u1 e5 a5", "e1", &["u1 u2"], "a2 e1 u2 | a1 u1");
}

#[test]
fn three_users_that_one_address_joined_become_three_people() {
    check("u9 e5", "u1 e1,u2 e1,u3 e1", "u1 e5", "u3", &["u1 u2", "u1 u3"], "e1 u1 | u2 | u3");
}

#[test]
fn users_that_are_joined_to_each_other_too_are_set_apart_one_after_the_other() {
    let pairs = ["u1 u2", "u1 u3", "u2 u3"];
    check(
        "u9 e5 a5",
        "u1 e1,u2 e1,u3 e1,u2 a1,u3 a1",
        "u1 e5 a5",
        "u1",
        &pairs,
        "e1 u1 | a1 u2 | u3",
    );
}

#[test]
fn of_a_less_trusted_type_the_earlier_values_stay_with_the_person() {
    check("u1 e9", "u1 e3,u1 e2,u1 e1", "u1 e2", "u1", &["e1 u1"], "e2 e3 u1");
}

#[test]
fn what_somebody_else_would_get_too_much_of_is_set_apart_as_well() {
    // Without u1, e1 and a1 are u2's, who has two devices already and may have two only: the latest goes.
    let world = |after: &str| {
        let mut world = World::new(&limits("u1 e9 a3"));
        for event in ["u1 e2", "e1 a1", "e1 e2", "u2 a2", "u2 a3", "u2 a1"] {
            world.event(event);
        }
        world.rules(&limits(after));
        world
    };
    assert_eq!(world("u1 e9 a3").profiles(), "a1 e1 e2 u1 | a2 a3 u2");
    let mut world = world("u1 e1 a2");
    let key = world.key("u1");
    let split = within(&mut world, key).expect("a plan");
    apply(&split.plan, &mut world.rows).expect("memory does not fail");
    assert_eq!((world.profiles().as_str(), split.is_partial), ("e2 u1 | a1 a2 e1 u2", false));
}

#[test]
fn a_value_that_is_blocked_now_leaves_everybody_it_joined() {
    let mut world = World::new("");
    for event in ["u1 e1 p0", "u1 a1", "e2 p0", "e3 p0", "e3 a3"] {
        world.event(event);
    }
    assert_eq!(world.profiles(), "a1 a3 e1 e2 e3 p0 u1");
    world.rules("blocked: { exact: [p0] }");
    let [(key, excess)] = &excess(&world).into_values().collect::<Vec<_>>()[..] else {
        panic!("one profile")
    };
    assert_eq!((excess.len(), excess[0].limit, excess[0].over.len()), (1, None, 1));
    let split = within(&mut world, *key).expect("a plan");
    apply(&split.plan, &mut world.rows).expect("memory does not fail");
    assert_eq!(world.profiles(), "a1 e1 u1 | e2 | a3 e3");
    assert!(crate::within::excess(&world).is_empty() && !split.is_partial);
}

#[test]
fn a_limit_with_a_window_counts_what_came_within_it() {
    let events = |gap: i64| {
        let mut world = World::new("");
        world.user("u1 e1");
        for event in ["u1 e2", "u1 e3"] {
            world.days(gap);
            world.user(event);
        }
        world.rules(
            "types: [{ name: user_id, priority: 1 }, \
             { name: email, priority: 2, limit: { count: 2, window: weekly } }]",
        );
        world
    };
    assert_eq!(excess(&events(4)).len(), 0, "two in any week");
    let mut world = events(3);
    let key = world.key("u1");
    let split = within(&mut world, key).expect("a plan");
    apply(&split.plan, &mut world.rows).expect("memory does not fail");
    assert_eq!(world.profiles(), "e1 e2 u1");
}

#[test]
fn who_is_nobody_or_keeps_the_rules_is_not_taken_apart() {
    let mut world = World::new("");
    world.user("u1 a1");
    let (kept, nobody) = (world.key("u1"), world.key("u9"));
    assert!(matches!(within(&mut world, kept), Err(PlanError::Within)));
    assert!(matches!(within(&mut world, nobody), Err(PlanError::Unknown)));
}

/// Looser rules for the beginning of a history.
fn loose(chance: &mut Chance, kind: Kind) -> RuleSet {
    let mut loose = rules(chance, kind);
    loose.strategy = Strategy::Merge;
    for rule in &mut loose.types {
        rule.limit = Limit { count: 3, window: Window::Ever };
        rule.blocked.exact.clear();
    }
    loose
}

/// The same, with lower limits and more that is blocked.
fn tightened(chance: &mut Chance, loose: &RuleSet) -> RuleSet {
    let mut tight = loose.clone();
    for rule in &mut tight.types {
        rule.limit.count = u32::try_from(chance.pick(&[1, 1, 2, 3])).expect("small");
        if chance.one_in(4) {
            let letter = rule.name.chars().next().expect("a name");
            rule.blocked.exact.push(format!("{letter}{}", 1 + chance.below(3)));
        }
    }
    tight
}

/// Takes one profile apart. What the plan does not name stays as it was.
fn take_apart(history: &mut History, key: IdentifierKey) -> Split {
    let world = &mut history.world;
    let split = within(world, key).expect("a plan");
    assert!(!split.is_partial, "{}", history.told());
    let before = world.rows.components.clone();
    apply(&split.plan, &mut world.rows).expect("memory does not fail");
    let touched: BTreeSet<_> =
        split.plan.before.iter().chain(&split.plan.after).map(|one| one.component).collect();
    let members = |row: Option<&Arc<ComponentRow>>| {
        let row = row.filter(|row| row.parent.is_none())?;
        Some(row.members.iter().map(|member| member.key).collect::<Vec<_>>())
    };
    let after = &world.rows.components;
    for id in before.keys().chain(after.keys()).filter(|id| !touched.contains(id)) {
        assert_eq!(members(before.get(id)), members(after.get(id)), "{}", history.told());
    }
    let excess = excess(world);
    for cluster in &split.plan.after {
        assert!(!excess.contains_key(&cluster.component), "{}", history.told());
    }
    let id = |key: IdentifierKey| -> Id {
        let named = split.plan.names().find(|one| one.key == key).expect("a name");
        let (_, kind) = world.numbers.name(named.number).expect("a type");
        let letter =
            ['u', 'e', 'a', 'p'].into_iter().find(|one| crate::naive::name_of(*one) == kind);
        (letter.expect("a letter"), named.value.to_string())
    };
    for pair in &split.change.apart {
        let mut ids = pair.keys().map(id);
        ids.sort();
        let [one, other] = ids;
        history.apart.insert((one, other));
    }
    split
}

/// Random histories under loose rules, which are then tightened. Every profile that has too much is taken
/// apart, one after the other; then nobody has. The graph is the one of the whole history with the pairs
/// set apart from its beginning.
#[test]
fn every_profile_with_too_much_is_taken_apart_and_nobody_else_is() {
    let kind = Kind { windows: false, mapping_cap: false, changing_rules: false };
    let mut chance = Chance(11);
    let (mut apart, mut blocked, mut several, mut compared) = (0, 0, 0, 0);
    for _ in 0..600 {
        let loose = loose(&mut chance, kind);
        let mut history = History::under(loose.clone());
        let mut now = 1_700_000_000_000_000;
        for _ in 0..5 + chance.below(16) {
            history.event(random_call(&mut chance, &mut now, false));
        }
        history.change_rules(tightened(&mut chance, &loose));
        let is_over = chance.one_in(2);
        if !is_over {
            history.event(random_call(&mut chance, &mut now, false));
        }
        let (mut is_left_over, mut turns) = (false, 0);
        while let Some((_, (key, found))) = excess(&history.world).into_iter().next() {
            turns += 1;
            assert!(turns < 30, "{}", history.told());
            let split = take_apart(&mut history, key);
            is_left_over |= split.plan.left_over > 0;
            apart += 1;
            several += u32::from(split.change.apart.len() > 1);
            blocked += u32::from(found.iter().any(|one| one.limit.is_none()));
        }
        // An event of the new rules that is not kept may have joined what is refused under the old ones.
        if turns > 0 && is_over && !is_left_over {
            compared += 1;
            assert_eq!(history.everybody(), history.naive(), "{}", history.told());
        }
        for _ in 0..4 {
            history.event(random_call(&mut chance, &mut now, false));
        }
        assert!(excess(&history.world).is_empty(), "new events keep the rules: {}", history.told());
    }
    println!(
        "{apart} taken apart, {several} by several pairs, {blocked} blocked, {compared} compared"
    );
    assert!(apart > 300 && several > 100 && blocked > 50 && compared > 100);
}
