//! Definitions of accounts in the fold: what an account holds is what its traits and its users come to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use selfsame_audience::{Plans, Query, Tally};
use selfsame_event::{Collection, EventsHead, RecordKind, SourceNumber, Time};
use selfsame_identity::RuleSet;
use selfsame_log::{Log, LogRead};
use selfsame_pipeline::effect::{Effect, What};
use selfsame_pipeline::workspace::{Change, Definition, DefinitionKind};
use selfsame_pipeline::{
    Engine, Found, IdentityChange, PreviewConfig, ProfileRef, Reason, ReasonKind, SpaceRead,
    preview,
};

use crate::computed::{Known, World, define, definition, effects, eventful, folded, timelines};
use crate::world::{change, key, record, set_up};

type Said = (&'static str, DefinitionKind, &'static str);

/// Definitions of accounts over the small world; some read those of users.
pub(crate) const ACCOUNTS: &[Said] = &[
    ("team_seen", DefinitionKind::ComputedTrait, "event('E5').count()"),
    ("team_spent", DefinitionKind::ComputedTrait, "event('E6').sum(property('v'))"),
    ("team_plan", DefinitionKind::ComputedTrait, "trait('plan')"),
    ("team_any", DefinitionKind::Audience, "any(event('E5').count() >= 3)"),
    ("team_busy", DefinitionKind::Audience, "event('E7').within(30 days).count() >= 2"),
    ("team_all", DefinitionKind::Audience, "all(event('E6').within(90 days).count() <= 4)"),
    (
        "team_members",
        DefinitionKind::Audience,
        "any(trait('often') = true and trait('n') >= 1) and not all(trait('recent') = true)",
    ),
    (
        "team_big",
        DefinitionKind::Audience,
        "trait('team_seen') >= 5 and trait('plan') = 'p1' or trait('team_busy') = true",
    ),
    ("team_none", DefinitionKind::Audience, "not any(event('E8').within(40 days).count() >= 1)"),
];

pub(crate) fn of_accounts((id, kind, query): Said) -> Definition {
    Definition { collection: Collection::Accounts, ..definition(id, kind, query) }
}

/// Appends definitions of accounts.
pub(crate) fn define_accounts(log: &dyn Log, definitions: &[Said]) {
    static NEXT: AtomicU64 = AtomicU64::new(600_000);
    for said in definitions {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let set = Change::SetDefinition(of_accounts(*said));
        log.append_wait(change(number, &set)).expect("appends");
    }
}

fn query((_, kind, text): &Said) -> Query {
    match kind {
        DefinitionKind::Audience => {
            Query::Audience(selfsame_expr::query::condition(text).expect("parses"))
        }
        DefinitionKind::ComputedTrait => {
            Query::Trait(selfsame_expr::query::scalar(text).expect("parses"))
        }
    }
}

fn traits(found: &Found<'_>) -> BTreeMap<String, String> {
    let view = found.view();
    let traits = view.traits();
    traits.filter_map(|one| Some((one.key.to_owned(), one.value?.text().to_owned()))).collect()
}

fn held(found: &Found<'_>, now: Time) -> BTreeMap<String, String> {
    let held = found.computed(now).expect("reads").into_iter();
    held.map(|one| (one.definition.id.clone(), one.value)).collect()
}

fn account<'s>(space: &'s SpaceRead, group: &str) -> Option<Found<'s>> {
    let wanted = ProfileRef::Identifier { kind: "group_id".to_owned(), value: group.to_owned() };
    space.find(Collection::Accounts, &wanted).expect("reads")
}

/// Every account holds what its traits and the whole timelines of its users come to.
pub(crate) fn check_accounts(world: &World, engine: &Engine) {
    let reader = world.reader(engine);
    let timelines = timelines(world, &reader);
    let space = reader.space("default").expect("a space");
    let queries: Vec<Query> = ACCOUNTS.iter().map(query).collect();
    let plans = Plans::compile_accounts(&queries).expect("compiles");
    let asked: Vec<Query> = plans.of_users().iter().cloned().map(Query::Audience).collect();
    let asked_of_users = Plans::compile(&asked).expect("compiles");
    let now = engine.state().log_time();
    let (mut members, mut wrong) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for group in 0..5 {
        let Some(found) = account(&space, &format!("g{group}")) else { continue };
        let (mut rows, mut tally) = (Vec::new(), Tally::default());
        for link in found.links().expect("reads") {
            let user = link.profile;
            let events = timelines.get(&user.id()).map_or(&[][..], Vec::as_slice);
            rows.push(folded(world, &plans, events));
            let mut known = traits(&user);
            known.extend(held(&user, now));
            let row = folded(world, &asked_of_users, events);
            tally.join();
            for number in 0..asked.len() {
                let met = asked_of_users.evaluate(number, &[&row], &Known(known.clone()), now);
                let holds = met.expect("is there").value.json() == "true";
                tally.change(number, false, holds);
            }
        }
        assert!(tally.users() > 3, "accounts have users in this world");
        let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let profile = plans.profile(&rows, now);
        let mut known = Known(traits(&found));
        let held = held(&found, now);
        for (place, (id, kind, _)) in ACCOUNTS.iter().enumerate() {
            let expected = profile.evaluate_account(place, &known, &tally).expect("is there");
            let expected = expected.value.json();
            known.0.insert((*id).to_owned(), expected.clone());
            let default = match kind {
                DefinitionKind::Audience => "false",
                DefinitionKind::ComputedTrait if *id == "team_seen" => "0",
                DefinitionKind::ComputedTrait => "null",
            };
            let held = held.get(*id).map(String::as_str);
            if held.unwrap_or(default) != expected {
                wrong.push(format!("g{group} {id}: {held:?} and not {expected}"));
            }
            if *kind == DefinitionKind::Audience && expected == "true" {
                *members.entry(id).or_default() += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(members.len() >= 3, "audiences have members in this world: {members:?}");
    for (id, kind, _) in ACCOUNTS {
        if *kind == DefinitionKind::Audience {
            let definition = space.definition(id).expect("is there");
            let count = members.get(id).copied().unwrap_or(0);
            assert_eq!(space.member_counts(definition).count, count, "{id}");
            let page = space.members(definition, None, 100).expect("reads");
            assert_eq!(u64::try_from(page.members.len()), Ok(count), "{id}");
        }
    }
}

/// A small world that is told what happens, one event at a time.
struct Told {
    world: World,
    engine: Engine,
    next: u64,
}

impl Told {
    fn new(definitions: &[Said], of_accounts: &[Said]) -> Self {
        let world = World::new();
        for record in set_up(RuleSet::default()) {
            world.log.append_wait(record).expect("appends");
        }
        define(&*world.log, definitions);
        define_accounts(&*world.log, of_accounts);
        let mut engine = world.engine();
        world.settle(&mut engine);
        Self { world, engine, next: 1 }
    }

    fn append(&mut self, kind: RecordKind, head: Vec<u8>, items: Vec<Bytes>) {
        self.next += 1;
        let new = record(2_000_000 + self.next, kind, head, items);
        self.world.log.append_wait(new).expect("appends");
    }

    /// Something happens, and what follows from it.
    fn event(&mut self, event: &str) {
        self.append_event(event);
        self.world.settle(&mut self.engine);
    }

    fn append_event(&mut self, event: &str) {
        let head = EventsHead { source: SourceNumber(1), ..EventsHead::default() };
        let event = format!("{{{event},\"messageId\":\"told-{}\"}}", self.next);
        self.append(RecordKind::Events, head.encode(), vec![event.into()]);
    }

    fn joins(&mut self, user: &str, group: &str) {
        self.event(&format!(
            r#""type":"group","userId":"{user}","groupId":"{group}","traits":{{"plan":"big"}}"#
        ));
    }

    fn buys(&mut self, user: &str) {
        self.event(&format!(r#""type":"track","userId":"{user}","event":"Bought""#));
    }

    fn days_pass(&mut self, days: u64) {
        self.world.clock.leap(days);
        self.world.settle(&mut self.engine);
    }

    /// What an account comes to, and that readers find the same by looking at it anew.
    fn of(&self, group: &str, id: &str) -> String {
        let reader = self.world.reader(&self.engine);
        let space = reader.space("default").expect("a space");
        let found = account(&space, group).expect("is there");
        let value = held(&found, self.engine.state().log_time()).remove(id);
        value.unwrap_or_else(|| "absent".to_owned())
    }

    fn changes(&self) -> Vec<What> {
        effects(&*self.world.outbox).into_iter().map(|(_, Effect { what, .. })| what).collect()
    }
}

const LIVELY: Said =
    ("lively", DefinitionKind::Audience, "any(event('Bought').within(7 days).count() >= 1)");
const SOUND: Said = ("sound", DefinitionKind::Audience, "all(event('Bought').count() >= 1)");

#[test]
fn an_account_enters_and_leaves_with_what_its_users_do() {
    let mut told = Told::new(&[], &[LIVELY, SOUND]);
    told.joins("ada", "acme");
    assert_eq!(
        (told.of("acme", "lively"), told.of("acme", "sound")),
        ("absent".into(), "absent".into())
    );
    told.buys("ada");
    assert_eq!(
        (told.of("acme", "lively"), told.of("acme", "sound")),
        ("true".into(), "true".into())
    );
    // Not all of them any more.
    told.joins("bob", "acme");
    assert_eq!(
        (told.of("acme", "lively"), told.of("acme", "sound")),
        ("true".into(), "false".into())
    );
    // Nobody's but bob's.
    told.buys("cara");
    assert_eq!(told.of("acme", "sound"), "false");
    told.buys("bob");
    assert_eq!(told.of("acme", "sound"), "true");
    told.days_pass(8);
    assert_eq!(
        (told.of("acme", "lively"), told.of("acme", "sound")),
        ("false".into(), "true".into())
    );
    let (entered, exited) = (What::Entered, What::Exited);
    let expected = [entered.clone(), entered.clone(), exited.clone(), entered, exited];
    assert_eq!(told.changes(), expected);
}

/// What is of one person is of the person's accounts: also what came to light later, until that is undone.
#[test]
fn users_who_become_one_and_two_again_move_their_accounts() {
    let often = ("often", DefinitionKind::Audience, "any(event('Bought').count() >= 2)");
    let total = ("total", DefinitionKind::ComputedTrait, "event('Bought').count()");
    let mut told = Told::new(&[], &[often, total, SOUND]);
    told.joins("ada", "acme");
    told.buys("ada");
    told.event(r#""type":"track","anonymousId":"phone","event":"Bought""#);
    told.event(r#""type":"group","anonymousId":"tablet","groupId":"acme""#);
    assert_eq!((told.of("acme", "often"), told.of("acme", "total")), ("absent".into(), "1".into()));
    assert_eq!(told.of("acme", "sound"), "false");
    told.event(r#""type":"identify","userId":"ada","anonymousId":"phone""#);
    assert_eq!((told.of("acme", "often"), told.of("acme", "total")), ("true".into(), "2".into()));
    told.event(r#""type":"identify","userId":"ada","anonymousId":"tablet""#);
    assert_eq!(told.of("acme", "sound"), "true", "there is one user now");
    let of = |kind, value| key(Collection::Users, kind, value);
    let apart = vec![[of("user_id", "ada"), of("anonymous_id", "phone")]];
    let space = "default".to_owned();
    let undo = IdentityChange { space, apart: apart.clone(), ..IdentityChange::default() };
    told.append(RecordKind::Identity, serde_json::to_vec(&undo).expect("JSON"), vec![]);
    told.world.settle(&mut told.engine);
    assert_eq!((told.of("acme", "often"), told.of("acme", "total")), ("false".into(), "1".into()));
    let space = "default".to_owned();
    let lift = IdentityChange { space, lift: apart, ..IdentityChange::default() };
    told.append(RecordKind::Identity, serde_json::to_vec(&lift).expect("JSON"), vec![]);
    told.world.settle(&mut told.engine);
    assert_eq!((told.of("acme", "often"), told.of("acme", "total")), ("true".into(), "2".into()));
}

/// An account asks what definitions came to for its users, also where only time changed that.
#[test]
fn an_account_follows_the_memberships_of_its_users() {
    let active =
        ("active", DefinitionKind::Audience, "event('Bought').within(7 days).count() >= 1");
    let any = ("with_active", DefinitionKind::Audience, "any(trait('active') = true)");
    let named = ("with_named", DefinitionKind::Audience, "any(trait('name').exists())");
    let both =
        ("both", DefinitionKind::Audience, "trait('with_active') = true and trait('plan') = 'big'");
    let mut told = Told::new(&[active], &[any, named, both]);
    told.joins("ada", "acme");
    told.buys("ada");
    assert_eq!(
        (told.of("acme", "with_active"), told.of("acme", "both")),
        ("true".into(), "true".into())
    );
    assert_eq!(told.of("acme", "with_named"), "absent");
    told.event(r#""type":"identify","userId":"ada","traits":{"name":"Ada"}"#);
    assert_eq!(told.of("acme", "with_named"), "true");
    told.days_pass(8);
    assert_eq!(
        (told.of("acme", "with_active"), told.of("acme", "both")),
        ("false".into(), "false".into())
    );
}

/// What an engine folded before it died, and did not come to evaluate, the next one evaluates.
#[test]
fn an_engine_that_dies_before_it_looks_at_an_account_looks_at_it_later() {
    let active =
        ("active", DefinitionKind::Audience, "event('Bought').within(7 days).count() >= 1");
    let any = ("with_active", DefinitionKind::Audience, "any(trait('active') = true)");
    let mut told = Told::new(&[active], &[SOUND, any]);
    told.joins("ada", "acme");
    told.append_event(r#""type":"track","userId":"ada","event":"Bought""#);
    told.engine.turns(1).expect("folds");
    assert_eq!(told.changes(), [What::Entered], "of ada alone");
    let Told { world, engine, next } = told;
    drop(engine);
    let engine = world.engine();
    let mut told = Told { world, engine, next };
    told.world.settle(&mut told.engine);
    assert_eq!(told.changes(), [What::Entered, What::Entered, What::Entered]);
    assert_eq!(
        (told.of("acme", "sound"), told.of("acme", "with_active")),
        ("true".into(), "true".into())
    );
}

/// As many users count as links are kept, and the value says that there may be more.
#[test]
fn an_account_of_very_many_users_counts_those_that_were_linked_first() {
    let total = ("total", DefinitionKind::ComputedTrait, "event('Bought').count()");
    let plan = ("plan_is", DefinitionKind::ComputedTrait, "trait('plan')");
    let mut told = Told::new(&[], &[total, plan]);
    let head = EventsHead { source: SourceNumber(1), ..EventsHead::default() };
    let event = |what: &str, number: u32| {
        let (time, id) = (format!("2026-01-01T00:{:02}:{:02}Z", number / 60, number % 60), number);
        format!(
            r#"{{{what},"userId":"u{number}","messageId":"{what_id}-{id}","timestamp":"{time}"}}"#,
            what_id = what.len(),
        )
    };
    let joins = (0..510).map(|number| {
        event(r#""type":"group","groupId":"acme","traits":{"plan":"big"}"#, number).into()
    });
    told.append(RecordKind::Events, head.encode(), joins.collect());
    let buys = (0..510).map(|number| event(r#""type":"track","event":"Bought""#, number).into());
    told.append(RecordKind::Events, head.encode(), buys.collect());
    told.world.settle(&mut told.engine);
    assert_eq!(told.of("acme", "total"), "500");
    let reader = told.world.reader(&told.engine);
    let space = reader.space("default").expect("a space");
    let found = account(&space, "acme").expect("is there");
    let computed = found.computed(told.engine.state().log_time()).expect("reads");
    let is_approximate: Vec<_> =
        computed.iter().map(|one| (one.definition.id.as_str(), one.is_approximate)).collect();
    assert_eq!(is_approximate, [("plan_is", false), ("total", true)]);
    drop(computed);
    told.buys("u509");
    assert_eq!(told.of("acme", "total"), "500", "was linked last");
    told.buys("u3");
    assert_eq!(told.of("acme", "total"), "501");
}

/// A moment of a user that no tick has let come yet shows in what readers are told of the account.
#[test]
fn a_reader_sees_an_account_as_of_now() {
    let active =
        ("active", DefinitionKind::Audience, "event('Bought').within(7 days).count() >= 1");
    let any = ("with_active", DefinitionKind::Audience, "any(trait('active') = true)");
    let mut told = Told::new(&[active], &[any, LIVELY]);
    told.joins("ada", "acme");
    told.buys("ada");
    let reader = told.world.reader(&told.engine);
    let space = reader.space("default").expect("a space");
    let found = account(&space, "acme").expect("is there");
    let later = told.engine.state().log_time().plus_micros(8 * 86_400_000_000);
    let held = held(&found, later);
    assert_eq!((held["with_active"].as_str(), held["lively"].as_str()), ("false", "false"));
}

#[test]
fn definitions_of_accounts_that_have_no_meaning_are_refused() {
    let mut told = Told::new(&[], &[LIVELY]);
    let public = Definition { public: true, ..of_accounts(SOUND) };
    // As of a user it has no meaning, and what is of accounts stays so.
    let of_users = Definition { collection: Collection::Users, ..of_accounts(SOUND) };
    let other = Definition {
        query: "event('Bought').count() >= 1".to_owned(),
        collection: Collection::Users,
        ..of_accounts(LIVELY)
    };
    for (number, wrong) in (3_000_000..).zip([public, of_users, other]) {
        let set = change(number, &Change::SetDefinition(wrong));
        told.world.log.append_wait(set).expect("appends");
    }
    told.world.settle(&mut told.engine);
    let workspace = &told.engine.state().meta().workspace;
    let known: Vec<_> =
        workspace.definitions.iter().map(|one| (one.id.as_str(), one.collection)).collect();
    assert_eq!(known, [("lively", Collection::Accounts)]);
    // One that reads an audience of users keeps it from being removed.
    let active = ("active", DefinitionKind::Audience, "event('Bought').count() >= 1");
    define(&*told.world.log, &[active]);
    define_accounts(
        &*told.world.log,
        &[("with_active", DefinitionKind::Audience, "any(trait('active') = true)")],
    );
    let remove = Change::RemoveDefinition { space: "default".to_owned(), id: "active".to_owned() };
    told.world.log.append_wait(change(3_000_100, &remove)).expect("appends");
    told.world.settle(&mut told.engine);
    let workspace = &told.engine.state().meta().workspace;
    assert!(workspace.definition("default", "active").is_some());
}

/// A preview says of every definition of accounts what it came to.
#[test]
fn a_preview_says_how_many_accounts_would_be_in() {
    let world = eventful(83);
    let engine = world.engine();
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    let mut sizes = 0;
    for (id, kind, query) in ACCOUNTS {
        let config = PreviewConfig {
            folder: world.folder.path().join("preview"),
            space: "default".to_owned(),
            kind: *kind,
            collection: Collection::Accounts,
            query: (*query).to_owned(),
            filter_by_external_ids: Vec::new(),
            replaces: Some((*id).to_owned()),
            overlap: None,
            sample: 5,
            now: engine.state().log_time(),
        };
        let logs: (&dyn LogRead, &dyn LogRead) = (&*world.log, &*world.outbox);
        let seen = preview(&engine.shared(), logs, &config, &mut |_| true);
        let seen = seen.expect("previews").expect("to the end");
        let definition = space.definition(id).expect("is there");
        assert_eq!(seen.change, Some([0, 0]), "{id} is in force as it is: {seen:?}");
        if *kind == DefinitionKind::Audience {
            assert_eq!(seen.size, space.member_counts(definition).count, "{id}");
            sizes += seen.size;
        }
        assert_eq!(seen.profiles, 5, "accounts");
    }
    assert!(sizes > 5, "{sizes}");
}

/// Why an account is in or out is what the parts of the definition say, each by itself and of each user.
#[test]
fn the_reasons_of_an_account_come_to_its_value() {
    let world = eventful(83);
    let engine = world.engine();
    let reader = world.reader(&engine);
    let space = reader.space("default").expect("a space");
    let now = engine.state().log_time();
    let (mut named, mut users, mut out) = (0, 0, 0);
    for group in 0..5 {
        let Some(found) = account(&space, &format!("g{group}")) else { continue };
        let known = held(&found, now);
        for (id, kind, query) in ACCOUNTS {
            let definition = space.definition(id).expect("is there");
            let reasons = found.reasons(definition, now).expect("reads").expect("is read");
            let nothing = match kind {
                DefinitionKind::Audience => "false",
                DefinitionKind::ComputedTrait => "null",
            };
            let known = known.get(*id).map_or(nothing, String::as_str);
            assert_eq!(known, reasons.value, "g{group} {id}: {reasons:?}");
            assert!(!reasons.is_cut && reasons.events > 0);
            out += usize::from(reasons.value == "false");
            check_users(&reasons.reason, reasons.users.expect("of an account").0);
            each(&reasons.reason, &mut |part| {
                named += part.events.iter().filter(|one| one.counts).count();
                users += part.users.len();
            });
            let asks = query.contains("any(") || query.contains("all(");
            let mut has_asked = false;
            each(&reasons.reason, &mut |part| has_asked |= part.holding.is_some());
            assert_eq!(asks, has_asked, "{id}");
        }
    }
    assert!(named > 100 && users > 20 && out > 5, "{named} {users} {out}");
}

/// Visits a reason, its parts, and those of its users.
fn each(reason: &Reason, visit: &mut dyn FnMut(&Reason)) {
    visit(reason);
    reason.parts.iter().for_each(|part| each(part, visit));
    reason.users.iter().for_each(|user| each(&user.reason, visit));
}

/// Whom a condition holds for decides it, and those are named.
fn check_users(reason: &Reason, users: u64) {
    each(reason, &mut |part| {
        let Some(holding) = part.holding else { return };
        let expected = match part.kind {
            ReasonKind::Any => holding > 0,
            _ => holding > 0 && holding == users,
        };
        assert_eq!(part.holds, expected, "{part:?}");
        assert!(part.users.iter().all(|user| user.reason.holds == part.holds));
        let deciding = if part.holds { holding } else { users - holding };
        assert_eq!(u64::try_from(part.users.len()), Ok(deciding.min(5)));
    });
}

/// Beyond the events that are looked at, what is kept says what a comparison comes to; what is named is of the user
/// who did it.
#[test]
fn a_reason_names_the_users_and_events_that_decide() {
    let often = ("often", DefinitionKind::Audience, "any(event('Bought').count() >= 2)");
    let many = ("many", DefinitionKind::Audience, "event('Bought').count() >= 3");
    let total = ("total", DefinitionKind::ComputedTrait, "event('Bought').count()");
    let rich = (
        "rich",
        DefinitionKind::Audience,
        "not all(trait('name').exists()) and trait('plan') = 'big'",
    );
    let mut told = Told::new(&[], &[often, many, total, rich]);
    told.joins("ada", "acme");
    told.joins("bob", "acme");
    for user in ["ada", "bob", "bob"] {
        told.buys(user);
    }
    told.event(r#""type":"identify","userId":"ada","traits":{"name":"Ada"}"#);
    let reader = told.world.reader(&told.engine);
    let space = reader.space("default").expect("a space");
    let found = account(&space, "acme").expect("is there");
    let now = told.engine.state().log_time();
    let why = |id: &str| {
        let definition = space.definition(id).expect("is there");
        found.reasons(definition, now).expect("reads").expect("is read")
    };
    let user = |name: &str| {
        let (kind, value) = ("user_id".to_owned(), name.to_owned());
        let wanted = ProfileRef::Identifier { kind, value };
        let found = space.find(Collection::Users, &wanted).expect("reads");
        found.expect("is there").id()
    };
    let asked = why("often");
    assert_eq!((asked.value.as_str(), asked.users), ("true", Some((2, false))));
    assert_eq!((asked.reason.kind, asked.reason.holding), (ReasonKind::Any, Some(1)));
    let [bob] = asked.reason.users.as_slice() else { panic!("{asked:?}") };
    assert_eq!((bob.profile, bob.reason.event_count), (user("bob"), 2));
    assert!(bob.reason.events.iter().all(|one| one.counts && one.name == "Bought"));
    assert_eq!(asked.reason.event_count, 0, "its own are none");
    let own = why("many").reason;
    assert_eq!((own.holds, own.value.as_deref(), own.event_count), (true, Some("3"), 3));
    assert_eq!(own.events.len(), 3);
    let value = why("total");
    assert_eq!((value.value.as_str(), value.reason.events.len()), ("3", 3));
    let [not, plan] = &*why("rich").reason.parts else { panic!("two parts") };
    assert!(not.holds && plan.holds && plan.value.as_deref() == Some("\"big\""));
    let all = &not.parts[0];
    assert_eq!((all.kind, all.holds, all.holding), (ReasonKind::All, false, Some(1)));
    assert_eq!(all.users.iter().map(|one| one.profile).collect::<Vec<_>>(), [user("bob")]);
    // Of users, and of users only: no account is asked.
    let found = space.find(Collection::Users, &ProfileRef::Id(user("ada"))).expect("reads");
    let definition = space.definition("often").expect("is there");
    assert_eq!(found.expect("is there").reasons(definition, now).expect("reads"), None);
}
