//! Prints how fast records of 500 byte events are appended durably, read back, and what they cost.
//!
//! `cargo run --release -p selfsame-log --example append_speed -- <an empty folder>`

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::{Clock, RecordId, SystemClock};
use selfsame_log::{Append, Item, Log, LogConfig, LogRead, NewRecord, RealFs, SegmentLog};

/// How many appends are under way at a time, as many requests would be.
const IN_FLIGHT: usize = 1_000;

/// Processor seconds of this process until now.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn event(number: u64) -> Item {
    let text = format!(
        r#"{{"type":"track","event":"Order Completed","userId":"user-{number}","messageId":"m-{:x}""#,
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    );
    let filler = format!(r#","properties":{{"total":{},"note":""#, number * 37 % 10_007);
    let mut bytes = format!("{text}{filler}").into_bytes();
    let mut state = number;
    while bytes.len() < 497 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(format!("{:x} ", state >> 44).as_bytes());
    }
    bytes.truncate(497);
    bytes.extend_from_slice(b"\"}}");
    Item::Body(bytes.into())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name an empty folder")?;
    let clock = Arc::new(SystemClock::default());
    let mut out = std::io::stdout();
    for (items, records) in [(1_u64, 400_000_u64), (100, 10_000)] {
        let config = LogConfig::new(format!("{folder}/{items}"), [42; 16]);
        let log = SegmentLog::open(&config, clock.clone(), Arc::new(RealFs))?;
        let made: Vec<_> = (0..256).map(|n| (0..items).map(|i| event(n + i)).collect()).collect();
        let (started, cpu) = (clock.monotonic_micros(), processor_seconds());
        let mut waiting: VecDeque<Append> = VecDeque::with_capacity(IN_FLIGHT);
        for (number, items) in (0..records).zip(made.iter().cycle()) {
            if waiting.len() == IN_FLIGHT
                && let Some(append) = waiting.pop_front()
            {
                append.wait()?;
            }
            let items: Vec<Item> = Vec::clone(items);
            let mut id = RecordId::default();
            id.0[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            let head = Bytes::from_static(br#"{"source":"web","ip":"203.0.113.9"}"#);
            waiting.push_back(log.append(NewRecord { id, kind: 1, head, items }));
        }
        for append in waiting {
            append.wait()?;
        }
        let seconds = (clock.monotonic_micros() - started) as f64 / 1e6;
        let cpu = (processor_seconds() - cpu) / records as f64 * 1e6;
        let stats = log.stats();
        writeln!(
            out,
            "{items} items: {:.0} records/s, {:.0} events/s, {:.0} MB/s, {cpu:.2} us of processor a \
             record (with sealing), {:.1} records a sync, last sync {} us",
            records as f64 / seconds,
            (records * items) as f64 / seconds,
            (records * items * 500) as f64 / seconds / 1e6,
            records as f64 / stats.groups as f64,
            stats.last_sync_micros,
        )?;
        log.seal()?;
        let bytes = log.stats().disk_bytes;
        let (started, cpu) = (clock.monotonic_micros(), processor_seconds());
        let mut next = log.first();
        while next != log.end() {
            let read = log.read(next, 1 << 20)?;
            next.offset += read.len() as u64;
        }
        let seconds = (clock.monotonic_micros() - started) as f64 / 1e6;
        let cpu = (processor_seconds() - cpu) / records as f64 * 1e6;
        writeln!(
            out,
            "  read: {:.0} records/s, {:.0} events/s, {cpu:.2} us a record; {bytes} bytes on disk",
            records as f64 / seconds,
            (records * items) as f64 / seconds,
        )?;
        let (started, mut gets) = (clock.monotonic_micros(), 0_u32);
        for number in 0..20_000_u64 {
            let offset = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % records;
            gets += u32::from(log.get(selfsame_event::Position::embedded(offset)).is_ok());
        }
        let micros = (clock.monotonic_micros() - started) as f64 / f64::from(gets);
        writeln!(out, "  get of a random record: {micros:.1} us")?;
    }
    Ok(())
}
