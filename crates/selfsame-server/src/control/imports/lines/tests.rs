use super::*;

fn lines(text: &str, default: Option<EventType>) -> (Vec<Lines>, Outcome) {
    let mut outcome = Outcome::NOTHING;
    let records = records(&Bytes::from(text.to_owned()), 1, default, &mut outcome);
    (records, outcome)
}

#[test]
fn lines_of_a_kind_share_a_record_and_blank_ones_break_it() {
    let good = r#"{"type":"identify","userId":"a"}"#;
    let (records, outcome) = lines(&format!("{good}\n{good}\n\n{good}\nnonsense\n{good}\n"), None);
    let shape =
        records.iter().map(|record| (record.kind as u8, record.first_line, record.items.len()));
    assert_eq!(shape.collect::<Vec<_>>(), [(1, 1, 2), (1, 4, 1), (2, 5, 1), (1, 6, 1)]);
    let invalid: Vec<_> = outcome.invalid.iter().map(|one| (one.line, one.code.as_str())).collect();
    assert_eq!(invalid, [(5, "event_not_object")]);
}

#[test]
fn the_default_type_is_for_lines_that_name_none() {
    let text = "{\"userId\":\"a\"}\n{\"userId\":\"a\",\"type\":\"page\"}\n{\"userId\":\"a\",\"type\":\"odd\"}";
    let (records, outcome) = lines(text, Some(EventType::Identify));
    let implied: Vec<_> = records.iter().map(|record| record.head.implied).collect();
    assert_eq!(implied, [Some(EventType::Identify), None, None]);
    assert_eq!(outcome.invalid[0].code, "type_unknown");
}

#[test]
fn the_senders_clock_is_taken_out_and_the_rest_kept_as_it_was() {
    let line = r#"{"type":"track","event":"x","userId":"a","sentAt":"2020-01-01T00:00:00Z","properties":{"n":1.50,"q":"\""}}"#;
    let read = read(line.as_bytes(), None).map_err(|refused| refused.0).unwrap();
    let expected = r#"{"type":"track","event":"x","userId":"a","properties":{"n":1.50,"q":"\""}}"#;
    assert_eq!(read.item, expected.as_bytes());
}

#[test]
fn a_timestamp_that_cannot_be_read_is_counted() {
    let text = "{\"type\":\"identify\",\"userId\":\"a\",\"timestamp\":\"yesterday\"}\n\
                {\"type\":\"identify\",\"userId\":\"a\",\"timestamp\":\"2024-05-01T10:00:00Z\"}\n\
                {\"type\":\"identify\",\"userId\":\"a\"}";
    assert_eq!(lines(text, None).1.untimed, 1);
}

#[test]
fn a_long_run_is_divided() {
    let line = "{\"type\":\"identify\",\"userId\":\"a\"}\n".repeat(RECORD_EVENTS + 1);
    let (records, _) = lines(&line, None);
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].first_line, RECORD_EVENTS as u64 + 1);
}
