//! What folding, keeping and reading a section costs.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use selfsame_event::{Event, Position, Raw, RecordId, Shared, SourceNumber, Time};
use selfsame_profile::{FoldEvent, Limits, Role, Rules, Section, combine};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

const TRACK: &str = r#"{"type":"track","event":"Order Completed","anonymousId":"a"}"#;
const IDENTIFY: &str = r#"{"type":"identify","userId":"u","anonymousId":"a","traits":{"email":"ada@example.com","plan":"pro","name":"Ada Lovelace"}}"#;

fn main() {
    divan::main();
}

fn read(text: &str) -> Event<'_> {
    Event::read(Raw::trusted(text), &Shared::default()).expect("an event")
}

/// The nth event of somebody who does something every minute or so.
fn nth<'a>(event: &'a Event<'a>, message_id: &'a str, n: u64) -> FoldEvent<'a> {
    let happened_at =
        Time::from_millis(1_700_000_000_000 + i64::try_from(n).expect("few") * 61_237);
    FoldEvent {
        event,
        message_id,
        record: RecordId(
            (u128::from(n + 1) << 64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes(),
        ),
        item: 0,
        position: Position::embedded(10_000_000 + n * 93_000),
        source: SourceNumber(3),
        happened_at,
        received_at: happened_at,
        link: None,
    }
}

fn message_id(n: u64) -> String {
    format!("ajs-next-1700000000000-{n:08x}-1a2b-4c3d-8e4f-{n:012x}")
}

/// One identify and so many tracks.
fn section(tracks: u64) -> Section {
    let (identify, track) = (read(IDENTIFY), read(TRACK));
    let mut section = Section::default();
    let rules = Rules::default();
    section.fold(&nth(&identify, &message_id(0), 0), Role::User, &rules);
    for n in 1..=tracks {
        section.fold(&nth(&track, &message_id(n), n), Role::User, &rules);
    }
    section
}

/// The common case: one more event. Under 300 ns, and nothing is allocated but room to grow.
#[divan::bench(args = [10, 100, 200])]
fn track_into_warm(bencher: Bencher<'_, '_>, tracks: u64) {
    let (event, id) = (read(TRACK), message_id(tracks + 1));
    bencher.counter(ItemsCount::new(1_u32)).with_inputs(|| section(tracks)).bench_refs(|section| {
        section.fold(&nth(&event, &id, tracks + 1), Role::User, &Rules::default())
    });
}

/// An event that is older than all others of a chunk that is nearly full: every entry is read.
#[divan::bench]
fn late_track(bencher: Bencher<'_, '_>) {
    let (event, id) = (read(TRACK), message_id(1));
    let mut late = nth(&event, &id, 900);
    late.happened_at = Time::from_millis(1);
    bencher
        .counter(ItemsCount::new(1_u32))
        .with_inputs(|| section(250))
        .bench_refs(|section| section.fold(&late, Role::User, &Rules::default()));
}

/// Three traits that are there already.
#[divan::bench]
fn identify_three_traits(bencher: Bencher<'_, '_>) {
    let (event, id) = (read(IDENTIFY), message_id(11));
    bencher
        .counter(ItemsCount::new(1_u32))
        .with_inputs(|| section(10))
        .bench_refs(|section| section.fold(&nth(&event, &id, 11), Role::User, &Rules::default()));
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let section = section(9);
    bencher.with_inputs(|| Vec::with_capacity(1_024)).bench_refs(|out| section.encode(out));
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let mut bytes = Vec::new();
    section(9).encode(&mut bytes);
    bencher.bench(|| Section::decode(black_box(&bytes)));
}

#[divan::bench]
fn combine_three(bencher: Bencher<'_, '_>) {
    let sections = [section(5), section(9), section(20)];
    let limits = Limits::default();
    bencher
        .bench(|| combine(&[&sections[0], &sections[1], &sections[2]], black_box(&limits)).events);
}
