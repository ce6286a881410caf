use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use selfsame_event::{Class, Position};

use super::*;
use crate::config::Config;
use crate::error::OpenError;

mod model;

use model::Model;

const HOUR: i64 = 3_600_000_000;

/// A window of three hours, room for `ids` ids and `tags` tags.
fn config(ids: u64, tags: u64) -> Config {
    Config {
        window: Duration::from_secs(3 * 3_600),
        disk_budget_bytes: ids * 48,
        memory_budget_bytes: tags * 10,
    }
}

/// An id. Numbers that differ by 1,000 have the same tag and the same place in a filter's line.
fn id(number: u64) -> [u8; 16] {
    let high = (number % 1_000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((u128::from(high) << 64) | u128::from(number / 1_000)).to_be_bytes()
}

fn at(number: u64) -> ItemPosition {
    Position::embedded(number / 3).item(u32::try_from(number % 3).expect("below 3"))
}

fn minutes(minutes: i64) -> Time {
    Time::from_micros(1_000 * HOUR + minutes * 60_000_000)
}

fn open(dir: &Path, manifest: Option<&[u8]>, config: &Config) -> Dedupe {
    Dedupe::open(dir, manifest, config).expect("opens")
}

fn checkpoint(dedupe: &mut Dedupe) -> Vec<u8> {
    let frozen = dedupe.freeze();
    let info = frozen.write(dedupe.dir()).expect("writes");
    dedupe.installed(info);
    dedupe.manifest()
}

fn admit(dedupe: &mut Dedupe, number: u64, place: u64, time: Time) -> Verdict {
    dedupe.admit(id(number), 7, at(place), time, None).expect("admits")
}

fn seen(place: u64) -> Verdict {
    Verdict::Duplicate { first: at(place) }
}

#[test]
fn an_id_is_new_once_then_a_duplicate_and_other_content_has_its_own_verdict() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &Config::default());
    assert_eq!(admit(&mut dedupe, 1, 0, minutes(0)), Verdict::New);
    assert_eq!(admit(&mut dedupe, 1, 1, minutes(0)), seen(0));
    let other = dedupe.admit(id(1), 8, at(2), minutes(0), None).expect("admits");
    assert_eq!(other, Verdict::DifferentContent { first: at(0) });
    let stats = dedupe.stats();
    assert_eq!((stats.ids, stats.duplicates, stats.different_content), (1, 1, 1));
}

#[test]
fn equal_tags_are_no_duplicates_wherever_the_ids_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config::default();
    let mut dedupe = open(dir.path(), None, &config);
    for number in 0..300 {
        assert_eq!(admit(&mut dedupe, number * 1_000 + 5, number, minutes(0)), Verdict::New);
        if number % 50 == 20 {
            checkpoint(&mut dedupe);
        }
    }
    let manifest = checkpoint(&mut dedupe);
    let mut dedupe = open(dir.path(), Some(&manifest), &config);
    for number in 0..300 {
        assert_eq!(admit(&mut dedupe, number * 1_000 + 5, 300 + number, minutes(0)), seen(number));
    }
    assert_eq!(admit(&mut dedupe, 300 * 1_000 + 5, 600, minutes(0)), Verdict::New);
}

#[test]
fn an_id_counts_for_the_whole_window_and_leaves_with_its_hour() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(1_000, 1_000));
    admit(&mut dedupe, 1, 0, minutes(59));
    admit(&mut dedupe, 2, 1, minutes(60));
    assert_eq!(admit(&mut dedupe, 1, 2, minutes(59 + 180)), seen(0));
    assert_eq!(admit(&mut dedupe, 1, 3, minutes(240)), Verdict::New);
    assert_eq!(admit(&mut dedupe, 2, 4, minutes(240)), seen(1));
    assert_eq!(dedupe.stats().oldest, Some(minutes(60)));
    assert_eq!(dedupe.stats().window_shrunk_to, None);
}

#[test]
fn log_time_that_stands_back_brings_nothing_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(1_000, 1_000));
    admit(&mut dedupe, 1, 0, minutes(0));
    admit(&mut dedupe, 2, 1, minutes(300));
    assert_eq!(admit(&mut dedupe, 1, 2, minutes(0)), Verdict::New);
    assert_eq!(dedupe.stats().oldest, Some(minutes(300)));
}

#[test]
fn a_full_budget_shortens_the_window_and_says_so_until_it_is_whole_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(640, 1_000));
    for number in 0..641 {
        let time = minutes(i64::try_from(number / 10).expect("small"));
        assert_eq!(admit(&mut dedupe, number, number, time), Verdict::New);
    }
    let stats = dedupe.stats();
    assert_eq!((stats.ids, stats.left_early), (631, 10));
    assert_eq!(stats.window_shrunk_to, Some(Duration::from_secs(63 * 60)));
    assert_eq!(admit(&mut dedupe, 10, 641, minutes(64)), seen(10));
    assert_eq!(admit(&mut dedupe, 9, 642, minutes(64)), Verdict::New);
    admit(&mut dedupe, 9_999, 643, minutes(240));
    assert_eq!(dedupe.stats().window_shrunk_to, None);
}

#[test]
fn past_the_tags_a_retry_is_found_by_its_original_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(1_000, 20));
    let first = minutes(10);
    dedupe.admit(id(1), 7, at(0), first, Some(first)).expect("admits");
    for number in 10..60 {
        admit(&mut dedupe, number, number, minutes(170));
    }
    checkpoint(&mut dedupe);
    let mut again = |place, original| {
        dedupe.admit(id(1), 7, at(place), minutes(171), original).expect("admits")
    };
    assert_eq!(again(100, Some(first)), seen(0));
    assert_eq!(again(101, None), seen(0));
    // The promise ends where the event claims to be an hour younger than what was seen.
    assert_eq!(again(102, Some(minutes(130))), Verdict::New);
    assert_eq!(again(103, Some(minutes(130))), seen(102));
}

#[test]
fn shown_out_of_order_or_from_another_partition_is_our_own_bug() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &Config::default());
    admit(&mut dedupe, 1, 5, minutes(0));
    for place in [
        at(5),
        at(4),
        Position { partition: 1, offset: 9 }.item(0),
        Position::embedded(9).item(INDEX_END),
        Position::embedded(1 + OFFSET_REACH).item(0),
    ] {
        let error = dedupe.admit(id(2), 7, place, minutes(0), None).expect_err("refused");
        assert_eq!(error.class(), Class::Bug);
    }
    assert_eq!(admit(&mut dedupe, 2, 6, minutes(0)), Verdict::New);
}

#[test]
fn runs_of_a_passed_hour_become_one_and_their_files_wait_for_the_manifests() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(100_000, 1_000));
    for number in 0..5 {
        admit(&mut dedupe, number, number, minutes(10));
        checkpoint(&mut dedupe);
    }
    assert!(dedupe.plan_merge().is_none(), "the hour goes on");
    admit(&mut dedupe, 5, 5, minutes(70));
    let before = checkpoint(&mut dedupe);
    let merge = dedupe.plan_merge().expect("the hour has passed");
    assert_eq!(merge.ids(), 5);
    dedupe.installed(merge.run().expect("merges"));
    assert_eq!(dedupe.stats().runs, 2);
    let after = dedupe.manifest();
    assert_eq!(dedupe.stored(&[&before, &after]).len(), 0);
    let hash = dedupe.canonical_hash().expect("reads");
    assert_eq!(
        open(dir.path(), Some(&after), &Config::default()).canonical_hash().ok(),
        Some(hash)
    );
    let discard = dedupe.stored(&[&after]);
    assert_eq!(discard.len(), 5);
    discard.remove().expect("removes");
    assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 2);
    let missing = Dedupe::open(dir.path(), Some(&before), &Config::default()).expect_err("gone");
    assert!(
        matches!(&missing, OpenError::Missing { path } if path.ends_with(format!("{:016x}.run", 0)))
    );
    assert_eq!(missing.class(), Class::Corrupt);
}

#[test]
fn a_freeze_that_is_written_first_waits_for_the_one_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &Config::default());
    admit(&mut dedupe, 1, 0, minutes(0));
    let first = dedupe.freeze();
    admit(&mut dedupe, 2, 1, minutes(0));
    let second = dedupe.freeze();
    admit(&mut dedupe, 3, 2, minutes(0));
    let empty = dedupe.manifest();
    dedupe.installed(second.write(dir.path()).expect("writes"));
    assert_eq!(dedupe.manifest()[..40], empty[..40]);
    assert_eq!(dedupe.stats().runs, 0);
    dedupe.installed(first.write(dir.path()).expect("writes"));
    assert_eq!(dedupe.stats().runs, 2);
    let manifest = dedupe.manifest();
    for number in 1..4 {
        assert_eq!(admit(&mut dedupe, number, 9 + number, minutes(0)), seen(number - 1));
    }
    let mut again = open(dir.path(), Some(&manifest), &Config::default());
    assert_eq!(admit(&mut again, 2, 2, minutes(0)), seen(1));
    assert_eq!(admit(&mut again, 3, 3, minutes(0)), Verdict::New);
}

#[test]
fn every_flipped_bit_is_noticed_and_the_file_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = config(100_000, 1_000);
    let mut dedupe = open(dir.path(), None, &config);
    for number in 0..300 {
        admit(&mut dedupe, number, number, minutes(0));
    }
    let manifest = checkpoint(&mut dedupe);
    let path = dir.path().join(crate::run::file_name(0));
    let whole = fs::read(&path).expect("reads");
    for byte in (0..12).chain((4_096..whole.len()).step_by(7)).chain(whole.len() - 96..whole.len())
    {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << (byte % 8);
        fs::write(&path, bytes).expect("writes");
        let error = Dedupe::open(dir.path(), Some(&manifest), &config).expect_err("noticed");
        assert_eq!(error.class(), Class::Corrupt, "byte {byte}");
        assert!(error.to_string().contains("0000000000000000.run"), "{error}");
    }
    for byte in 0..manifest.len() {
        let mut bytes = manifest.clone();
        bytes[byte] ^= 1;
        assert!(Dedupe::open(dir.path(), Some(&bytes), &config).is_err(), "byte {byte}");
    }
}

#[test]
fn damage_after_opening_stops_the_admit_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &config(100_000, 1_000));
    admit(&mut dedupe, 1, 0, minutes(0));
    checkpoint(&mut dedupe);
    let path = dir.path().join(crate::run::file_name(0));
    let whole = fs::read(&path).expect("reads");
    let mut bytes = whole.clone();
    bytes[4_100] ^= 1;
    fs::write(&path, bytes).expect("writes");
    let error = dedupe.admit(id(1), 7, at(1), minutes(0), None).expect_err("noticed");
    assert_eq!(error.class(), Class::Corrupt);
    fs::write(&path, whole).expect("writes");
    assert_eq!(admit(&mut dedupe, 1, 1, minutes(0)), seen(0));
}

#[test]
fn opening_deletes_what_was_begun_or_written_after_the_checkpoint() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, &Config::default());
    admit(&mut dedupe, 1, 0, minutes(0));
    let manifest = checkpoint(&mut dedupe);
    admit(&mut dedupe, 2, 1, minutes(0));
    checkpoint(&mut dedupe);
    fs::write(dir.path().join("0000000000000009.tmp"), "begun").expect("writes");
    let mut dedupe = open(dir.path(), Some(&manifest), &Config::default());
    assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 1);
    assert_eq!(admit(&mut dedupe, 2, 1, minutes(0)), Verdict::New);
}

/// What happens to the real set between admits.
#[derive(Debug, Clone)]
enum Step {
    Admit {
        id: u64,
        content: u32,
        minutes: i64,
        original: Option<i64>,
    },
    Freeze,
    Write,
    Merge,
    /// Crash: everything in memory is lost, back to the newest stored manifest and replay.
    Crash,
}

fn steps(ids: u64) -> impl Strategy<Value = Vec<Step>> {
    let original = prop_oneof![
        1 => Just(None),
        4 => (0..300_i64).prop_map(Some),
        1 => (-90..0_i64).prop_map(Some),
    ];
    let admit =
        (0..ids, 0..40_u32, 0..200_i64, original).prop_map(|(id, content, minutes, original)| {
            let minutes = if minutes < 170 { 0 } else { minutes - 169 };
            Step::Admit { id: id * 500, content: content / 39, minutes, original }
        });
    let step = prop_oneof![
        60 => admit, 3 => Just(Step::Freeze), 4 => Just(Step::Write),
        3 => Just(Step::Merge), 1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..900)
}

/// Runs the steps; every verdict must be the model's, after every crash again.
fn run_steps(steps: &[Step], config: &Config) -> Result<[u8; 32], TestCaseError> {
    let dir = tempfile::tempdir().expect("a folder");
    let mut dedupe = open(dir.path(), None, config);
    let mut model = Model::new(config);
    let mut log = Vec::new();
    let mut verdicts = Vec::new();
    let mut frozen = VecDeque::new();
    let mut stored: Option<(usize, Vec<u8>)> = None;
    let mut now = 0;
    for step in steps {
        match step {
            Step::Admit { id: number, content, minutes: later, original } => {
                now += later;
                let original = original.map(|before| minutes(now - before));
                let event =
                    (id(*number), *content, at(verdicts.len() as u64), minutes(now), original);
                let verdict = model.admit(event);
                prop_assert_eq!(admit_event(&mut dedupe, event), verdict);
                log.push(event);
                verdicts.push(verdict);
            }
            Step::Freeze => frozen.push_back((log.len(), dedupe.freeze())),
            Step::Write => {
                if let Some((position, frozen)) = frozen.pop_front() {
                    dedupe.installed(frozen.write(dir.path()).expect("writes"));
                    drop(frozen);
                    let manifest = dedupe.manifest();
                    dedupe.stored(&[&manifest]).remove().expect("removes");
                    stored = Some((position, manifest));
                }
            }
            Step::Merge => {
                if let Some(merge) = dedupe.plan_merge() {
                    let info = merge.run().expect("merges");
                    dedupe.installed(info);
                }
            }
            Step::Crash => {
                if let Some((_, unfinished)) = frozen.pop_front() {
                    unfinished.write(dir.path()).expect("writes");
                }
                frozen.clear();
                let before = dedupe.canonical_hash().expect("reads");
                let (position, manifest) =
                    stored.clone().map_or((0, None), |(position, bytes)| (position, Some(bytes)));
                dedupe = open(dir.path(), manifest.as_deref(), config);
                for (event, verdict) in log.iter().zip(&verdicts).skip(position) {
                    prop_assert_eq!(admit_event(&mut dedupe, *event), *verdict);
                }
                prop_assert_eq!(dedupe.canonical_hash().expect("reads"), before);
            }
        }
    }
    let stats = dedupe.stats();
    prop_assert_eq!(stats.ids, model.live());
    let found =
        |kind: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| kind(verdict)).count() as u64;
    prop_assert_eq!(stats.admitted, found(|verdict| *verdict == Verdict::New));
    prop_assert_eq!(
        stats.duplicates,
        found(|verdict| matches!(verdict, Verdict::Duplicate { .. }))
    );
    Ok(dedupe.canonical_hash().expect("reads"))
}

fn admit_event(dedupe: &mut Dedupe, event: model::Event) -> Verdict {
    let (id, content, at, now, original) = event;
    dedupe.admit(id, content, at, now, original).expect("admits")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Verdicts are those of a plain map, and the state depends on the log alone.
    #[test]
    fn verdicts_are_those_of_the_model_whatever_happens_in_between(
        steps in steps(400),
        tags in prop_oneof![Just(4_u64), Just(40), Just(10_000)],
        budget in prop_oneof![Just(64_u64), Just(200), Just(100_000)],
    ) {
        let config = config(budget, tags);
        let hash = run_steps(&steps, &config)?;
        let plain: Vec<Step> =
            steps.into_iter().filter(|step| matches!(step, Step::Admit { .. })).collect();
        prop_assert_eq!(run_steps(&plain, &config)?, hash);
    }

    /// With tags and budget for all, the set is a plain map, whatever the original times say.
    #[test]
    fn inside_tags_and_window_nothing_is_ever_missed(ids in prop::collection::vec(0..300_u64, 1..600)) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut dedupe = open(dir.path(), None, &Config::default());
        let mut first = HashMap::new();
        for (place, number) in (0..).zip(ids) {
            let original = Some(minutes(i64::try_from(number).expect("small")));
            let verdict = dedupe.admit(id(number), 7, at(place), minutes(0), original).expect("admits");
            match first.get(&number) {
                Some(seen_at) => prop_assert_eq!(verdict, seen(*seen_at)),
                None => prop_assert_eq!(verdict, Verdict::New),
            }
            first.entry(number).or_insert(place);
            if place % 64 == 63 {
                checkpoint(&mut dedupe);
            }
        }
    }
}
