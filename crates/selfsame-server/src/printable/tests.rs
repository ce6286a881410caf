use super::*;

#[test]
fn control_characters_are_shown() {
    assert_eq!(printable("a\u{1b}[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\u{a}\\u{202e}c");
    assert_eq!(printable("Zoë 漢字 🙂"), "Zoë 漢字 🙂");
}

#[test]
fn long_text_is_cut_between_characters() {
    assert_eq!(brief("漢字漢字", 2), "漢字…");
    assert_eq!(brief("漢字", 2), "漢字");
}
