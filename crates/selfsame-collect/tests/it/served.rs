//! The browser SDK as it is served.

use std::io::Read;

use flate2::read::GzDecoder;
use selfsame_collect::{BrowserSdk, CollectConfig, Scripts};

use crate::world::World;

const SCRIPT: &str = "(function(){var key=\"__WRITE_KEY__\";load(key)})();";

fn world() -> World {
    let long =
        |name: &str| format!("{SCRIPT}/* {name} */{}", "/* the quick brown fox */".repeat(500));
    let bundles = [("407.bundle.ab12.js".to_owned(), b"part".repeat(100))];
    let scripts = Scripts::default()
        .with(BrowserSdk::Official, long("theirs").as_bytes(), bundles)
        .with(BrowserSdk::Selfsame, long("ours").as_bytes(), []);
    World::with_scripts(CollectConfig::default(), scripts)
}

fn unzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = GzDecoder::new(bytes);
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "one member, and nothing behind it");
    text
}

#[tokio::test]
async fn the_script_has_the_key_of_its_address() {
    let world = world();
    for name in ["analytics.min.js", "analytics.js"] {
        let answer = world.get(&format!("/analytics.js/v1/browser/{name}"), &[]).await;
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.starts_with("(function(){var key=\"browser\";load(key)})();/*"));
        assert!(!text.contains("__WRITE_KEY__"));
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/javascript; charset=utf-8"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn a_source_chooses_which_script_its_browsers_get() {
    let world = world();
    for (key, name) in [("browser", "ours"), ("server", "theirs")] {
        let answer = world.get(&format!("/analytics.js/v1/{key}/analytics.min.js"), &[]).await;
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains(&format!("/* {name} */")), "{key}");
    }
    let only = Scripts::default().with(BrowserSdk::Official, SCRIPT.as_bytes(), []);
    let world = World::with_scripts(CollectConfig::default(), only);
    let answer = world.get("/analytics.js/v1/browser/analytics.min.js", &[]).await;
    assert_eq!((answer.status, answer.code()), (404, "script_not_built".to_owned()));
}

#[tokio::test]
async fn compressed_it_is_the_same() {
    let world = world();
    let path = "/analytics.js/v1/server/analytics.min.js";
    let plain = world.get(path, &[]).await;
    let packed = world.get(path, &[("accept-encoding", "br, gzip;q=0.8")]).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
    assert!(packed.body.len() * 10 < plain.body.len());
    assert_eq!(unzip(&packed.body).as_bytes(), plain.body);
    assert_ne!(plain.header("etag"), packed.header("etag"));
    let refused = world.get(path, &[("accept-encoding", "gzip;q=0, br")]).await;
    assert_eq!(refused.header("content-encoding"), None);
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let world = world();
    let path = "/analytics.js/v1/server/analytics.min.js";
    let tag = world.get(path, &[]).await.header("etag").unwrap().to_owned();
    let again = world.get(path, &[("if-none-match", &format!("\"other\", W/{tag}"))]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = "/analytics.js/v1/browser/analytics.min.js";
    assert_eq!(world.get(other, &[("if-none-match", &tag)]).await.status, 200);
}

#[tokio::test]
async fn parts_are_served_for_ever() {
    let world = world();
    let path = "/analytics-next/bundles/407.bundle.ab12.js";
    let plain = world.get(path, &[]).await;
    assert_eq!(plain.body, b"part".repeat(100));
    assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let packed = world.get(path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(unzip(&packed.body).as_bytes(), plain.body);
    let missing = world.get("/analytics-next/bundles/408.js", &[]).await;
    assert_eq!((missing.status, missing.code()), (404, "unknown_bundle".to_owned()));
}

#[tokio::test]
async fn keys_and_names_that_could_break_out_are_not_ours() {
    let world = world();
    for path in [
        "/analytics.js/v1/a%22b/analytics.min.js",
        "/analytics.js/v1//analytics.min.js",
        "/analytics.js/v1/a/b/analytics.min.js",
        "/analytics.js/v1/server/other.js",
        "/analytics-next/bundles/..",
        "/analytics-next/bundles/a/b.js",
        "/analytics-next/bundles/%2e%2e",
        "/v1/projects/settings",
        "/v1/projects/a/b/settings",
        "/v1/spaces/x/collections",
        "/v1",
        "/v1/",
        "/",
        "",
    ] {
        assert_eq!(world.collector.route(&hyper::Method::GET, path), None, "{path}");
    }
}
