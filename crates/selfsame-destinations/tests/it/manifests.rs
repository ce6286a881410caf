//! The folder `destinations/` and its schema.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use selfsame_destinations::{Catalogue, Manifest, reference, schema};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::load(&root().join("destinations")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_schema_for_editors_is_what_the_program_reads() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    expect_file!["../../../../destinations/manifest.schema.json"].assert_eq(&text);
}

#[test]
fn the_page_about_the_format_is_what_the_program_reads() {
    let text = format!("{}{}", include_str!("manifests.md"), reference());
    expect_file!["../../../../docs/reference/manifests.md"].assert_eq(&text);
}

#[test]
fn a_manifest_names_what_it_was_written_from() {
    for manifest in catalogue().iter() {
        let id = &manifest.id;
        assert!(!manifest.docs.is_empty(), "{id} names no page of its vendor");
        for page in &manifest.docs {
            assert!(page.starts_with("https://"), "{id}: {page}");
        }
        assert!(!manifest.actions().is_empty(), "{id} has no action");
        for action in manifest.actions() {
            let made = manifest.subscription(&action.key, None);
            assert!(made.is_ok(), "{id}.{}: {made:?}", action.key);
        }
        for preset in manifest.presets() {
            let mapping = manifest.preset_mapping(preset);
            let made = manifest.subscription(&preset.action, Some(&mapping));
            assert!(made.is_ok(), "{id}, {}: {made:?}", preset.name);
        }
    }
}

/// What a manifest may not be, and where that is pointed at.
#[test]
fn what_is_wrong_with_a_manifest_is_pointed_at() {
    let good = "\
manifest: 1
id: one
name: One
category: test
docs: [https://example.com]
version: 1.0.0
status: native
settings:
  key: {type: password, required: true}
auth:
  bearer: {token: =settings.key}
actions:
  send:
    title: Send
    fields:
      id: {type: string, required: true, default: {'@path': $.userId}}
    request:
      url: https://example.com/{{ payload.id }}
      json: {id: =payload.id}
presets:
  - {name: All, action: send, trigger: type = \"track\"}
";
    let read = Manifest::read("one.yaml", good);
    assert!(read.is_ok(), "{read:?}");
    for (from, to, expected) in [
        (
            "title: Send",
            "tittle: Send",
            "one.yaml: line 14, /actions/send/tittle: an action has no `tittle`; did you mean `title`?\none.yaml: line 13, /actions/send: an action needs `title`; What people call it.",
        ),
        (
            "type: string",
            "type: strong",
            "one.yaml: line 16, /actions/send/fields/id/type: no such word: `strong`; did you mean `string`?",
        ),
        (
            "required: true, default",
            "required: maybe, default",
            "one.yaml: line 16, /actions/send/fields/id/required: expected `true`, `false` or an expression, which begins with `=`, found a text",
        ),
        (
            "json: {id: =payload.id}",
            "json: {id: =payloat.id}",
            "one.yaml: line 19, /actions/send/request/json: `payloat` is not in reach; did you mean `payload`?",
        ),
        (
            "action: send",
            "action: sent",
            "one.yaml: line 21, /presets/0/action: there is no action `sent`; did you mean `send`?",
        ),
        ("manifest: 1", "manifest: 2", "one.yaml: line 1, /manifest: this program reads format 1"),
        (
            "  bearer: {token: =settings.key}",
            "  basic: {username: a}\n  bearer: {token: b}",
            "one.yaml: line 10, /auth: auth needs exactly one of `none`, `basic`, `bearer`, `header`, `query`, `oauth2`, `jwt`, `sigv4`, `hmac`",
        ),
        (
            "version: 1.0.0",
            "version: 1",
            "one.yaml: line 6, /version: expected a text that is not empty, found a number",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let wrong = good.replacen(from, to, 1);
        let said = Manifest::read("one.yaml", &wrong).map(|_| ()).expect_err(to).to_string();
        assert_eq!(said, expected);
    }
    for (from, to, place) in [
        ("=payload.id}", "=payload.}", "line 19, /actions/send/request/json/id"),
        ("'@path'", "'@paht'", "line 16, /actions/send/fields/id/default"),
        ("title: Send", "title: [Send", "line 15, /: no YAML"),
    ] {
        let wrong = good.replacen(from, to, 1);
        let said = Manifest::read("one.yaml", &wrong).map(|_| ()).expect_err(to).to_string();
        assert!(said.contains(place), "{said}");
    }
}

#[test]
fn a_setting_that_there_is_not_is_answered_by_those_that_there_are() {
    let catalogue = catalogue();
    let segment = catalogue.iter().find(|manifest| manifest.id == "segment").expect("it is there");
    let problems = segment.check_settings(serde_json::json!({ "write_key": "a" }));
    let problems = problems.expect_err("there is no such setting").join("; ");
    assert!(problems.contains("no setting `write_key`; it has `writeKey`"), "{problems}");
}
