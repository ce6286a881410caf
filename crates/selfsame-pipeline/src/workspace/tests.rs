use std::collections::BTreeMap;

use super::*;

fn with_space() -> Workspace {
    let mut workspace = Workspace::default();
    let space = Change::SetSpace {
        id: "default".to_owned(),
        name: "Default".to_owned(),
        rules: RuleSet::default(),
        indexed_traits: Vec::new(),
    };
    workspace.apply(Change::Create { name: "w".to_owned(), secret: "0a".repeat(32) }).expect("new");
    workspace.apply(space).expect("a space");
    workspace
}

fn source(id: &str, key: &str) -> Change {
    Change::SetSource(Source {
        number: 99,
        id: id.to_owned(),
        name: id.to_owned(),
        space: "default".to_owned(),
        write_keys: vec![WriteKey { key: key.to_owned(), revoked: false }],
        strict: false,
        dedupe: DedupeScope::Source,
        kind: SourceKind::Any,
        browser_sdk: BrowserSdk::Official,
        identity: Identity::default(),
    })
}

fn destination(since: Since) -> Change {
    Change::SetDestination(Destination {
        id: "d".to_owned(),
        name: "d".to_owned(),
        space: "default".to_owned(),
        kind: "webhook".to_owned(),
        tool: None,
        url: "https://example.com".to_owned(),
        secrets: Vec::new(),
        events: Vec::new(),
        relaxed: false,
        enabled: true,
        since,
    })
}

#[test]
fn a_workspace_is_made_once() {
    let mut workspace = with_space();
    let again = Change::Create { name: "x".to_owned(), secret: "0b".repeat(32) };
    assert_eq!(workspace.apply(again), Err(ChangeError::Taken { what: "the workspace" }));
    assert_eq!(workspace.secret_bytes(), [10; 32]);
}

#[test]
fn sources_keep_the_numbers_that_records_name() {
    let mut workspace = with_space();
    workspace.apply(source("a", "ka")).expect("a source");
    workspace.apply(source("b", "kb")).expect("a source");
    workspace.apply(source("a", "ka2")).expect("a change");
    assert_eq!(workspace.source(SourceNumber(0)).map(|one| one.id.as_str()), Some("a"));
    assert_eq!(workspace.source(SourceNumber(1)).map(|one| one.number), Some(1));
    assert!(workspace.by_key("ka").is_none());
    assert!(workspace.by_key("ka2").is_some());
}

#[test]
fn a_write_key_has_one_owner_and_a_source_a_space() {
    let mut workspace = with_space();
    workspace.apply(source("a", "k")).expect("a source");
    let before = workspace.clone();
    assert_eq!(
        workspace.apply(source("b", "k")),
        Err(ChangeError::Taken { what: "the write key" })
    );
    let Change::SetSource(mut elsewhere) = source("c", "kc") else { unreachable!("made above") };
    elsewhere.space = "nowhere".to_owned();
    assert!(matches!(
        workspace.apply(Change::SetSource(elsewhere)),
        Err(ChangeError::Unknown { kind: "space", .. })
    ));
    assert_eq!(workspace, before, "what is refused changes nothing");
}

#[test]
fn a_destination_keeps_the_place_where_it_began() {
    let mut workspace = with_space();
    let made = Since { offset: 7, events: 3 };
    workspace.apply(destination(made)).expect("made");
    workspace.apply(destination(Since { offset: 90, events: 80 })).expect("changed");
    assert_eq!(workspace.destinations[0].since, made);
    workspace.apply(Change::RemoveDestination { id: "d".to_owned() }).expect("removed");
    let gone = workspace.apply(Change::RemoveDestination { id: "d".to_owned() });
    assert!(matches!(gone, Err(ChangeError::Unknown { kind: "destination", .. })));
}

#[test]
fn rules_that_do_not_compile_are_refused() {
    let mut workspace = with_space();
    let mut rules = RuleSet::default();
    rules.types[1].priority = rules.types[0].priority;
    let id = "default".to_owned();
    let change = Change::SetSpace { name: id.clone(), id, rules, indexed_traits: Vec::new() };
    assert!(matches!(workspace.apply(change), Err(ChangeError::Rules { .. })));
}

#[test]
fn a_record_from_before_sources_had_kinds_is_read_and_written_unchanged() {
    let record = r#"{"change":"set_source","number":0,"id":"web","name":"Web","space":"default","write_keys":[{"key":"k","revoked":false}],"strict":true,"dedupe":"workspace"}"#;
    let change: Change = serde_json::from_str(record).expect("an old record");
    let Change::SetSource(source) = &change else { panic!("another change") };
    assert_eq!((source.kind, source.strict), (SourceKind::Any, true));
    assert_eq!(serde_json::to_string(&change).expect("JSON"), record);
    let with_kind =
        record.replace("}}", "}").replace(r#""workspace"}"#, r#""workspace","kind":"mobile"}"#);
    let change: Change = serde_json::from_str(&with_kind).expect("a record");
    let Change::SetSource(source) = &change else { panic!("another change") };
    assert_eq!((source.kind, source.kind.word()), (SourceKind::Mobile, "mobile"));
    assert_eq!(serde_json::to_string(&change).expect("JSON"), with_kind);
    assert!(serde_json::from_str::<Change>(&with_kind.replace("mobile", "fridge")).is_err());
}

#[test]
fn a_source_from_before_there_was_our_sdk_keeps_the_official_one() {
    let record = r#"{"change":"set_source","number":0,"id":"web","name":"Web","space":"default","write_keys":[{"key":"k","revoked":false}],"strict":true,"dedupe":"workspace"}"#;
    let change: Change = serde_json::from_str(record).expect("an old record");
    let Change::SetSource(source) = &change else { panic!("another change") };
    assert_eq!(source.browser_sdk, BrowserSdk::Official);
    let with_sdk = record.replace(r#""workspace"}"#, r#""workspace","browser_sdk":"selfsame"}"#);
    let change: Change = serde_json::from_str(&with_sdk).expect("a record");
    let Change::SetSource(source) = &change else { panic!("another change") };
    assert_eq!(source.browser_sdk, BrowserSdk::Selfsame);
    assert_eq!(serde_json::to_string(&change).expect("JSON"), with_sdk);
    assert!(
        serde_json::from_str::<Change>(&with_sdk.replace("\"selfsame\"", "\"other\"")).is_err()
    );
}

#[test]
fn a_destination_is_told_once_and_by_few_identifiers() {
    let check = |destinations: serde_json::Value| {
        let mut workspace = Workspace::default();
        for change in [
            serde_json::json!({"change": "set_space", "id": "s", "name": "S", "rules": RuleSet::default()}),
            serde_json::json!({"change": "set_destination", "id": "crm", "name": "CRM", "space": "s", "kind": "webhook", "url": "https://x.y", "secrets": [], "enabled": true}),
        ] {
            let change = serde_json::from_value(change).expect("a change");
            workspace.apply(change).expect("it is taken");
        }
        let definition = serde_json::json!({"change": "set_definition", "id": "a", "space": "s", "kind": "audience", "name": "A", "query": "event('X').count() >= 1", "destinations": destinations});
        let change = serde_json::from_value(definition).expect("a change");
        workspace.apply(change).map_err(|error| error.to_string())
    };
    let of = |identifiers: serde_json::Value| serde_json::json!([{"destination": "crm", "identifiers": identifiers}]);
    let all = |kind: &str| serde_json::json!({"type": kind, "strategy": "all"});
    assert_eq!(check(serde_json::json!([{"destination": "crm"}])), Ok(()));
    assert_eq!(check(of(serde_json::json!([all("a"), all("b"), all("c"), {"type": "d"}]))), Ok(()));
    let refused = |destinations, reason: &str| {
        let said = check(destinations).expect_err("it is refused");
        assert!(said.contains(reason), "{said}");
    };
    refused(of(serde_json::json!([all("a"), all("b"), all("c"), all("d")])), "at most 3");
    refused(of(serde_json::json!([{"type": "a"}, all("a")])), "`a` is there twice");
    refused(of(serde_json::json!([{"type": ""}])), "1 to 100 letters");
    refused(
        serde_json::json!([{"destination": "crm"}, {"destination": "crm", "send": "track"}]),
        "`crm` is there twice",
    );
}

fn function(id: &str, kind: FunctionKind, code: &str) -> Function {
    let (id, name) = (id.to_owned(), id.to_owned());
    let (version, versions) = (0, Vec::new());
    Function { id, name, kind, code: code.to_owned(), settings: Vec::new(), version, versions }
}

#[test]
fn other_code_is_another_version_of_a_function() {
    let at = |offset| (offset, selfsame_event::Time::from_millis(7));
    let mut first = function("f", FunctionKind::Source, "a");
    first.follow(None, at(3));
    let mut renamed = function("f", FunctionKind::Source, "a");
    renamed.follow(Some(&first), at(4));
    let mut second = function("f", FunctionKind::Source, "b");
    second.follow(Some(&renamed), at(5));
    let numbers = |one: &Function| {
        one.versions.iter().map(|version| (version.version, version.offset)).collect::<Vec<_>>()
    };
    assert_eq!((renamed.version, numbers(&renamed)), (1, vec![(1, 3)]));
    assert_eq!((second.version, numbers(&second)), (2, vec![(1, 3), (2, 5)]));
    let mut newest = second;
    for offset in 6..100 {
        let mut next = function("f", FunctionKind::Source, &offset.to_string());
        next.follow(Some(&newest), at(offset));
        newest = next;
    }
    assert_eq!((newest.version, newest.versions.len()), (96, 50));
    assert_eq!(newest.versions.last().map(|one| one.version), Some(96));
}

#[test]
fn other_settings_or_mappings_are_another_version_of_a_destination() {
    let at = |offset| (offset, selfsame_event::Time::from_millis(i64::try_from(offset).unwrap()));
    let told = |key: &str, sealed: &str| Tool {
        settings: [("key".to_owned(), key.into())].into_iter().collect(),
        sealed: sealed.to_owned(),
        ..Tool::default()
    };
    let mut tool = told("a", "1");
    tool.follow(None, at(3));
    for (offset, key, sealed) in [(4, "a", "2"), (5, "b", "2"), (6, "b", "3"), (7, "a", "3")] {
        let mut next = told(key, sealed);
        next.follow(Some(&tool), at(offset));
        tool = next;
    }
    let offsets: Vec<_> = tool.versions.iter().map(|version| version.offset).collect();
    assert_eq!(offsets, [3, 5, 7], "new tokens are no version");
    let in_force = |at: i64| {
        let version = tool.version_at(selfsame_event::Time::from_millis(at));
        version.map(|version| version.offset)
    };
    assert_eq!(
        [2, 3, 4, 5, 6, 7, 99].map(in_force),
        [None, Some(3), Some(3), Some(5), Some(5), Some(7), Some(7)]
    );
    for offset in 8..100 {
        let mut next = told(&offset.to_string(), "3");
        next.follow(Some(&tool), at(offset));
        tool = next;
    }
    assert_eq!((tool.versions.len(), tool.versions[0].offset), (50, 50));
}

#[test]
fn a_function_is_used_where_it_fits_and_kept_while_it_is_used() {
    let mut workspace = with_space();
    workspace.apply(source("web", "kw")).expect("a source");
    workspace.apply(destination(Since::default())).expect("a destination");
    workspace.apply(Change::SetFunction(function("f", FunctionKind::Source, "a"))).expect("one");
    let used = |at: FunctionPlace, id: &str| Change::UseFunction {
        at,
        function: Some(FunctionUse { function: id.to_owned(), settings: BTreeMap::new() }),
    };
    let web = || FunctionPlace::Source("web".to_owned());
    workspace.apply(used(web(), "f")).expect("it fits");
    assert_eq!(workspace.function_at(&web()).map(|(one, _)| one.id.as_str()), Some("f"));
    let insert = used(FunctionPlace::Insert("d".to_owned()), "f");
    let wrong = workspace.apply(insert).expect_err("a source function").to_string();
    assert_eq!(wrong, "the function `f` is of the kind source; here fits one of the kind insert");
    let nowhere = used(FunctionPlace::Source("none".to_owned()), "f");
    assert_eq!(
        workspace.apply(nowhere),
        Err(ChangeError::Unknown { kind: "source", id: "none".to_owned() })
    );
    let remove = || Change::RemoveFunction { id: "f".to_owned() };
    let kept = workspace.apply(remove()).expect_err("it is used").to_string();
    assert_eq!(kept, "the function `f` is used by the source web");
    workspace.apply(Change::UseFunction { at: web(), function: None }).expect("not any more");
    workspace.apply(remove()).expect("removed");
    assert!(workspace.functions.is_empty() && workspace.function_uses.is_empty());
}

#[test]
fn a_destination_that_is_removed_leaves_no_use_behind() {
    let mut workspace = with_space();
    workspace.apply(destination(Since::default())).expect("a destination");
    workspace.apply(Change::SetFunction(function("f", FunctionKind::Insert, "a"))).expect("one");
    let at = FunctionPlace::Insert("d".to_owned());
    let function = Some(FunctionUse { function: "f".to_owned(), settings: BTreeMap::new() });
    workspace.apply(Change::UseFunction { at, function }).expect("it fits");
    workspace.apply(Change::RemoveDestination { id: "d".to_owned() }).expect("removed");
    assert!(workspace.function_uses.is_empty());
}

/// Records and states from before there were functions say nothing of them.
#[test]
fn a_workspace_without_functions_is_written_as_before() {
    let text = serde_json::to_string(&with_space()).expect("JSON");
    assert!(!text.contains("function"), "{text}");
}

#[test]
fn alerts_and_channels_are_set_and_removed_by_their_ids() {
    let mut workspace = with_space();
    let plain = serde_json::to_string(&workspace).expect("JSON");
    assert!(!plain.contains("alert"), "{plain}");
    let alert = |name: &str| {
        let rule = serde_json::json!({ "name": name, "of": "a later version" });
        let rule = rule.as_object().expect("an object").clone();
        Change::SetAlert(Alert { id: "silent".to_owned(), rule })
    };
    workspace.apply(alert("one")).expect("an alert");
    workspace.apply(alert("two")).expect("changed");
    assert_eq!((workspace.alerts.len(), &workspace.alerts[0].rule["name"]), (1, &"two".into()));
    let channel = |enabled: bool| {
        let (id, name, kind) = ("team".to_owned(), "Team".to_owned(), "webhook".to_owned());
        let (settings, sealed) = (serde_json::Map::new(), String::new());
        Change::SetAlertChannel(AlertChannel { id, name, kind, settings, sealed, enabled })
    };
    workspace.apply(channel(true)).expect("a channel");
    workspace.apply(channel(false)).expect("changed");
    assert_eq!(workspace.alert_channel("team").map(|one| one.enabled), Some(false));
    let text = serde_json::to_string(&workspace).expect("JSON");
    assert_eq!(serde_json::from_str::<Workspace>(&text).expect("a workspace"), workspace);
    workspace.apply(Change::RemoveAlert { id: "silent".to_owned() }).expect("removed");
    workspace.apply(Change::RemoveAlertChannel { id: "team".to_owned() }).expect("removed");
    assert_eq!(serde_json::to_string(&workspace).expect("JSON"), plain);
    for gone in [
        Change::RemoveAlert { id: "silent".to_owned() },
        Change::RemoveAlertChannel { id: "team".to_owned() },
    ] {
        assert!(workspace.apply(gone).is_err());
    }
}
