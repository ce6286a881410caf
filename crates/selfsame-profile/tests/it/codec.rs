//! Sections as bytes.

use proptest::prelude::*;
use selfsame_event::{Position, Time};
use selfsame_profile::{
    Chunk, DecodeError, Limits, Outline, Query, Role, Rules, Section, TraitsOf, combine, page,
};

use crate::history::{History, RULES, spec};

fn section() -> impl Strategy<Value = Section> {
    (prop::collection::vec(spec(), 0..40), any::<bool>()).prop_map(|(specs, user)| {
        let role = if user { Role::User } else { Role::Account };
        let history = History::new(specs);
        history.fold(0..history.specs.len(), role, &RULES).0
    })
}

fn encoded(section: &Section) -> Vec<u8> {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    bytes
}

/// Whatever was decoded can be read, folded into and encoded.
fn use_it(section: &Section) {
    let view = combine(&[section, section], &Limits { traits: 3, links: 1 });
    assert!(view.registers.len() <= 3);
    let query = Query { to: Time::from_micros(2_000), ..Query::default() };
    page(&[section], &query, |_| true, |_, number| Chunk::decode(number, [].as_slice())).ok();
    let history = History::new(vec![spec_of_now()]);
    let mut more = section.clone();
    more.drop_tombstones(Time::MAX);
    history.fold_into(&mut more, [0], Role::User, &Rules::default());
    assert_eq!(Section::decode(&encoded(&more)), Ok(more));
}

fn spec_of_now() -> crate::history::Spec {
    crate::history::Spec {
        kind: selfsame_event::EventType::Identify,
        micros: 1,
        message_id: "m".to_owned(),
        source: 1,
        record: 1,
        traits: vec![("a".to_owned(), "1".to_owned())],
        from_us: false,
        link: 0,
    }
}

proptest! {
    #[test]
    fn sections_survive(section in section()) {
        let bytes = encoded(&section);
        let again = Section::decode(&bytes);
        prop_assert_eq!(again.as_ref(), Ok(&section));
        prop_assert_eq!(again.map(|again| encoded(&again)), Ok(bytes));
    }

    #[test]
    fn what_is_kept_for_definitions_is_read_beside_the_rest(
        section in section(), kept in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = Vec::new();
        section.encode_with(&kept, &mut bytes);
        let with = Section::decode(&bytes).expect("a section");
        prop_assert_eq!(with.computed(), kept.as_slice());
        prop_assert_eq!(with.canonical(), section.canonical());
        let mut apart = Section::default();
        prop_assert_eq!(apart.restore_apart(&bytes), Some(kept.as_slice()));
        prop_assert_eq!(apart, section);
    }

    /// What definitions read of the bytes is what is read of the sections.
    #[test]
    fn an_outline_says_what_sections_say(
        sections in prop::collection::vec(section(), 0..4), traits in 0..8_usize,
    ) {
        let packed: Vec<Vec<u8>> = sections.iter().map(|section| {
            let mut bytes = Vec::new();
            section.encode_with(b"kept", &mut bytes);
            bytes
        }).collect();
        let outlines: Vec<_> = packed.iter().filter_map(|it| Outline::read(it)).collect();
        for outline in &outlines {
            prop_assert_eq!(outline.computed, b"kept");
        }
        prop_assert_eq!(outlines.len(), sections.len());
        let limits = Limits { traits, ..RULES.limits };
        let of_sections: Vec<&Section> = sections.iter().collect();
        let view = combine(&of_sections, &limits);
        for key in ["a", "b", "c", "d", "e", "f"] {
            let found = TraitsOf::new(outlines.iter().map(|one| one.traits), &limits).get(key);
            prop_assert_eq!(found.as_ref(), view.trait_of(key));
        }
    }

    #[test]
    fn cut_off_sections_are_refused(section in section(), cut in 1..400_usize) {
        let bytes = encoded(&section);
        let kept = bytes.len().saturating_sub(cut);
        prop_assert!(Section::decode(&bytes[..kept]).is_err());
    }

    /// Other bytes are another section or none, and never a panic.
    #[test]
    fn changed_sections_do_no_harm(
        section in section(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encoded(&section);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(section) = Section::decode(&bytes) {
            prop_assert_eq!(encoded(&section), bytes);
            use_it(&section);
        }
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Section::decode(&bytes).is_err() || bytes.len() > 15);
        if let Some(first) = bytes.first_mut() {
            *first = 2;
        }
        if let Ok(section) = Section::decode(&bytes) {
            use_it(&section);
        }
        prop_assert!(Chunk::decode(0, bytes).is_err());
    }
}

#[test]
fn a_section_without_events_survives() {
    let section = Section::default();
    assert_eq!(Section::decode(&encoded(&section)), Ok(section));
}

#[test]
fn a_newer_version_is_named() {
    let error = Section::decode(&[3, 0]).expect_err("a newer version");
    assert_eq!(error.to_string(), "the section has version 3, which this build does not know");
    assert_eq!(Section::default().folded_to(), Position::default());
}

/// What is on disk stays readable: these bytes were written by version 2.
#[test]
fn version_2_stays_as_it_is() {
    let mut group = spec_of_now();
    group.kind = selfsame_event::EventType::Group;
    group.micros = 2_000;
    let history = History::new(vec![spec_of_now(), group]);
    let (section, _) = history.fold([0, 1], Role::User, &RULES);
    let hex: String = encoded(&section).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, VERSION_2);
}

/// Head, lengths (traits, links, chunks, first, last, computed, open), traits, link, first, last, entries.
const VERSION_2: &str = concat!(
    "020001027f2e9dbfe66d9df4",
    "1b12001515000a",
    "0103000101010101010101010101010101010101046d0161000131",
    "000000000000000000000000000000000401",
    "03000101010101010101010101010101010101046d",
    "04010101010101010101010101010101010101046d",
    "2d02010101010111cf0f",
);

#[test]
fn a_count_that_is_not_of_its_chunks_is_refused() {
    let history = History::new(vec![spec_of_now(); 300]);
    let (section, chunks) = history.fold(0..300, Role::User, &RULES);
    assert_eq!(chunks.len(), 1);
    let bytes = encoded(&section);
    assert_eq!(Section::decode(&bytes), Ok(section));
    assert_eq!(bytes[..5], [2, 0, 1, 0xac, 0x02], "300 events");
    for (high, why) in [(0x04, "556 events are two chunks"), (0x00, "44 events take one byte")] {
        let mut other = bytes.clone();
        other[4] = high;
        assert_eq!(Section::decode(&other), Err(DecodeError::Damaged), "{why}");
    }
}
