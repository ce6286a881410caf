//! The workspace as files: export, plan, apply.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, run};
use super::verified::PUBLIC_KEY;

/// Runs a command against the server: whether it succeeded, and what it said.
pub(super) fn command(
    server: &Server,
    arguments: &[&str],
    more: &[(&str, &str)],
) -> (bool, String) {
    let mut all = arguments.to_vec();
    all.extend(["--server", server.url.as_str()]);
    let mut environment = vec![("SELFSAME_TOKEN", DEV)];
    environment.extend_from_slice(more);
    let output = run(&all, &environment);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("text"))
}

pub(super) fn written(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("written");
}

#[tokio::test]
async fn what_is_exported_changes_nothing_when_it_is_applied() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let body =
        json!({"name": "CRM", "url": receiver.url, "events": ["identify"], "order": "relaxed"});
    let made = server.done(Method::POST, "/api/destinations", Some(body)).await;
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    let (is_done, said) = command(&server, &["export", "--dir", dir], &[]);
    assert!(is_done && said.contains("3 files"), "{said}");
    let mut all = String::new();
    for path in ["spaces/dev.yaml", "sources/dev.yaml", "destinations/crm.yaml"] {
        let text = std::fs::read_to_string(folder.join(path)).expect(path);
        assert!(text.starts_with("# A "), "{path} says what it is");
        all.push_str(&text);
    }
    assert!(all.contains("order: relaxed"), "{all}");
    let secret = made["secret"].as_str().expect("a secret");
    assert!(!all.contains(secret) && !all.contains("write_keys"), "{all}");
    for verb in ["plan", "apply"] {
        let (is_done, said) = command(&server, &[verb, dir], &[]);
        assert!(is_done && said.contains("Nothing to do"), "{said}");
    }
    let named =
        "id: crm\nname: Old\nspace: dev\nurl: http://127.0.0.1:9/\nsecret_env: CRM_SECRET\n";
    std::fs::rename(folder.join("destinations/crm.yaml"), folder.join("destinations/my.yml"))
        .expect("renamed");
    written(&folder, "destinations/my.yml", named);
    let (_, again) = command(&server, &["export", "--dir", dir], &[]);
    assert!(again.contains("3 files"), "{again}");
    let text = std::fs::read_to_string(folder.join("destinations/my.yml")).expect("the same file");
    assert!(text.contains("name: CRM\n") && text.contains("secret_env: CRM_SECRET\n"), "{text}");
    written(&folder, "destinations/my.yml", "id: crm\nnaem: Old\n");
    let (is_done, said) = command(&server, &["export", "--dir", dir], &[]);
    assert!(!is_done && said.contains("my.yml:2:1"), "a wrong file is not written over: {said}");
}

#[tokio::test]
async fn files_make_change_and_remove() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    command(&server, &["export", "--dir", dir], &[]);
    let space = folder.join("spaces/dev.yaml");
    let text = std::fs::read_to_string(&space).expect("a file");
    let changed = text.replacen("count: 1\n", "count: 2\n", 1).replace("- username\n", "");
    assert_ne!(changed, text);
    std::fs::write(&space, changed).expect("written");
    written(
        &folder,
        "sources/web.yaml",
        "id: web\nname: Web\nspace: dev\nwrite_key_env: WEB_KEY\n",
    );
    written(
        &folder,
        "sources/app.yaml",
        "id: app\nname: App\nspace: dev\nstrict: true\nkind: mobile\n",
    );
    let hook = format!("id: hook\nname: Hook\nspace: dev\nurl: {}\n", receiver.url);
    written(&folder, "destinations/hook.yaml", &hook);

    let (is_done, said) = command(&server, &["plan", dir], &[]);
    assert!(is_done, "{said}");
    for part in [
        "~ space dev\n",
        "    rules.types[user_id].limit.count: 1 -> 2\n",
        "+ source web\n",
        "+ source app\n",
        "+ destination hook\n",
        "3 to create, 1 to change, 0 to remove.",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(
        server.get("/api/sources").await["data"].as_array().map(Vec::len),
        Some(1),
        "a plan does nothing"
    );

    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(!is_done && said.contains("WEB_KEY"), "{said}");
    let (is_done, said) = command(&server, &["apply", dir], &[("WEB_KEY", "web-key-0001")]);
    assert!(
        is_done && said.contains("secret of destination hook, shown this once: whsec_"),
        "{said}"
    );
    assert!(!said.contains("web-key-0001"), "a key that was given is not printed: {said}");
    let web = server.get("/api/sources/web").await;
    assert_eq!(web["write_keys"][0]["key"], "web-key-0001");
    let app = server.get("/api/sources/app").await;
    assert_eq!((&app["strict"], &app["kind"]), (&json!(true), &json!("mobile")));
    let space = server.get("/api/spaces/dev").await;
    assert_eq!(space["rules"]["types"][0]["limit"]["count"], 2);
    assert!(!space["indexed_traits"].as_array().expect("a list").contains(&json!("username")));
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    written(&folder, "sources/app.yaml", "id: app\nname: App\nspace: dev\nstrict: true\n");
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(said.contains("    kind: \"mobile\" -> \"any\"\n"), "{said}");
    assert_eq!(server.get("/api/sources/app").await["kind"], "any");

    std::fs::remove_file(folder.join("destinations/hook.yaml")).expect("removed");
    std::fs::remove_file(folder.join("sources/app.yaml")).expect("removed");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(
        said.contains("--prune removes it") && said.contains("source app is in no file"),
        "{said}"
    );
    let (is_done, said) = command(&server, &["apply", dir, "--prune"], &[]);
    assert!(is_done && said.contains("- destination hook"), "{said}");
    assert_eq!(server.get("/api/destinations").await["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn identity_keys_are_in_the_file_of_a_source_and_their_secrets_are_not() {
    let server = Server::start();
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    let keys = async || {
        let page = server.get("/api/sources/dev/identity-keys").await;
        let keys = page["data"].as_array().expect("keys").clone();
        keys.iter().map(|key| key["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    command(&server, &["export", "--dir", dir], &[]);
    let path = folder.join("sources/dev.yaml");
    let without = std::fs::read_to_string(&path).expect("a file");
    assert!(!without.contains("\nidentity_keys:"), "there are none: {without}");

    let public = PUBLIC_KEY.trim().replace('\n', "\n    ");
    let with = format!(
        "{without}identity_keys:\n- id: given\n  secret_env: ID_SECRET\n- id: drawn\n- id: public\n  public_key: |\n    {public}\n"
    );
    written(&folder, "sources/dev.yaml", &with);
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("identity_keys") && said.contains("1 to change"), "{said}");
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(!is_done && said.contains("ID_SECRET"), "{said}");
    let secret = "a secret of at least 32 bytes, which is nobody's";
    let (is_done, said) = command(&server, &["apply", dir], &[("ID_SECRET", secret)]);
    assert!(is_done && !said.contains(secret), "what was given is not printed: {said}");
    assert!(
        said.contains("secret of identity key drawn of source dev, shown this once: sfi_"),
        "{said}"
    );
    assert_eq!(keys().await, ["given", "drawn", "public"]);
    let drawn = said.split("sfi_").nth(1).expect("a secret").lines().next().expect("it").to_owned();
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    let (is_done, said) = command(&server, &["export", "--dir", dir], &[]);
    assert!(is_done, "{said}");
    let exported = std::fs::read_to_string(&path).expect("a file");
    assert!(exported.contains("secret_env: ID_SECRET") && exported.contains("- id: drawn\n"));
    assert!(!exported.contains(secret) && !exported.contains(&drawn), "{exported}");
    assert!(exported.contains("BEGIN PUBLIC KEY"), "{exported}");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    // What is left out stays as it is; what is in no list goes.
    written(&folder, "sources/dev.yaml", &without);
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");
    written(&folder, "sources/dev.yaml", &format!("{without}identity_keys:\n- id: public\n"));
    let (is_done, said) = command(&server, &["plan", dir], &[]);
    assert!(!is_done && said.contains("identity key public of source dev checks with"), "{said}");
    written(
        &folder,
        "sources/dev.yaml",
        &format!("{without}identity_keys:\n- id: next\n- id: drawn\n"),
    );
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done && said.contains("identity_keys[given]"), "{said}");
    assert_eq!(keys().await, ["drawn", "next"]);
    written(&folder, "sources/dev.yaml", &format!("{without}identity_keys: []\n"));
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done && said.contains("guards nobody"), "{said}");
    assert!(keys().await.is_empty());
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    // A source that is made has its keys at once.
    let new = "id: web\nname: Web\nspace: dev\nidentity_keys:\n- id: k1\n";
    written(&folder, "sources/web.yaml", new);
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done && said.contains("secret of identity key k1 of source web"), "{said}");
    let twice = "id: web\nname: Web\nspace: dev\nidentity_keys:\n- id: k1\n- id: k1\n";
    written(&folder, "sources/web.yaml", twice);
    let (is_done, said) = command(&server, &["plan", dir], &[]);
    assert!(!is_done && said.contains("two identity keys have the id `k1`"), "{said}");
}

#[tokio::test]
async fn wrong_files_are_named_with_their_line() {
    let server = Server::start();
    let folder = server.beside("wrong");
    let dir = folder.to_str().expect("text");
    let fails = |part: &str| {
        let (is_done, said) = command(&server, &["apply", dir], &[]);
        assert!(!is_done && said.contains(part), "{part} is not in {said}");
    };
    fails("there is no folder");
    std::fs::create_dir(&folder).expect("a folder");
    fails("selfsame export --dir");
    written(&folder, "sources/web.yaml", "id: web\nname: Web\nspace: dev\ncolour: blue\n");
    fails("web.yaml:4:1: unknown field `colour`");
    written(&folder, "sources/web.yaml", "id: web\nname: [\n");
    fails("web.yaml:");
    written(&folder, "sources/web.yaml", "id: web\nname: Web\nspace: nowhere\n");
    fails("there is no space `nowhere`");
    written(&folder, "sources/web.yaml", "id: web\nname: Web\nspace: dev\n");
    written(
        &folder,
        "destinations/in.yaml",
        "id: in\nname: In\nspace: dev\nurl: http://10.0.0.1/\n",
    );
    fails("the address is not public");
}

#[tokio::test]
async fn without_a_token_or_a_server_the_next_step_is_said() {
    let server = Server::start();
    let folder = server.beside("w");
    let dir = folder.to_str().expect("text");
    let none = run(&["export", "--dir", dir, "--server", &server.url], &[]);
    let said = String::from_utf8(none.stderr).expect("text");
    assert!(!none.status.success() && said.contains("SELFSAME_TOKEN"), "{said}");
    let away = run(&["export", "--dir", dir, "--server", "http://127.0.0.1:1"], &[]);
    let said = String::from_utf8(away.stderr).expect("text");
    assert!(!away.status.success() && said.contains("no server answers"), "{said}");
}

const REGULAR: &str = "id: regular
space: dev
query: |
  event('Order Completed').count()>=3
  AND trait('orders') > 0
destinations:
- destination: crm
  send: track
";
const ORDERS: &str =
    "id: orders\nspace: dev\nname: Orders\nquery: event('Order Completed').count()\npublic: true\n";

#[tokio::test]
async fn audiences_and_computed_traits_go_round_as_files() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let body = json!({"name": "CRM", "url": receiver.url});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    written(&folder, "audiences/regular.yaml", REGULAR);
    written(&folder, "traits/my.yml", ORDERS);
    let (is_done, said) = command(&server, &["plan", dir], &[]);
    let (orders, regular) =
        (said.find("+ computed trait dev/orders\n"), said.find("+ audience dev/regular\n"));
    assert!(is_done && orders.is_some() && orders < regular, "{said}");
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done && said.contains("2 to create, 0 to change, 0 to remove."), "{said}");
    let at = "/api/spaces/dev/definitions";
    let made = server.get(&format!("{at}/regular")).await;
    assert_eq!(made["query"], "event('Order Completed').count() >= 3 AND trait('orders') > 0");
    let told = &made["destinations"][0];
    assert_eq!((&told["destination"], &told["send"]), (&json!("crm"), &json!("track")), "{made}");
    assert_eq!(server.get(&format!("{at}/orders")).await["public"], true);
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(said.contains("Nothing to do"), "however the text was written: {said}");

    let (is_done, said) = command(&server, &["export", "--dir", dir], &[]);
    assert!(is_done && said.contains("5 files"), "{said}");
    let text = std::fs::read_to_string(folder.join("audiences/regular.yaml")).expect("a file");
    assert!(text.starts_with("# An audience") && text.contains("send: track"), "{text}");
    let text = std::fs::read_to_string(folder.join("traits/my.yml")).expect("the same file");
    assert!(text.starts_with("# A computed trait"), "{text}");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    written(&folder, "audiences/regular.yaml", &REGULAR.replace(">=3", ">=4"));
    let (_, said) = command(&server, &["apply", dir], &[]);
    assert!(
        said.contains("~ audience dev/regular\n    query: ") && said.contains(">= 4"),
        "{said}"
    );
    let changed = server.get(&format!("{at}/regular")).await;
    assert!(changed["query"].as_str().expect("text").contains(">= 4"), "{changed}");

    let (status, answer) = server.ask(Method::DELETE, "/api/destinations/crm", None).await;
    assert_eq!(status.as_u16(), 409, "it is told of changes: {answer}");
    assert!(answer.to_string().contains("`regular`"), "{answer}");

    // One reads the other, and tells the destination: it goes first.
    std::fs::remove_dir_all(folder.join("audiences")).expect("removed");
    std::fs::remove_dir_all(folder.join("traits")).expect("removed");
    std::fs::remove_dir_all(folder.join("destinations")).expect("removed");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("audience dev/regular is in no file; --prune removes it"), "{said}");
    let (is_done, said) = command(&server, &["apply", dir, "--prune"], &[]);
    assert!(is_done && said.contains("0 to create, 0 to change, 3 to remove."), "{said}");
    assert_eq!(server.get(at).await["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_definition_in_a_file_that_is_wrong_is_pointed_at_and_nothing_is_done() {
    let server = Server::start();
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    let fails = |part: &str| {
        let (is_done, said) = command(&server, &["apply", dir], &[]);
        assert!(!is_done && said.contains(part), "{part} is not in {said}");
    };
    let wrong = "id: a\nspace: dev\nquery: event('A').cuont() > 1\n";
    written(&folder, "audiences/a.yaml", wrong);
    fails("a.yaml is wrong");
    fails("line 1, column 12:\n  event('A').cuont() > 1\n             ^^^^^");
    written(&folder, "audiences/a.yaml", "id: a\nspace: dev\nquery: event('A').count() > 1\n");
    written(&folder, "traits/b.yaml", "id: a\nspace: dev\nquery: event('A').count()\n");
    fails("both have the key `dev/a`");
    std::fs::remove_file(folder.join("traits/b.yaml")).expect("removed");
    assert!(command(&server, &["apply", dir], &[]).0);
    std::fs::remove_file(folder.join("audiences/a.yaml")).expect("removed");
    written(&folder, "traits/b.yaml", "id: a\nspace: dev\nquery: event('A').count()\n");
    fails("cannot become the other kind");
}
