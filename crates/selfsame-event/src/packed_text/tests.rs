use proptest::prelude::*;

use super::*;

const UUID: &str = "b4f9d1c0-0000-4abc-8def-0123456789ab";

fn packed_length(text: &str) -> usize {
    let mut out = crate::packed::Scratch::new();
    PackedText::new(text).write(&mut out);
    out.len()
}

#[test]
fn a_uuid_takes_its_16_bytes() {
    assert_eq!(packed_length(UUID), 1 + 16);
    assert_eq!(packed_length(&format!("ajs-next-{UUID}")), 1 + 9 + 16);
    assert_eq!(packed_length(&format!("ajs-next-1700000000000-{UUID}")), 1 + 6 + 16);
    assert_eq!(packed_length(&format!("ajs-next-0700000000000-{UUID}")), 1 + 23 + 16);
    assert_eq!(packed_length(&format!("ajs-next-+700000000000-{UUID}")), 1 + 23 + 16);
    assert_eq!(packed_length(&UUID.to_uppercase()), 2 + 36, "upper case is another text");
    assert_eq!(packed_length(&UUID.replace('-', "_")), 2 + 36);
}

#[test]
fn a_text_has_one_form() {
    let uuid = Some([1; 16]);
    let id = |head, browser_millis, uuid| PackedText { head, browser_millis, uuid };
    for (other, canonical) in [
        (id("", None, None), true),
        (id("a", None, uuid), true),
        (id("", Some(1_700_000_000_000), uuid), true),
        (id("a", Some(1_700_000_000_000), uuid), false),
        (id("", Some(1_700_000_000_000), None), false),
        (id("", Some(170), uuid), false),
        (id("", Some(17_000_000_000_000), uuid), false),
        (id("ajs-next-1700000000000-", None, uuid), false),
        (id(UUID, None, None), false),
    ] {
        assert_eq!(other.is_canonical(), canonical, "{other:?}");
    }
}

fn message_id() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,8}",
        "[a-c]{0,2}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "b4f9d1c0-0000-4abc-8def-0123456789a[0-9a-fA-F]",
        "é[0-9a-f]{35}",
        "ajs-next-(1[0-9]{12}|0[0-9]{12}|[0-9]{12,14}|x)-b4f9d1c0-0000-4abc-8def-0123456789ab",
    ]
}

proptest! {
    #[test]
    fn message_ids_survive_and_sort_as_texts_do(one in message_id(), two in message_id()) {
        let (packed, other) = (PackedText::new(&one), PackedText::new(&two));
        prop_assert_eq!(packed.to_string(), one.clone());
        prop_assert!(packed.is_canonical());
        prop_assert_eq!(packed.cmp(&other), one.cmp(&two));
        let mut out = crate::packed::Scratch::new();
        packed.write(&mut out);
        prop_assert_eq!(PackedText::read(&mut Reader(&out)), Some(packed));
    }
}
