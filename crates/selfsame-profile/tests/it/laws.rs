//! Law 3: what order, division, union and splitting do not change.

use proptest::prelude::*;
use selfsame_event::IdentifierKey;
use selfsame_profile::{Limits, Role, Rules, Section, Sections, combine};

use crate::history::{History, RULES, spec};
use crate::naive;

fn history(most: usize) -> impl Strategy<Value = History> {
    prop::collection::vec(spec(), 0..most).prop_map(History::new)
}

/// A history, another order of it, and for each event one of four sections.
fn divided(most: usize) -> impl Strategy<Value = (History, Vec<usize>, Vec<u8>)> {
    history(most).prop_flat_map(|history| {
        let count = history.specs.len();
        let order = Just((0..count).collect::<Vec<_>>()).prop_shuffle();
        (Just(history), order, prop::collection::vec(0..4_u8, count))
    })
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::User), Just(Role::Account)]
}

fn anchor(number: u8) -> IdentifierKey {
    IdentifierKey([number; 16])
}

/// The sections of a division, folded in that order.
fn sections(
    history: &History,
    order: &[usize],
    anchors: &[u8],
    rules: &Rules<'_>,
    role: Role,
) -> Vec<Section> {
    (0..4)
        .map(|one| {
            let its = order.iter().copied().filter(|index| anchors[*index] == one);
            history.fold(its, role, rules).0
        })
        .collect()
}

fn small_rules() -> impl Strategy<Value = Rules<'static>> {
    (0..4_usize, 0..3_usize)
        .prop_map(|(traits, links)| Rules { limits: Limits { traits, links }, ..RULES })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// (a) A section does not depend on the order of its events, and is what the naive fold says.
    #[test]
    fn a_order((history, order, _) in divided(30), role in role()) {
        let (in_order, _) = history.fold(0..order.len(), role, &RULES);
        let (shuffled, _) = history.fold(order, role, &RULES);
        prop_assert_eq!(in_order.canonical(), shuffled.canonical());
        prop_assert_eq!(&in_order, &shuffled);
        let expected = naive::fold(history.specs.iter().enumerate(), role);
        prop_assert_eq!(naive::of(&combine(&[&in_order], &RULES.limits)), expected);
    }

    /// (a) at the caps: what stays is chosen by rank, not by arrival.
    #[test]
    fn a_order_at_the_caps((history, order, _) in divided(30), role in role(), rules in small_rules()) {
        let (in_order, _) = history.fold(0..order.len(), role, &rules);
        let (shuffled, _) = history.fold(order, role, &rules);
        prop_assert_eq!(&in_order, &shuffled);
        let expected = naive::fold(history.specs.iter().enumerate(), role);
        prop_assert_eq!(in_order.traits().count(), expected.traits.len().min(rules.limits.traits));
        prop_assert_eq!(in_order.links().count(), expected.links.len().min(rules.limits.links));
        for register in in_order.traits() {
            let text = register.value.map(|value| value.text().to_owned());
            prop_assert_eq!(&expected.traits[register.key].1, &text);
        }
        for link in in_order.links() {
            prop_assert_eq!(expected.links[&link.anchor], (link.since, link.source));
        }
    }

    /// (b) Folding any division and combining is folding all.
    #[test]
    fn b_division((history, order, anchors) in divided(30), role in role()) {
        let parts = sections(&history, &order, &anchors, &RULES, role);
        let parts: Vec<&Section> = parts.iter().collect();
        let view = combine(&parts, &RULES.limits);
        let (whole, _) = history.fold(0..order.len(), role, &RULES);
        prop_assert_eq!(&view, &combine(&[&whole], &RULES.limits));
        prop_assert_eq!(naive::of(&view), naive::fold(history.specs.iter().enumerate(), role));
        let reversed: Vec<&Section> = parts.iter().rev().copied().collect();
        prop_assert_eq!(view, combine(&reversed, &RULES.limits));
    }

    /// (b) at the caps.
    #[test]
    fn b_division_at_the_caps((history, order, anchors) in divided(30), role in role(), rules in small_rules()) {
        let parts = sections(&history, &order, &anchors, &rules, role);
        let parts: Vec<&Section> = parts.iter().collect();
        let (whole, _) = history.fold(0..order.len(), role, &rules);
        prop_assert_eq!(combine(&parts, &rules.limits), combine(&[&whole], &rules.limits));
    }

    /// (c) Union is commutative, associative and idempotent, also where one side knows a section
    /// from earlier than the other.
    #[test]
    fn c_union(
        (history, _, anchors) in divided(20),
        known in prop::collection::vec((0..3_usize, 0..4_u8, 0..20_usize), 0..10),
    ) {
        let count = history.specs.len();
        let folded: Vec<(usize, u8, Section)> = known
            .into_iter()
            .map(|(profile, one, until)| {
                let its = (0..until.min(count)).filter(|index| anchors[*index] == one);
                (profile, one, history.fold(its, Role::User, &RULES).0)
            })
            .collect();
        let profile = |number: usize| -> Sections<'_> {
            let its = folded.iter().filter(|(profile, ..)| *profile == number);
            its.map(|(_, one, section)| (anchor(*one), section)).collect()
        };
        let (a, b, c) = (profile(0), profile(1), profile(2));
        fn union<'a>(one: &Sections<'a>, two: &Sections<'a>) -> Vec<(IdentifierKey, Vec<u8>)> {
            one.clone().union(two).iter().map(|(anchor, section)| (anchor, section.canonical())).collect()
        }
        prop_assert_eq!(union(&a, &b), union(&b, &a));
        prop_assert_eq!(union(&a.clone().union(&b), &c), union(&a, &b.clone().union(&c)));
        prop_assert_eq!(a.clone().union(&a), a.clone());
        prop_assert_eq!(a.clone().union(&b).union(&b), a.clone().union(&b));
        for (one, section) in a.clone().union(&b).iter() {
            let furthest = folded.iter().filter(|(profile, of, _)| *profile < 2 && anchor(*of) == one);
            prop_assert_eq!(furthest.map(|(.., known)| known.events()).max(), Some(section.events()));
        }
    }

    /// (d) Merging, then splitting, is the identity, and events after the merge go where they belong.
    #[test]
    fn d_split((history, order, anchors) in divided(30), cut in 0..30_usize) {
        let cut = cut.min(order.len());
        let before = sections(&history, &order[..cut], &anchors, &RULES, Role::User);
        let after = sections(&history, &order, &anchors, &RULES, Role::User);
        let side = |of: &[Section], left: bool| -> Vec<(u8, Section)> {
            let all = (0..4).zip(of.iter().cloned());
            all.filter(|(number, _)| (*number < 2) == left).collect()
        };
        let (left, right) = (side(&before, true), side(&before, false));
        let of = |part: &[(u8, Section)]| -> Vec<(IdentifierKey, Vec<u8>)> {
            part.iter().map(|(number, section)| (anchor(*number), section.canonical())).collect()
        };
        let merged: Sections<'_> =
            left.iter().chain(&right).map(|(number, section)| (anchor(*number), section)).collect();
        let split: Vec<_> = merged.iter().filter(|(one, _)| *one < anchor(2)).collect();
        let split: Vec<_> = split.into_iter().map(|(one, section)| (one, section.canonical())).collect();
        prop_assert_eq!(split, of(&left));

        // Folded on after the merge and split later: the same as if there had been no merge.
        let its = history.specs.iter().enumerate().filter(|(index, _)| anchors[*index] < 2);
        let later = side(&after, true);
        let later: Vec<&Section> = later.iter().map(|(_, section)| section).collect();
        prop_assert_eq!(naive::of(&combine(&later, &RULES.limits)), naive::fold(its, Role::User));
    }

    /// A profile as of a time is the naive fold of the events up to it.
    #[test]
    fn as_of_a_time(history in history(30), micros in 0..4_000_i64) {
        let its = history.specs.iter().enumerate().filter(|(_, spec)| spec.micros <= micros);
        let (section, _) = history.fold(its.clone().map(|(index, _)| index), Role::User, &RULES);
        prop_assert_eq!(naive::of(&combine(&[&section], &RULES.limits)), naive::fold(its, Role::User));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Hot profiles too, whose timelines have full chunks.
    #[test]
    fn order_of_a_hot_section((history, order, _) in divided(700)) {
        let (in_order, _) = history.fold(0..order.len(), Role::User, &RULES);
        let (shuffled, chunks) = history.fold(order.iter().copied(), Role::User, &RULES);
        prop_assert_eq!(in_order.canonical(), shuffled.canonical());
        prop_assert_eq!(chunks.len(), order.len() / 256);
    }
}
