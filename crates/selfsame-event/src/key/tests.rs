use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn an_id_reads_back_from_its_text(micros in 0_i64..4_000_000_000_000_000, key: [u8; 16]) {
        let id = ProfileId::candidate(Time::from_micros(micros), IdentifierKey(key));
        prop_assert_eq!(ProfileId::parse(&id.to_string()), Some(id));
        prop_assert_eq!(id.key(), IdentifierKey(key));
    }

    #[test]
    fn ids_sort_as_their_texts_do(a: [u8; 20], b: [u8; 20]) {
        let (a, b) = (ProfileId::from_bytes(a), ProfileId::from_bytes(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn text_that_is_no_id_is_refused(text in "\\PC{0,40}") {
        if let Some(id) = ProfileId::parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}

#[test]
fn an_id_looks_like_segments() {
    let id = ProfileId::candidate(Time::from_micros(1_700_000_000_000_000), IdentifierKey([7; 16]));
    assert_eq!(id.to_string().len(), 31);
    assert!(ProfileId::parse("use_zzzzzzzzzzzzzzzzzzzzzzzzzzz").is_none(), "over 20 bytes");
}

#[test]
fn where_one_part_ends_matters() {
    let keys = KeyHasher::new([1; 32]);
    assert_ne!(keys.digest(&[b"ab", b"c"]), keys.digest(&[b"a", b"bc"]));
    let long = [b'x'; 600];
    assert_ne!(keys.digest(&[&long, b"c"]), keys.digest(&[&long, b"d"]));
}

#[test]
fn spaces_collections_and_secrets_keep_apart() {
    let (one, two) = (KeyHasher::new([1; 32]), KeyHasher::new([2; 32]));
    let key = one.identifier(1, Collection::Users, "user_id", "ada");
    assert_ne!(key, one.identifier(2, Collection::Users, "user_id", "ada"));
    assert_ne!(key, one.identifier(1, Collection::Accounts, "user_id", "ada"));
    assert_ne!(key, two.identifier(1, Collection::Users, "user_id", "ada"));
    assert_eq!(key, one.of(1, Collection::Users, &Identifier::new("user_id", "ada")));
}
