use proptest::prelude::*;

use super::*;

const UUID: &str = "b4f9d1c0-0000-4abc-8def-0123456789ab";

fn packed_length(text: &str) -> usize {
    let mut out = Scratch::new();
    MessageId::new(text).write(&mut out);
    out.len()
}

#[test]
fn a_uuid_takes_its_16_bytes() {
    assert_eq!(packed_length(UUID), 1 + 16);
    assert_eq!(packed_length(&format!("ajs-next-{UUID}")), 1 + 9 + 16);
    assert_eq!(packed_length(&UUID.to_uppercase()), 1 + 36, "upper case is another text");
    assert_eq!(packed_length(&UUID.replace('-', "_")), 1 + 36);
}

#[test]
fn a_uuid_that_is_spelled_out_is_not_read() {
    let mut out = Scratch::new();
    put_number(&mut out, 72);
    out.extend_from_slice(UUID.as_bytes());
    assert_eq!(MessageId::read(&mut Reader(&out)), None);
}

fn message_id() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,8}",
        "[a-c]{0,2}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "b4f9d1c0-0000-4abc-8def-0123456789a[0-9a-fA-F]",
        "é[0-9a-f]{35}",
    ]
}

proptest! {
    #[test]
    fn message_ids_survive_and_sort_as_texts_do(one in message_id(), two in message_id()) {
        let (packed, other) = (MessageId::new(&one), MessageId::new(&two));
        prop_assert_eq!(packed.to_string(), one.clone());
        prop_assert_eq!(packed.cmp(&other), one.cmp(&two));
        let mut out = Scratch::new();
        packed.write(&mut out);
        prop_assert_eq!(MessageId::read(&mut Reader(&out)), Some(packed));
    }
}
