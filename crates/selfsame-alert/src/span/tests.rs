use super::{NoSpan, Span};

#[test]
fn spans_are_read_as_they_are_printed() {
    for text in ["0s", "45s", "90s", "30m", "2h", "7d", "30d"] {
        assert_eq!(text.parse::<Span>().expect("a span").to_string(), text);
    }
    assert_eq!("120s".parse::<Span>().expect("a span").to_string(), "2m");
    assert_eq!("24h".parse::<Span>().expect("a span").to_string(), "1d");
    for text in ["", "m", "5", "-5m", "1.5h", "5 m", "31d", "99999999999s", "4294967295d"] {
        assert_eq!(text.parse::<Span>(), Err(NoSpan), "{text}");
    }
}
