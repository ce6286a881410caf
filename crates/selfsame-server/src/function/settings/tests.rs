use serde_json::json;

use super::*;

fn field(name: &str, kind: SettingKind, required: bool, secret: bool) -> FunctionSetting {
    FunctionSetting { name: name.to_owned(), kind, description: String::new(), required, secret }
}

fn fields() -> Vec<FunctionSetting> {
    vec![
        field("apiKey", SettingKind::Text, true, true),
        field("lists", SettingKind::Array, false, false),
        field("names", SettingKind::Map, false, false),
        field("live", SettingKind::Boolean, false, false),
    ]
}

fn given(value: &Value) -> BTreeMap<String, Value> {
    value.as_object().expect("an object").clone().into_iter().collect()
}

#[test]
fn secrets_are_sealed_for_their_place_and_stay_when_they_are_not_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = Vault::open(folder.path().join("key")).expect("a vault");
    let place = FunctionPlace::Source("web".to_owned());
    let settings =
        json!({ "apiKey": "s3cret", "lists": ["a"], "names": { "a": "b" }, "live": true });
    let kept = seal(&vault, &place, &fields(), given(&settings), None).expect("sealed");
    let sealed = kept["apiKey"].as_str().expect("a text");
    assert!(sealed.starts_with("sealed:") && !sealed.contains("s3cret"));
    let used = FunctionUse { function: "f".to_owned(), settings: kept };
    let opened = open(&vault, &place, &fields(), &used).expect("opened");
    assert_eq!(serde_json::from_str::<Value>(&opened).expect("JSON"), settings);
    // At another place it cannot be opened.
    let other = FunctionPlace::Source("app".to_owned());
    assert_eq!(open(&vault, &other, &fields(), &used), Err(Locked::Damaged));
    let again = seal(&vault, &place, &fields(), given(&json!({ "live": false })), Some(&used));
    let used = FunctionUse { function: "f".to_owned(), settings: again.expect("sealed") };
    let opened = open(&vault, &place, &fields(), &used).expect("opened");
    assert_eq!(opened, r#"{"apiKey":"s3cret","live":false}"#);
}

#[test]
fn wrong_settings_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = Vault::open(folder.path().join("key")).expect("a vault");
    let place = FunctionPlace::Source("web".to_owned());
    let wrong = |value| {
        let error = seal(&vault, &place, &fields(), given(&value), None).expect_err("wrong");
        error.to_string()
    };
    assert_eq!(wrong(json!({})), "the setting `apiKey` is needed");
    assert_eq!(wrong(json!({ "apiKey": 1 })), "the setting `apiKey` is a text");
    assert_eq!(
        wrong(json!({ "apikey": "a" })),
        "the function has no setting `apikey`; it has `apiKey`, `lists`, `names`, `live`"
    );
    assert_eq!(
        wrong(json!({ "apiKey": "a", "lists": [1] })),
        "the setting `lists` is a list of texts"
    );
    let long = "x".repeat(20_000);
    assert!(wrong(json!({ "apiKey": long })).contains("more than"));
}
