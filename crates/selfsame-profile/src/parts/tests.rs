use proptest::prelude::*;

use super::*;

const ALL: [Part; COUNT] =
    [Part::Traits, Part::Links, Part::Chunks, Part::First, Part::Last, Part::Computed, Part::Open];

proptest! {
    /// Against buffers of their own.
    #[test]
    fn parts_change_alone(
        changes in prop::collection::vec((0..COUNT, 0..9_usize, 0..9_usize, prop::collection::vec(any::<u8>(), 0..60)), 0..40)
    ) {
        let mut parts = Parts::default();
        let mut apart = vec![Vec::new(); COUNT];
        for (part, at, removed, bytes) in changes {
            let length = apart[part].len();
            let at = at.min(length);
            let removed = removed.min(length - at);
            parts.splice(ALL[part], at, removed, &bytes);
            apart[part].splice(at..at + removed, bytes);
            for (part, bytes) in ALL.into_iter().zip(&apart) {
                prop_assert_eq!(parts.get(part), bytes.as_slice());
            }
        }
        let mut written = Vec::new();
        parts.write(&mut written);
        let mut restored = Parts::default();
        prop_assert_eq!(restored.restore(Reader(&written)), Some(()));
        prop_assert_eq!(&restored, &parts);
        // The same in two.
        let computed = restored.restore_apart(Reader(&written));
        prop_assert_eq!(computed, Some(parts.get(Part::Computed)));
        parts.set(Part::Computed, &[]);
        prop_assert_eq!(&restored, &parts);
        let mut again = Vec::new();
        restored.write_with(&apart[Part::Computed as usize], &mut again);
        prop_assert_eq!(again, written);
    }
}
