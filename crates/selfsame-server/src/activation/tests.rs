//! What a profile is named by, and whole nodes that tell receivers of changes over HTTP.

use selfsame_event::{IdentifierKey, SourceNumber, Time};

use super::*;

mod receiver;
mod told;
mod world;

fn id<'a>(key: u8, kind: &'a str, value: &'a str) -> ExternalId<'a> {
    ExternalId {
        key: IdentifierKey([key; 16]),
        kind,
        value,
        created_at: Time::EPOCH,
        source: SourceNumber(0),
        message_id: None,
    }
}

fn ids() -> Vec<ExternalId<'static>> {
    vec![
        id(1, "email", "old@x.y"),
        id(2, "anonymous_id", "a1"),
        id(3, "user_id", "u1"),
        id(4, "user_id", "u2"),
        id(5, "email", "new@x.y"),
    ]
}

fn values(namings: &[Naming], ids: &[ExternalId<'static>]) -> Vec<&'static str> {
    chosen(names(namings), ids).iter().map(|id| id.value).collect()
}

fn names(namings: &[Naming]) -> Names<'_> {
    Names { namings, filter: &[] }
}

fn naming(kind: &str, strategy: Strategy) -> Naming {
    Naming { kind: kind.to_owned(), strategy }
}

#[test]
fn a_profile_is_named_once_by_what_it_is_known_best_by() {
    assert_eq!(values(&[], &ids()), ["u2"]);
    assert_eq!(values(&[], &ids()[..2]), ["a1"]);
    assert_eq!(values(&[], &ids()[..1]), ["old@x.y"]);
    assert_eq!(values(&[], &[]), [""; 0]);
}

#[test]
fn identifiers_are_chosen_by_type_and_strategy() {
    let first = [naming("user_id", Strategy::First)];
    assert_eq!(values(&first, &ids()), ["u1"]);
    let last = [naming("user_id", Strategy::Last), naming("email", Strategy::Last)];
    assert_eq!(values(&last, &ids()), ["u2", "new@x.y"]);
    let all = [naming("email", Strategy::All), naming("phone", Strategy::All)];
    assert_eq!(values(&all, &ids()), ["old@x.y", "new@x.y"]);
}

/// A member of an audience that chooses types is named by one of these, unless the destination chooses others.
#[test]
fn an_audience_that_chooses_types_names_its_members_by_them() {
    let by =
        |types: &[&str], namings: &[Naming], ids: &[ExternalId<'static>]| -> Vec<&'static str> {
            let filter: Vec<String> = types.iter().map(|one| (*one).to_owned()).collect();
            chosen(Names { namings, filter: &filter }, ids).iter().map(|id| id.value).collect()
        };
    assert_eq!(by(&["email", "user_id"], &[], &ids()), ["new@x.y"]);
    assert_eq!(by(&["user_id", "email"], &[], &ids()), ["u2"]);
    assert_eq!(by(&["user_id", "email"], &[], &ids()[..2]), ["old@x.y"], "by no device");
    assert_eq!(by(&["phone"], &[], &ids()), [""; 0]);
    assert_eq!(by(&["email"], &[naming("user_id", Strategy::First)], &ids()), ["u1"]);
}

#[test]
fn who_was_told_nothing_is_told_what_there_is_and_not_that_there_is_nothing() {
    let heard = Heard::nothing();
    let told = |value| {
        let is_nothing = value == Telling::NOTHING;
        told_by(names(&[]), &ids(), (value, is_nothing), &heard).map(|ids| ids.len())
    };
    assert_eq!(told(5), Ok(1));
    assert_eq!(told(Telling::NOTHING), Ok(0));
    let phone = [naming("phone", Strategy::Last)];
    let by_phone = told_by(names(&phone), &ids(), (5, false), &heard).map(|ids| ids.len());
    assert_eq!(by_phone, Err(Withheld::Unnamed));
    assert_eq!(told_by(names(&[]), &ids(), (5, true), &heard).map(|ids| ids.len()), Ok(0));
}

#[test]
fn nothing_is_what_everybody_knows() {
    let (audience, computed) = (DefinitionKind::Audience, DefinitionKind::ComputedTrait);
    assert_eq!(telling("false", audience), Telling::NOTHING);
    assert_eq!(telling("null", computed), Telling::NOTHING);
    assert_ne!(telling("true", audience), Telling::NOTHING);
    assert_ne!(telling("false", computed), Telling::NOTHING);
    assert_ne!(telling("1", computed), telling("2", computed));
}
