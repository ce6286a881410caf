use proptest::prelude::*;

use crate::query::testing::{self, Shape};
use crate::query::{self, Condition, Holder, Misuse, Place, check_condition, check_scalar};

/// What is wrong with an audience: the sentences, joined, and the place of the first one.
fn found(text: &str, holder: Holder) -> (String, Place) {
    let condition = query::condition(text).unwrap_or_else(|error| panic!("{error}"));
    sentences(check_condition(&condition, holder))
}

fn sentences(checked: Result<(), Vec<Misuse>>) -> (String, Place) {
    let found = checked.err().unwrap_or_default();
    let sentences: Vec<_> = found.iter().map(|misuse| misuse.sentence.clone()).collect();
    (sentences.join("\n"), found.first().map_or_else(Place::default, |misuse| misuse.place))
}

/// That the definition of a user is wrong at that part, in a sentence that has those words.
fn wrong(text: &str, at: &str, words: &str) {
    wrong_of(Holder::Users, text, at, words);
}

fn wrong_of(holder: Holder, text: &str, at: &str, words: &str) {
    let (sentences, place) = found(text, holder);
    assert!(sentences.contains(words), "{text}: {sentences}");
    assert_eq!(sentences.lines().count(), 1, "{text}: {sentences}");
    assert_eq!(text.get(place.start as usize..place.end as usize), Some(at), "{text}");
}

fn right(text: &str, holder: Holder) {
    assert_eq!(found(text, holder).0, "", "{text}");
}

#[test]
fn properties_are_of_events() {
    wrong("property('x') = 1", "'x'", "Only an event has properties");
    wrong("trait('y') = context('x')", "'x'", "Only an event has properties");
    wrong("event('A').count() >= property('x')", "'x'", "Only an event has properties");
    right("event('A').where(property('x') = context('y')).sum(property('z')) > 1", Holder::Users);
}

#[test]
fn a_parent_is_the_event_around_one() {
    let text = "event('A').where(property(parent: 'x') = 1).count() = 1";
    wrong(text, "'x'", "`parent:` reads the event around this one");
    let text = "event('A').within(parent: 1 day).count() = 1";
    wrong(
        text,
        "event('A').within(parent: 1 day)",
        "`parent:` counts from the event around this one",
    );
    let text = "event('A').where(event('B').within(parent: 1 day).sum(property(parent: 'x')) = 1).count() = 1";
    wrong(text, "event('B').within(parent: 1 day)", "`sum` takes a `property('…')`");
    right(
        "event('A').where(event('B').within(parent: 1 day).where(property('x') = property(parent: 'x')).count() = 0).count() = 1",
        Holder::Users,
    );
}

#[test]
fn windows_are_one_of_each_kind_and_have_a_length() {
    let stream = |filters: &str| format!("event('A'){filters}");
    let wrong = |filters: &str, words: &str| {
        wrong(&format!("{}.count() = 1", stream(filters)), &stream(filters), words);
    };
    wrong(".within(1 day).this(month)", "keep `within` or `this`");
    wrong(".previous(day).expires_after(1 hour)", "keep `previous` or `expires_after`");
    wrong(".within(0 days)", "leaves no event");
    wrong(".between(7 days, 7 days)", "7 days is not less than 7 days");
    wrong(".between(25 hours, 1 day)", "25 hours is not less than 1 day");
    wrong(".within(1827 days)", "at most five years long (1826 days), and `within` has 1827 days");
    wrong(".between(1 day, 4294967295 weeks)", "at most five years");
    wrong(".expires_after(261 weeks)", "at most five years");
    wrong(".this(day, 'Europe/Atlantis')", "no time zone `Europe/Atlantis`");
    wrong(".this(day, 'europe/berlin')", "no time zone `europe/berlin`");
    wrong(".this(day, 'Etc/Unknown')", "no time zone `Etc/Unknown`");
    right("event('A').this(day, 'UTC').count() = 1", Holder::Users);
    right("event('A').within(1826 days).count() = 1", Holder::Users);
    right("event('A').previous(week, 'America/Argentina/Buenos_Aires').count() = 1", Holder::Users);
    right(
        "event('A').where(event('B').within(parent: 1 day).within(7 days).count() = 0).count() = 1",
        Holder::Users,
    );
}

#[test]
fn a_session_is_not_nested() {
    let text = "event('A').where(event('B').expires_after(1 hour).count() = 0).count() = 1";
    wrong(text, "event('B').expires_after(1 hour)", "`expires_after` cannot stand in a `where`");
}

#[test]
fn any_and_all_are_of_accounts_and_stand_alone() {
    wrong("ANY trait('x') = 1", "trait('x') = 1", "only the definition of an account");
    let nested = "ANY (trait('y') = 1 OR ALL trait('x') = 1)";
    wrong_of(Holder::Accounts, nested, "trait('x') = 1", "cannot stand in each other");
    let inside = "event('A').where(ANY trait('x') = 1).count() = 1";
    wrong_of(Holder::Accounts, inside, "trait('x') = 1", "cannot stand in a `where`");
    right(
        "ANY trait('x') = 1 AND NOT ALL (event('A').count() = 1 OR trait('y') = 1)",
        Holder::Accounts,
    );
}

#[test]
fn tables_are_refused() {
    wrong(
        "entity('orders').count() >= 1",
        "entity('orders')",
        "needs tables, which this version does not have",
    );
}

#[test]
fn events_have_names_and_modes_occur() {
    wrong("event('').count() >= 1", "event('')", "Every event has a name");
    let text = "event('A').mode(property('x'), 0) = 'a'";
    wrong(text, "event('A')", "there once at least");
}

#[test]
fn dates_are_dates_and_numbers_in_range() {
    let text = "trait('x').before_date('soon')";
    wrong(text, text, "`soon` is no date");
    let text = "trait('x').after_date(5)";
    wrong(text, text, "`5` is no date");
    wrong("trait('x') > 1e30", "trait('x') > 1e30", "`1e30` is too large");
    right("trait('x').before_date('2023-12-07') AND trait('x') > 1e29", Holder::Users);
}

#[test]
fn streams_stand_in_each_other_two_levels_deep() {
    let nested = |levels: usize| {
        let open: String = (0..levels).map(|nth| format!("event('{nth}').where(")).collect();
        format!("{open}property('x') = 1{}", ").count() = 1".repeat(levels))
    };
    right(&nested(3), Holder::Users);
    wrong(&nested(4), "event('3').where(property('x') = 1)", "at most 2 levels deep");
}

#[test]
fn a_definition_has_at_most_fifty_expressions() {
    let joined = |count: usize| vec!["event('A').count() >= 1"; count].join(" OR ");
    right(&joined(50), Holder::Users);
    let (sentences, _) = found(&joined(51), Holder::Users);
    assert!(
        sentences.contains("at most 50 primary expressions, and this one has 51"),
        "{sentences}"
    );
    let counted = vec!["trait('x') > event('A').count()"; 26].join(" OR ");
    let (sentences, _) = found(&counted, Holder::Users);
    assert!(sentences.contains("this one has 52"), "{sentences}");
}

#[test]
fn lists_and_paths_are_bounded() {
    let list = |count: usize| format!("trait('x').one_of({})", vec!["1"; count].join(", "));
    right(&list(100), Holder::Users);
    assert!(found(&list(101), Holder::Users).0.contains("at most 100 values"));
    let path = |count: usize| format!("trait('{}').exists()", vec!["x"; count].join("."));
    right(&path(32), Holder::Users);
    assert!(found(&path(33), Holder::Users).0.contains("at most 32 steps"));
    assert!(found("trait('$.x').exists()", Holder::Users).0.contains("begins with a key"));
}

#[test]
fn a_tree_that_no_text_says_is_refused() {
    let Ok(Condition::Is(comparison)) = query::condition("trait('x') = 1") else { panic!() };
    let one = || Condition::Is(comparison.clone());
    let mut deep = one();
    for _ in 0..16 {
        deep = Condition::Not(Box::new(deep));
    }
    assert_eq!(check_condition(&deep, Holder::Users), Ok(()));
    let deeper = Condition::Not(Box::new(deep));
    assert!(sentences(check_condition(&deeper, Holder::Users)).0.contains("at most 16 levels"));
    let lonely = Condition::And(vec![one()]);
    assert!(
        sentences(check_condition(&lonely, Holder::Users)).0.contains("two conditions or more")
    );
    assert!(
        sentences(check_condition(&Condition::Or(vec![]), Holder::Users))
            .0
            .contains("two conditions")
    );
}

#[test]
fn everything_wrong_is_found_at_once_and_shown() {
    let text = "property('x') = 1\nOR event('A').within(0 days).count() = 1";
    let condition = query::condition(text).expect("a condition");
    let found = check_condition(&condition, Holder::Users).expect_err("wrong");
    assert_eq!(found.len(), 2);
    expect_test::expect![[r#"
        line 2, column 4:
          OR event('A').within(0 days).count() = 1
             ^^^^^^^^^^^^^^^^^^^^^^^^^
        `within` with no time in it leaves no event: write 1 at least."#]]
    .assert_eq(&found[1].shown(text));
}

#[test]
fn a_computed_trait_is_computed() {
    let check = |text: &str| {
        let scalar = query::scalar(text).unwrap_or_else(|error| panic!("{error}"));
        sentences(check_scalar(&scalar, Holder::Users)).0
    };
    assert_eq!(check("event('A').unique(property('x'))"), "");
    assert!(check("property('x')").contains("Only an event has properties"));
    assert!(check("event('A').within(0 days).count()").contains("leaves no event"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_definitions_are_valid(tree in testing::condition(&Shape { comparisons: 4, ..Shape::default() })) {
        prop_assert_eq!(check_condition(&tree, Holder::Users), Ok(()), "{}", tree);
        prop_assert_eq!(check_condition(&tree, Holder::Accounts), Ok(()), "{}", tree);
    }

    #[test]
    fn random_values_are_valid(tree in testing::scalar(&Shape::default())) {
        prop_assert_eq!(check_scalar(&tree, Holder::Users), Ok(()), "{}", tree);
    }
}
