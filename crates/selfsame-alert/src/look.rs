//! Conditions, looked at: what each says of each thing that it is about.

use crate::condition::Condition;
use crate::counts::{Counts, OfDestination, OfSource};
use crate::sample::{DestinationSample, DestinationState, Sample, SourceSample};
use crate::span::{Span, said};

/// What a condition says of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is so: in a sentence.
    Bad(String),
    /// It is not so.
    Good,
    /// Neither: what is raised stays raised, what is not is not.
    Between,
}

impl Verdict {
    fn of(is_bad: bool, is_good: bool, sentence: impl FnOnce() -> String) -> Self {
        match (is_bad, is_good) {
            (true, _) => Self::Bad(sentence()),
            (false, true) => Self::Good,
            (false, false) => Self::Between,
        }
    }
}

/// What a condition says, by what it is about.
pub(crate) type Looks = Vec<(String, Verdict)>;

const DAY: i64 = 86_400;

/// One of a source's counts, and by how much it grew since then.
type Counted = fn(&SourceSample) -> u64;
type Grown = fn(&OfSource, i64, u64) -> u64;

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'s> {
    pub(crate) sample: &'s Sample,
    pub(crate) counts: &'s Counts,
    pub(crate) now: i64,
}

impl Scene<'_> {
    /// Looks at a condition. None where nobody looked at what it is about: everything stays as it is.
    pub(crate) fn look(self, condition: &Condition) -> Option<Looks> {
        Some(match condition {
            Condition::SourceSilent { sources, after } => self.silent(sources, *after),
            Condition::SourceVolume { sources, percent, events } => {
                self.volume(sources, *percent, *events)
            }
            Condition::EventsRejected { sources, percent, events, within } => {
                let what = "events were rejected";
                let count = |one: &SourceSample| one.rejected;
                let of: Grown = |counts, then, now| counts.rejected.grown(then, now);
                self.of_events(sources, (*percent, *events, *within), what, (count, of))
            }
            Condition::EventsRepeated { sources, percent, events, within } => {
                let what = "events had a message id that was there before";
                let count = |one: &SourceSample| one.repeated;
                let of: Grown = |counts, then, now| counts.repeated.grown(then, now);
                self.of_events(sources, (*percent, *events, *within), what, (count, of))
            }
            Condition::DestinationFailing { destinations } => {
                self.of_destinations(destinations, |one, _| failing(one))
            }
            Condition::DestinationPaused { destinations } => {
                self.of_destinations(destinations, |one, _| match one.state {
                    DestinationState::Paused(why) => Verdict::Bad(paused(why).to_owned()),
                    _ => Verdict::Good,
                })
            }
            Condition::DestinationBehind { destinations, percent, age } => {
                self.of_destinations(destinations, |one, _| behind(one, *percent, *age))
            }
            Condition::DeadLetters { destinations, percent, letters, within } => {
                let then = self.now - within.as_seconds();
                self.of_destinations(destinations, |one, counts| {
                    let bad = counts.dead.grown(then, one.dead);
                    let all = bad + counts.delivered.grown(then, one.delivered);
                    share((bad, all), *percent, *letters, "deliveries became dead letters")
                })
            }
            Condition::Unaccounted { destinations } => {
                self.of_destinations(destinations, |one, _| unaccounted(one.unaccounted))
            }
            Condition::FoldBehind { records } => {
                let count = self.sample.unfolded;
                let is_good = count < records.div_ceil(2);
                one(
                    "log",
                    Verdict::of(count >= *records, is_good, || {
                        format!("{count} records are durable and not folded yet")
                    }),
                )
            }
            Condition::DiskLow { percent, bytes } => self.disk(*percent, *bytes)?,
            Condition::AudienceSize { audiences, percent, members, within } => {
                self.sizes(audiences, (*percent, *members, *within))
            }
            Condition::IdentityHealth { spaces, alarms } => self.identity(spaces, alarms)?,
            Condition::ClockHeld { by } => {
                let held = self.sample.clock_held_seconds;
                let is_bad = held >= by.as_seconds().max(1);
                one(
                    "clock",
                    Verdict::of(is_bad, held == 0, || {
                        format!("log time is ahead of the machine's clock by {}", said(held))
                    }),
                )
            }
        })
    }

    fn of_sources(
        self,
        list: &[String],
        verdict: impl Fn(&SourceSample, &OfSource) -> Option<Verdict>,
    ) -> Looks {
        let named = self.sample.sources.iter().filter(|one| names(list, &one.id));
        let looks = named.filter_map(|one| {
            let counts = self.counts.sources.get(&one.id)?;
            Some((one.id.clone(), verdict(one, counts)?))
        });
        looks.collect()
    }

    fn of_destinations(
        self,
        list: &[String],
        verdict: impl Fn(&DestinationSample, &OfDestination) -> Verdict,
    ) -> Looks {
        // What somebody switched off deserves nobody's look.
        let on = self.sample.destinations.iter().filter(|one| one.state != DestinationState::Off);
        let looks = on.filter(|one| names(list, &one.id)).filter_map(|one| {
            if one.state == DestinationState::Unknown {
                return Some((one.id.clone(), Verdict::Between));
            }
            let counts = self.counts.destinations.get(&one.id)?;
            Some((one.id.clone(), verdict(one, counts)))
        });
        looks.collect()
    }

    fn silent(self, sources: &[String], after: Option<Span>) -> Looks {
        self.of_sources(sources, |_, counts| {
            let silence = counts.rhythm.silence(self.now)?;
            let most = after.map_or_else(|| counts.rhythm.usual(self.now), Span::as_seconds);
            Some(Verdict::of(silence >= most, silence < most, || {
                format!("no event came for {}", said(silence))
            }))
        })
    }

    fn volume(self, sources: &[String], percent: u32, fewest: u64) -> Looks {
        self.of_sources(sources, |one, counts| {
            let yesterday = counts.events.at(self.now - DAY)?;
            let before = counts.events.at(self.now - 2 * DAY)?;
            let days = (yesterday.saturating_sub(before), one.events.saturating_sub(yesterday));
            Some(changed(days, percent, fewest, "events in 24 hours"))
        })
    }

    /// Some of a source's events, as a share of all.
    fn of_events(
        self,
        sources: &[String],
        (percent, fewest, within): (u32, u64, Span),
        what: &str,
        (count, of): (Counted, Grown),
    ) -> Looks {
        let then = self.now - within.as_seconds();
        self.of_sources(sources, |one, counts| {
            let bad = of(counts, then, count(one));
            let all = bad + counts.events.grown(then, one.events);
            Some(share((bad, all), percent, fewest, what))
        })
    }

    fn disk(self, percent: u32, bytes: u64) -> Option<Looks> {
        let disk = self.sample.disk?;
        let free = u128::from(disk.free_bytes) * 100;
        let share = |percent: u32| u128::from(disk.size_bytes) * u128::from(percent);
        let is_bad = free < share(percent) || disk.free_bytes < bytes;
        let is_enough = percent == 0 || free >= share(percent + 2);
        let is_good = is_enough && disk.free_bytes >= bytes.saturating_add(bytes / 10);
        Some(one(
            "data",
            Verdict::of(is_bad, is_good, || {
                let (free, all) = (disk.free_bytes >> 20, disk.size_bytes >> 20);
                format!("{free} MiB of {all} MiB are free where the data folder is")
            }),
        ))
    }

    fn sizes(self, audiences: &[String], (percent, fewest, within): (u32, u64, Span)) -> Looks {
        let named = self.sample.audiences.iter().filter(|one| names(audiences, &one.id));
        let looks = named.filter_map(|one| {
            let counts = self.counts.audiences.get(&one.id)?;
            let before = counts.members.at(self.now - within.as_seconds())?;
            Some((one.id.clone(), changed((before, one.members), percent, fewest, "members")))
        });
        looks.collect()
    }

    fn identity(self, spaces: &[String], alarms: &[String]) -> Option<Looks> {
        let found = self.sample.identity.as_ref()?.iter();
        let named = found.filter(|one| names(spaces, &one.space) && names(alarms, one.kind));
        let looks = named.map(|one| {
            let verdict = Verdict::of(one.count > 0, one.count == 0, || {
                format!(
                    "{} ({}): `selfsame identity health --space {}` says where",
                    in_words(one.kind),
                    one.count,
                    one.space
                )
            });
            (format!("{}/{}", one.space, one.kind), verdict)
        });
        Some(looks.collect())
    }
}

fn one(subject: &str, verdict: Verdict) -> Looks {
    vec![(subject.to_owned(), verdict)]
}

fn names(list: &[String], id: &str) -> bool {
    list.is_empty() || list.iter().any(|one| one == id)
}

fn failing(one: &DestinationSample) -> Verdict {
    let waiting = one.pending;
    match (one.state, one.failure) {
        (DestinationState::Waiting, _) => Verdict::Bad(format!(
            "it is switched on and cannot be spoken to: `selfsame destination list` says why; {waiting} wait"
        )),
        (DestinationState::Down, failure) => {
            let why = failure.unwrap_or("no attempt succeeds");
            Verdict::Bad(format!("the receiver fails ({why}); {waiting} wait"))
        }
        // It is paused, which another rule says; or it failed, and may be about to go down.
        (DestinationState::Paused(_) | DestinationState::Unknown, _)
        | (DestinationState::Running, Some(_)) => Verdict::Between,
        (DestinationState::Running, None) | (DestinationState::Off, _) => Verdict::Good,
    }
}

fn paused(why: &str) -> &'static str {
    match why {
        "gone" => "the receiver answered that it is gone (410); somebody has to resume it",
        "behind" => {
            "it was too far behind, and what it missed is a dead range; somebody has to resume it"
        }
        "denied" => {
            "the receiver does not take the credentials; they have to change, or somebody to resume it"
        }
        _ => "somebody has to resume it",
    }
}

fn behind(one: &DestinationSample, percent: u32, age: Option<Span>) -> Verdict {
    let (share, lag) = (one.behind_percent, one.lag_seconds);
    let late = |parts: i64| age.is_some_and(|age| lag * 5 >= age.as_seconds() * parts);
    let is_good = share * 5 < percent * 4 && !late(4);
    Verdict::of(share >= percent || late(5), is_good, || {
        format!(
            "it is behind by {share} percent of what it may be; {} wait, the oldest for {}",
            one.pending,
            said(lag)
        )
    })
}

fn unaccounted(count: u64) -> Verdict {
    Verdict::of(count > 0, count == 0, || {
        format!(
            "accepted differs by {count} from delivered, filtered, dead and pending together: report it"
        )
    })
}

/// A share of something, in percent, which at least so many make an alert. It is over at four fifths.
fn share((bad, all): (u64, u64), percent: u32, fewest: u64, what: &str) -> Verdict {
    let (parts, limit) = (u128::from(bad) * 500, u128::from(all) * u128::from(percent));
    let is_many = bad >= fewest.max(1);
    let (is_bad, is_good) = (is_many && parts >= limit * 5, !is_many || parts < limit * 4);
    Verdict::of(is_bad, is_good, || format!("{bad} of {all} {what} in the time that is looked at"))
}

/// A change from one number to another, in percent of the first. It is over at four fifths.
fn changed((before, now): (u64, u64), percent: u32, fewest: u64, what: &str) -> Verdict {
    let (parts, limit) =
        (u128::from(before.abs_diff(now)) * 500, u128::from(before) * u128::from(percent));
    let counts = before.max(now) >= fewest.max(1) && before != now;
    let (is_bad, is_good) = (counts && parts >= limit * 5, !counts || parts < limit * 4);
    Verdict::of(is_bad, is_good, || format!("{now} {what}, and {before} before"))
}

fn in_words(kind: &str) -> &'static str {
    match kind {
        "giant_profile" => "profiles have so many identifiers that they are hardly one person",
        "shared_identifier" => "identifiers came with those of many other profiles",
        "merges" => "many more merges than on the days before",
        "violations" => "many more limits, blocks and vetoes met than on the days before",
        "unattached" => "many more events of nobody than on the days before",
        _ => "the health of identity has an alarm",
    }
}

#[cfg(test)]
mod tests;
