use std::fs;

use super::*;

const GOOD: &str = "\
manifest: 1
id: own
name: Own
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
actions:
  send:
    title: Send
    request: {url: https://example.com/a}
";

fn write(folder: &Path, id: &str, text: &str) {
    let folder = folder.join(id);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("manifest.yaml"), text).expect("a file");
}

fn version(manifests: &Manifests, id: &str) -> Option<String> {
    manifests.get(id).map(|manifest| manifest.version.clone())
}

#[test]
fn those_of_the_folder_come_beside_and_before_the_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "own", GOOD);
    write(folder.path(), "slack", &GOOD.replace("id: own", "id: slack").replace("1.0.0", "9.0.0"));
    let manifests = Manifests::of(folder.path()).expect("manifests");
    assert_eq!(version(&manifests, "own").as_deref(), Some("1.0.0"));
    assert_eq!(version(&manifests, "slack").as_deref(), Some("9.0.0"));
    assert!(manifests.get("segment").is_some(), "the program's are there too");
    assert!(manifests.offered().iter().any(|one| one.id == "own"));
    assert!(manifests.get("nothing").is_none());
    assert!(Manifests::of(&folder.path().join("missing")).is_err());
}

#[test]
fn a_change_is_taken_up_and_a_wrong_one_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "own", GOOD);
    let manifests = Manifests::of(folder.path()).expect("manifests");
    assert!(!manifests.look(), "nothing changed");
    write(folder.path(), "own", &GOOD.replace("1.0.0", "1.1.0"));
    assert!(manifests.look());
    assert_eq!(version(&manifests, "own").as_deref(), Some("1.1.0"));
    for wrong in [GOOD.replace("request:", "requst:"), GOOD.replace("id: own", "id: other")] {
        write(folder.path(), "own", &wrong);
        assert!(!manifests.look());
        assert_eq!(version(&manifests, "own").as_deref(), Some("1.1.0"));
    }
    fs::remove_dir_all(folder.path().join("own")).expect("removed");
    assert!(manifests.look());
    assert!(manifests.get("own").is_none());
}
