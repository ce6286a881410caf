//! Rules of the architecture, as tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Each crate, and the crates of ours that it may use. A new edge is a decision, made in this table.
const LAYERS: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("alert", &["event"]),
    ("expr", &["event"]),
    ("mapping", &["event"]),
    ("log", &["event"]),
    ("store", &["event"]),
    ("dedupe", &["event"]),
    ("identity", &["event"]),
    ("profile", &["event"]),
    ("audience", &["event", "expr"]),
    ("collect", &["event"]),
    ("deliver", &["event", "log"]),
    ("destinations", &["mapping"]),
    ("functions", &["event"]),
    ("connector", &["deliver", "destinations", "event", "mapping"]),
    ("pack", &["connector", "destinations", "functions"]),
    ("pipeline", &["audience", "dedupe", "event", "expr", "identity", "log", "profile", "store"]),
    ("profile-api", &["event", "pipeline", "profile"]),
    ("harness", &["event"]),
    (
        "server",
        &[
            "alert",
            "collect",
            "connector",
            "dedupe",
            "deliver",
            "destinations",
            "event",
            "expr",
            "functions",
            "identity",
            "log",
            "pack",
            "pipeline",
            "profile",
            "profile-api",
            "store",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn crates() -> Vec<PathBuf> {
    let folders = fs::read_dir(root().join("crates")).expect("crates");
    let mut folders: Vec<_> = folders.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|folder| folder.join("Cargo.toml").exists());
    folders.sort();
    folders
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources_of_all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    crates().iter().for_each(|folder| sources(&folder.join("src"), &mut found));
    found
}

#[test]
fn crates_use_only_what_they_may() {
    let mut seen = BTreeSet::new();
    for folder in crates() {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        let name = name.strip_prefix("selfsame-").expect("crates are named selfsame-…").to_owned();
        let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let manifest: Table = text.parse().expect("TOML");
        let (_, allowed) = LAYERS
            .iter()
            .find(|(layer, _)| *layer == name)
            .unwrap_or_else(|| panic!("{name} is not in the table of layers"));
        let dependencies = manifest.get("dependencies").and_then(Value::as_table);
        for used in dependencies.into_iter().flat_map(Table::keys) {
            let Some(used) = used.strip_prefix("selfsame-") else { continue };
            assert!(allowed.contains(&used), "{name} may not use {used}");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), LAYERS.len(), "a crate of the table is gone");
}

/// The fold must not be able to see a clock, a thread pool or the network.
#[test]
fn domain_crates_have_no_runtime() {
    for name in [
        "alert",
        "event",
        "expr",
        "mapping",
        "destinations",
        "dedupe",
        "identity",
        "profile",
        "store",
    ] {
        let path = root().join(format!("crates/selfsame-{name}/Cargo.toml"));
        let manifest: Table = fs::read_to_string(path).expect("a manifest").parse().expect("TOML");
        let dependencies = manifest.get("dependencies").and_then(Value::as_table);
        for banned in ["tokio", "hyper", "reqwest", "axum", "rand", "getrandom"] {
            assert!(
                dependencies.is_some_and(|all| !all.contains_key(banned)),
                "{name} must not use {banned}"
            );
        }
    }
}

#[test]
fn no_file_of_logic_is_too_long() {
    for path in sources_of_all() {
        let text = fs::read_to_string(&path).expect("a source");
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs");
        let lines = text.lines().count();
        assert!(is_test || lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_without_a_number() {
    for path in sources_of_all() {
        let text = fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            let open = line.contains("TODO") && !line.contains("TODO(#");
            assert!(!open, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

/// Links of the documents lead somewhere.
#[test]
fn links_in_documents_resolve() {
    let mut documents = vec![
        root().join("README.md"),
        root().join("ARCHITECTURE.md"),
        root().join("CONTRIBUTING.md"),
    ];
    for folder in ["docs", "docs/decisions", "docs/formats", "docs/reference"] {
        let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
        documents.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = document.parent().expect("a folder").join(path);
            assert!(target.exists(), "{}: {link} leads nowhere", document.display());
        }
    }
}
