//! The generated pages of `docs/reference/`, compared with the tables that they are made from.
//! `UPDATE_EXPECT=1 cargo test -p selfsame-server reference` writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use selfsame_collect::VisitorError;
use selfsame_event::{Refusal, TokenVerdict};
use selfsame_pipeline::decision::NoteKind;
use selfsame_pipeline::workspace::Role;
use selfsame_pipeline::{CHANGED, DUPLICATE};
use toml::{Table, Value};

use crate::control::{Code, OPERATIONS, Permission, insight_words, may};
use crate::measures::{Kind, MEASURES};
use crate::settings::{SECTIONS, Settings};

/// A row of a table; a line between cells would end one.
fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<_> = cells.iter().map(|cell| cell.trim().replace('|', "\\|")).collect();
    writeln!(page, "| {} |", cells.join(" | ")).expect("text");
}

fn head(page: &mut String, cells: &[&str]) {
    row(page, cells);
    writeln!(page, "|{}", "---|".repeat(cells.len())).expect("text");
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// A default; sizes are easier to read with their unit.
fn shown(key: &str, value: &Value) -> String {
    const MIB: i64 = 1 << 20;
    const KIB: i64 = 1 << 10;
    let text = code(&value.to_string());
    match value {
        Value::Integer(bytes) if key.ends_with("_bytes") && *bytes > 0 => match () {
            () if bytes % MIB == 0 => format!("{text} ({} MiB)", bytes / MIB),
            () if bytes % KIB == 0 => format!("{text} ({} KiB)", bytes / KIB),
            () => text,
        },
        _ => text,
    }
}

#[test]
fn settings_are_on_their_page() {
    let defaults = Table::try_from(Settings::default()).expect("TOML");
    let mut page = String::from(
        "# Settings\n\nEvery setting, its default and what it does. Later layers win: the defaults, then one TOML file\n\
         (`--config FILE`, or `selfsame.toml` in the folder that the program is started in), then the environment, then\n\
         flags. `engine.memory_bytes` is `memory_bytes` below `[engine]` in the file, and\n\
         `SELFSAME__ENGINE__MEMORY_BYTES` in the environment, where elements of lists have commas between them. A key that\n\
         is not here is refused, with the nearest one that is. `selfsame config` prints every value and where it came from.\n\n\
         Settings are read once, at the start.\n\n\
         `selfsame dev` takes them from the environment too, and from no file.\n",
    );
    let mut keys = 0;
    for section in SECTIONS {
        let values = defaults[section.name].as_table().expect("a section");
        assert_eq!(values.len(), section.keys.len(), "[{}]", section.name);
        writeln!(page, "\n## `[{}]`\n\n{}\n", section.name, section.about.trim()).expect("text");
        head(&mut page, &["key", "type", "default", "what"]);
        for (key, about) in section.keys {
            let value = &values[*key];
            let path = code(&format!("{}.{key}", section.name));
            row(&mut page, &[&path, value.type_str(), &shown(key, value), about]);
            keys += 1;
        }
    }
    assert!(keys > 20, "only {keys} keys");
    assert_eq!(defaults.len(), SECTIONS.len());
    expect_file!["../../../docs/reference/settings.md"].assert_eq(&page);
}

#[test]
fn permissions_are_on_their_page() {
    let mut page = String::from(
        "# Roles and permissions\n\nWhat each role may do: of a token, and of a member who is signed in. An operation needs one permission; who lacks it is\n\
         answered `403` with `error.permission`. Only an owner makes, changes and removes owners, as members and as tokens, and nobody\n\
         gives a role that may do more than their own. A token from before there were roles is an owner's.\n\n",
    );
    let names = Role::ALL.map(|role| role.word().replace('_', " "));
    let mut cells = vec!["permission", "what"];
    cells.extend(names.iter().map(String::as_str));
    head(&mut page, &cells);
    for permission in Permission::ALL {
        let name = code(permission.word());
        let mut cells = vec![name.as_str(), permission.about()];
        cells.extend(Role::ALL.map(|role| if may(role, permission) { "yes" } else { "" }));
        row(&mut page, &cells);
    }
    page.push_str(
        "\nThe Profile API (`/v1/spaces/…`) needs `events`; its document, and the metrics where they need a token, any role.\n\n\
         ## Operations\n\n`none` is open to everybody: signing in, and asking who one is.\n\n",
    );
    head(&mut page, &["operation", "permission", "what"]);
    for route in OPERATIONS {
        let name = code(&format!("{} {}", route.verb.word().to_uppercase(), route.path));
        row(&mut page, &[&name, &code(route.permission.word()), route.summary]);
    }
    expect_file!["../../../docs/reference/permissions.md"].assert_eq(&page);
}

#[test]
fn metrics_are_on_their_page() {
    let mut page = String::from(
        "# Metrics\n\nEvery metric of `GET /metrics`, in Prometheus' text format. A server that only its own machine reaches\n\
         shows them to anybody there, every other one to a bearer token. With `server.control_listen` they are at that address.\n\n\
         Counters count from the start of the program, but for those with a `space`, `source` or `destination`, which are\n\
         read from the state and go on after a restart. A histogram is shown as a summary: quantiles, `_sum` and `_count`.\n\
         A metric without a value yet is left out.\n\n",
    );
    head(&mut page, &["name", "type", "unit", "labels", "what"]);
    let mut names = BTreeSet::new();
    for measure in MEASURES {
        let kind = match measure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<_> = measure.labels.iter().map(|label| code(label)).collect();
        let cells = [&code(measure.name), kind, measure.unit, &labels.join(", "), measure.about];
        row(&mut page, &cells);
        assert!(names.insert(measure.name), "{} is there twice", measure.name);
    }
    expect_file!["../../../docs/reference/metrics.md"].assert_eq(&page);
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => sources(&path, found),
            Some("rs") => found.push(path),
            _ => {}
        }
    }
}

/// What looks like the name of a metric in any crate is in the table.
#[test]
fn no_metric_is_missing_from_the_table() {
    let mut found = Vec::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(crates).expect("crates") {
        let path = entry.expect("an entry").path();
        // The harness looks at the program from outside.
        if !path.ends_with("selfsame-harness") {
            sources(&path.join("src"), &mut found);
        }
    }
    const ENDS: [&str; 7] =
        ["_total", "_bytes", "_seconds", "_offset", "_records", "_events", "_error"];
    let mut seen = BTreeSet::new();
    for path in found {
        let text = std::fs::read_to_string(&path).expect("a source");
        for literal in text.split("\"selfsame_").skip(1) {
            let name = format!("selfsame_{}", literal.split('"').next().unwrap_or_default());
            if ENDS.iter().any(|end| name.ends_with(end)) {
                let known = MEASURES.iter().any(|measure| measure.name == name);
                assert!(known, "{name} of {} is in no table", path.display());
                seen.insert(name);
            }
        }
    }
    assert!(seen.len() > 30, "only {} names", seen.len());
}

fn visitors(page: &mut String) {
    head(page, &["code", "status", "message"]);
    for error in [
        VisitorError::Nobody,
        VisitorError::Parameter("anonymousId"),
        VisitorError::Token(TokenVerdict::Expired),
        VisitorError::Unavailable,
        VisitorError::Busy,
    ] {
        let status = error.status().as_u16().to_string();
        row(page, &[&code(error.code()), status.as_str(), &error.to_string()]);
    }
}

fn collecting(page: &mut String) {
    head(page, &["code", "status", "class", "message"]);
    for problem in selfsame_collect::Problem::ALL {
        let status = problem.status().as_u16().to_string();
        let cells =
            [&code(problem.code()), status.as_str(), problem.class().label(), problem.sentence()];
        row(page, &cells);
    }
}

#[test]
fn errors_are_on_their_page() {
    let mut page = String::from(
        "# Errors\n\nEvery code that an answer, a list or a metric has. Codes stay; messages may become clearer.\n\n\
         The class says what to do: `invalid`, `denied` and `missing` do not change when the request is sent again;\n\
         `conflict`: read again, then decide; `limited` and `unavailable`: try later, after `Retry-After`; `bug` and\n\
         `corrupt` are ours.\n",
    );
    let section = |page: &mut String, title: &str, about: &str| {
        writeln!(page, "\n## {title}\n\n{about}\n").expect("text");
    };

    section(
        &mut page,
        "Collecting: requests that are not taken",
        "`{\"success\":false,\"code\":…,\"message\":…,\"error\":…}`; counted by \
         `selfsame_collect_refused_requests_total`.",
    );
    collecting(&mut page);

    section(
        &mut page,
        "Collecting: events that are set aside",
        "The request is answered `200` (by a strict source `400`) and `X-Selfsame-Rejected` names the codes;\n\
         `GET /api/sources/{id}/rejected` lists the events. `selfsame_collect_refused_events_total` counts them.",
    );
    head(&mut page, &["code", "message"]);
    for refusal in Refusal::ALL {
        row(&mut page, &[&code(refusal.code()), refusal.sentence()]);
    }

    section(
        &mut page,
        "Folding: what events meet",
        "`selfsame trace` shows all of one event; `GET /api/spaces/{id}/insights` counts and lists limits, blocks and\n\
         duplicates.",
    );
    head(&mut page, &["code", "what"]);
    let notes = NoteKind::ALL.iter().map(|kind| *kind as u8);
    for why in [DUPLICATE, CHANGED].into_iter().chain(notes) {
        let (word, sentence) = insight_words(why);
        row(&mut page, &[&code(&word), sentence]);
    }

    section(
        &mut page,
        "Identity tokens",
        "What `context.identityToken` was found to be. A token that is not `valid` loses no event: it proves nothing, and\n\
         the trace of the event says why. `selfsame_collect_identity_tokens_total` counts them.",
    );
    head(&mut page, &["code", "message"]);
    for verdict in TokenVerdict::ALL {
        row(&mut page, &[&code(verdict.code()), verdict.sentence()]);
    }

    section(
        &mut page,
        "Visitors: `GET /v1/me`",
        "As for collecting, also for the write key; besides, these.",
    );
    visitors(&mut page);

    section(
        &mut page,
        "Profile API",
        "`{\"error\":{\"code\":…,\"message\":…}}`; every answer has a `Request-Id`.",
    );
    head(&mut page, &["code", "status", "what", "what to do"]);
    for error in selfsame_profile_api::ERRORS {
        row(&mut page, &[&code(error.code), &error.status.to_string(), error.about, error.hint]);
    }

    section(
        &mut page,
        "Control API",
        "`{\"error\":{\"code\":…,\"message\":…,\"hint\":…,\"field\":…}}`; `field` is there where one is wrong.",
    );
    head(&mut page, &["code", "status", "class", "what", "what to do"]);
    for one in Code::ALL {
        let status = one.status().to_string();
        let cells =
            [&code(one.word()), status.as_str(), one.class().label(), one.about(), one.hint()];
        row(&mut page, &cells);
    }
    expect_file!["../../../docs/reference/errors.md"].assert_eq(&page);
}
