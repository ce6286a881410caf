use super::{State, memory_parts};

#[test]
fn a_state_is_read_and_a_missing_number_is_named() {
    let body = br#"{"position":"3:0","events":7,"profiles":2,"duplicates":1,"lag":0,"more":true}"#;
    let state = State::parse(body).expect("a state");
    assert_eq!(state, State { events: 7, profiles: 2, duplicates: 1, lag: 0 });
    let error = State::parse(br#"{"events":7,"profiles":2,"lag":0}"#).expect_err("incomplete");
    assert!(error.to_string().contains("duplicates"), "{error}");
}

#[test]
fn memory_is_read_by_part_and_the_largest_comes_first() {
    let text = "# HELP selfsame_memory_bytes Bytes.\n# TYPE selfsame_memory_bytes gauge\n\
        selfsame_memory_bytes{part=\"dedupe\"} 120\nselfsame_memory_bytes{space=\"dev\",part=\"store\"} 4.5e3\n\
        selfsame_log_end_offset 7\n";
    assert_eq!(memory_parts(text), [("store".to_owned(), 4_500), ("dedupe".to_owned(), 120)]);
}
