//! Many random cases, from seeds that are said.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// Cases of one seed.
const CHUNK: u32 = 1_000;
/// After so many cases a line says how far it is.
const LINE: u64 = 100_000;

/// A setting of these tests.
#[expect(clippy::disallowed_methods, reason = "a setting of these tests alone")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tries so many random cases, or a share of what `AUDIENCE_CASES` says where it is set. `AUDIENCE_SEED`
/// says with which seed it begins; one that failed is said.
pub(super) fn check<S: Strategy>(
    name: &str,
    (cases, share): (u64, u64),
    strategy: &S,
    test: impl Fn(S::Value) -> TestCaseResult,
) {
    let cases = setting("AUDIENCE_CASES").map_or(cases, |cases| cases.div_ceil(share));
    let first = setting("AUDIENCE_SEED").unwrap_or_else(|| TestRunner::default().rng().next_u64());
    let mut done = 0;
    let mut seed = first;
    while done < cases {
        let number = u32::try_from(cases - done).map_or(CHUNK, |left| left.min(CHUNK));
        let config = Config { cases: number, failure_persistence: None, ..Config::default() };
        let mut bytes = [0; 32];
        for (place, byte) in bytes.chunks_exact_mut(8).zip(0_u64..) {
            place.copy_from_slice(&seed.wrapping_mul(byte * 2 + 1).to_le_bytes());
        }
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, &test) {
            panic!("{name}: AUDIENCE_SEED={seed} AUDIENCE_CASES={CHUNK} finds: {error}");
        }
        let before = done;
        done += u64::from(number);
        seed = seed.wrapping_add(1);
        if before / LINE < done / LINE {
            say(&format!("{name}: {done} of {cases} cases"));
        }
    }
    if cases >= LINE {
        say(&format!("{name}: {cases} cases from seed {first} on, all of them agree"));
    }
}

#[expect(clippy::print_stderr, reason = "somebody waits for it at a terminal")]
fn say(line: &str) {
    eprintln!("{line}");
}
