use selfsame_event::{Event, IdentifierKey, RecordId, Shared, SourceNumber};

use super::*;

/// Folds events, written as `time message-id json`, and in the order of the lines.
fn fold(role: Role, rules: &Rules<'_>, lines: &[&str]) -> (Section, Vec<Folded>) {
    let mut section = Section::default();
    let mut all = Vec::new();
    for (offset, line) in (0..).zip(lines) {
        let mut words = line.splitn(3, ' ');
        let micros = words.next().and_then(|word| word.parse().ok()).expect("a time");
        let message_id = words.next().expect("a message id");
        let raw = Raw::check(words.next().expect("an event").as_bytes()).expect("JSON");
        let event = Event::read(raw, &Shared::default()).expect("an event");
        let folded = section.fold(
            &FoldEvent {
                event: &event,
                message_id,
                record: RecordId([u8::try_from(offset).expect("few"); 16]),
                item: 0,
                position: Position::embedded(offset),
                source: SourceNumber(7),
                happened_at: Time::from_micros(micros),
                received_at: Time::MAX,
                link: event.group_id.as_deref().map(|_| IdentifierKey([9; 16])),
            },
            role,
            rules,
        );
        all.push(folded);
    }
    (section, all)
}

/// The traits as `key=value`, `key` alone where it is removed, with who set it.
fn traits_of(section: &Section) -> String {
    let text = |t: Trait<'_>| {
        let value = t.value.map(|value| format!("={}", value.text())).unwrap_or_default();
        format!("{}{value}@{}", t.key, t.stamp.message_id)
    };
    section.traits().map(text).collect::<Vec<_>>().join(" ")
}

fn check(role: Role, lines: &[&str], expected: &str) {
    let rules = Rules { space_id: "spa_1", ..Rules::default() };
    let (section, _) = fold(role, &rules, lines);
    assert_eq!(traits_of(&section), expected, "{lines:#?}");
}

const USER: Role = Role::User;
const ACCOUNT: Role = Role::Account;

#[test]
fn the_latest_value_by_event_time_wins() {
    let one = r#"1 m1 {"type":"identify","userId":"u","traits":{"plan":"free"}}"#;
    let two = r#"2 m2 {"type":"identify","userId":"u","traits":{"plan":"pro"}}"#;
    check(USER, &[one, two], r#"plan="pro"@m2"#);
    check(USER, &[two, one], r#"plan="pro"@m2"#);
}

#[test]
fn at_one_time_the_greater_message_id_wins_and_then_the_record() {
    let one = r#"1 m1 {"type":"identify","userId":"u","traits":{"a":1}}"#;
    let two = r#"1 m2 {"type":"identify","userId":"u","traits":{"a":2}}"#;
    check(USER, &[two, one], "a=2@m2");
    let again = r#"1 m2 {"type":"identify","userId":"u","traits":{"a":3}}"#;
    check(USER, &[two, again], "a=3@m2");
}

#[test]
fn values_are_kept_as_they_came() {
    for (traits, expected) in [
        (r#"{"a":1.10}"#, "a=1.10@m"),
        (r#"{"a":123456789012345678901234567890}"#, "a=123456789012345678901234567890@m"),
        (r#"{"a":{"b":{"c":null}}}"#, r#"a={"b":{"c":null}}@m"#),
        (r#"{"a":""}"#, r#"a=""@m"#),
        (r#"{"a":[1, 2]}"#, "a=[1, 2]@m"),
        (r#"{"b":1,"a":2,"":3}"#, "=3@m a=2@m b=1@m"),
        (r#"{"\u0061":1}"#, "a=1@m"),
        (r#"{"a":1,"a":2}"#, "a=2@m"),
        (r#"{"a":1,"a":null}"#, "a@m"),
        ("{}", ""),
    ] {
        let line = format!(r#"1 m {{"type":"identify","userId":"u","traits":{traits}}}"#);
        check(USER, &[&line], expected);
    }
}

#[test]
fn an_object_is_replaced_whole() {
    let one = r#"1 m1 {"type":"identify","userId":"u","traits":{"address":{"city":"X","zip":1}}}"#;
    let two = r#"2 m2 {"type":"identify","userId":"u","traits":{"address":{"city":"Y"}}}"#;
    check(USER, &[one, two], r#"address={"city":"Y"}@m2"#);
}

#[test]
fn null_removes_and_a_late_older_value_does_not_come_back() {
    let set = r#"1 m1 {"type":"identify","userId":"u","traits":{"a":1}}"#;
    let null = r#"2 m2 {"type":"identify","userId":"u","traits":{"a":null}}"#;
    let anew = r#"3 m3 {"type":"identify","userId":"u","traits":{"a":3}}"#;
    check(USER, &[set, null], "a@m2");
    check(USER, &[null, set], "a@m2");
    check(USER, &[null, anew, set], "a=3@m3");
}

#[test]
fn only_identify_sets_traits_of_a_user_and_only_group_those_of_an_account() {
    let identify = r#"1 m {"type":"identify","userId":"u","traits":{"a":1}}"#;
    let group = r#"1 m {"type":"group","userId":"u","groupId":"g","traits":{"a":1}}"#;
    let track = r#"1 m {"type":"track","event":"E","userId":"u","context":{"traits":{"a":1}}}"#;
    let own = r#"1 m {"type":"identify","userId":"u","context":{"traits":{"a":1}}}"#;
    for (role, line, expected) in [
        (USER, identify, "a=1@m"),
        (USER, group, ""),
        (USER, track, ""),
        (USER, own, ""),
        (ACCOUNT, identify, ""),
        (ACCOUNT, group, "a=1@m"),
        (ACCOUNT, track, ""),
    ] {
        check(role, &[line], expected);
    }
}

#[test]
fn what_came_from_this_space_sets_no_traits() {
    let event = |space: &str| {
        format!(
            r#"1 m {{"type":"identify","userId":"u","traits":{{"a":1}},"context":{{"personas":{{"space_id":"{space}"}}}}}}"#
        )
    };
    check(USER, &[&event("spa_1")], "");
    check(USER, &[&event("spa_2")], "a=1@m");
    check(USER, &[&event("")], "a=1@m");
}

#[test]
fn folding_says_what_became_of_each_trait() {
    let lines = [
        r#"5 m1 {"type":"identify","userId":"u","traits":{"a":1,"b":1}}"#,
        r#"4 m2 {"type":"identify","userId":"u","traits":{"a":0,"c":0}}"#,
        r#"6 m3 {"type":"identify","userId":"u","traits":{"a":2},"context":{"personas":{"space_id":"spa_1"}}}"#,
    ];
    let rules = Rules { space_id: "spa_1", ..Rules::default() };
    let (_, folded) = fold(USER, &rules, &lines);
    let said = |f: &Folded| (f.traits_set, f.traits_older, f.own_output);
    assert_eq!(
        folded.iter().map(said).collect::<Vec<_>>(),
        [(2, 0, false), (1, 1, false), (0, 0, true)]
    );
}

#[test]
fn a_value_that_is_too_large_is_not_set_and_the_one_before_stays() {
    let identify = |at: u64, traits: &str| {
        format!(r#"{at} m{at} {{"type":"identify","userId":"u","traits":{traits}}}"#)
    };
    // Two quotes are part of the value's text.
    let text = |bytes: usize| "x".repeat(bytes - 2);
    let (fits, over) = (text(selfsame_event::limits::TRAIT_BYTES), "x".repeat(16 * 1024 - 1));
    let lines = [
        identify(1, &format!(r#"{{"a":1,"b":"{fits}"}}"#)),
        identify(2, &format!(r#"{{"a":"{over}","b":2}}"#)),
        identify(3, &format!(r#"{{"a":["{over}"]}}"#)),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (forward, said) = fold(USER, &Rules::default(), &lines);
    let counts = |f: &Folded| (f.traits_set, f.traits_too_large);
    assert_eq!(said.iter().map(counts).collect::<Vec<_>>(), [(2, 0), (1, 1), (0, 1)]);
    assert_eq!(traits_of(&forward), "a=1@m1 b=2@m2");
    let backward: Vec<&str> = lines.iter().rev().copied().collect();
    let (backward, _) = fold(USER, &Rules::default(), &backward);
    assert_eq!(traits_of(&backward), traits_of(&forward), "in whichever order they come");
}

#[test]
fn the_same_keys_stay_at_the_cap_whichever_came_first() {
    let lines: Vec<String> = (0..12)
        .map(|n| format!(r#"{n} m{n} {{"type":"identify","userId":"u","traits":{{"k{n}":null}}}}"#))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let rules = Rules { limits: Limits { traits: 5, links: 1 }, ..Rules::default() };
    let (forward, said) = fold(USER, &rules, &lines);
    let backward: Vec<&str> = lines.iter().rev().copied().collect();
    let (backward, _) = fold(USER, &rules, &backward);
    let keys = |section: &Section| section.traits().map(|t| t.key.to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(&forward), keys(&backward));
    assert_eq!(forward.traits().count(), 5);
    let over: u32 = said.iter().map(|f| f.traits_refused + f.traits_displaced).sum();
    assert_eq!(over, 12 - 5, "each of the others was refused or displaced once");
    assert!(said.iter().any(|f| f.traits_displaced == 1), "rank decides, not arrival");
    let set: u32 = said.iter().map(|f| f.traits_set - f.traits_displaced).sum();
    assert_eq!(set, 5);
}

#[test]
fn first_and_last_are_by_event_time() {
    let track =
        |time: u32, id: &str| format!(r#"{time} {id} {{"type":"track","event":"E","userId":"u"}}"#);
    let lines = [track(5, "m5"), track(9, "m9"), track(1, "m1"), track(7, "m7"), track(9, "m8")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for (count, first, last) in
        [(1, "m5", "m5"), (2, "m5", "m9"), (3, "m1", "m9"), (4, "m1", "m9"), (5, "m1", "m9")]
    {
        let (section, _) = fold(USER, &Rules::default(), &lines[..count]);
        let id = |stamp: Option<Stamp<'_>>| stamp.map(|stamp| stamp.message_id.to_string());
        assert_eq!(id(section.first()).as_deref(), Some(first), "{count}");
        assert_eq!(id(section.last()).as_deref(), Some(last), "{count}");
        assert_eq!(section.events(), count as u64);
        assert_eq!(section.folded_to(), Position::embedded(count as u64 - 1));
    }
}

#[test]
fn only_a_group_call_links_and_the_earliest_one_counts() {
    let lines = [
        r#"5 m1 {"type":"track","event":"E","userId":"u","groupId":"g"}"#,
        r#"5 m2 {"type":"group","userId":"u","groupId":"g"}"#,
        r#"6 m3 {"type":"group","userId":"u","groupId":"g"}"#,
        r#"4 m4 {"type":"group","userId":"u","groupId":"g"}"#,
    ];
    let (section, said) = fold(USER, &Rules::default(), &lines);
    let said: Vec<Linked> = said.iter().map(|f| f.link).collect();
    assert_eq!(said, [Linked::None, Linked::Written, Linked::Known, Linked::Written]);
    let links: Vec<Link> = section.links().collect();
    let since = Time::from_micros(4);
    assert_eq!(links, [Link { anchor: IdentifierKey([9; 16]), since, source: SourceNumber(7) }]);
}

#[test]
fn old_tombstones_may_leave() {
    let lines = [
        r#"1 m1 {"type":"identify","userId":"u","traits":{"a":null,"b":1}}"#,
        r#"2 m2 {"type":"identify","userId":"u","traits":{"c":null}}"#,
    ];
    let (mut section, _) = fold(USER, &Rules::default(), &lines);
    assert_eq!(section.drop_tombstones(Time::from_micros(1)), 0);
    assert_eq!(section.drop_tombstones(Time::from_micros(2)), 1);
    assert_eq!(traits_of(&section), "b=1@m1 c@m2");
}

#[test]
fn as_of_knows_nothing_later() {
    let raws =
        [1, 2, 3].map(|n| format!(r#"{{"type":"identify","userId":"u","traits":{{"a":{n}}}}}"#));
    let events = raws.each_ref().map(|raw| {
        Event::read(Raw::check(raw.as_bytes()).expect("JSON"), &Shared::default())
            .expect("an event")
    });
    let all = (1..).zip(&events).map(|(n, event)| FoldEvent {
        event,
        message_id: "m",
        record: RecordId([n; 16]),
        item: 0,
        position: Position::embedded(u64::from(n)),
        source: SourceNumber(1),
        happened_at: Time::from_micros(i64::from(n)),
        received_at: Time::MAX,
        link: None,
    });
    let section = Section::as_of(Time::from_micros(2), all, USER, &Rules::default());
    assert_eq!(traits_of(&section), "a=2@m");
    assert_eq!(section.events(), 2);
}

#[test]
fn the_event_that_set_a_trait_is_found_in_the_timeline() {
    let lines = [
        r#"1 m1 {"type":"identify","userId":"u","traits":{"a":1}}"#,
        r#"1 m2 {"type":"identify","userId":"u","traits":{"b":1}}"#,
        r#"2 m3 {"type":"identify","userId":"u","traits":{"c":1}}"#,
    ];
    let (section, _) = fold(USER, &Rules::default(), &lines);
    for (offset, set) in (0..).zip(section.traits()) {
        let its: Vec<Position> = section
            .open_entries()
            .filter(|entry| entry.may_be(&set.stamp))
            .map(|entry| entry.key.position)
            .collect();
        assert_eq!(its, [Position::embedded(offset)], "{}", set.key);
    }
}
