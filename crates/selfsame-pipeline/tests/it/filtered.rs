//! Audiences that choose types of identifiers: whoever has none of them is not in, whatever the query says.

use selfsame_event::{Collection, EventsHead, RecordKind, SourceNumber};
use selfsame_log::{Log as _, LogRead};
use selfsame_pipeline::effect::What;
use selfsame_pipeline::workspace::{Change, Definition, DefinitionKind};
use selfsame_pipeline::{
    Engine, PreviewConfig, ProfileRef, ReplayConfig, StateConfig, preview, replay,
};

use crate::accounts::of_accounts;
use crate::computed::{World, define, definition, effects, timelines};
use crate::world::{change, history_with_undo, record};

const AUDIENCE: DefinitionKind = DefinitionKind::Audience;

/// The same audience for everybody and for some: what it says, and the types.
const SAID: &[(&str, &str, &[&str])] = &[
    ("often", "event('E5').count() >= 2", &["user_id"]),
    ("never", "event('E6').count() = 0", &["email"]),
    ("recent", "event('E7').within(30 days).count() >= 1", &["user_id", "email"]),
    ("named", "trait('n').exists()", &["user_id"]),
];

fn some(id: &str) -> String {
    format!("some_{id}")
}

fn filtered(id: &str, query: &str, types: &[&str]) -> Definition {
    let filter_by_external_ids = types.iter().map(|one| (*one).to_owned()).collect();
    Definition { filter_by_external_ids, ..definition(&some(id), AUDIENCE, query) }
}

fn define_both(world: &World, said: &[(&str, &str, &[&str])]) {
    for (number, (id, query, types)) in (700_000..).zip(said) {
        define(&*world.log, &[(id, AUDIENCE, query)]);
        let set = Change::SetDefinition(filtered(id, query, types));
        world.log.append_wait(change(number, &set)).expect("appends");
    }
}

/// Whoever is in the audience of everybody and has an identifier of a type is in the other one, and nobody else. Says
/// how many are in, and how many are kept out.
fn check(world: &World, engine: &Engine) -> [u64; 2] {
    let reader = world.reader(engine);
    let space = reader.space("default").expect("a space");
    let now = engine.state().log_time();
    let mut kept_out = [0_u64; SAID.len()];
    let mut members = [0_u64; SAID.len()];
    for profile in timelines(world, &reader).keys() {
        let found = space.find(Collection::Users, &ProfileRef::Id(*profile)).expect("reads");
        let found = found.expect("is there");
        let held = found.computed(now).expect("reads");
        let holds =
            |id: &str| held.iter().any(|one| one.definition.id == id && one.value == "true");
        for (place, (id, _, types)) in SAID.iter().enumerate() {
            let has = found.external_ids().any(|one| types.contains(&one.kind));
            assert_eq!(holds(&some(id)), holds(id) && has, "{profile} {id}");
            kept_out[place] += u64::from(holds(id) && !has);
            members[place] += u64::from(holds(id) && has);
            let definition = space.definition(&some(id)).expect("is there");
            let reasons = found.reasons(definition, now).expect("reads").expect("is read");
            assert_eq!(reasons.value, holds(&some(id)).to_string());
            assert_eq!(reasons.reason.parts[0].holds, has, "{reasons:?}");
        }
    }
    for ((id, ..), count) in SAID.iter().zip(members) {
        let definition = space.definition(&some(id)).expect("is there");
        assert_eq!(space.member_counts(definition).count, count, "{id}");
    }
    [members, kept_out].map(|counts| counts.iter().sum())
}

#[test]
fn who_has_no_identifier_of_a_type_is_not_in_whatever_happens() {
    let world = World::new();
    let history = history_with_undo(91, 700);
    world.happens_between(&history, 0, 300, 0);
    define_both(&world, SAID);
    let mut engine = world.engine();
    world.settle(&mut engine);
    let before = check(&world, &engine);
    // What comes then: people who say who they are, merges, undos, and a crash without a checkpoint.
    world.happens_between(&history, 300, 500, 0);
    engine.turns(40).expect("folds");
    drop(engine);
    let mut engine = world.engine();
    world.settle(&mut engine);
    let behind = check(&world, &engine);
    world.clock.leap(40);
    world.happens_between(&history, 500, usize::MAX, 0);
    world.settle(&mut engine);
    let later = check(&world, &engine);
    let [members, kept_out] =
        [0, 1].map(|place: usize| before[place] + behind[place] + later[place]);
    assert!(members > 30 && kept_out > 3, "some are in, and some anonymous: {members} {kept_out}");
    let expected = engine.hash().expect("hashes");
    for partitions in [1, 3] {
        let state = StateConfig { partitions, ..StateConfig::default() };
        let config = ReplayConfig { state, ..ReplayConfig::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let hash = replay(&*world.log, world.log.end(), folder.path(), &config, |_| ());
        assert_eq!(hash.expect("replays").differences(&expected), Vec::<&str>::new());
    }
}

/// Whoever was kept out enters with the event that says who they are.
#[test]
fn an_identifier_lets_enter() {
    let world = World::new();
    world.happens_between(&history_with_undo(92, 10), 0, 4, 0);
    let (id, query, types) = SAID[0];
    define_both(&world, &[(id, query, types)]);
    let mut engine = world.engine();
    world.settle(&mut engine);
    let send = |number: u64, event: &str| {
        let head = EventsHead { source: SourceNumber(1), ..EventsHead::default() };
        let body = format!("{{{event},\"messageId\":\"f{number}\"}}");
        let items = vec![body.into()];
        let new = record(8_000_000 + number, RecordKind::Events, head.encode(), items);
        world.log.append_wait(new).expect("appends");
    };
    send(1, r#""type":"track","anonymousId":"phone","event":"E5""#);
    send(2, r#""type":"track","anonymousId":"phone","event":"E5""#);
    world.settle(&mut engine);
    let said = |of: u32| -> Vec<What> {
        let all = effects(&*world.outbox).into_iter();
        all.filter(|(_, effect)| effect.definition == of).map(|(_, effect)| effect.what).collect()
    };
    assert_eq!((said(0), said(1)), (vec![What::Entered], Vec::new()));
    send(3, r#""type":"page","anonymousId":"phone","userId":"ada","name":"Home""#);
    world.settle(&mut engine);
    assert_eq!((said(0), said(1)), (vec![What::Entered], vec![What::Entered]));
}

#[test]
fn a_preview_counts_whom_an_audience_chooses() {
    let world = World::new();
    world.happens(&history_with_undo(93, 400), 0, 0);
    define_both(&world, SAID);
    let mut engine = world.engine();
    world.settle(&mut engine);
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    for (id, query, types) in SAID {
        let config = PreviewConfig {
            folder: world.folder.path().join("preview"),
            space: "default".to_owned(),
            kind: AUDIENCE,
            collection: Collection::Users,
            query: (*query).to_owned(),
            filter_by_external_ids: types.iter().map(|one| (*one).to_owned()).collect(),
            replaces: Some(some(id)),
            overlap: None,
            sample: 0,
            now: engine.state().log_time(),
        };
        let logs: (&dyn LogRead, &dyn LogRead) = (&*world.log, &*world.outbox);
        let seen = preview(&engine.shared(), logs, &config, &mut |_| true);
        let seen = seen.expect("previews").expect("to the end");
        let definition = space.definition(&some(id)).expect("is there");
        assert_eq!(seen.size, space.member_counts(definition).count, "{id}");
        assert_eq!(seen.change, Some([0, 0]), "{id}");
    }
}

#[test]
fn a_choice_that_has_no_meaning_is_refused_and_one_that_was_made_stays() {
    let world = World::new();
    world.happens_between(&history_with_undo(94, 10), 0, 4, 0);
    let (id, query, types) = SAID[0];
    define_both(&world, &[(id, query, types)]);
    let unknown = filtered("other", query, &["passport"]);
    let twice = filtered("other", query, &["email", "email"]);
    let none = filtered(id, query, &[]);
    let more = filtered(id, query, &["user_id", "email"]);
    let of_traits = Definition {
        kind: DefinitionKind::ComputedTrait,
        query: "event('E5').count()".to_owned(),
        ..filtered("count", query, types)
    };
    let accounts = Definition {
        filter_by_external_ids: vec!["group_id".to_owned()],
        ..of_accounts(("teams", AUDIENCE, "event('E5').count() >= 1"))
    };
    for (number, wrong) in (710_000..).zip([unknown, twice, none, more, of_traits, accounts]) {
        let set = Change::SetDefinition(wrong);
        world.log.append_wait(change(number, &set)).expect("appends");
    }
    let mut engine = world.engine();
    world.settle(&mut engine);
    let workspace = &engine.state().meta().workspace;
    let known: Vec<_> = workspace
        .definitions
        .iter()
        .map(|one| (one.id.as_str(), one.filter_by_external_ids.as_slice()))
        .collect();
    assert_eq!(known, [(id, &[][..]), ("some_often", &["user_id".to_owned()][..])]);
}
