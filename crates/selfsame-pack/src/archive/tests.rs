use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// A pack with one destination.
fn bytes() -> Vec<u8> {
    let manifest = json!({
        "manifest": 1, "id": "one", "name": "One", "category": "Other", "docs": [], "version": "3",
        "status": "community", "program": { "name": "one" },
        "actions": { "send": { "title": "Send", "program": true } },
    });
    let parts = [packed("shared"), packed(&manifest.to_string()), packed("own"), packed("MIT")];
    let mut at = 0;
    let places = parts.each_ref().map(|part| {
        at += part.len();
        json!([at - part.len(), part.len()])
    });
    let index = packed(
        &json!({
            "version": "3", "shared": places[0], "licences": places[3], "left_out": { "two": "why" },
            "entries": [{
                "id": "one", "program": "one", "name": "One", "category": "Other", "actions": 1,
                "manifest": places[1], "code": places[2],
            }],
        })
        .to_string(),
    );
    let length = u32::try_from(index.len()).expect("short").to_le_bytes();
    [&MAGIC[..], &length, &index, &parts.concat()].concat()
}

#[test]
fn a_pack_has_manifests_and_programs() {
    let pack = Pack::open(bytes()).expect("a pack");
    assert_eq!((pack.version(), pack.entries().len()), ("3", 1));
    assert_eq!(pack.left_out()["two"], "why");
    assert_eq!(pack.licences().expect("a text"), "MIT");
    let manifest = pack.manifest("one").expect("a manifest");
    assert_eq!(manifest.program.expect("a program").name, "one");
    assert_eq!(pack.code("one").expect("a program").text(), "shared\nown");
    assert!(matches!(pack.code("two"), Err(PackError::Unknown(_))));
}

#[test]
fn what_is_cut_or_of_another_version_is_refused() {
    let whole = bytes();
    for length in 0..whole.len() - 1 {
        let cut = Pack::open(whole[..length].to_vec());
        let is_whole = cut.is_ok_and(|pack| {
            pack.code("one").is_ok() && pack.manifest("one").is_ok() && pack.licences().is_ok()
        });
        assert!(!is_whole, "{length} bytes of {}", whole.len());
    }
    let mut newer = whole;
    newer[7] = 2;
    assert!(matches!(Pack::open(newer), Err(PackError::Kind)));
}
