use std::path::Path;

use selfsame_identity::RuleSet;

use super::{DestinationFile, Resource, SourceFile, SpaceFile, Tree, parse, write};

fn wrong<T: Resource + std::fmt::Debug>(text: &str) -> String {
    parse::<T>(Path::new("x.yaml"), text).expect_err("wrong").to_string()
}

#[test]
fn errors_have_file_line_and_field() {
    let unknown = wrong::<SourceFile>("id: a\nname: A\nspace: s\nstrikt: true\n");
    assert!(unknown.starts_with("x.yaml:4:1: unknown field `strikt`"), "{unknown}");
    let kind = wrong::<DestinationFile>("id: a\nname: A\nspace: s\nurl: u\nenabled: sometimes\n");
    assert!(kind.starts_with("x.yaml:5:10: enabled: invalid type"), "{kind}");
    let nested =
        wrong::<SpaceFile>("id: a\nname: A\nrules:\n  types:\n  - name: email\n    priority: -1\n");
    assert!(nested.starts_with("x.yaml:6:15: rules.types[0].priority: invalid"), "{nested}");
    let missing = wrong::<SourceFile>("id: a\nname: A\n");
    assert!(missing.contains("missing field `space`"), "{missing}");
}

#[test]
fn what_is_written_is_read_back() {
    let root = tempfile::tempdir().expect("a folder");
    let space = SpaceFile {
        id: "main".to_owned(),
        name: "Main: the \"first\"".to_owned(),
        indexed_traits: vec!["email".to_owned()],
        rules: RuleSet::default(),
    };
    let path = write(root.path(), &Tree::default().spaces, &space).expect("written");
    assert_eq!(path, root.path().join("spaces/main.yaml"));
    let tree = Tree::read(root.path()).expect("read");
    assert_eq!(tree.spaces["main"].1, space);
    assert!(std::fs::read_to_string(path).expect("a file").starts_with("# A space"));
}

#[test]
fn two_files_of_one_id_are_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("sources");
    std::fs::create_dir(&folder).expect("a folder");
    for name in ["a.yaml", "b.yml"] {
        std::fs::write(folder.join(name), "id: web\nname: Web\nspace: main\n").expect("written");
    }
    let error = Tree::read(root.path()).expect_err("twice").to_string();
    assert!(error.contains("both have the id `web`"), "{error}");
}

#[test]
fn rules_that_do_not_hold_together_are_refused_before_anything_is_sent() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("spaces");
    std::fs::create_dir(&folder).expect("a folder");
    let text = "id: main\nname: Main\nrules:\n  types:\n  - {name: email, priority: 1}\n  - {name: phone, priority: 1}\n";
    std::fs::write(folder.join("main.yaml"), text).expect("written");
    let error = format!("{:#}", Tree::read(root.path()).expect_err("wrong"));
    assert!(error.contains("both have priority 1"), "{error}");
}
