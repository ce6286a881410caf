//! Pages of timelines, against a sorted list.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use selfsame_event::{Event, EventType, Position, Raw, RecordId, Shared, SourceNumber, Time};
use selfsame_profile::{
    Chunk, ChunkError, EntryKey, FoldEvent, NameKey, Order, Page, Query, Role, Rules, Section, page,
};

const EVENTS: [(&str, EventType); 4] = [
    (r#"{"type":"track","event":"Ordered","userId":"u"}"#, EventType::Track),
    (r#"{"type":"track","event":"Opened","userId":"u"}"#, EventType::Track),
    (r#"{"type":"page","userId":"u"}"#, EventType::Page),
    (r#"{"type":"alias","userId":"u","previousId":"p"}"#, EventType::Alias),
];

/// Sections, their stored chunks, and every entry's key, event and section.
struct Stored {
    sections: Vec<Section>,
    chunks: BTreeMap<(usize, u32), Vec<u8>>,
    keys: Vec<(EntryKey, usize, usize)>,
}

/// Time, record, item, which event, section.
type Row = (i64, u32, u32, usize, usize);

fn row(micros: impl Strategy<Value = i64>, sections: usize) -> impl Strategy<Value = Row> {
    (micros, 0..400_u32, 0..3_u32, 0..EVENTS.len(), 0..sections)
}

fn rows(sections: usize) -> impl Strategy<Value = Vec<Row>> {
    prop_oneof![
        // few moments
        prop::collection::vec(row(0..40_i64, sections), 0..900),
        // nearly in order, over years, with late ones
        prop::collection::vec(row(0..2_000_000_000_000_000_i64, sections), 0..900).prop_map(
            |mut rows| {
                let count = rows.len();
                rows.sort_by_key(|row| row.0);
                for at in (0..count).step_by(37) {
                    rows.swap(at, count - 1 - at);
                }
                rows.iter_mut().filter(|row| row.1 % 3 > 0).for_each(|row| row.0 -= row.0 % 1_000);
                rows
            }
        ),
    ]
}

fn store(rows: &[Row], count: usize) -> Stored {
    let events = EVENTS
        .map(|(text, _)| Event::read(Raw::trusted(text), &Shared::default()).expect("an event"));
    let mut stored = Stored {
        sections: vec![Section::default(); count],
        chunks: BTreeMap::new(),
        keys: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for (micros, record, item, which, section) in rows.iter().copied() {
        if !seen.insert((record, item)) {
            continue;
        }
        let time = Time::from_micros(micros);
        // Every third record shares its first three bytes with others.
        let [a, b, c, d] = record.to_be_bytes();
        let mut id = [0; 16];
        id[..4].copy_from_slice(&if record % 3 == 0 { [7, 7, 7, d] } else { [d, c, b, a] });
        id[8] = c;
        let position =
            Position { partition: u32::from(record > 390), offset: u64::from(record) * 1_000 };
        let folded = stored.sections[section].fold(
            &FoldEvent {
                event: &events[which],
                message_id: "m",
                record: RecordId(id),
                item,
                position,
                source: SourceNumber(1),
                happened_at: time,
                received_at: Time::MAX,
                link: None,
            },
            Role::User,
            &Rules::default(),
        );
        if let Some(chunk) = folded.chunk {
            assert_eq!(chunk.entries().count(), 256);
            let old = stored.chunks.insert((section, chunk.number()), chunk.bytes().to_vec());
            assert_eq!(old, None, "a number is used once");
        }
        stored.keys.push((
            EntryKey { time, tie: [id[0], id[1], id[2]], item, position },
            which,
            section,
        ));
    }
    stored
}

impl Stored {
    /// One page, and which chunks it loaded.
    fn page(&self, query: &Query, wanted: [bool; 4]) -> (Page, Vec<(usize, u32)>) {
        let sections: Vec<&Section> = self.sections.iter().collect();
        let mut loaded = Vec::new();
        let names = [NameKey::of("Ordered"), NameKey::of("Opened"), NameKey::of("Page Viewed")];
        let page = page(
            &sections,
            query,
            |entry| match entry.name() {
                Some(name) => {
                    let at = names.iter().position(|known| *known == name).expect("a name");
                    wanted[at]
                }
                None => wanted[3],
            },
            |section, number| {
                loaded.push((section, number));
                Chunk::decode(number, self.chunks[&(section, number)].clone())
            },
        );
        (page.unwrap_or_else(|error: ChunkError| panic!("{error}")), loaded)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn pages_are_the_sorted_list(
        rows in rows(3),
        oldest_first: bool,
        wanted: [bool; 4],
        limit in 1..400_usize,
        range in prop_oneof![Just((0, i64::MAX)), (0..30_i64, 0..40_i64), (0..1_000_000_000_000_000_i64, 0..2_000_000_000_000_000_i64)],
    ) {
        let stored = store(&rows, 3);
        let order = if oldest_first { Order::OldestFirst } else { Order::NewestFirst };
        let (from, to) = (Time::from_micros(range.0), Time::from_micros(range.1));
        let mut expected: Vec<_> = stored
            .keys
            .iter()
            .filter(|(key, which, _)| from <= key.time && key.time <= to && wanted[*which])
            .copied()
            .collect();
        expected.sort();
        if order == Order::NewestFirst {
            expected.reverse();
        }
        let mut query = Query { from, to, order, limit, behind: None };
        let mut found = Vec::new();
        loop {
            let (page, mut loaded) = stored.page(&query, wanted);
            prop_assert!(page.entries.len() <= limit);
            prop_assert!(!page.more || page.entries.len() == limit, "a page is full unless it is the last");
            for (section, number) in &loaded {
                let times = stored.sections[*section].chunks().nth(*number as usize).expect("a chunk");
                prop_assert!(times.max >= from && times.min <= to, "it overlaps the range");
            }
            let count = loaded.len();
            loaded.sort();
            loaded.dedup();
            prop_assert_eq!(loaded.len(), count, "a chunk is loaded once");
            for placed in &page.entries {
                let which = EVENTS.iter().position(|(_, kind)| *kind == placed.entry.kind);
                let second = placed.entry.name() == Some(NameKey::of("Opened"));
                found.push((placed.entry.key, which.expect("a kind") + usize::from(second), placed.section));
            }
            prop_assert!(found.len() <= expected.len(), "pages end");
            query.behind = page.entries.last().map(|placed| placed.entry.key);
            if !page.more {
                break;
            }
        }
        prop_assert_eq!(found, expected);
    }

    /// Chunks and open entries survive, and say their times.
    #[test]
    fn chunks_survive(rows in rows(1)) {
        let stored = store(&rows, 1);
        let mut keys: BTreeSet<EntryKey> = stored.sections[0].open_entries().map(|entry| entry.key).collect();
        for ((_, number), bytes) in &stored.chunks {
            let chunk = Chunk::decode(*number, bytes.clone()).expect("a chunk");
            let times = stored.sections[0].chunks().nth(*number as usize);
            prop_assert_eq!(times, Some(chunk.times()));
            keys.extend(chunk.entries().map(|entry| entry.key));
            prop_assert!(Chunk::decode(0, &bytes[..bytes.len() - 1]).is_err());
        }
        prop_assert_eq!(keys, stored.keys.iter().map(|(key, ..)| *key).collect());
    }
}

/// The newest page of a long history loads nothing while the open entries suffice.
#[test]
fn only_what_a_page_reaches_is_loaded() {
    let rows: Vec<Row> = (0..1_000_u32).map(|n| (i64::from(n) * 1_000, n, 0, 0, 0)).collect();
    let stored = store(&rows, 1);
    let all = [true; 4];
    let newest = |limit| Query { limit, ..Query::default() };
    assert_eq!(stored.page(&newest(100), all).1, []);
    assert_eq!(stored.page(&newest(300), all).1, [(0, 2)]);
    let oldest = Query { order: Order::OldestFirst, ..newest(10) };
    assert_eq!(stored.page(&oldest, all).1, [(0, 0)]);
    let middle = Query { from: Time::from_millis(300), to: Time::from_millis(310), ..newest(100) };
    let (page, loaded) = stored.page(&middle, all);
    assert_eq!((page.entries.len(), page.more), (11, false));
    assert_eq!(loaded, [(0, 1)]);
}

#[test]
fn what_loading_says_comes_back() {
    let rows: Vec<Row> = (0..300_u32).map(|n| (i64::from(n), n, 0, 0, 0)).collect();
    let stored = store(&rows, 1);
    let query = Query { order: Order::OldestFirst, ..Query::default() };
    let page = page(&[&stored.sections[0]], &query, |_| true, |_, _| Err("no disk"));
    assert_eq!(page, Err("no disk"));
}

/// Events of one moment fill several chunks: their order is still one, over all of them.
#[test]
fn pages_of_one_moment_are_in_order() {
    let rows: Vec<Row> = (0..900_u32).map(|n| (5, n * 7 % 300, n / 300, 0, 0)).collect();
    let stored = store(&rows, 1);
    assert_eq!((stored.keys.len(), stored.chunks.len()), (900, 3));
    let mut expected: Vec<EntryKey> = stored.keys.iter().map(|(key, ..)| *key).collect();
    expected.sort();
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut query = Query { order, limit: 100, ..Query::default() };
        let mut found: Vec<EntryKey> = Vec::new();
        for _ in 0..9 {
            let (page, _) = stored.page(&query, [true; 4]);
            found.extend(page.entries.iter().map(|placed| placed.entry.key));
            query.behind = found.last().copied();
        }
        assert_eq!(found, expected, "{order:?}");
        expected.reverse();
    }
}
