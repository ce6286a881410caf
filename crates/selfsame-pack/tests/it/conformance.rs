//! Recorded cases through the pack, beside the same package in Node.
//!
//! A case is settings, a mapping and events, and the requests that a later version of the package made of them with
//! the answers it was given. `actions-pack/cases.cjs` says what the version of the pack makes of them in Node. What
//! counts are the cases that pass there: of those, 99 in a hundred have to pass here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use selfsame_destinations::{Connection, Reply};
use serde_json::{Map, Value, json};

use crate::same::differs;
use crate::world::{World, pack, root};

/// What came of a case.
#[derive(Debug, Default)]
struct Came {
    requests: Vec<Value>,
    /// Whether it ended with an error.
    failed: bool,
    /// Of a batch, the status of each event.
    statuses: Option<Vec<Value>>,
    note: String,
}

/// Every recorded case: `PACK_CASES` names their file, `PACK_NODE` what Node made of them.
#[test]
#[ignore = "it needs the recorded cases and Node: `make conformance`"]
fn recorded_cases_pass_here_that_pass_in_node() {
    let given = |name: &str| std::env::vars().find(|(one, _)| one == name).map(|(_, path)| path);
    let (Some(cases), Some(node)) = (given("PACK_CASES"), given("PACK_NODE")) else {
        panic!("PACK_CASES and PACK_NODE name the recorded cases and what Node made of them");
    };
    let world = World::new(pack().expect("a pack"));
    let node = in_node(Path::new(&node));
    let mut rows = BTreeMap::<String, Row>::new();
    for case in recorded(Path::new(&cases)) {
        let program = case["slug"].as_str().expect("a slug");
        if case["mode"] == "async-batch" || world.manifest(program).is_none() {
            continue;
        }
        let row = rows.entry(program.to_owned()).or_default();
        row.cases += 1;
        let id = case["id"].as_str().expect("an id");
        let theirs = node.get(id).and_then(|came| wrong(came, &case));
        let ours = run(&world, program, &case);
        let differs = wrong(&ours, &case);
        match (node.contains_key(id) && theirs.is_none(), differs) {
            (true, None) => row.both += 1,
            (true, Some(why)) => row.only_there.push(format!("{id}: {why} ({})", ours.note)),
            (false, None) => row.only_here += 1,
            (false, Some(_)) => {}
        }
    }
    report(&rows);
}

#[derive(Default)]
struct Row {
    cases: usize,
    both: usize,
    only_there: Vec<String>,
    only_here: usize,
}

fn report(rows: &BTreeMap<String, Row>) {
    println!("{:<44} {:>6} {:>8} {:>6}", "destination of the pack", "cases", "in Node", "here");
    let (mut in_node, mut both, mut all, mut whole) = (0, 0, 0, 0);
    for (program, row) in rows {
        let there = row.both + row.only_there.len();
        println!("{program:<44} {:>6} {there:>8} {:>6}", row.cases, row.both);
        (in_node, both, all) = (in_node + there, both + row.both, all + row.cases);
        whole += usize::from(row.only_there.is_empty());
    }
    for why in rows.values().flat_map(|row| &row.only_there) {
        println!("{why}");
    }
    let only_here: usize = rows.values().map(|row| row.only_here).sum();
    println!(
        "{both} of the {in_node} cases that pass in Node pass here ({:.2} %), of {all}; \
         {whole} of {} destinations have all of theirs; {only_here} pass only here",
        percent(both, in_node),
        rows.len()
    );
    assert!(in_node > 1_000, "so few cases pass in Node: {in_node}");
    assert!(both * 100 >= in_node * 99, "fewer than 99 in a hundred pass");
}

fn percent(part: usize, of: usize) -> f64 {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    100.0 * float(part) / float(of.max(1))
}

/// Destinations of which the repository keeps cases, and which have not changed since the version of the pack.
const SAMPLED: &[&str] = &[
    "aampe",
    "algolia-insights",
    "amplitude",
    "customerio",
    "facebook-conversions-api",
    "google-analytics-4",
];

#[test]
fn a_sample_of_the_recorded_cases_passes() {
    let Some(pack) = pack() else { return };
    let world = World::new(pack);
    let (mut passed, mut wrongs) = (0, Vec::new());
    let mut cases = recorded(&root().join("fixtures/destinations/cases.jsonl.gz"));
    cases.retain(|case| SAMPLED.iter().any(|slug| case["slug"] == *slug));
    for case in cases.iter().step_by(10) {
        let program = case["slug"].as_str().expect("a slug");
        let ours = run(&world, program, case);
        match wrong(&ours, case) {
            None => passed += 1,
            Some(why) => wrongs.push(format!("{}: {why} ({})", case["id"], ours.note)),
        }
    }
    assert!(passed >= 50 && wrongs.is_empty(), "{passed} passed\n{}", wrongs.join("\n"));
}

fn recorded(path: &Path) -> Vec<Value> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("the cases");
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

fn in_node(path: &Path) -> BTreeMap<String, Came> {
    let text = fs::read_to_string(path).expect("what Node made of the cases");
    let came = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let requests = value["requests"].as_array().cloned().unwrap_or_default();
        let came = Came {
            requests,
            failed: value.get("error").is_some() || value.get("missing").is_some(),
            statuses: value["statuses"].as_array().cloned(),
            note: String::new(),
        };
        (value["id"].as_str().expect("an id").to_owned(), came)
    };
    text.lines().map(came).collect()
}

/// What our program makes of a case.
fn run(world: &World, program: &str, case: &Value) -> Came {
    let manifest = world.manifest(program).expect("it is there");
    let refused = |note: String| Came { failed: true, note, ..Came::default() };
    let action = case["action"].as_str().expect("an action");
    let subscription = match manifest.subscription(action, Some(&case["mapping"])) {
        Ok(subscription) => subscription,
        Err(error) => return refused(error.to_string()),
    };
    let now = case["now_ms"].as_i64().expect("a time");
    let connection = Connection {
        settings: &case["settings"],
        auth: &case["auth"],
        audience: &Value::Null,
        now_ms: now,
    };
    let events = case["events"].as_array().expect("events");
    let is_batch = case["mode"] == "batch";
    let mut statuses = vec![json!(400); events.len()];
    let mut members = Vec::new();
    let input = if is_batch {
        match manifest.program_batch(&subscription, events, connection) {
            Ok(batch) => {
                members = batch.members;
                batch.input
            }
            Err(refusal) => return refused(refusal.to_string()),
        }
    } else {
        match manifest.program_call(&subscription, &events[0], connection) {
            Ok(input) => input,
            Err(refusal) => return refused(refusal.to_string()),
        }
    };
    let Some(input) = input else {
        return Came { statuses: is_batch.then_some(statuses), ..Came::default() };
    };
    let mut input: Map<String, Value> = serde_json::from_str(&input).expect("JSON");
    input.insert("now".to_owned(), json!(now));
    input.insert("features".to_owned(), case["features"].clone());
    let input = Value::Object(input).to_string();
    let expected = case["expected"]["requests"].as_array().expect("requests");
    let mut requests = Vec::new();
    let answer = |request| {
        let reply = expected.get(requests.len()).map(|one| &one["reply"]);
        requests.push(request);
        reply_of(reply)
    };
    let ended = world.call(&*world.at_rest(program), (&case["settings"], input), answer);
    match ended {
        Ok(end) => {
            let note = end.error.as_ref().map(|error| format!("{error:?}")).unwrap_or_default();
            for (place, item) in members.into_iter().zip(end.items.iter().flatten()) {
                statuses[place] = json!(item.status);
            }
            let failed = end.error.is_some();
            Came { requests, failed, statuses: is_batch.then_some(statuses), note }
        }
        Err(stopped) => {
            Came { requests, failed: true, note: format!("{stopped:?}"), ..Came::default() }
        }
    }
}

fn reply_of(reply: Option<&Value>) -> Reply {
    let mut read = Reply::from_json(reply).expect("an answer");
    if read.headers.is_empty() {
        let is_text =
            reply.is_none_or(|reply| reply["body"].is_string() || reply["body"].is_null());
        let kind = if is_text { "text/plain" } else { "application/json" };
        read.headers.insert("content-type".to_owned(), json!(kind));
    }
    read
}

/// How what came differs from what was recorded.
fn wrong(came: &Came, case: &Value) -> Option<String> {
    let expected = case["expected"]["requests"].as_array().expect("requests");
    for (request, wanted) in came.requests.iter().zip(expected) {
        if let Some(why) = differs(request, wanted) {
            return Some(why);
        }
    }
    if came.requests.len() != expected.len() {
        return Some(format!("{} requests in place of {}", came.requests.len(), expected.len()));
    }
    let failed = !case["expected"]["error"].is_null();
    if came.failed != failed {
        return Some(if failed { "no error" } else { "an error" }.to_owned());
    }
    let (Some(statuses), Some(wanted)) =
        (&came.statuses, case["expected"]["multistatus"].as_array())
    else {
        return None;
    };
    let is_good = |status: &Value| status.as_u64().is_some_and(|status| status < 300);
    let good: Vec<bool> = statuses.iter().map(is_good).collect();
    let meant: Vec<bool> = wanted.iter().map(|one| is_good(&one["status"])).collect();
    (good != meant).then(|| format!("{statuses:?} in place of {}", json!(wanted)))
}
