//! What a thread does a second, and what a worker holds. Printed, not judged.

use selfsame_destinations::{Connection, Reply};
use selfsame_event::{Clock as _, SystemClock};
use serde_json::{Map, Value, json};

use crate::world::{World, pack, root};

/// Destinations that the speed is measured with, each with a recorded case of one event and one request.
const MEASURED: &[&str] = &[
    "mixpanel",
    "hubspot",
    "braze",
    "facebook-conversions-api",
    "google-analytics-4",
    "customerio",
];
/// How long each is measured, in microseconds.
const SPAN: u64 = 2_000_000;

#[test]
#[ignore = "it takes its time: `make conformance`"]
fn events_a_second_and_memory() {
    let world = World::new(pack().expect("a pack"));
    let (cases, clock) = (cases(), SystemClock::default());
    println!("{:<28} {:>12} {:>14}", "a thread, one event a call", "events/s", "first call");
    for program in MEASURED {
        let case = cases.iter().find(|case| is_plain(case, program)).expect("a case");
        let manifest = world.manifest(program).expect("it is there");
        let action = case["action"].as_str().expect("an action");
        let subscription =
            manifest.subscription(action, Some(&case["mapping"])).expect("a mapping");
        let code = world.pack.code(program).expect("a program");
        let program_of = world.programs.program(program, code);
        let reply = Reply { status: 200, headers: Map::new(), body: "{}".to_owned() };
        let one = || {
            let connection = Connection {
                settings: &case["settings"],
                auth: &case["auth"],
                audience: &Value::Null,
                now_ms: case["now_ms"].as_i64().expect("a time"),
            };
            let input = manifest.program_call(&subscription, &case["events"][0], connection);
            let input = input.expect("a payload").expect("an input");
            let given = (&case["settings"], input);
            let end = world.call(&*program_of, given, |_| reply.clone()).expect("an end");
            assert_eq!(end.error, None, "{program}");
        };
        let began = clock.monotonic_micros();
        one();
        let first = clock.monotonic_micros() - began;
        let (began, mut count) = (clock.monotonic_micros(), 0_u64);
        while clock.monotonic_micros() - began < SPAN {
            one();
            count += 1;
        }
        let rate = count * 1_000_000 / (clock.monotonic_micros() - began);
        println!("{program:<28} {rate:>12} {first:>11} us");
    }
    memory(&world);
}

/// Loads every program once, and says what the process holds behind that.
fn memory(world: &World) {
    let before = resident();
    let mut most = 0;
    let names: Vec<&str> = world.pack.entries().iter().map(|one| one.program.as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        let program = world.programs.program(name, world.pack.code(name).expect("a program"));
        let given = (&json!({}), r#"{"what":"perform","action":"?"}"#.to_owned());
        let end = world.call(&*program, given, |_| panic!("nothing is asked for")).expect("an end");
        assert!(end.error.is_some());
        most = most.max(resident().saturating_sub(before));
        if index == 31 {
            println!("32 programs in as many sandboxes: {most} KiB more than before");
        }
    }
    println!("{} programs one after the other, 32 at a time: at most {most} KiB more", names.len());
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).map(str::parse);
    number.and_then(Result::ok).unwrap_or(0)
}

fn is_plain(case: &Value, program: &str) -> bool {
    let sent = case["expected"]["requests"].as_array().map_or(0, Vec::len);
    case["slug"] == *program
        && case["mode"] == "single"
        && sent == 1
        && case["expected"]["error"].is_null()
        && case["expected"]["requests"][0]["reply"]["status"] == 200
}

fn cases() -> Vec<Value> {
    use std::io::Read as _;
    let file = std::fs::File::open(root().join("fixtures/destinations/cases.jsonl.gz"));
    let mut text = String::new();
    let mut read = flate2::read::MultiGzDecoder::new(file.expect("the cases"));
    read.read_to_string(&mut text).expect("the cases");
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}
