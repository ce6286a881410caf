//! Days of deliveries in virtual time: failures, hangs, outages and crashes, by seed.
//!
//! A crash forgets everything but the ledger records that were durable; what was in flight then may
//! have reached the receiver or not. Some effects are changes of a value of their profile: whatever
//! happens, the receiver knows the newest one in the end.

use bytes::Bytes;

use super::*;
use crate::connection::ConnectionId;
use crate::image::Images;
use crate::outcome::Withheld;
use crate::random::{Random, SeededRandom};
use crate::record::{Entry, Record};
use crate::told::Telling;

const EFFECTS: u64 = 600;
const PROFILES: u64 = 25;
const CONNECTION: ConnectionId = ConnectionId([7; 16]);
const HOURS: u64 = 3_600;
const CHANGE: u8 = 16;
const SUBJECTS: u32 = 2;

/// What a change says; every third one that there is nothing any more.
fn value(effect: &Effect) -> u64 {
    let offset = effect.at.record.offset;
    if offset.is_multiple_of(3) { Telling::NOTHING } else { offset + 1 }
}

fn telling(effect: &Effect) -> Telling {
    let mut to = [0; 16];
    to.copy_from_slice(&effect.profile.to_bytes()[..16]);
    Telling { to, value: value(effect) }
}

struct World {
    seed: u64,
    random: SeededRandom,
    now: Time,
    lane: Lane,
    ledger: Vec<Bytes>,
    /// A step that is being appended, and when it is durable.
    appending: Option<(Bytes, Time)>,
    requests: BTreeMap<ItemPosition, (Time, Report)>,
    arrivals: Vec<(Time, Effect)>,
    outages: Vec<(Time, Time)>,
    crashes: Vec<Time>,
    /// When the lane is too far behind, and when somebody resumes it.
    falls: Vec<Time>,
    resume_at: Option<Time>,
    /// What was in a dead range at some time.
    given_up: BTreeSet<ItemPosition>,
    /// When the receiver took each effect, every time.
    taken: BTreeMap<ItemPosition, Vec<Time>>,
    /// What was in flight, or ended and not durable, at some crash.
    may_repeat: BTreeSet<ItemPosition>,
    /// What the receiver was told last, by profile and subject.
    known: BTreeMap<(ProfileId, u32), u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let hours = |random: &SeededRandom, most: u64| {
            plus(START, Duration::from_secs(random.next_u64() % (most * HOURS)))
        };
        let mut times: Vec<_> = (0..EFFECTS).map(|_| hours(&random, 30)).collect();
        times.sort();
        let arrivals = times.into_iter().zip(0..).map(|(time, offset)| {
            let profile = u8::try_from(random.next_u64() % PROFILES).expect("few");
            let kind = if random.next_u64().is_multiple_of(7) { PAGE } else { TRACK };
            let subject = u32::try_from(random.next_u64() % 12).expect("few");
            if subject >= SUBJECTS {
                return (time, effect(offset, profile, kind));
            }
            let of_few = effect(offset, profile % 4, CHANGE);
            (time, Effect { subject: Some(subject), ..of_few })
        });
        let arrivals = arrivals.collect();
        let outages = (0..3).map(|_| {
            let from = hours(&random, 40);
            (from, plus(from, Duration::from_secs(random.next_u64() % (6 * HOURS))))
        });
        let outages = outages.collect();
        let mut crashes: Vec<_> = (0..40).map(|_| hours(&random, 60)).collect();
        crashes.sort_by(|a, b| b.cmp(a));
        let mut falls: Vec<_> = (0..6).map(|_| hours(&random, 50)).collect();
        falls.sort_by(|a, b| b.cmp(a));
        let start = FeedEnd::default();
        let first = Record { connection: CONNECTION, entry: Entry::Started(start) }.encode();
        Self {
            seed,
            random,
            now: START,
            lane: Lane::new(limits(), RetryPolicy::default(), Image::begin(start)),
            ledger: vec![first],
            appending: None,
            requests: BTreeMap::new(),
            arrivals,
            outages,
            crashes,
            falls,
            resume_at: None,
            given_up: BTreeSet::new(),
            taken: BTreeMap::new(),
            may_repeat: BTreeSet::new(),
            known: BTreeMap::new(),
        }
    }

    fn chance(&self, in_hundred: u64) -> bool {
        self.random.next_u64() % 100 < in_hundred
    }

    /// The newest value of what an effect is about.
    fn newest(&self, of: &Effect) -> u64 {
        let there = self.arrivals.iter().rev().filter(|(time, _)| *time <= self.now);
        let mut same = there
            .map(|(_, effect)| effect)
            .filter(|effect| (effect.topic(), effect.profile) == (of.topic(), of.profile));
        same.next().map_or(Telling::NOTHING, value)
    }

    /// Why a change is not to be sent, if so.
    fn withheld(&self, send: &Send) -> Option<Withheld> {
        send.effect.subject?;
        let Telling { to, value } = telling(&send.effect);
        if self.newest(&send.effect) != value {
            return Some(Withheld::Superseded);
        }
        let heard = self.lane.image().told.of(&send.effect, send.is_doubtful);
        let is_told = match value {
            Telling::NOTHING => heard.may_know(&to) || heard.is_doubtful(),
            value => !heard.knows(&to, value),
        };
        (!is_told).then_some(Withheld::Unchanged)
    }

    /// An attempt has ended: what may have arrived may be known.
    fn hears(&mut self, effect: &Effect, outcome: Outcome) -> Vec<Tell> {
        let Some(subject) = effect.subject else { return Vec::new() };
        let telling = telling(effect);
        let is_sure = matches!(outcome, Outcome::Delivered { .. });
        if is_sure || (outcome.is_unsure() && self.chance(50)) {
            self.known.insert((effect.profile, subject), telling.value);
        }
        let told = &self.lane.image().told;
        let key = told.of(effect, false).key(&telling.to).expect("it has a subject");
        let value = match outcome {
            Outcome::Delivered { .. } => telling.value,
            outcome if outcome.is_unsure() => Telling::UNSURE,
            _ => return Vec::new(),
        };
        told.note(Tell { key, value });
        vec![Tell { key, value }]
    }

    /// What the receiver will do with an attempt that begins now.
    fn answer(&self, effect: &Effect) -> (Time, Report) {
        let poison = effect.at.record.offset.is_multiple_of(41);
        let down = self.outages.iter().any(|(from, to)| (*from..*to).contains(&self.now));
        let (takes_ms, outcome) = match () {
            () if self.chance(3) => (30_000, Outcome::failed(Failure::Timeout)),
            () if down => (5, Outcome::failed(Failure::Connect)),
            () if poison => (20, Outcome::of_status(400, None)),
            () if self.chance(2) => (20, Outcome::of_status(429, Some(Duration::from_secs(30)))),
            () if self.chance(20) => (20, Outcome::of_status(500, None)),
            () => (self.random.next_u64() % 2_000, Outcome::Delivered { status: 200 }),
        };
        let ends = plus(self.now, Duration::from_millis(takes_ms));
        (ends, report(outcome, self.now))
    }

    fn take(&mut self, at: ItemPosition) {
        let times = self.taken.entry(at).or_default();
        times.push(self.now);
        let is_first = times.len() == 1;
        assert!(is_first || self.may_repeat.contains(&at), "seed {}: {at} again", self.seed);
    }

    fn crash(&mut self) {
        let may_have_arrived =
            |item: &Item| !matches!(item.state, State::Idle { .. } | State::Ended(End::Superseded));
        let open = self.lane.items.iter().filter(|(_, item)| may_have_arrived(item));
        let open: Vec<_> = open.map(|(at, _)| *at).collect();
        assert!(open.len() <= limits().in_flight, "seed {}", self.seed);
        self.may_repeat.extend(open);
        let open: Vec<_> = std::mem::take(&mut self.requests).into_iter().collect();
        for (at, (_, report)) in open {
            let arrives = self.chance(50);
            if arrives && matches!(report.outcome, Outcome::Delivered { .. }) {
                self.take(at);
                let effect = self.arrivals[usize::try_from(at.record.offset).expect("few")].1;
                if let Some(subject) = effect.subject {
                    self.known.insert((effect.profile, subject), value(&effect));
                }
            }
        }
        if let Some((record, _)) = self.appending.take()
            && self.chance(50)
        {
            self.ledger.push(record);
        }
        let mut images = Images::default();
        for (offset, bytes) in (0..).zip(&self.ledger) {
            images.take(offset, Record::decode(bytes).expect("what was written"));
        }
        let image = images.0.remove(&CONNECTION).expect("it began").image;
        if self.chance(30) {
            for part in image.snapshot() {
                let entry = Entry::Snapshot(part);
                self.ledger.push(Record { connection: CONNECTION, entry }.encode());
            }
        }
        assert!(image.is_balanced());
        self.lane = Lane::new(limits(), RetryPolicy::default(), image);
    }

    fn filter() -> Filter {
        let kind = crate::feed::EffectKind(CHANGE);
        let topic = |subject| crate::feed::Topic { kind, subject: Some(subject) };
        Filter::only([EventType::Track.into()]).with_derived((0..SUBJECTS).map(topic).collect())
    }

    fn page(&self, from: ItemPosition, max: usize) -> FeedPage {
        let there = |(time, effect): &&(Time, Effect)| *time <= self.now && effect.at >= from;
        let effects: Vec<_> =
            self.arrivals.iter().filter(there).map(|(_, effect)| *effect).take(max).collect();
        let next = effects.last().map_or(from, |last| behind(last.at));
        FeedPage { effects, next }
    }

    /// The lane falls behind and is resumed, some hours later, with its ranges sent again.
    fn lag(&mut self) {
        if self.falls.last().is_some_and(|fall| *fall <= self.now) {
            self.falls.pop();
            let end = self.page(at(0), usize::MAX).next;
            self.lane.fall_behind(crate::range::Beyond::Age, end, self.now, Self::filter());
            let later = self.random.next_u64() % (3 * HOURS);
            self.resume_at = Some(plus(self.now, Duration::from_secs(later)));
        }
        if self.resume_at.is_some_and(|at| at <= self.now) {
            self.resume_at = None;
            for range in self.lane.ranges() {
                let there = self.arrivals.iter().map(|(_, effect)| effect);
                let dead = there
                    .filter(|effect| range.holds(effect.at, effect.topic()))
                    .map(|effect| effect.at);
                self.given_up.extend(dead);
            }
            self.lane.resume();
            self.lane.resend_ranges(crate::status::RangeSelection::All);
        }
        if self.lane.is_giving_up() {
            let page = self.page(self.lane.read_to(), 3);
            self.lane.give_up(page, &Self::filter());
        }
        if let Some(reread) = self.lane.reread(at(0), self.now) {
            let page = self.page(reread.from, reread.max);
            self.lane.offer_again(reread, page, self.now);
        }
    }

    fn act(&mut self) {
        if self.crashes.last().is_some_and(|crash| *crash <= self.now) {
            self.crashes.pop();
            self.crash();
        }
        if self.appending.as_ref().is_some_and(|(_, durable)| *durable <= self.now) {
            self.ledger.extend(self.appending.take().map(|(record, _)| record));
            self.lane.durable();
        }
        let ended: Vec<_> = self
            .requests
            .iter()
            .filter(|(_, (ends, _))| *ends <= self.now)
            .map(|(at, _)| *at)
            .collect();
        for at in ended {
            let (_, mut report) = self.requests.remove(&at).expect("just seen");
            let effect = self.lane.items[&at].effect;
            report.told = self.hears(&effect, report.outcome);
            if matches!(report.outcome, Outcome::Delivered { .. }) {
                self.take(at);
            }
            self.lane.finished(at, report, self.now, self.random.next_u64());
        }
        self.lag();
        let page = self.page(self.lane.read_to(), self.lane.room());
        if !self.lane.is_giving_up() && !page.effects.is_empty() {
            self.lane.offer(page, &Self::filter());
        }
        for send in self.lane.sends(self.now) {
            let answer = match self.withheld(&send) {
                Some(reason) => (self.now, report(Outcome::Withheld(reason), self.now)),
                None => self.answer(&send.effect),
            };
            let before = self.requests.insert(send.effect.at, answer);
            assert!(before.is_none(), "seed {}: sent twice at once", self.seed);
        }
        if self.appending.is_none()
            && let Some(step) = self.lane.take_step(self.now, false)
        {
            let record = Record { connection: CONNECTION, entry: Entry::Step(step) }.encode();
            let durable = plus(self.now, Duration::from_millis(self.random.next_u64() % 500));
            self.appending = Some((record, durable));
        }
        self.check();
    }

    fn check(&self) {
        let numbers = self.lane.numbers();
        let Numbers { looked, delivered, filtered, dead, aside, window, .. } = numbers;
        let seed = self.seed;
        assert_eq!(looked, delivered + filtered + dead + aside, "seed {seed}: {numbers:?}");
        assert_eq!(looked + window, before(self.lane.read_to()), "seed {seed}");
        assert!(self.lane.aside <= limits().exceptions, "seed {seed}");
        assert!(self.lane.in_flight <= limits().concurrency, "seed {seed}");
        assert!(self.lane.in_flight + self.lane.ended <= limits().in_flight, "seed {seed}");
        let mut busy = BTreeSet::new();
        for at in self.requests.keys() {
            let profile = self.arrivals[usize::try_from(at.record.offset).expect("few")].1.profile;
            assert!(busy.insert(profile), "seed {seed}: two of a profile in flight");
        }
    }

    /// The next moment at which something happens.
    fn next(&self) -> Option<Time> {
        let arrival = self.arrivals.iter().map(|(time, _)| *time).find(|time| *time > self.now);
        let ends = self.requests.values().map(|(ends, _)| *ends);
        let durable = self.appending.as_ref().map(|(_, durable)| *durable);
        let crash = self.crashes.last().copied();
        let falls = self.falls.last().copied().into_iter().chain(self.resume_at);
        let soon = self.lane.is_giving_up().then(|| self.now.plus_micros(1_000));
        let can_read = self.lane.paused.is_none() && !self.lane.breaker.is_down();
        let reread =
            (can_read && self.lane.is_resending()).then(|| plus(self.now, Duration::from_secs(30)));
        let lag = falls.chain(soon).chain(reread);
        let others = arrival.into_iter().chain(durable).chain(crash).chain(lag);
        ends.chain(others).chain(self.lane.wake_at(self.now)).min()
    }

    fn run(&mut self) {
        loop {
            self.act();
            let Some(next) = self.next() else { return };
            assert!(next < plus(START, Duration::from_secs(2_000 * HOURS)), "seed {}", self.seed);
            self.now = self.now.plus_micros(1).max(next);
        }
    }

    fn check_end(&self) {
        let (seed, numbers) = (self.seed, self.lane.numbers());
        assert_eq!((numbers.window, numbers.aside), (0, 0), "seed {seed}: {numbers:?}");
        assert_eq!(numbers.dead_in_ranges, 0, "seed {seed}: {numbers:?}");
        assert!(!self.given_up.is_empty(), "seed {seed}: it fell behind");
        assert_eq!(numbers.looked, EFFECTS, "seed {seed}");
        let dead = &self.lane.image().dead;
        let wanted = self.arrivals.iter().filter(|(_, effect)| effect.kind.0 == TRACK);
        let mut newest: BTreeMap<ProfileId, Time> = BTreeMap::new();
        for (_, effect) in wanted {
            let first = self.taken.get(&effect.at).map(|times| times[0]);
            assert!(first.is_some() != dead.contains_key(&effect.at), "seed {seed}: {effect:?}");
            // What is sent again from a range has no order with what came after it.
            let first = first.filter(|_| !self.given_up.contains(&effect.at));
            let Some(first) = first else { continue };
            let before = newest.insert(effect.profile, first).unwrap_or(START);
            assert!(before <= first, "seed {seed}: {} was taken out of order", effect.at);
        }
        let changes = self.arrivals.iter().map(|(_, effect)| effect);
        let mut last = BTreeMap::new();
        for effect in changes.filter(|effect| effect.subject.is_some()) {
            last.insert((effect.profile, effect.subject.expect("just seen")), effect);
        }
        for (whose, effect) in last {
            if !dead.contains_key(&effect.at) {
                let known = self.known.get(&whose).copied().unwrap_or(Telling::NOTHING);
                assert_eq!(known, value(effect), "seed {seed}: {effect:?}");
            }
        }
        assert!(numbers.superseded > 5, "seed {seed}: some were replaced: {numbers:?}");
        assert!(dead.len() > 5, "seed {seed}: the poisoned ones die");
        assert!(!self.taken.contains_key(&at(0)), "seed {seed}: nothing poisoned is taken");
    }
}

#[test]
fn every_effect_ends_in_order_and_is_accounted_for_through_failures_lag_and_crashes() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        world.run();
        world.check_end();
    }
}
