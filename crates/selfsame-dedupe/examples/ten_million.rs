//! Admits ten million ids, a checkpoint each million and merges beside it, and prints what it cost.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use selfsame_dedupe::{Config, Dedupe, Frozen, Merge, RunInfo, Verdict};
use selfsame_event::{Position, Time};

enum Work {
    Write(Frozen),
    Merge(Merge),
}

/// A good mix of a number, as a keyed hash would be.
fn id(number: u64) -> [u8; 16] {
    let mix = |word: u64| {
        let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let high = mix(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    ((u128::from(high) << 64) | u128::from(mix(high ^ 0x1234_5678))).to_be_bytes()
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("there");
    let kib: u64 =
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024
}

struct Times(Vec<u32>);

impl Times {
    fn print(&mut self, what: &str) {
        self.0.sort_unstable();
        let n = self.0.len();
        let at = |per_million: usize| self.0[(n - 1) * per_million / 1_000_000];
        let [p50, p99, p999, p9999, max] = [500_000, 990_000, 999_000, 999_900, 1_000_000].map(at);
        println!("{what}: {n} calls, ns p50 {p50} p99 {p99} p99.9 {p999} p99.99 {p9999} max {max}");
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000_000);
    let place = std::env::args().nth(2).unwrap_or_else(|| "/tmp".into());
    let dir = tempfile::tempdir_in(place).expect("a folder");
    let base = resident_mib();
    let mut dedupe = Dedupe::open(dir.path(), None, &Config::default()).expect("opens");
    let (work, jobs): (SyncSender<Work>, Receiver<Work>) = sync_channel(16);
    let (done, results) = sync_channel::<RunInfo>(16);
    let folder = dir.path().to_owned();
    let worker = thread::spawn(move || {
        for job in jobs {
            let start = Instant::now();
            let (what, info) = match job {
                Work::Write(frozen) => ("write", frozen.write(&folder).expect("writes")),
                Work::Merge(merge) => ("merge", merge.run().expect("merges")),
            };
            println!("  {what} {} ids, {} bytes, {:?}", info.ids(), info.bytes(), start.elapsed());
            done.send(info).expect("someone listens");
        }
    });
    let mut times = Times(Vec::with_capacity(usize::try_from(count).expect("64 bits")));
    let mut peak = 0;
    let mut outstanding = 0;
    let mut worst_call = std::time::Duration::ZERO;
    let original = Some(Time::from_millis(1_000_000));
    let begun = Instant::now();
    for number in 0..count {
        let id = id(number);
        let now = Time::from_micros(1_000_000_000 + i64::try_from(number).expect("small") * 200);
        let start = Instant::now();
        let verdict = dedupe.admit(id, 1, Position::embedded(number).item(0), now, original);
        times.0.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
        assert_eq!(verdict.ok(), Some(Verdict::New));
        if number % 100_000 == 99_999 {
            let start = Instant::now();
            while let Ok(info) = results.try_recv() {
                dedupe.installed(info);
                outstanding -= 1;
                let manifest = dedupe.manifest();
                let discard = dedupe.stored(&[&manifest]);
                thread::spawn(|| discard.remove());
            }
            if number % 1_000_000 == 999_999 {
                work.send(Work::Write(dedupe.freeze())).expect("there is room");
                outstanding += 1;
            } else if outstanding == 0
                && let Some(merge) = dedupe.plan_merge()
            {
                work.send(Work::Merge(merge)).expect("there is room");
                outstanding += 1;
            }
            worst_call = worst_call.max(start.elapsed());
            peak = peak.max(resident_mib());
        }
    }
    println!("{count} ids in {:?}, checkpoints beside it", begun.elapsed());
    times.print("new ids");
    println!("worst round of installed, manifest, stored, freeze, plan: {worst_call:?}");
    let timing_mib = count * 4 / 1024 / 1024;
    println!("RSS before {base} MiB, peak {peak} MiB, of which {timing_mib} MiB are these timings");
    drop(work);
    while let Ok(info) = results.recv() {
        dedupe.installed(info);
    }
    worker.join().expect("ends well");
    let mut again = Times(Vec::new());
    for n in 0..200_000_u64 {
        let id = id(n.wrapping_mul(7_919) % count);
        let at = Position::embedded(count + n).item(0);
        let start = Instant::now();
        let verdict = dedupe.admit(id, 1, at, Time::from_millis(3_700_000), original);
        again.0.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
        assert!(matches!(verdict, Ok(Verdict::Duplicate { .. })));
    }
    again.print("duplicates from all over");
    println!("{:?}", dedupe.stats());
    let manifest = {
        let frozen = dedupe.freeze();
        let info = frozen.write(dir.path()).expect("writes");
        dedupe.installed(info);
        dedupe.manifest()
    };
    let start = Instant::now();
    let hash = dedupe.canonical_hash().expect("reads");
    println!("canonical hash in {:?}; manifest {} bytes", start.elapsed(), manifest.len());
    drop(dedupe);
    let start = Instant::now();
    let dedupe = Dedupe::open(dir.path(), Some(&manifest), &Config::default()).expect("opens");
    println!("opened in {:?}, RSS {} MiB", start.elapsed(), resident_mib());
    assert_eq!(dedupe.canonical_hash().ok(), Some(hash));
}
