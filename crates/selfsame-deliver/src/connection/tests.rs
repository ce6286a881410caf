use selfsame_event::EventType;

use super::*;

#[test]
fn a_secret_is_read_and_shown_alike() {
    let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secret = Secret::parse(text).expect("valid");
    assert_eq!(secret.reveal(), text);
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_eq!(
        Secret::parse(&Secret::from_bytes([7; 32]).reveal()),
        Ok(Secret::from_bytes([7; 32]))
    );
}

#[test]
fn what_is_not_a_secret_is_refused() {
    assert_eq!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Err(SecretError::Prefix));
    assert_eq!(Secret::parse("whsec_no base64"), Err(SecretError::Base64));
    assert_eq!(Secret::parse("whsec_"), Err(SecretError::Length(0)));
    assert_eq!(Secret::parse("whsec_AAAA"), Err(SecretError::Length(3)));
}

#[test]
fn a_filter_takes_what_it_names() {
    let filter = Filter::only([EventType::Track.into(), EffectKind(40)]);
    assert!(filter.accepts(EventType::Track) && filter.accepts(EffectKind(40)));
    assert!(!filter.accepts(EventType::Page));
    assert!(Filter::ALL.accepts(EffectKind(63)));
}

#[test]
fn derived_events_are_wanted_by_kind_and_subject() {
    let topic = |kind, subject| Topic { kind: EffectKind(kind), subject: Some(subject) };
    assert!(!Filter::ALL.accepts(topic(40, 1)));
    let filter = Filter::only([]).with_derived([topic(40, 1)].into());
    assert!(filter.accepts(topic(40, 1)));
    assert!(!filter.accepts(topic(40, 2)) && !filter.accepts(topic(41, 1)));
    assert!(!filter.accepts(EffectKind(40)));
}
