use super::*;

#[test]
fn a_text_is_what_json_writes() {
    let mut texts: Vec<String> = (0..=0x7f_u8).map(|byte| char::from(byte).into()).collect();
    texts.extend(["", "müde", "\u{2028}", "😀 and more than eight"].map(String::from));
    for text in &texts {
        for before in ["", "1234567", "12345678", "123456789abcdef\u{7f}\u{80}"] {
            let text = format!("{before}{text}{before}");
            let mut json = String::new();
            push_json(&mut json, &text);
            assert_eq!(json, serde_json::to_string(&text).expect("a text"));
        }
    }
}
