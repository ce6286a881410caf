//! Receivers that are told of changes over HTTP.

use std::collections::BTreeMap;

use selfsame_deliver::{BodyError, Effect, Feed as _, Heard, Outcome};
use selfsame_event::{Collection, ItemPosition, Position, Time};
use selfsame_identity::RuleSet;
use selfsame_log::LogRead as _;
use selfsame_pipeline::workspace::{Announce, Change, DefinitionKind};
use serde_json::{Value, json};

use super::super::{Naming, Strategy};
use super::receiver::{Got, Receiver};
use super::world::{SPACE, World, eventually, told};

const AUDIENCE: DefinitionKind = DefinitionKind::Audience;
const TRAIT: DefinitionKind = DefinitionKind::ComputedTrait;

/// What was said of somebody, shortly.
fn shortly(got: &[Got]) -> Vec<String> {
    let said = |one: &Got| {
        let body = &one.body;
        let who = ["userId", "anonymousId"].iter().find_map(|name| body[name].as_str());
        let who = who.or_else(|| body["groupId"].as_str());
        let who = who.or_else(|| body["context"]["externalIds"][0]["id"].as_str());
        let key = body["context"]["personas"]["computation_key"].as_str().expect("a key");
        let (what, value) = match body["type"].as_str() {
            Some("track") => (body["event"].as_str().expect("a name"), &body["properties"][key]),
            Some("group") => ("group", &body["traits"][key]),
            _ => ("identify", &body["traits"][key]),
        };
        format!("{} {what} {key}={value}", who.unwrap_or("nobody"))
    };
    got.iter().map(said).collect()
}

/// Nothing came twice but under one key.
fn check_keys(receiver: &Receiver) {
    let mut keys = BTreeMap::new();
    for got in receiver.taken().iter().chain(&receiver.refused()) {
        let id = got.body["messageId"].as_str().expect("an id").to_owned();
        let before = keys.insert(got.key.clone(), id.clone());
        assert!(before.is_none_or(|before| before == id), "{got:?}");
    }
    let ids: std::collections::BTreeSet<_> = keys.values().collect();
    assert_eq!(ids.len(), keys.len(), "each message has one key");
    let taken = receiver.taken();
    let unique: std::collections::BTreeSet<_> = taken.iter().map(|got| &got.key).collect();
    assert_eq!(unique.len(), taken.len(), "nothing was taken twice: {:?}", shortly(&taken));
}

async fn taken(receiver: &Receiver, count: usize) -> Vec<String> {
    eventually("messages", || {
        let got = receiver.taken();
        (got.len() >= count).then(|| shortly(&got))
    })
    .await
}

fn track(who: &Value, name: &str) -> Value {
    let mut event = json!({"type": "track", "event": name});
    for (key, value) in who.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event
}

fn user(id: &str, name: &str) -> Value {
    track(&json!({"userId": id}), name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_lets_enter_and_time_lets_leave() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let query = "event('Bought').within(3 seconds).count() >= 1";
    world.define(AUDIENCE, "recent", query, vec![told("crm", Announce::Both)]).await;
    world
        .define(TRAIT, "bought", "event('Bought').count()", vec![told("crm", Announce::Identify)])
        .await;
    world.send(json!({"type": "identify", "userId": "ada", "anonymousId": "a1", "traits": {"email": "a@b.c"}})).await;
    let before = Time::from_millis(0);
    world.send(user("ada", "Bought")).await;
    let mut said = taken(&receiver, 3).await;
    said.sort();
    assert_eq!(
        said,
        ["ada Audience Entered recent=true", "ada identify bought=1", "ada identify recent=true"]
    );
    let entered = receiver.taken().into_iter().find(|got| got.body["type"] == "track");
    let entered = entered.expect("it came").body;
    assert_eq!(entered["context"]["traits"]["email"], "a@b.c");
    assert_eq!(entered["integrations"], json!({"All": false, "The crm": {}}));
    let others = &entered["context"]["externalIds"];
    assert!(others.as_array().is_some_and(|ids| ids.iter().any(|id| id["id"] == "a1")), "{others}");

    let said = taken(&receiver, 5).await;
    assert_eq!(said[3..], ["ada Audience Exited recent=false", "ada identify recent=false"]);
    let at =
        |body: &Value| Time::parse(body["timestamp"].as_str().expect("text")).unwrap_or(before);
    let exited = &receiver.taken()[3].body;
    let apart = at(exited).micros() - at(&entered).micros();
    assert_eq!(apart / 1_000_000, 3, "the exact moment is in it: {entered} {exited}");
    let status = world.quiet("crm").await;
    assert_eq!((status.delivered, status.dead, status.superseded), (5, 0, 0));
    check_keys(&receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_was_away_is_told_how_things_are_and_not_what_they_were() {
    let (world, away, there) =
        (World::start().await, Receiver::start().await, Receiver::start().await);
    world.destination("away", &away).await;
    world.destination("there", &there).await;
    let both = || vec![told("away", Announce::Track), told("there", Announce::Track)];
    world.define(TRAIT, "bought", "event('Bought').count()", both()).await;
    let even = "event('Bought').count() >= 1 and event('Returned').count() = 0";
    world.define(AUDIENCE, "keeps", even, both()).await;
    away.answer(404);
    world.send(user("ada", "Bought")).await;
    eventually("a refusal", || (away.refused().len() >= 2).then_some(())).await;
    taken(&there, 2).await;
    for _ in 0..3 {
        world.send(user("ada", "Bought")).await;
    }
    let status = world.quiet("there").await;
    assert_eq!(status.dead, 0);
    world.send(user("ada", "Returned")).await;
    world.quiet("there").await;
    assert_eq!(
        shortly(&there.taken()).last().map(String::as_str),
        Some("ada Audience Exited keeps=false")
    );

    let world = world.again().await;
    away.answer(200);
    let status = world.quiet("away").await;
    assert_eq!(status.dead, 0);
    assert!(status.superseded >= 4, "{status:?}");
    let said = shortly(&away.taken());
    assert!(said.contains(&"ada Trait Computed bought=4".to_owned()), "{said:?}");
    let is_old = |one: &&String| one.contains("Entered") || one.contains("bought=1");
    assert_eq!(said.iter().filter(is_old).count(), 0, "{said:?}");
    check_keys(&away);
    check_keys(&there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_become_one_are_not_told_of_twice_and_whoever_was_told_is_told_the_end() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let query = "event('Bought').count() >= 1 and event('Left').count() = 0";
    world.define(AUDIENCE, "buyers", query, vec![told("crm", Announce::Track)]).await;
    world.send(user("ada", "Bought")).await;
    world.send(track(&json!({"anonymousId": "a1"}), "Bought")).await;
    taken(&receiver, 2).await;
    world.send(json!({"type": "identify", "userId": "ada", "anonymousId": "a1"})).await;
    world.send(user("ada", "Looked")).await;
    world.quiet("crm").await;
    assert_eq!(receiver.taken().len(), 2, "{:?}", shortly(&receiver.taken()));
    world.send(user("ada", "Left")).await;
    let mut said = taken(&receiver, 4).await.split_off(2);
    said.sort();
    assert_eq!(said, ["a1 Audience Exited buyers=false", "ada Audience Exited buyers=false"]);
    let status = world.quiet("crm").await;
    assert_eq!(status.delivered, 3, "one delivery has both calls");
    check_keys(&receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_identifier_that_was_asked_for_is_told() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let naming = |kind: &str, strategy| Naming { kind: kind.to_owned(), strategy };
    let identifiers = vec![naming("email", Strategy::All), naming("user_id", Strategy::Last)];
    let mut activation = told("crm", Announce::Track);
    activation.identifiers = identifiers;
    world.define(AUDIENCE, "buyers", "event('Bought').count() >= 1", vec![activation]).await;
    for email in ["old@x.y", "new@x.y"] {
        world.send(json!({"type": "identify", "userId": "ada", "traits": {"email": email}})).await;
    }
    world.send(track(&json!({"anonymousId": "nobody"}), "Bought")).await;
    world.send(user("ada", "Bought")).await;
    let mut said = taken(&receiver, 3).await;
    said.sort();
    assert_eq!(
        said,
        [
            "ada Audience Entered buyers=true",
            "new@x.y Audience Entered buyers=true",
            "old@x.y Audience Entered buyers=true"
        ]
    );
    let status = world.quiet("crm").await;
    assert_eq!((status.delivered, status.withheld), (1, 1), "one has no such identifier");
    check_keys(&receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_connected_later_is_told_who_is_in() {
    let (world, first, later) =
        (World::start().await, Receiver::start().await, Receiver::start().await);
    world.destination("first", &first).await;
    world.destination("later", &later).await;
    let query = "event('Bought').count() >= 1 and event('Left').count() = 0";
    let define = async |destinations| world.define(AUDIENCE, "buyers", query, destinations).await;
    define(vec![told("first", Announce::Track)]).await;
    for number in 0..30 {
        world.send(user(&format!("u{number}"), "Bought")).await;
    }
    world.send(user("u0", "Left")).await;
    taken(&first, 31).await;
    let all = || vec![told("first", Announce::Track), told("later", Announce::Track)];
    define(all()).await;
    let status = world.quiet("later").await;
    assert_eq!(status.delivered, 29);
    let said = shortly(&later.taken());
    assert!(said.iter().all(|one| one.ends_with("Audience Entered buyers=true")), "{said:?}");
    let status = world.quiet("first").await;
    assert_eq!((status.delivered, first.taken().len()), (31, 31), "it knows them");

    // What happens while it is not connected it is told when it is connected again.
    define(vec![told("first", Announce::Track)]).await;
    world.send(user("u1", "Left")).await;
    world.quiet("first").await;
    assert_eq!(world.quiet("later").await.delivered, 29);
    define(all()).await;
    assert_eq!(world.quiet("later").await.delivered, 30);
    let said = shortly(&later.taken());
    assert_eq!(said.last().map(String::as_str), Some("u1 Audience Exited buyers=false"));
    world
        .change(Change::RemoveDefinition { space: SPACE.to_owned(), id: "buyers".to_owned() })
        .await;
    world.send(user("new", "Bought")).await;
    assert_eq!(world.quiet("later").await.delivered, 30);
    check_keys(&first);
    check_keys(&later);
}

/// What changes while no destination is told of it is no delivery, beside what is; a destination that is told later is
/// told how things are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_is_told_of_is_no_delivery() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let query = "event('Bought').count() >= 1 and event('Left').count() = 0";
    world.define(AUDIENCE, "quiet", query, Vec::new()).await;
    world.define(AUDIENCE, "buyers", query, vec![told("crm", Announce::Track)]).await;
    world.define(AUDIENCE, "alone", query, Vec::new()).await;
    world.define(TRAIT, "left", "event('Left').count()", vec![told("crm", Announce::Track)]).await;
    let first = world.send(user("ada", "Bought")).await;
    world.send(user("bob", "Bought")).await;
    let last = world.send(user("bob", "Left")).await;
    let status = world.quiet("crm").await;
    let mut said = shortly(&receiver.taken());
    said.sort();
    let expected = [
        "ada Audience Entered buyers=true",
        "bob Audience Entered buyers=true",
        "bob Audience Exited buyers=false",
        "bob Trait Computed left=1",
    ];
    // Bob may have left before it was told that he came.
    let is_short = said == [expected[0], expected[3]];
    assert!(is_short || said == expected, "{said:?}");
    // Three events, and of four changes a track and an identify call; of six changes nothing.
    assert_eq!(status.accepted, 3 + 2 * 4);
    let trace = world.get(&format!("/api/trace?message_id={first}")).await;
    let changes = trace["data"][0]["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 3, "all are shown: {trace}");
    for change in changes {
        let calls = change["calls"].as_array().map(Vec::len);
        assert_eq!(calls, Some(usize::from(change["definition"] == "buyers")), "{change}");
    }
    let trace = world.get(&format!("/api/trace?message_id={last}")).await;
    let shown = trace["data"][0]["changes"].as_array().expect("a list");
    let of = |id: &str| shown.iter().find(|one| one["definition"] == id).expect("it is there");
    assert_eq!(of("left")["calls"][0]["deliveries"][0]["state"], "delivered", "{trace}");
    let before = receiver.taken().len();
    world.define(AUDIENCE, "quiet", query, vec![told("crm", Announce::Track)]).await;
    let status = world.quiet("crm").await;
    assert_eq!(status.accepted, 3 + 2 * 4 + 2 * 2, "ada is in, and bob was");
    let said = shortly(&receiver.taken()).split_off(before);
    assert_eq!(said, ["ada Audience Entered quiet=true"]);
    check_keys(&receiver);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_replaced_says_by_what() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    world
        .define(TRAIT, "bought", "event('Bought').count()", vec![told("crm", Announce::Track)])
        .await;
    receiver.answer(503);
    let first = world.send(user("ada", "Bought")).await;
    eventually("a refusal", || receiver.refused().first().cloned()).await;
    let second = world.send(user("ada", "Bought")).await;
    eventually("the second attempt", || (receiver.refused().len() > 1).then_some(())).await;
    receiver.answer(200);
    world.quiet("crm").await;
    let outbox = &world.node.outbox;
    let changes: Vec<ItemPosition> = (0..world.node.log.end().offset)
        .filter_map(|offset| {
            let position = Position::embedded(offset);
            let record = outbox.get(position).expect("it is there");
            let first = super::super::changes(&record).next()?.first;
            Some(position.item(first))
        })
        .collect();
    let (_, handle) = world.node.deliverers().into_iter().next().expect("one space");
    let rows = handle.attempts(changes[0]).await.expect("a trace");
    let last = &rows.last().expect("attempts").attempt;
    assert_eq!(last.outcome, Outcome::Withheld(super::super::Withheld::Superseded));
    assert_eq!(last.note, changes[1].to_string());
    assert_eq!(shortly(&receiver.taken()), ["ada Trait Computed bought=2"]);

    let trace = world.get(&format!("/api/trace?message_id={first}")).await;
    let change = &trace["data"][0]["changes"][0];
    assert_eq!(
        (&change["definition"], &change["change"], &change["value"]),
        (&json!("bought"), &json!("value"), &json!(1))
    );
    let calls = change["calls"].as_array().expect("a list");
    assert_eq!((calls.len(), &calls[0]["type"]), (1, &json!("track")), "it asked for one form");
    let delivery = &calls[0]["deliveries"][0];
    assert_eq!(
        (&delivery["destination"], &delivery["state"]),
        (&json!("crm"), &json!("superseded"))
    );
    let last = delivery["attempts"].as_array().and_then(|all| all.last()).expect("attempts");
    assert_eq!(last["note"], changes[1].to_string());
    let trace = world.get(&format!("/api/trace?message_id={second}")).await;
    let delivery = &trace["data"][0]["changes"][0]["calls"][0]["deliveries"][0];
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    let shown = world.get("/api/destinations/crm").await;
    assert_eq!(shown["status"]["superseded"], 1, "{shown}");
}

/// Of an account there is one group call for each change, whoever of its users made it; a receiver that is
/// connected later hears how things are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_told_of_by_group_calls() {
    let (world, first, later) =
        (World::start().await, Receiver::start().await, Receiver::start().await);
    world.destination("crm", &first).await;
    world.destination("later", &later).await;
    let total = ("total", "event('Bought').count()");
    let big = ("big", "event('Bought').count() >= 2 and trait('plan') = 'gold'");
    let crm = || vec![told("crm", Announce::Both)];
    world.define_of(Collection::Accounts, TRAIT, total, crm()).await;
    world.define_of(Collection::Accounts, AUDIENCE, big, crm()).await;
    let joins = |user: &str| json!({"type": "group", "userId": user, "groupId": "acme", "traits": {"plan": "gold"}});
    world.send(joins("ada")).await;
    world.send(joins("bob")).await;
    world.send(user("ada", "Bought")).await;
    assert_eq!(taken(&first, 1).await, ["acme group total=1"]);
    world.send(user("bob", "Bought")).await;
    let mut said = taken(&first, 3).await;
    said.sort();
    assert_eq!(said, ["acme group big=true", "acme group total=1", "acme group total=2"]);
    let plan =
        json!({"type": "group", "userId": "bob", "groupId": "acme", "traits": {"plan": "free"}});
    world.send(plan).await;
    assert_eq!(taken(&first, 4).await[3], "acme group big=false");
    let both = vec![told("crm", Announce::Both), told("later", Announce::Both)];
    world.define_of(Collection::Accounts, TRAIT, total, both).await;
    assert_eq!(taken(&later, 1).await, ["acme group total=2"]);
    let (status, _) = (world.quiet("crm").await, world.quiet("later").await);
    assert_eq!((status.delivered, status.dead), (4, 0));
    assert_eq!(first.taken().len(), 4, "the first knows it: {:?}", shortly(&first.taken()));
    let body = &first.taken()[0].body;
    assert_eq!((&body["userId"], &body["groupId"]), (&Value::Null, &json!("acme")));
    check_keys(&first);
    check_keys(&later);
}

/// Rules that are published make other people of the same events: each destination is told the difference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_are_published_tell_who_enters_and_who_leaves_once() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let tell = |send| vec![told("crm", send)];
    world.define(AUDIENCE, "buyers", "event('Bought').count() >= 2", tell(Announce::Track)).await;
    world.define(TRAIT, "bought", "event('Bought').count()", tell(Announce::Identify)).await;
    world.send(json!({"type": "identify", "userId": "dan"})).await;
    // By the rules as they are: ada and bob, who share an address, are two; cat and her phone are one.
    for user in ["ada", "bob"] {
        let traits = json!({"email": "home@x.y"});
        world.send(json!({"type": "identify", "userId": user, "traits": traits})).await;
    }
    world.send(json!({"type": "identify", "userId": "cat", "anonymousId": "phone"})).await;
    world.send(track(&json!({"anonymousId": "phone"}), "Bought")).await;
    for user in ["ada", "bob", "cat", "eve", "eve"] {
        world.send(user_bought(user)).await;
    }
    world.quiet("crm").await;
    let said = shortly(&receiver.taken());
    let mut last: Vec<_> = said.iter().filter(|one| !one.ends_with("bought=1")).collect();
    last.sort();
    let entered = ["cat", "eve"].map(|user| format!("{user} Audience Entered buyers=true"));
    let bought = ["cat", "eve"].map(|user| format!("{user} identify bought=2"));
    assert_eq!(last, [&entered[0], &bought[0], &entered[1], &bought[1]]);
    let before = said.len();

    let mut rules = RuleSet::default();
    rules.types[0].limit.count = 2;
    rules.types.retain(|rule| rule.name != "anonymous_id");
    publish(&world, rules).await;
    let mut said = taken(&receiver, before + 4).await.split_off(before);
    said.sort();
    let difference = [
        "bob Audience Entered buyers=true",
        "bob identify bought=2",
        "cat Audience Exited buyers=false",
        "cat identify bought=1",
    ];
    assert_eq!(said, difference);
    // It goes on from there.
    world.send(user_bought("cat")).await;
    let mut said = taken(&receiver, before + 6).await.split_off(before + 4);
    said.sort();
    assert_eq!(said, ["cat Audience Entered buyers=true", "cat identify bought=2"]);
    check_keys(&receiver);
}

/// Publishes rules, and waits until everybody was evaluated by them and the destination told.
async fn publish(world: &World, rules: RuleSet) {
    let meta = world.node.shared.meta();
    let (definitions, effects) = (meta.next, meta.spaces[0].effects);
    let space = SPACE.to_owned();
    world.change(Change::PublishRules { space, rules, definitions, effects, identity: None }).await;
    eventually("everybody to be evaluated and told", || {
        let meta = world.node.shared.meta();
        let is_done = !meta.spaces[0].computing.reassessing;
        let status = world.status("crm")?;
        let end = world.node.log.end();
        let is_told = status.pending == 0 && status.cursor.record >= end && meta.next == end.offset;
        (is_done && is_told).then_some(())
    })
    .await;
}

/// Accounts are of other people then: of each it is told what it comes to by them, where that is another thing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_are_published_tell_what_accounts_come_to_by_them() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let tell = || vec![told("crm", Announce::Both)];
    let busy = ("busy", "any(event('Bought').count() >= 2)");
    world.define_of(Collection::Accounts, AUDIENCE, busy, tell()).await;
    let total = ("total", "event('Bought').count()");
    world.define_of(Collection::Accounts, TRAIT, total, tell()).await;
    // By the rules as they are, ada and bob, who share an address, are two; cat and her phone are one.
    for (user, group) in [("ada", "acme"), ("bob", "acme"), ("cat", "beta"), ("dan", "idle")] {
        world.send(json!({"type": "group", "userId": user, "groupId": group})).await;
    }
    for user in ["ada", "bob"] {
        let traits = json!({"email": "home@x.y"});
        world.send(json!({"type": "identify", "userId": user, "traits": traits})).await;
    }
    world.send(json!({"type": "identify", "userId": "cat", "anonymousId": "phone"})).await;
    world.send(track(&json!({"anonymousId": "phone"}), "Bought")).await;
    for user in ["ada", "bob", "cat"] {
        world.send(user_bought(user)).await;
    }
    let is_known = |said: &[String]| {
        let wanted = ["acme group total=2", "beta group busy=true", "beta group total=2"];
        wanted.iter().all(|one| said.iter().any(|said| said == one))
    };
    eventually("the accounts to be told of", || {
        is_known(&shortly(&receiver.taken())).then_some(())
    })
    .await;
    world.quiet("crm").await;
    let before = receiver.taken().len();

    let mut rules = RuleSet::default();
    rules.types[0].limit.count = 2;
    rules.types.retain(|rule| rule.name != "anonymous_id");
    publish(&world, rules).await;
    let mut said = shortly(&receiver.taken()).split_off(before);
    said.sort();
    assert_eq!(said, ["acme group busy=true", "beta group busy=false", "beta group total=1"]);
    check_keys(&receiver);
}

fn user_bought(id: &str) -> Value {
    user(id, "Bought")
}

/// After a crash, what was on its way is known before the state is folded up to it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_the_state_does_not_know_yet_is_not_looked_at() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let query = "event('Bought').count() >= 1";
    world.define(AUDIENCE, "buyer", query, vec![told("crm", Announce::Track)]).await;
    world.send(user("ada", "Bought")).await;
    let said = taken(&receiver, 1).await;
    assert_eq!(said, ["ada Audience Entered buyer=true"]);
    let feed = world.feed();
    let first = |record| feed.read(record, 100).expect("read").effects;
    let effects = first(Position::embedded(0).item(0));
    let known = *effects.iter().find(|one| one.subject.is_some()).expect("the change");
    let early = Effect { at: world.node.log.end().item(0), ..known };
    let connection = crate::destination::connection_id("crm");
    let calls = |effect| feed.calls(&effect, connection, &Heard::nothing());
    assert_eq!(calls(known).expect("it is so").len(), 1);
    assert!(matches!(calls(early), Err(BodyError::Early)), "it is waited for");
}

/// What was told right before a crash may be written down nowhere. Whoever it named hears the end,
/// also where the profile is named by another identifier since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_was_told_of_before_a_crash_hears_the_end() {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.destination("crm", &receiver).await;
    let query = "event('Bought').count() = 1";
    world.define(AUDIENCE, "once", query, vec![told("crm", Announce::Track)]).await;
    let before = tempfile::tempdir().expect("a folder");
    let world = world.again_with_a_copy(before.path()).await;
    world.send(track(&json!({"anonymousId": "a1"}), "Bought")).await;
    assert_eq!(taken(&receiver, 1).await, ["a1 Audience Entered once=true"]);
    world.send(json!({"type": "identify", "userId": "ada", "anonymousId": "a1"})).await;
    let world = world.again_as_of(before.path()).await;
    assert_eq!(taken(&receiver, 2).await[1], "ada Audience Entered once=true");
    world.send(user("ada", "Bought")).await;
    let mut said = taken(&receiver, 4).await.split_off(2);
    said.sort();
    assert_eq!(said, ["a1 Audience Exited once=false", "ada Audience Exited once=false"]);
}
