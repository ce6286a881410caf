//! How often somebody may try to sign in: a few times at once, then ever more slowly, for each account
//! and for each address.
//!
//! An attempt counts as failed from its beginning, so that many at once are not more than one after the
//! other; a success takes it back. Unknown accounts are counted as known ones are.

use std::collections::HashMap;
use std::net::IpAddr;

use rustc_hash::FxBuildHasher;

const SECOND: u64 = 1_000_000;
/// Failures of an account that cost no time.
const FREE_ACCOUNT: u32 = 5;
/// Failures from an address that cost no time: many people may share one.
const FREE_ADDRESS: u32 = 20;
/// The longest wait.
const LONGEST: u64 = 900 * SECOND;
/// After so long without a failure there were none.
const FORGOTTEN: u64 = 3_600 * SECOND;
/// How many accounts and addresses are remembered.
const MOST: usize = 20_000;

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    Account(String),
    /// An IPv6 address stands for its network of 64 bits, which one customer has for themself.
    Address(IpAddr),
}

impl Counted {
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(long) => IpAddr::V6((long.to_bits() >> 64 << 64).into()),
            short @ IpAddr::V4(_) => short,
        })
    }

    const fn free(&self) -> u32 {
        match self {
            Self::Account(_) => FREE_ACCOUNT,
            Self::Address(_) => FREE_ADDRESS,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last: u64,
}

impl Failures {
    /// From when on the next attempt may be made.
    fn next(self, free: u32) -> u64 {
        match self.count.checked_sub(free) {
            None => 0,
            Some(beyond) => {
                let wait = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX).saturating_mul(SECOND);
                self.last.saturating_add(wait.min(LONGEST))
            }
        }
    }
}

/// What is remembered of attempts. Times are of the monotonic clock, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<Counted, Failures, FxBuildHasher>);

impl Attempts {
    /// Begins an attempt of all of these, or says how many seconds to wait.
    pub(super) fn begin(&mut self, who: &[Counted], now: u64) -> Result<(), u64> {
        let waits = who.iter().map(|one| self.of(one, now).next(one.free()).saturating_sub(now));
        let wait = waits.max().unwrap_or(0);
        if wait > 0 {
            return Err(wait.div_ceil(SECOND));
        }
        for one in who {
            let Failures { count, .. } = self.of(one, now);
            self.make_room(now);
            self.0.insert(one.clone(), Failures { count: count.saturating_add(1), last: now });
        }
        Ok(())
    }

    /// The attempt succeeded: the account has no failures any more, the others one less.
    pub(super) fn succeeded(&mut self, who: &[Counted]) {
        for one in who {
            match (one, self.0.get_mut(one)) {
                (Counted::Account(_), _) => drop(self.0.remove(one)),
                (Counted::Address(_), Some(failures)) => {
                    failures.count = failures.count.saturating_sub(1);
                }
                (Counted::Address(_), None) => {}
            }
        }
    }

    fn of(&self, who: &Counted, now: u64) -> Failures {
        let known = self.0.get(who).copied().unwrap_or_default();
        if known.last.saturating_add(FORGOTTEN) < now { Failures::default() } else { known }
    }

    fn make_room(&mut self, now: u64) {
        if self.0.len() < MOST {
            return;
        }
        self.0.retain(|_, failures| failures.last.saturating_add(FORGOTTEN) >= now);
        if self.0.len() >= MOST {
            // Those who failed least go first: whoever guesses is remembered.
            let mut counts: Vec<u32> = self.0.values().map(|failures| failures.count).collect();
            counts.sort_unstable();
            let least = counts[counts.len() / 2];
            self.0.retain(|_, failures| failures.count > least);
        }
    }
}

#[cfg(test)]
mod tests;
