use proptest::prelude::*;
use selfsame_event::{ProfileId, Time};

use super::{Effect, What};
use crate::decision::Decision;

fn effect() -> impl Strategy<Value = Effect> {
    let what = prop_oneof![
        Just(What::Entered),
        Just(What::Exited),
        "\\PC{0,40}".prop_map(|json| What::Value(json.into())),
        "\\PC{0,40}".prop_map(|json| What::Announced(json.into())),
    ];
    let rest = (any::<u32>(), any::<[u8; 20]>(), any::<u32>(), 0_i64..1 << 50);
    (rest, proptest::option::of(0_u32..1_000), any::<bool>(), what).prop_map(
        |((space, profile, definition, at), cause, is_told, what)| Effect {
            space,
            profile: ProfileId::from_bytes(profile),
            definition,
            at: Time::from_micros(at),
            cause,
            is_told,
            what,
        },
    )
}

proptest! {
    #[test]
    fn an_effect_is_read_as_it_was_written(effect in effect(), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        effect.encode(&mut bytes);
        prop_assert_eq!(Decision::decode(&bytes), None);
        prop_assert_eq!(Effect::decode(&bytes[..cut.index(bytes.len())]), None);
        prop_assert_eq!(Effect::places(&bytes), if effect.is_told { 2 } else { 0 });
        prop_assert_eq!(Effect::decode(&bytes), Some(effect));
    }
}
