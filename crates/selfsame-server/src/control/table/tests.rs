use std::collections::BTreeSet;

use super::{ROUTES, Takes, Verb};
use crate::control::Permission;
use crate::control::openapi::{HEADERS, PARAMETERS, document};

#[test]
fn an_operation_is_there_once() {
    let places: BTreeSet<_> = ROUTES.iter().map(|route| (route.path, route.verb.word())).collect();
    assert_eq!(places.len(), ROUTES.len());
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
    assert_eq!(names.len(), ROUTES.len());
}

/// Questions that have a body.
const ASKED: &[&str] = &["/api/spaces/{id}/reconcile"];

#[test]
fn what_only_reads_changes_nothing_and_the_other_way_round() {
    for route in ROUTES {
        let reads = matches!(route.permission, Permission::Read | Permission::Events);
        let is_own = route.path.starts_with("/api/session/");
        let both = matches!(
            route.permission,
            Permission::Open | Permission::Tokens | Permission::Members | Permission::Audit
        );
        if !both && !is_own {
            let asks = route.verb == Verb::Get || ASKED.contains(&route.path);
            assert_eq!(asks, reads, "{} {}", route.verb.word(), route.path);
        }
        assert!(route.verb != Verb::Get || matches!(route.takes, Takes::Nothing), "{}", route.path);
    }
}

#[test]
fn operations_that_show_a_secret_need_the_permission_for_it() {
    let document = document();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.verb.word()];
        let answer = operation["responses"][route.status.to_string()].to_string();
        let shows = ["NewSecret", "RotatedSecret", "MadeToken", "AlertChannelSet", "MemberLink"]
            .iter()
            .any(|name| answer.contains(name));
        let may = matches!(
            route.permission,
            Permission::Secrets | Permission::Tokens | Permission::Members
        );
        assert!(!shows || may, "{} {}", route.verb.word(), route.path);
    }
}

#[test]
fn every_parameter_is_explained() {
    for name in ROUTES.iter().flat_map(|route| route.query) {
        assert!(PARAMETERS.iter().any(|(known, _)| known == name), "{name}");
    }
    for name in ROUTES.iter().flat_map(|route| route.headers) {
        assert!(HEADERS.iter().any(|(known, _)| known == name), "{name}");
    }
}

#[test]
fn the_document_names_every_operation_and_its_permission() {
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.values().flat_map(|path| path.as_object().expect("an object").values());
    let permissions: Vec<_> =
        operations.map(|operation| operation["x-permission"].as_str().expect("a word")).collect();
    assert_eq!(permissions.len(), ROUTES.len());
    let words: Vec<_> = Permission::ALL.iter().map(|permission| permission.word()).collect();
    assert!(permissions.iter().all(|word| *word == "none" || words.contains(word)));
}
