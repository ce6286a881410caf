//! Random histories: few keys, few times and few message ids, so that they meet often.

use proptest::prelude::*;
use selfsame_event::{
    Event, EventType, IdentifierKey, Position, Raw, RecordId, Shared, SourceNumber, Time,
};
use selfsame_profile::{Chunk, FoldEvent, Role, Rules, Section};

/// One event, before it is JSON. Its index in the history is its place in the log.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) kind: EventType,
    pub(crate) micros: i64,
    pub(crate) message_id: String,
    pub(crate) source: u32,
    pub(crate) record: u8,
    pub(crate) traits: Vec<(String, String)>,
    pub(crate) from_us: bool,
    pub(crate) link: u8,
}

pub(crate) const SPACE: &str = "spa_1";
pub(crate) const RULES: Rules<'_> =
    Rules { space_id: SPACE, limits: selfsame_profile::Limits { traits: 1_000, links: 500 } };

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        (0..9_u8).prop_map(|n| n.to_string()),
        Just(r#""""#.to_owned()),
        Just(r#"{"b":null,"c":[1.50]}"#.to_owned()),
    ]
}

pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let message_id = prop_oneof![
        "[a-b]",
        "ajs-next-b4f9d1c0-0000-4abc-8def-0123456789a[0-2]",
        "b4f9d1c0-0000-4abc-8def-0123456789a[0-1]",
    ];
    let kind = prop::sample::select(EventType::ALL.to_vec());
    (
        (kind, prop_oneof![0..4_i64, (0..4_i64).prop_map(|n| n * 1_000)], message_id),
        (0..3_u32, 0..3_u8, 0..4_u8),
        prop::collection::vec(("[a-e]", value()), 0..4),
        prop::bool::weighted(0.1),
    )
        .prop_map(|((kind, micros, message_id), (source, record, link), traits, from_us)| {
            Spec { kind, micros, message_id, source, record, traits, from_us, link }
        })
}

impl Spec {
    pub(crate) fn json(&self) -> String {
        let traits: Vec<String> =
            self.traits.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
        let context = if self.from_us {
            format!(r#"{{"personas":{{"space_id":"{SPACE}"}}}}"#)
        } else {
            "{}".to_owned()
        };
        format!(
            r#"{{"type":"{}","event":"E{}","userId":"u","groupId":"g","previousId":"p","traits":{{{}}},"context":{context}}}"#,
            self.kind,
            self.source,
            traits.join(",")
        )
    }

    /// Several events share a record: the index is the item, and makes the event unique.
    pub(crate) fn record_id(&self) -> RecordId {
        RecordId([self.record; 16])
    }

    pub(crate) fn anchor(&self) -> IdentifierKey {
        IdentifierKey([self.link; 16])
    }
}

/// A history as JSON, from which events borrow.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) specs: Vec<Spec>,
    texts: Vec<String>,
}

impl History {
    pub(crate) fn new(specs: Vec<Spec>) -> Self {
        let texts = specs.iter().map(Spec::json).collect();
        Self { specs, texts }
    }

    /// Folds the events with these indices, in this order.
    pub(crate) fn fold(
        &self,
        indices: impl IntoIterator<Item = usize>,
        role: Role,
        rules: &Rules<'_>,
    ) -> (Section, Vec<Chunk>) {
        let mut section = Section::default();
        let chunks = self.fold_into(&mut section, indices, role, rules);
        (section, chunks)
    }

    /// Folds them into a section that may have others.
    pub(crate) fn fold_into(
        &self,
        section: &mut Section,
        indices: impl IntoIterator<Item = usize>,
        role: Role,
        rules: &Rules<'_>,
    ) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for index in indices {
            let spec = &self.specs[index];
            let raw = Raw::check(self.texts[index].as_bytes()).expect("JSON");
            let event = Event::read(raw, &Shared::default()).expect("an event");
            let number = u32::try_from(index).expect("few");
            let folded = section.fold(
                &FoldEvent {
                    event: &event,
                    message_id: &spec.message_id,
                    record: spec.record_id(),
                    item: number,
                    position: Position::embedded(u64::from(spec.record)),
                    source: SourceNumber(spec.source),
                    happened_at: Time::from_micros(spec.micros),
                    received_at: Time::MAX,
                    link: Some(spec.anchor()),
                },
                role,
                rules,
            );
            chunks.extend(folded.chunk);
        }
        chunks
    }
}
