use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("selfsame.toml");
    std::fs::write(&path, file).expect("writes");
    let environment =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let flags = vec![("server.listen", Value::String("127.0.0.1:1".to_owned()))];
    Layers { file: Some((path, true)), environment, flags }.load()
}

fn refused(file: &str, environment: &[(&str, &str)], words: &str) {
    let error = load(file, environment).expect_err("refused").to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn later_layers_win_and_every_value_knows_where_it_came_from() {
    let file = "[engine]\ncheckpoint_events = 7\nmemory_bytes = 8\n[server]\nlisten = \"x\"";
    let loaded = load(file, &[("SELFSAME__ENGINE__MEMORY_BYTES", "9")]).expect("loads");
    assert_eq!(loaded.settings.engine.checkpoint_events, 7);
    assert_eq!(loaded.settings.engine.memory_bytes, 9);
    assert_eq!(loaded.settings.server.listen, "127.0.0.1:1");
    let origin = |key: &str| {
        let rows = loaded.rows();
        rows.into_iter().find(|(path, ..)| path == key).map(|(.., origin)| origin)
    };
    assert_eq!(origin("engine.memory_bytes").as_deref(), Some("SELFSAME__ENGINE__MEMORY_BYTES"));
    assert_eq!(origin("server.listen").as_deref(), Some("command line"));
    assert_eq!(origin("log.segment_bytes").as_deref(), Some("default"));
    assert!(
        origin("engine.checkpoint_events").is_some_and(|origin| origin.ends_with("selfsame.toml"))
    );
}

#[test]
fn a_key_that_does_not_exist_is_refused_with_the_nearest_one() {
    refused("[engine]\nmemory_byte = 7", &[], "did you mean `engine.memory_bytes`?");
    refused("[motor]\nx = 7", &[], "there is no setting `motor.x`");
    refused("", &[("SELFSAME__SERVER__LISTN", "x")], "did you mean `server.listen`?");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    refused("[engine]\nmemory_bytes = \"much\"", &[], "integer wanted, string given");
    refused("", &[("SELFSAME__ENGINE__MEMORY_BYTES", "much")], "integer wanted, string given");
    refused("[collect]\ntrusted_proxies = [\"somewhere\"]", &[], "a network is an address");
    refused("[engine", &[], "not valid TOML");
}
