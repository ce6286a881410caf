//! The date of a `Retry-After`: `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms of HTTP
//! dates are not read; what asked in one of them is retried as if it had not asked.

use selfsame_event::Time;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(crate) fn parse(text: &str) -> Option<Time> {
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ');
    let (day, month, year, time, zone) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if zone != "GMT" || words.next().is_some() {
        return None;
    }
    Time::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_form_is_read() {
        let parsed = parse("Sun, 06 Nov 1994 08:49:37 GMT").map(|time| time.to_string());
        assert_eq!(parsed.as_deref(), Some("1994-11-06T08:49:37.000Z"));
    }

    #[test]
    fn other_texts_are_not() {
        for text in ["", "soon", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 CET"), None);
        assert_eq!(parse("Sun, 66 Nov 1994 08:49:37 GMT"), None);
    }
}
