//! Undo over whole logs: what was folded follows its anchors, and the state is the one that would be
//! if the pair had been set apart before anything was joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::{Collection, EventsHead, Identifier, RecordKind, SourceNumber};
use selfsame_identity::{RuleSet, Sizes};
use selfsame_log::{Log, LogRead, MemoryLog};
use selfsame_pipeline::workspace::ChangeError;
use selfsame_pipeline::{
    Between, EventQuery, IdentityChange, ProfileRef, Reader, SpaceRead, UndoError, UndoWish,
    WhyBudget, WhyQuery,
};
use selfsame_profile::Query;

use crate::reader::engine;
use crate::world::{TestClock, key, record, set_up};

/// A log of these events, with an identity record behind the event of that number.
fn log(events: &[String], change: Option<(usize, &IdentityChange)>) -> Arc<MemoryLog> {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    let append = |record| _ = log.append_wait(record).expect("appends");
    set_up(RuleSet::default()).into_iter().for_each(append);
    let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
    for (number, event) in (1..).zip(events) {
        let items = vec![Bytes::from(event.clone())];
        append(record(1_000 + number, RecordKind::Events, head.clone(), items));
        if let Some((behind, change)) = change
            && u64::try_from(behind).expect("small") == number
        {
            let head = serde_json::to_vec(change).expect("JSON");
            append(record(9_000, RecordKind::Identity, head, vec![]));
        }
    }
    Arc::new(log)
}

fn apart(pairs: &[[(&str, &str); 2]]) -> IdentityChange {
    let hex = |(kind, value): (&str, &str)| key(Collection::Users, kind, value);
    let apart = pairs.iter().map(|pair| pair.map(hex)).collect();
    IdentityChange { space: "default".into(), apart, by: "test".into(), ..Default::default() }
}

/// Every profile of some people: its identifiers, traits, events and accounts.
pub(crate) fn told(read: &SpaceRead, people: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for (kind, value) in people {
        let wanted =
            ProfileRef::Identifier { kind: (*kind).to_owned(), value: (*value).to_owned() };
        let Some(found) = read.find(Collection::Users, &wanted).expect("reads") else { continue };
        let mut ids: Vec<_> = found.external_ids().map(|id| id.value).collect();
        ids.sort_unstable();
        let view = found.view();
        let mut traits: Vec<_> =
            view.traits().map(|one| (one.key, one.value.map(|value| value.text()))).collect();
        traits.sort_unstable();
        let range = Query { limit: 50, ..Query::default() };
        let page = found.events(&EventQuery { range, ..EventQuery::default() }).expect("reads");
        let events: Vec<_> = page
            .events
            .iter()
            .map(|event| event.json().expect("a body").message_id.to_string())
            .collect();
        let accounts: Vec<_> = found
            .links()
            .expect("reads")
            .iter()
            .flat_map(|link| {
                link.profile.external_ids().map(|id| id.value.to_owned()).collect::<Vec<_>>()
            })
            .collect();
        told.insert(ids.join(" "), format!("{} {traits:?} {events:?} {accounts:?}", view.events));
    }
    told
}

fn events() -> Vec<String> {
    let event = |number: usize, rest: &str| {
        let time = format!("2026-01-{:02}T00:00:00Z", number + 1);
        format!(r#"{{"messageId":"m{number}","timestamp":"{time}",{rest}}}"#)
    };
    [
        r#""type":"identify","userId":"ada","traits":{"email":"ada@b.c","plan":"pro"}"#,
        r#""type":"page","anonymousId":"phone""#,
        r#""type":"identify","anonymousId":"phone","traits":{"plan":"free","shoe":"42"}"#,
        r#""type":"group","anonymousId":"phone","groupId":"acme""#,
        // The two become one, by three events.
        r#""type":"track","event":"In","userId":"ada","anonymousId":"phone""#,
        r#""type":"identify","anonymousId":"phone","traits":{"email":"ada@b.c"}"#,
        r#""type":"group","userId":"ada","groupId":"umbrella""#,
        // Somebody else, who was refused the phone.
        r#""type":"identify","userId":"bob","anonymousId":"phone","traits":{"plan":"bob"}"#,
        r#""type":"track","event":"Out","anonymousId":"phone""#,
        r#""type":"track","event":"In","userId":"ada","anonymousId":"phone""#,
    ]
    .iter()
    .enumerate()
    .map(|(number, rest)| event(number, rest))
    .collect()
}

const PEOPLE: [(&str, &str); 4] =
    [("user_id", "ada"), ("user_id", "bob"), ("anonymous_id", "phone"), ("email", "ada@b.c")];

#[test]
fn traits_timelines_counts_and_links_follow_their_anchors() {
    let change = apart(&[[("user_id", "ada"), ("anonymous_id", "phone")]]);
    let (early, late) = (log(&events(), Some((4, &change))), log(&events(), Some((10, &change))));
    let untouched = log(&events(), None);
    for partitions in [1, 2, 7] {
        let mut states = Vec::new();
        for log in [&untouched, &early, &late] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut engine = engine(folder.path(), log, partitions);
            while engine.state().next() < log.end() {
                engine.turns(1).expect("folds");
            }
            let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(log));
            let hot = told(&reader.space("default").expect("a space"), &PEOPLE);
            engine.catch_up().expect("checkpoints");
            drop((engine, reader));
            let engine = self::engine(folder.path(), log, partitions);
            let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(log));
            let read = reader.space("default").expect("a space");
            assert_eq!(told(&read, &PEOPLE), hot, "from the store alone");
            let counts = &engine.state().meta().spaces[0];
            states.push((hot, counts.profiles, counts.merges, counts.apart));
        }
        assert_eq!(states[1], states[2], "{partitions} partitions");
        let ids: Vec<_> = states[2].0.keys().map(String::as_str).collect();
        assert_eq!(ids, ["ada ada@b.c", "bob phone"], "bob gets the phone that ada had");
        let ids: Vec<_> = states[0].0.keys().map(String::as_str).collect();
        assert_eq!(ids, ["ada ada@b.c phone", "bob"]);
    }
}

#[test]
fn what_a_plan_shows_is_what_its_record_does() {
    let log = log(&events(), None);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine(folder.path(), &log, 2);
    while engine.state().next() < log.end() {
        engine.turns(1).expect("folds");
    }
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let read = reader.space("default").expect("a space");
    let phone = Identifier::new("anonymous_id", "phone");
    let ada = Identifier::new("user_id", "ada");
    let found = read
        .find(
            Collection::Users,
            &ProfileRef::Identifier { kind: "user_id".into(), value: "ada".into() },
        )
        .expect("reads")
        .expect("ada");
    let merge = found.merges().expect("reads").into_iter().find(|row| row.merged);
    let wish = UndoWish::Unmerge(merge.expect("a merge").other);
    let planned = read
        .plan_undo(Collection::Users, &wish, "me", Sizes::default(), &mut |_| true)
        .expect("a plan");
    assert_eq!(planned.pairs.len(), 1);
    let named: Vec<_> =
        [&planned.pairs[0].0, &planned.pairs[0].1].map(|id| id.value.to_string()).into();
    assert!(named.contains(&"ada".to_owned()) && named.contains(&"phone".to_owned()), "{named:?}");
    assert_eq!(planned.plan.others.len(), 1, "bob");
    let lift = UndoWish::Lift(ada.clone(), phone.clone());
    let refused = read.plan_undo(Collection::Users, &lift, "me", Sizes::default(), &mut |_| true);
    assert!(matches!(refused, Err(UndoError::NotApart)));

    let change = IdentityChange::new("default", &planned.change);
    let id =
        record(77_000, RecordKind::Identity, serde_json::to_vec(&change).expect("JSON"), vec![]);
    let shared = engine.shared();
    log.append_wait(id.clone()).expect("appends");
    engine.turns(1).expect("folds");
    assert_eq!(shared.take_change(id.id), Some(Ok(())));
    let read = reader.space("default").expect("a space");
    for cluster in &planned.plan.after {
        let found = read.find(Collection::Users, &ProfileRef::Id(cluster.profile)).expect("reads");
        let found = found.expect("as planned");
        let ids: Vec<_> = found.external_ids().map(|id| id.value.to_owned()).collect();
        let expected: Vec<_> =
            cluster.members.iter().map(|one| read.named(one).value.to_string()).collect();
        assert_eq!(ids, expected);
    }
    let (pairs, is_cut) = read.apart_pairs(Collection::Users, 10).expect("reads");
    assert!(!is_cut && pairs.len() == 1 && pairs[0].by == "me" && pairs[0].times > 0, "{pairs:?}");
    let query = WhyQuery {
        collection: Collection::Users,
        from: &ada,
        to: &phone,
        budget: WhyBudget::default(),
    };
    let Between::Apart(why) = read.why(&query, &|_| None).expect("reads").between else {
        panic!("two profiles")
    };
    assert_eq!(why.set_apart, pairs);
    assert!(why.count > 0);
    assert!(
        read.plan_undo(Collection::Users, &lift, "me", Sizes::default(), &mut |_| true).is_ok()
    );
}

#[test]
fn a_change_that_cannot_be_made_changes_nothing_and_says_why() {
    let log = log(&events(), None);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine(folder.path(), &log, 1);
    engine.catch_up().expect("folds");
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let before = told(&reader.space("default").expect("a space"), &PEOPLE);
    let unseen = apart(&[[("user_id", "ada"), ("user_id", "nobody")]]);
    let odd = IdentityChange { apart: vec![["x".into(), "y".into()]], ..unseen.clone() };
    let space = IdentityChange { space: "other".into(), ..unseen.clone() };
    for (number, change) in (0..).zip([unseen, odd, space]) {
        let head = serde_json::to_vec(&change).expect("JSON");
        let record = record(88_000 + number, RecordKind::Identity, head, vec![]);
        let id = record.id;
        log.append_wait(record).expect("appends");
        engine.turns(1).expect("folds");
        let answer = engine.shared().take_change(id).expect("an answer");
        let is_known = matches!(
            answer,
            Err(ChangeError::Identity { .. } | ChangeError::Unknown { kind: "space", .. })
        );
        assert!(is_known, "{answer:?}");
    }
    assert_eq!(told(&reader.space("default").expect("a space"), &PEOPLE), before);
}
