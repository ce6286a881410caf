use super::*;

fn read(text: &str) -> Result<Event<'_>, Refusal> {
    Event::read(Raw::check(text.as_bytes()).expect("valid JSON"), &Shared::default())
}

fn refused(text: &str, code: &str) {
    assert_eq!(read(text).expect_err("refused").code(), code, "{text}");
}

#[test]
fn each_call_needs_its_ids() {
    refused(r#"{"type":"track","event":"A"}"#, "no_user_anon_id");
    refused(r#"{"type":"track","event":"A","userId":"","anonymousId":null}"#, "no_user_anon_id");
    refused(r#"{"type":"track","event":"A","userId":42}"#, "id_not_string");
    refused(r#"{"type":"group","userId":"u"}"#, "id_required");
    refused(r#"{"type":"group","groupId":"g"}"#, "no_user_anon_id");
    refused(r#"{"type":"alias","userId":"u"}"#, "id_required");
    assert!(read(r#"{"type":"alias","userId":"u","previousId":"p"}"#).is_ok());
    assert!(read(r#"{"type":"group","groupId":"g","anonymousId":"a"}"#).is_ok());
}

#[test]
fn each_call_needs_its_own_fields() {
    refused(r#"[]"#, "event_not_object");
    refused(r#"{"userId":"u"}"#, "type_unknown");
    refused(r#"{"type":"Track","userId":"u","event":"A"}"#, "type_unknown");
    refused(r#"{"type":"track","userId":"u"}"#, "event_not_defined");
    refused(r#"{"type":"track","userId":"u","event":""}"#, "event_not_defined");
    refused(r#"{"type":"track","userId":"u","event":{}}"#, "event_not_string");
    refused(
        r#"{"type":"track","userId":"u","event":"A","properties":[1]}"#,
        "properties_not_object",
    );
    refused(r#"{"type":"identify","userId":"u","traits":"x"}"#, "traits_not_object");
    refused(r#"{"type":"page","userId":"u","name":""}"#, "name_not_string");
    refused(r#"{"type":"page","userId":"u","name":7}"#, "name_not_string");
    refused(r#"{"type":"screen","userId":"u","category":7}"#, "category_not_string");
    refused(r#"{"type":"page","userId":"u","context":7}"#, "context_not_object");
    assert!(
        read(r#"{"type":"page","userId":"u","name":null,"category":"","properties":null}"#).is_ok()
    );
}

#[test]
fn context_is_checked_where_segment_checks_it() {
    let with = |context: &str| format!(r#"{{"type":"page","userId":"u","context":{context}}}"#);
    let refuse = |context: &str, code: &str| refused(&with(context), code);
    refuse(r#"{"consent":{}}"#, "consent_categorypreferences_should_exist");
    refuse(r#"{"consent":[]}"#, "consent_fields_should_be_object");
    refuse(r#"{"consent":{"categoryPreferences":{"a":1}}}"#, "consent_fields_should_be_bool");
    refuse(
        r#"{"consent":{"categoryPreferences":{"a":true},"version":"2"}}"#,
        "consent_version_should_be_number",
    );
    refuse(r#"{"device":{"advertisingId":7}}"#, "device_advertisingid_should_be_string");
    assert!(read(&with(r#"{"consent":{"categoryPreferences":{"a":true},"version":2}}"#)).is_ok());
}

#[test]
fn message_ids_have_a_length() {
    let with = |id: &str| format!(r#"{{"type":"page","userId":"u","messageId":"{id}"}}"#);
    assert!(read(&with(&"é".repeat(100))).is_ok());
    refused(&with(&"é".repeat(101)), "message_id_too_long");
    refused(r#"{"type":"page","userId":"u","messageId":1}"#, "message_id_not_string");
}

#[test]
fn the_last_of_repeated_keys_counts_and_null_is_absent() {
    let event =
        read(r#"{"type":"page","userId":"a","userId":"b","anonymousId":"x","anonymousId":null}"#)
            .expect("valid");
    assert_eq!(event.user_id.as_deref(), Some("b"));
    assert_eq!(event.anonymous_id, None);
}

#[test]
fn the_route_decides_the_type() {
    let raw = Raw::check(br#"{"type":"identify","userId":"u","event":"A"}"#).expect("valid");
    let event = Event::read(raw, &Shared { implied: Some(EventType::Track), ..Shared::default() })
        .expect("valid");
    assert_eq!((event.kind, event.event.as_deref()), (EventType::Track, Some("A")));
}

#[test]
fn times_are_read_in_the_forms_that_sdks_send() {
    let same = "2026-01-02T03:04:05.678Z";
    for text in [
        same,
        "2026-01-02T04:04:05.678+01:00",
        "2026-01-02T03:04:05.678",
        "2026-01-02 03:04:05.678Z",
    ] {
        assert_eq!(Time::parse(text).map(|t| t.to_string()).as_deref(), Some(same), "{text}");
    }
    assert_eq!(
        Time::parse("2026-01-02").map(|t| t.to_string()).as_deref(),
        Some("2026-01-02T00:00:00.000Z")
    );
    assert_eq!(Time::parse("1960-01-02T00:00:00Z"), Some(Time::EPOCH));
    assert_eq!(Time::parse("yesterday"), None);
}

#[test]
fn hostile_keys_are_bounded() {
    let long = "k".repeat(limits::KEY_BYTES + 1);
    refused(
        &format!(r#"{{"type":"page","userId":"u","properties":{{"{long}":1}}}}"#),
        "key_too_long",
    );
    let many: Vec<String> = (0..=limits::PROPERTIES).map(|n| format!(r#""{n}":1"#)).collect();
    let many = many.join(",");
    refused(
        &format!(r#"{{"type":"page","userId":"u","properties":{{{many}}}}}"#),
        "too_many_properties",
    );
}

#[test]
fn escapes_are_read_and_plain_strings_borrowed() {
    let event =
        read(r#"{"type":"page","userId":"a\u00e9\"b","anonymousId":"plain"}"#).expect("valid");
    assert_eq!(event.user_id.as_deref(), Some("aé\"b"));
    assert!(matches!(event.anonymous_id, Some(Cow::Borrowed("plain"))));
}

#[test]
fn a_clock_that_is_off_is_corrected_and_the_future_is_held() {
    let at = |text: &str| {
        read(text)
            .expect("valid")
            .happened_at(Time::parse("2026-01-01T12:00:00Z").expect("time"))
            .to_string()
    };
    let with = |rest: &str| at(&format!(r#"{{"type":"page","userId":"u"{rest}}}"#));
    assert_eq!(with(""), "2026-01-01T12:00:00.000Z");
    assert_eq!(with(r#","timestamp":"2025-01-01T00:00:00Z""#), "2025-01-01T00:00:00.000Z");
    assert_eq!(
        with(r#","timestamp":"2036-01-01T00:00:00Z","sentAt":"2036-01-01T00:00:05Z""#),
        "2026-01-01T11:59:55.000Z"
    );
    assert_eq!(with(r#","timestamp":"2036-01-01T00:00:00Z""#), "2026-01-01T12:00:00.000Z");
    assert_eq!(with(r#","originalTimestamp":"2025-06-01T00:00:00Z""#), "2025-06-01T00:00:00.000Z");
}

#[test]
fn a_batch_lends_what_an_event_does_not_say() {
    let text = r#"{"type":"page","userId":"u","context":{"ip":"1.2.3.4"}}"#;
    let context = Raw::check(br#"{"ip":"9.9.9.9","locale":"de"}"#);
    let shared = Shared { context, sent_at: Time::parse("2026-01-01"), ..Shared::default() };
    let event = Event::read(Raw::check(text.as_bytes()).expect("valid"), &shared).expect("valid");
    assert_eq!(event.context.get("ip").and_then(|ip| ip.string()).as_deref(), Some("1.2.3.4"));
    assert_eq!(event.context.get("locale").and_then(|ip| ip.string()).as_deref(), Some("de"));
    assert_eq!(event.sent_at, shared.sent_at);
    assert_eq!(event.context.merged().as_deref(), Some(r#"{"ip":"1.2.3.4","locale":"de"}"#));
}

#[test]
fn a_retry_says_the_same_and_another_event_does_not() {
    let print = |text: &str| read(text).expect("valid").fingerprint;
    let first =
        print(r#"{"type":"page","userId":"u","sentAt":"2026-01-01T00:00:00Z","writeKey":"a"}"#);
    assert_eq!(
        first,
        print(
            r#"{"type":"page","_metadata":{"retryCount":1},"userId":"u","sentAt":"2026-01-02T00:00:00Z"}"#
        )
    );
    assert_ne!(first, print(r#"{"type":"page","userId":"v"}"#));
}
