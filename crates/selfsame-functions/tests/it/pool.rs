//! Calls of many, and what one cannot do to others.

use std::time::Duration;

use selfsame_functions::{FaultKind, Input, Instance, Item, Kind, Limits, PoolConfig, Returned};

use crate::world::{World, event, instance, report};

const TRACK: &str = r#"{"type":"track","event":"E"}"#;

fn kind(result: &Result<Returned, selfsame_functions::Fault>) -> Option<FaultKind> {
    result.as_ref().err().map(|fault| fault.kind)
}

#[test]
fn connections_share_no_state_even_with_the_same_code() {
    let world = World::new(PoolConfig { threads: 1, ..PoolConfig::default() });
    let code = "let count = 0; globalThis.seen = []; \
        function onTrack(event) { count += 1; seen.push(1); return { ...event, count, seen: seen.length }; }";
    let (one, other) = (instance("one", Kind::Insert, code), instance("other", Kind::Insert, code));
    let count = |instance| match world.call(instance, event(TRACK)).result {
        Ok(Returned::Event(event)) => event,
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&one), r#"{"type":"track","event":"E","count":1,"seen":1}"#);
    assert_eq!(count(&one), r#"{"type":"track","event":"E","count":2,"seen":2}"#);
    assert_eq!(count(&other), r#"{"type":"track","event":"E","count":1,"seen":1}"#);
    // Other settings, another sandbox.
    let changed = Instance { settings: "{}".into(), ..instance("one", Kind::Insert, code) };
    assert_eq!(count(&changed), r#"{"type":"track","event":"E","count":1,"seen":1}"#);
}

#[test]
fn a_sandbox_that_met_a_limit_is_thrown_away() {
    let world = World::new(PoolConfig { threads: 1, ..PoolConfig::default() });
    let code = "let count = 0; function onTrack(event) { count += 1; \
        if (event.event === 'loop') while (true) {} \
        if (event.event === 'fill') { const all = []; while (true) all.push(new Array(1000).fill(count)); } \
        return { ...event, count }; }";
    let own = instance("own", Kind::Insert, code);
    let count = || match world.call(&own, event(TRACK)).result {
        Ok(Returned::Event(event)) => event.contains(r#""count":1"#),
        other => panic!("{other:?}"),
    };
    assert!(count());
    let looped = world.call(&own, event(r#"{"type":"track","event":"loop"}"#));
    assert_eq!(kind(&looped.result), Some(FaultKind::Processor));
    assert!(looped.cpu >= Duration::from_millis(50) && looped.cpu < Duration::from_millis(500));
    assert!(count(), "a new sandbox counts from one");
    let filled = world.call(&own, event(r#"{"type":"track","event":"fill"}"#));
    assert_eq!(kind(&filled.result), Some(FaultKind::Memory));
    assert!(count(), "a new sandbox counts from one");
}

#[test]
fn while_one_waits_others_run() {
    let world = World::new(PoolConfig { threads: 1, ..PoolConfig::default() });
    let waits = instance(
        "waits",
        Kind::Destination,
        "async function onTrack() { await fetch('https://a.example/later'); }",
    );
    let quick = instance(
        "quick",
        Kind::Destination,
        "async function onTrack() { await fetch('https://a.example/200'); }",
    );
    let waiting: Vec<_> = (0..3).map(|_| world.begin(&waits, event(TRACK))).collect();
    assert_eq!(world.call(&quick, event(TRACK)).result, Ok(Returned::Done));
    let mut later = std::mem::take(&mut *world.network.later.lock().expect("no panic"));
    assert_eq!(later.len(), 3);
    later.reverse();
    for reply in later {
        reply.answer(Ok(selfsame_functions::FetchResponse { status: 204, ..Default::default() }));
    }
    for told in &waiting {
        let report = report(told);
        assert_eq!(report.result, Ok(Returned::Done));
        assert_eq!(report.requests[0].status, Some(204));
    }
}

#[test]
fn what_is_never_answered_is_over_in_time() {
    let limits = Limits { wall: Duration::from_millis(200), ..Limits::default() };
    let world = World::new(PoolConfig { threads: 1, limits, ..PoolConfig::default() });
    let code = "async function onTrack(event) { \
        if (event.event === 'timer') { await new Promise((done) => setTimeout(done, 20)); return; } \
        if (event.event === 'long') await new Promise((done) => setTimeout(done, 100000)); \
        if (event.event === 'stuck') await new Promise(() => {}); \
        if (event.event === 'again') await new Promise(() => setInterval(() => {}, 1)); \
        await fetch('https://a.example/later'); }";
    let own = instance("own", Kind::Destination, code);
    let call = |name: &str| {
        let report = world.call(&own, event(&format!(r#"{{"type":"track","event":"{name}"}}"#)));
        (kind(&report.result), report.wall)
    };
    assert_eq!(call("fetch").0, Some(FaultKind::Timeout));
    assert_eq!(call("long").0, Some(FaultKind::Timeout));
    assert_eq!(call("again").0, Some(FaultKind::Timeout));
    let (timer, took) = call("timer");
    assert_eq!(timer, None);
    assert!(took >= Duration::from_millis(20));
    let (stuck, took) = call("stuck");
    assert_eq!(stuck, Some(FaultKind::Stuck));
    assert!(took < Duration::from_millis(150), "there is nothing to wait for: {took:?}");
    // Answers that come behind the end are nobody's.
    drop(std::mem::take(&mut *world.network.later.lock().expect("no panic")));
    assert_eq!(call("timer").0, None);
}

/// A loop of the engine's own that looks at no time: the thread is lost, the others' calls are not.
#[test]
fn code_that_cannot_be_stopped_is_given_up_and_not_run_again() {
    let config =
        PoolConfig { threads: 1, patience: Duration::from_millis(300), ..PoolConfig::default() };
    let world = World::new(config);
    // Conversions of very long numbers, between which the engine does not look up.
    let code = "function onTrack() { Array(16).fill(7n ** 300000n).join(); }";
    let bad = instance("bad", Kind::Destination, code);
    let good = instance("good", Kind::Destination, "function onTrack() {}");
    let told = world.begin(&bad, event(TRACK));
    let waits = world.begin(&good, event(TRACK));
    assert_eq!(kind(&report(&told).result), Some(FaultKind::GivenUp));
    assert_eq!(report(&waits).result, Ok(Returned::Done));
    assert_eq!(kind(&world.call(&bad, event(TRACK)).result), Some(FaultKind::LockedOut));
    assert_eq!(world.call(&good, event(TRACK)).result, Ok(Returned::Done));
}

#[test]
fn too_many_calls_are_to_come_again() {
    let world =
        World::new(PoolConfig { threads: 1, waiting: 2, sandboxes: 1, ..PoolConfig::default() });
    let own = instance(
        "own",
        Kind::Destination,
        "async function onTrack() { await fetch('https://a.example/later'); }",
    );
    let told: Vec<_> = (0..10).map(|_| world.begin(&own, event(TRACK))).collect();
    let refused = || told.iter().filter_map(|told| told.try_recv().ok()).collect::<Vec<_>>();
    let refused = refused();
    assert!(refused.len() >= 7, "{}", refused.len());
    assert!(refused.iter().all(|report| kind(&report.result) == Some(FaultKind::Busy)));
}

#[test]
fn whoever_waits_when_it_stops_is_told() {
    let world = World::new(PoolConfig::default());
    let own = instance(
        "own",
        Kind::Destination,
        "async function onTrack() { await fetch('https://a.example/later'); }",
    );
    let told: Vec<_> = (0..5).map(|_| world.begin(&own, event(TRACK))).collect();
    world.pool.stop();
    for told in &told {
        assert_eq!(kind(&report(told).result), Some(FaultKind::Stopping));
    }
    assert_eq!(kind(&world.call(&own, event(TRACK)).result), Some(FaultKind::Busy));
}

#[test]
fn a_batch_is_answered_for_each_event() {
    let world = World::new(PoolConfig::default());
    let batch = || {
        Input::Batch(
            ["a", "b", "c"].map(|name| format!(r#"{{"type":"track","event":"{name}"}}"#)).to_vec(),
        )
    };
    let own = instance(
        "own",
        Kind::Destination,
        "function onBatch(events) { return events.map((one, at) => ({ status: [200, 400, 503][at], errormessage: one.event })); }",
    );
    let Ok(Returned::Batch(items)) = world.call(&own, batch()).result else { panic!("a batch") };
    let found: Vec<_> = items
        .iter()
        .map(|item| match item {
            Item::Failed(fault) => (Some(fault.kind), fault.message.as_str()),
            _ => (None, ""),
        })
        .collect();
    assert_eq!(found, [(None, ""), (Some(FaultKind::Failed), "b"), (Some(FaultKind::Retry), "c")]);
    // One event goes to the same handler, if it has no other.
    assert_eq!(world.call(&own, event(TRACK)).result, Ok(Returned::Done));
    let few =
        instance("few", Kind::Destination, "function onBatch() { return [{ status: 200 }]; }");
    assert_eq!(kind(&world.call(&few, batch()).result), Some(FaultKind::Returned));
    let quiet = instance("quiet", Kind::Destination, "function onBatch() {}");
    assert_eq!(world.call(&quiet, batch()).result, Ok(Returned::Batch(vec![Item::Done; 3])));
    let insert = instance(
        "insert",
        Kind::Insert,
        "function onBatch(events) { events[1] = null; events[0].x = 1; return events; }",
    );
    let Ok(Returned::Batch(items)) = world.call(&insert, batch()).result else { panic!("a batch") };
    assert_eq!(items[0], Item::Event(r#"{"type":"track","event":"a","x":1}"#.to_owned()));
    assert!(matches!(&items[1], Item::Failed(fault) if fault.kind == FaultKind::Dropped));
}

#[test]
fn an_insert_function_passes_changes_or_drops() {
    let world = World::new(PoolConfig::default());
    let own = instance(
        "own",
        Kind::Insert,
        "function onTrack(event) { \
        if (event.event === 'drop') throw new DropEvent('not wanted'); \
        if (event.event === 'none') return; \
        if (event.event === 'list') return [event, event]; \
        return { ...event, ok: true }; }",
    );
    let call = |name: &str| {
        world.call(&own, event(&format!(r#"{{"type":"track","event":"{name}"}}"#))).result
    };
    assert_eq!(
        call("a"),
        Ok(Returned::Event(r#"{"type":"track","event":"a","ok":true}"#.to_owned()))
    );
    assert_eq!(kind(&call("drop")), Some(FaultKind::Dropped));
    assert_eq!(kind(&call("none")), Some(FaultKind::Dropped));
    assert_eq!(kind(&call("list")), Some(FaultKind::Returned));
    let page = world.call(&own, event(r#"{"type":"page"}"#)).result;
    assert_eq!(kind(&page), Some(FaultKind::Unsupported));
    assert!(page.expect_err("no handler").message.contains("onPage"));
}

/// The memory of the program stays where it is, whatever functions do.
#[test]
fn memory_is_bounded() {
    let world = World::new(PoolConfig { threads: 1, sandboxes: 4, ..PoolConfig::default() });
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: u64 = text.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        pages * 4096
    };
    let keeps = "const kept = []; function onTrack(event) { kept.push(new Uint8Array(100000)); }";
    let before = resident();
    for number in 0..20 {
        let own = instance(&format!("own-{number}"), Kind::Destination, keeps);
        for _ in 0..400 {
            let report = world.call(&own, event(TRACK));
            assert!(matches!(
                kind(&report.result),
                None | Some(FaultKind::Memory | FaultKind::Failed)
            ));
        }
    }
    let more = resident().saturating_sub(before);
    assert!(more < 100 << 20, "{more} bytes for four sandboxes of 16 MB");
}
