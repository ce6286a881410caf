//! A definition is read without a panic or refused at a place of the text; what is read is printed so
//! that it is read the same, survives the way to JSON and back, and can be checked and ordered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use selfsame_expr::query::{self, Holder, References};

fuzz_target!(|text: &str| {
    match query::condition(text) {
        Ok(tree) => {
            let printed = tree.to_string();
            // What is printed may be longer than what was written, and too long.
            if printed.len() <= query::limits::TEXT_BYTES {
                assert_eq!(query::condition(&printed).as_ref(), Ok(&tree), "{printed}");
            }
            assert_eq!(query::condition_from_json(&tree.to_json()).as_ref(), Ok(&tree));
            References::of_condition(&tree);
            for holder in [Holder::Users, Holder::Accounts] {
                for misuse in query::check_condition(&tree, holder).err().unwrap_or_default() {
                    assert!(!misuse.shown(text).is_empty());
                }
            }
        }
        Err(error) => points_into(text, &error),
    }
    match query::scalar(text) {
        Ok(tree) => {
            let printed = tree.to_string();
            if printed.len() <= query::limits::TEXT_BYTES {
                assert_eq!(query::scalar(&printed).as_ref(), Ok(&tree), "{printed}");
            }
            assert_eq!(query::scalar_from_json(&tree.to_json()).as_ref(), Ok(&tree));
            assert!(query::check_scalar(&tree, Holder::Users).err().is_none_or(|found| !found.is_empty()));
        }
        Err(error) => points_into(text, &error),
    }
});

fn points_into(text: &str, error: &selfsame_expr::ParseError) {
    assert!(error.place.start <= error.place.end);
    assert!(usize::try_from(error.place.end).is_ok_and(|end| end <= text.len()));
    assert!(!error.to_string().is_empty());
}
