use std::collections::BTreeSet;

use selfsame_event::Class;

use super::Code;

#[test]
fn a_code_has_one_word_and_a_status_of_its_class() {
    let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        let fits = match code.class() {
            Class::Invalid => matches!(code.status(), 400 | 405 | 413 | 415 | 422),
            Class::Denied => matches!(code.status(), 401 | 403),
            Class::Missing => matches!(code.status(), 404 | 410),
            Class::Conflict => code.status() == 409,
            Class::Limited => code.status() == 429,
            Class::Unavailable => code.status() == 503,
            Class::Corrupt | Class::Bug => code.status() == 500,
        };
        assert!(fits, "{}", code.word());
        assert!(code.hint().ends_with('.'), "{} has no hint", code.word());
    }
}
