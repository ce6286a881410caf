use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::Time;
use selfsame_event::packed::{Reader, put_number};

use super::Chain;

/// Entries that say what they are: one more than their time.
fn written(times: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    let put = |time: &i64, out: &mut Vec<u8>| put_number(out, time.unsigned_abs() + 1);
    Chain::put_all(&mut out, times, |time| Time::from_micros(*time), put);
    out
}

fn chain(bytes: &[u8]) -> Chain<'_> {
    Chain::read(&mut Reader(bytes)).expect("a chain")
}

fn entry(time: Time, reader: &mut Reader<'_>) -> Option<i64> {
    let number = i64::try_from(reader.number()?).ok()? - 1;
    assert_eq!(number, time.micros());
    Some(number)
}

fn read(bytes: &[u8]) -> Vec<i64> {
    let mut walk = chain(bytes).walk();
    let mut times: Vec<i64> = std::iter::from_fn(|| walk.next(entry)).collect();
    times.reverse();
    times
}

fn times() -> impl Strategy<Value = Vec<i64>> {
    // Often some at one time, and of whole milliseconds.
    let time =
        prop_oneof![0..40_i64, 1_000..9_000_000_i64, (1..9_000_i64).prop_map(|ms| ms * 1_000)];
    vec(time, 0..300).prop_map(|mut times| {
        times.sort_unstable();
        times
    })
}

proptest! {
    #[test]
    fn entries_are_read_as_they_were_written(times in times()) {
        let bytes = written(&times);
        prop_assert_eq!(read(&bytes), &times[..]);
        let chain = chain(&bytes);
        prop_assert_eq!(chain.number, times.len());
        if let (Some(oldest), Some(newest)) = (times.first(), times.last()) {
            prop_assert_eq!((chain.oldest.micros(), chain.newest.micros()), (*oldest, *newest));
        }
    }

    /// One after the other, or all at once: the same bytes.
    #[test]
    fn one_more_is_as_if_it_had_always_been_there(times in times()) {
        let mut bytes = written(&[]);
        for time in &times {
            let (mut next, mut own) = (Vec::new(), Vec::new());
            put_number(&mut own, time.unsigned_abs() + 1);
            chain(&bytes).put_with(&mut next, Time::from_micros(*time), &own);
            bytes = next;
        }
        prop_assert_eq!(bytes, written(&times));
    }

    #[test]
    fn without_the_oldest_it_is_as_if_they_had_never_been_there(times in times(), until in 0..9_000_000_i64) {
        let (bytes, mut left, mut blocks) = (written(&times), Vec::new(), Vec::new());
        let goes = |time: Time, _| time.micros() <= until;
        let shortened = chain(&bytes).without(&mut blocks, entry, goes).expect("is sound");
        let mut kept = times;
        kept.retain(|time| *time > until);
        // With one more: a chain is written with an entry that is added.
        let (next, mut own) = (10_000_000, Vec::new());
        put_number(&mut own, next + 1);
        kept.push(i64::try_from(next).expect("small"));
        shortened.put_with(&mut left, Time::from_micros(kept[kept.len() - 1]), &own);
        prop_assert_eq!(left, written(&kept));
    }

    /// Whatever the bytes are, reading them ends and does not fail otherwise.
    #[test]
    fn damaged_bytes_are_read_to_an_end(bytes in vec(any::<u8>(), 0..60)) {
        if let Some(chain) = Chain::read(&mut Reader(&bytes)) {
            let mut walk = chain.walk();
            let number = std::iter::from_fn(|| walk.next(|_, reader| reader.number())).count();
            prop_assert!(number <= bytes.len() + 1);
            let _ = chain.without(&mut Vec::new(), |_, reader| reader.number(), |_, _| true);
        }
    }
}
