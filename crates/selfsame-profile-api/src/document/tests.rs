use std::collections::BTreeSet;

use super::{PARAMETERS, document};
use crate::table::ROUTES;

#[test]
fn a_resource_is_there_once_and_every_parameter_is_explained() {
    let paths: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
    let names: BTreeSet<_> = ROUTES.iter().map(|route| route.operation).collect();
    assert_eq!((paths.len(), names.len()), (ROUTES.len(), ROUTES.len()));
    let asked: BTreeSet<_> = ROUTES.iter().flat_map(|route| route.query).copied().collect();
    let explained: BTreeSet<_> = PARAMETERS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(asked, explained);
}

#[test]
fn whatever_is_referred_to_is_there() {
    let document = document();
    let text = document.to_string();
    let references: BTreeSet<_> =
        text.split("\"#/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        assert!(document.pointer(&format!("/{reference}")).is_some(), "nothing is at {reference}");
    }
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for name in schemas.keys() {
        let wanted = format!("\"#/components/schemas/{name}\"");
        assert!(text.contains(&wanted), "{name} is used nowhere");
    }
}
