//! The recorded cases over the native manifests, and the table of the documents.
//!
//! A case is settings, a mapping and events, and the requests that Segment's action made of them with
//! the answers it was given. It passes when ours are the same: method, address, headers, body, and
//! whether it ends with an error. One that does not has a reason in `fixtures/destinations/reasons.yaml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;

use expect_test::expect_file;
use selfsame_destinations::{Catalogue, Connection, Done, Manifest, Next};
use selfsame_mapping::Item;
use serde_json::{Map, Value, json};

use crate::golden::answer;
use crate::manifests::{catalogue, root};
use crate::same::differs;

/// Why a case may differ.
const REASONS: &[(&str, &str)] = &[
    ("random id", "the original draws an id for each request"),
    ("clock", "the original reads the clock while it works"),
    ("vendor version", "the original names another version of the vendor's interface"),
    ("defect", "the original does what it does not mean to"),
];

#[test]
fn recorded_cases_give_the_same_requests() {
    let catalogue = catalogue();
    let reasons = reasons();
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (slug, cases) in cases(&catalogue) {
        let manifest = of(&catalogue, &slug);
        let mut row = Row { name: manifest.name.clone(), cases: cases.len(), ..Row::default() };
        for case in &cases {
            let id = case["id"].as_str().expect("an id");
            let differs = compare(manifest, case);
            match (differs, reasons.get(id)) {
                (None, None) => row.passed += 1,
                (None, Some(_)) => wrong.push(format!("{id} passes: it needs no reason")),
                (Some(_), Some(reason)) => *row.reasons.entry(reason.clone()).or_default() += 1,
                (Some(differs), None) => {
                    let test = case["test"].as_str().unwrap_or_default();
                    wrong.push(format!("{id} ({test})\n{differs}"));
                }
            }
        }
        println!("{:<24} {:>4} of {:>4}", manifest.id, row.passed, row.cases);
        if row.passed * 100 < row.cases * 97 {
            wrong.push(format!("{}: fewer than 97 of 100 cases pass", manifest.id));
        }
        rows.push(row);
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows.iter().map(|row| row.cases).sum::<usize>() > 0, "there are no cases");
    expect_file!["../../../../docs/reference/destinations.md"]
        .assert_eq(&document(&catalogue, &rows));
}

#[derive(Default)]
struct Row {
    name: String,
    cases: usize,
    passed: usize,
    reasons: BTreeMap<String, usize>,
}

fn of<'c>(catalogue: &'c Catalogue, slug: &str) -> &'c Manifest {
    let found = catalogue.iter().find(|one| one.cases.as_deref() == Some(slug));
    found.unwrap_or_else(|| panic!("no manifest is checked against {slug}"))
}

/// The recorded cases of the manifests, by slug. `DESTINATION_CASES` names another file of them.
fn cases(catalogue: &Catalogue) -> BTreeMap<String, Vec<Value>> {
    let other = std::env::vars().find(|(name, _)| name == "DESTINATION_CASES");
    let path = other.map_or_else(
        || root().join("fixtures/destinations/cases.jsonl.gz"),
        |(_, path)| path.into(),
    );
    let file = fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("the cases");
    let mut found = BTreeMap::<String, Vec<Value>>::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let slug = case["slug"].as_str().expect("a slug");
        if catalogue.iter().any(|one| one.cases.as_deref() == Some(slug)) {
            found.entry(slug.to_owned()).or_default().push(case);
        }
    }
    for manifest in catalogue.iter() {
        let there = manifest.cases.as_ref().is_none_or(|slug| found.contains_key(slug));
        assert!(there, "there are no cases of {}", manifest.id);
    }
    found
}

/// Which cases may differ, and why.
fn reasons() -> BTreeMap<String, String> {
    let path = root().join("fixtures/destinations/reasons.yaml");
    let text = fs::read_to_string(&path).expect("the reasons");
    let read: BTreeMap<String, BTreeMap<String, String>> =
        serde_yaml_ng::from_str(&text).expect("reasons, each with cases and what they show");
    let mut reasons = BTreeMap::new();
    for (reason, cases) in read {
        assert!(REASONS.iter().any(|(known, _)| *known == reason), "no such reason: {reason}");
        reasons.extend(cases.into_keys().map(|id| (id, reason.clone())));
    }
    reasons
}

/// What is different, or nothing.
fn compare(manifest: &Manifest, case: &Value) -> Option<String> {
    let expected = case["expected"]["requests"].as_array().expect("requests");
    let settings = with_defaults(manifest, &case["settings"], case);
    let auth = auth(&case["auth"]);
    let connection = Connection {
        settings: &settings,
        auth: &auth,
        audience: &case["audience_settings"],
        now_ms: case["now_ms"].as_i64().expect("a time"),
    };
    let action = case["action"].as_str().expect("an action");
    let subscription = match manifest.subscription(action, Some(&case["mapping"])) {
        Ok(subscription) => subscription,
        Err(error) => return Some(error.to_string()),
    };
    // As texts, which is how they are kept; goldens have them as values.
    let events = case["events"].as_array().expect("events");
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    let mut events = events.iter().map(|text| Item::read(text).expect("JSON"));
    let batch = case["mode"] == "batch";
    let exchange = if batch {
        let exchange = manifest.batch_exchange(&subscription, events, connection);
        exchange.map(|(exchange, _)| exchange)
    } else {
        manifest.exchange(&subscription, events.next().expect("an event"), connection)
    };
    let fails = !batch && !case["expected"]["error"].is_null();
    let mut exchange = match exchange {
        Ok(exchange) => exchange,
        Err(_) if expected.is_empty() && (fails || batch) => return None,
        Err(refusal) => return Some(format!("refused: {refusal}\nexpected {}", json!(expected))),
    };
    let (mut sent, mut reply) = (0, None);
    let done = loop {
        match exchange.next(reply.as_ref()) {
            Next::Done(done) => break done,
            Next::Send(request) => {
                let Some(wanted) = expected.get(sent) else {
                    return Some(format!("one more request: {}", request.shown()));
                };
                if let Some(differs) = differs(&request.shown(), wanted) {
                    return Some(differs);
                }
                reply = Some(answer(wanted.get("reply")));
                sent += 1;
            }
        }
    };
    if sent < expected.len() {
        return Some(format!("{done:?}, and no {}", expected[sent]));
    }
    let failed = matches!(done, Done::Refused(_) | Done::Answered { .. });
    (!batch && failed != fails).then(|| format!("{done:?}, expected {}", case["expected"]["error"]))
}

/// Flags of the original's operator that are settings here.
const FLAGS: &[(&str, &str)] = &[("actions-mixpanel-project-token-auth", "importWithToken")];

/// What the original's defaults would have made of the settings.
fn with_defaults(manifest: &Manifest, settings: &Value, case: &Value) -> Value {
    let mut given = settings.as_object().cloned().unwrap_or_else(Map::new);
    for (name, value) in manifest.default_settings() {
        given.entry(name).or_insert_with(|| value.clone());
    }
    for (flag, setting) in FLAGS {
        if let Some(value) = case["features"].get(flag) {
            given.insert((*setting).to_owned(), value.clone());
        }
    }
    Value::Object(given)
}

fn auth(recorded: &Value) -> Value {
    let token = |name: &str| recorded.get(name).cloned().unwrap_or(Value::Null);
    json!({ "access_token": token("accessToken"), "refresh_token": token("refreshToken") })
}

fn document(catalogue: &Catalogue, rows: &[Row]) -> String {
    let mut text = String::from(include_str!("destinations.md"));
    for row in rows {
        let share = row.passed * 100 / row.cases;
        let reasons: Vec<String> =
            row.reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let Row { name, cases, passed, .. } = row;
        writeln!(text, "| {name} | {cases} | {passed} | {share} % | {} |", reasons.join(", "))
            .expect("text grows");
    }
    text.push_str("\n## Reasons\n\n| reason | what it means |\n|---|---|\n");
    for (reason, means) in REASONS {
        writeln!(text, "| {reason} | {means} |").expect("text grows");
    }
    text.push_str("\n## Destinations\n\n| id | destination | version | actions | sends batches | written from |\n|---|---|---|---|---|---|\n");
    for manifest in catalogue.iter() {
        let actions: Vec<String> =
            manifest.actions().iter().map(|action| format!("`{}`", action.key)).collect();
        let batches = manifest.actions().iter().filter(|one| one.max_events().is_some()).count();
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            manifest.id,
            manifest.name,
            manifest.version,
            actions.join(", "),
            if batches == 0 { "no".to_owned() } else { format!("{batches} actions") },
            manifest.docs.iter().map(|page| format!("<{page}>")).collect::<Vec<_>>().join(" ")
        )
        .expect("text grows");
    }
    text
}
