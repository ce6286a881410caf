//! Admits ten million ids, a checkpoint each million and merges beside it, and prints what it cost.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement")]

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

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

/// Time that this thread had a processor, so that other programs do not count.
fn busy_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("linux");
    stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("a number")
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

/// The thread that may wait.
struct Worker {
    work: SyncSender<Work>,
    results: Receiver<RunInfo>,
    outstanding: usize,
}

impl Worker {
    fn start(folder: PathBuf) -> Self {
        let (work, jobs) = sync_channel(16);
        let (done, results) = sync_channel(16);
        thread::spawn(move || {
            for job in jobs {
                let start = Instant::now();
                let (what, info) = match job {
                    Work::Write(frozen) => ("write", frozen.write(&folder).expect("writes")),
                    Work::Merge(merge) => ("merge", merge.run().expect("merges")),
                };
                println!(
                    "  {what} {} ids, {} bytes, {:?}",
                    info.ids(),
                    info.bytes(),
                    start.elapsed()
                );
                done.send(info).expect("someone listens");
            }
        });
        Self { work, results, outstanding: 0 }
    }

    fn give(&mut self, work: Work) {
        self.work.send(work).expect("there is room");
        self.outstanding += 1;
    }

    fn take(&mut self, dedupe: &mut Dedupe, info: RunInfo) {
        self.outstanding -= 1;
        dedupe.installed(info);
        let manifest = dedupe.manifest();
        let discard = dedupe.stored(&[&manifest]);
        thread::spawn(|| discard.remove());
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000_000);
    let place = std::env::args().nth(2).unwrap_or_else(|| "/tmp".into());
    let dir = tempfile::tempdir_in(place).expect("a folder");
    let mut dedupe = Dedupe::open(dir.path(), None, &Config::default()).expect("opens");
    let mut worker = Worker::start(dir.path().to_owned());
    admit_new(&mut dedupe, &mut worker, count);
    while worker.outstanding > 0 {
        let info = worker.results.recv().expect("it works");
        worker.take(&mut dedupe, info);
    }
    admit_again(&mut dedupe, count);
    println!("{:?}", dedupe.stats());
    worker.give(Work::Write(dedupe.freeze()));
    let info = worker.results.recv().expect("it works");
    worker.take(&mut dedupe, info);
    let manifest = dedupe.manifest();
    let start = Instant::now();
    let hash = dedupe.canonical_hash().expect("reads");
    println!("canonical hash in {:?}; manifest {} bytes", start.elapsed(), manifest.len());
    drop(dedupe);
    let start = Instant::now();
    let dedupe = Dedupe::open(dir.path(), Some(&manifest), &Config::default()).expect("opens");
    println!("opened in {:?}, RSS {} MiB", start.elapsed(), resident_mib());
    assert_eq!(dedupe.canonical_hash().ok(), Some(hash));
}

fn admit_new(dedupe: &mut Dedupe, worker: &mut Worker, count: u64) {
    let original = Some(Time::from_millis(1_000_000));
    let mut times = Times(vec![0; usize::try_from(count).expect("64 bits")]);
    times.0.fill(1);
    let (before, mut peak, mut worst_round) = (resident_mib(), 0, Duration::ZERO);
    let (begun, busy) = (Instant::now(), busy_nanos());
    for number in 0..count {
        let id = id(number);
        let now = Time::from_micros(1_000_000_000 + i64::try_from(number).expect("small") * 200);
        let at = Position::embedded(number).item(0);
        let start = Instant::now();
        let verdict = dedupe.admit(id, 1, at, now, original);
        let nanos = start.elapsed().as_nanos();
        times.0[usize::try_from(number).expect("64 bits")] =
            u32::try_from(nanos).unwrap_or(u32::MAX);
        assert_eq!(verdict.ok(), Some(Verdict::New));
        if number % 100_000 != 99_999 {
            continue;
        }
        let start = Instant::now();
        while let Ok(info) = worker.results.try_recv() {
            worker.take(dedupe, info);
        }
        if number % 1_000_000 == 999_999 {
            worker.give(Work::Write(dedupe.freeze()));
        } else if worker.outstanding == 0
            && let Some(merge) = dedupe.plan_merge()
        {
            worker.give(Work::Merge(merge));
        }
        worst_round = worst_round.max(start.elapsed());
        peak = peak.max(resident_mib());
    }
    println!("{count} ids in {:?}, checkpoints and merges beside it", begun.elapsed());
    println!("processor time of this thread: {} ns an id", (busy_nanos() - busy) / count);
    times.print("new ids");
    println!("worst round of installed, manifest, stored, freeze, plan: {worst_round:?}");
    println!("RSS {before} MiB before, peak {peak} MiB: {} MiB for the set", peak - before);
}

fn admit_again(dedupe: &mut Dedupe, count: u64) {
    let mut times = Times(Vec::new());
    for number in 0..200_000_u64 {
        let id = id(number.wrapping_mul(7_919) % count);
        let at = Position::embedded(count + number).item(0);
        let start = Instant::now();
        let verdict = dedupe.admit(id, 1, at, Time::from_millis(1_000_000), None);
        times.0.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
        assert!(matches!(verdict, Ok(Verdict::Duplicate { .. })));
    }
    times.print("duplicates from all over");
}
