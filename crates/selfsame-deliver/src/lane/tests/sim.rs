//! Days of deliveries in virtual time: failures, hangs, outages and crashes, by seed.
//!
//! A crash forgets everything but the ledger records that were durable; what was in flight then may
//! have reached the receiver or not, and the state is folded again. Some effects are changes of a value
//! of their profile, and profiles become one: whatever happens, the receiver knows the newest value in
//! the end. Some events are not wanted by their names. In every other run several events of a profile go at
//! once, which the receiver takes in order, all or none of those that have not failed.

use bytes::Bytes;

use super::*;
use crate::connection::ConnectionId;
use crate::image::Images;
use crate::random::{Random, SeededRandom};
use crate::record::{Entry, Record};
use crate::told::{Recipient, Reserved, Telling};
use people::{CHANGE, CHANGING, SUBJECTS};

mod people;

const PROFILES: u64 = 25;
const CONNECTION: ConnectionId = ConnectionId([7; 16]);
const HOURS: u64 = 3_600;
/// Microseconds until the next record is folded again after a crash.
const FOLDED: i64 = 50_000;

/// How close everything follows on each other.
#[derive(Clone, Copy)]
enum Pace {
    /// Hours are hours.
    Calm,
    /// An hour takes three seconds: there is always something on its way.
    Busy,
}

impl Pace {
    fn hours(self, hours: u64) -> u64 {
        match self {
            Self::Calm => hours * HOURS * 1_000,
            Self::Busy => hours * 3_000,
        }
    }
}

/// How much a lane holds in a run.
fn limits_of(seed: u64) -> Limits {
    Limits { together: if seed.is_multiple_of(2) { 1 } else { 3 }, ..limits() }
}

/// Whether an event is not wanted, which the filter does not know.
fn is_unwanted(effect: &Effect) -> bool {
    effect.subject.is_none() && effect.at.record.offset % 11 == 5
}

/// An attempt that is under way.
struct Request {
    leader: ItemPosition,
    ends: Time,
    report: Report,
    tellings: Vec<Telling>,
    _reserved: Option<Reserved>,
}

struct World {
    seed: u64,
    pace: Pace,
    random: SeededRandom,
    now: Time,
    lane: Lane,
    ledger: Vec<Bytes>,
    /// A step that is being appended, and when it is durable.
    appending: Option<(Bytes, Time)>,
    requests: BTreeMap<ItemPosition, Request>,
    arrivals: Vec<(Time, Effect)>,
    /// From which effects on pairs of profiles are one.
    joins: Vec<u64>,
    /// How much was folded when the program began, and when that was.
    began: (u64, Time),
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
    /// What the receiver was told last.
    known: BTreeMap<(Recipient, u32), u64>,
}

impl World {
    fn new(seed: u64, pace: Pace) -> Self {
        let random = SeededRandom::new(seed);
        let (effects, topics, falls, deaths) = match pace {
            Pace::Calm => (600, 6, 6, 40),
            Pace::Busy => (150, 3, 1, 30),
        };
        let hours = |random: &SeededRandom, most: u64| {
            plus(START, Duration::from_millis(random.next_u64() % pace.hours(most)))
        };
        // What happens: an event or a change, or two profiles become one, which changes all that they have.
        let pairs = 0..CHANGING / 2;
        let mut happens: Vec<_> = pairs.map(|pair| (hours(&random, 30), Some(pair))).collect();
        let joined = happens.len() as u64 * u64::from(SUBJECTS);
        happens.extend((joined..effects).map(|_| (hours(&random, 30), None)));
        happens.sort();
        let (mut arrivals, mut joins) = (Vec::new(), vec![0; happens.len()]);
        let change = |offset, profile: u64, subject| {
            let profile = u8::try_from(profile).expect("few");
            Effect { subject: Some(subject), ..effect(offset, profile, CHANGE) }
        };
        for (time, pair) in happens {
            let next = arrivals.len() as u64;
            if let Some(pair) = pair {
                joins[usize::try_from(pair).expect("few")] = next;
                let all = (next..).zip(0..SUBJECTS);
                arrivals.extend(all.map(|(at, subject)| (time, change(at, pair * 2, subject))));
                continue;
            }
            let profile = random.next_u64() % PROFILES;
            let kind = if random.next_u64().is_multiple_of(7) { PAGE } else { TRACK };
            let subject = u32::try_from(random.next_u64() % topics).expect("few");
            let arrival = match subject {
                0..SUBJECTS => change(next, profile % CHANGING, subject),
                _ => effect(next, u8::try_from(profile).expect("few"), kind),
            };
            arrivals.push((time, arrival));
        }
        let outages = (0..3).map(|_| {
            let from = hours(&random, 40);
            (from, plus(from, Duration::from_millis(random.next_u64() % pace.hours(6))))
        });
        let outages = outages.collect();
        let mut crashes: Vec<_> = (0..deaths).map(|_| hours(&random, 60)).collect();
        crashes.sort_by(|a, b| b.cmp(a));
        let mut falls: Vec<_> = (0..falls).map(|_| hours(&random, 50)).collect();
        falls.sort_by(|a, b| b.cmp(a));
        let start = FeedEnd::default();
        let first = Record { connection: CONNECTION, entry: Entry::Started(start) }.encode();
        Self {
            seed,
            pace,
            random,
            now: START,
            lane: Lane::new(limits_of(seed), RetryPolicy::default(), Image::begin(start)),
            ledger: vec![first],
            appending: None,
            requests: BTreeMap::new(),
            arrivals,
            joins,
            began: (0, START),
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

    /// How many effects there are, and how many of them are folded. After a crash they are folded again,
    /// one after the other, and before that nobody reads them.
    fn folded(&self) -> (usize, usize) {
        let there = self.arrivals.partition_point(|(time, _)| *time <= self.now);
        let (before, began) = self.began;
        let since = (self.now.micros() - began.micros()) / FOLDED;
        let folded = before + u64::try_from(since).expect("it is not before");
        let folded = usize::try_from(folded).expect("few");
        (there, folded.min(there))
    }

    fn state(&self) -> people::State<'_> {
        people::State { folded: &self.arrivals[..self.folded().1], joins: &self.joins }
    }

    /// Makes an attempt: what the receiver will do, and what it knows then.
    fn attempt(&self, send: &Send) -> Request {
        let (ends, told) = (self.now, &self.lane.image().told);
        let leader = send.leader;
        let quiet = |outcome| {
            let report = report(outcome, ends);
            Request { leader, ends, report, tellings: Vec::new(), _reserved: None }
        };
        if is_unwanted(&send.effect) {
            return quiet(Outcome::Withheld(crate::outcome::Withheld::Unmatched));
        }
        if send.effect.subject.is_none() {
            let (ends, report) = self.answer(&send.effect);
            return Request { leader, ends, report, tellings: Vec::new(), _reserved: None };
        }
        if self.folded().1 <= usize::try_from(send.effect.at.record.offset).expect("few") {
            return quiet(Outcome::Postponed);
        }
        let heard = told.of(&send.effect);
        let calls = match self.state().calls(&send.effect, &heard) {
            Ok(calls) => calls,
            Err(reason) => return quiet(Outcome::Withheld(reason)),
        };
        let Some(reserved) = told.reserve(&heard, &calls) else {
            return quiet(Outcome::Postponed);
        };
        if calls.is_empty() {
            return quiet(Outcome::Withheld(crate::outcome::Withheld::Unchanged));
        }
        let (ends, report) = self.answer(&send.effect);
        let tellings = calls.iter().filter_map(|call| call.tells).collect();
        Request { leader, ends, report, tellings, _reserved: Some(reserved) }
    }

    /// Makes attempts that go at once: of one that has to be tried again those behind it are not tried.
    fn attempts(&self, sends: &[Send]) -> Vec<Request> {
        let mut requests: Vec<_> = sends.iter().map(|send| self.attempt(send)).collect();
        let ends = requests.iter().map(|request| request.ends).max().unwrap_or(self.now);
        let mut is_held = false;
        for request in &mut requests {
            if is_held {
                request.report = report(Outcome::Postponed, self.now);
            }
            request.ends = ends;
            is_held |= match request.report.outcome {
                Outcome::Failed { failure, .. } => !failure.is_final(),
                Outcome::Postponed => true,
                Outcome::Delivered { .. } | Outcome::Withheld(_) => false,
            };
        }
        requests
    }

    /// An attempt has ended: what may have arrived may be known.
    fn hears(&mut self, effect: &Effect, outcome: Outcome, tellings: &[Telling]) -> Vec<Tell> {
        let Some(subject) = effect.subject else { return Vec::new() };
        let is_sure = matches!(outcome, Outcome::Delivered { .. });
        let mut tells = Vec::new();
        for telling in tellings {
            if is_sure || (outcome.is_unsure() && self.chance(50)) {
                self.known.insert((telling.to, subject), telling.value);
            }
            let told = &self.lane.image().told;
            let key = told.of(effect).key(&telling.to).expect("it has a subject");
            let value = match outcome {
                Outcome::Delivered { .. } => telling.value,
                outcome if outcome.is_unsure() => Telling::UNSURE,
                _ => continue,
            };
            told.note(Tell { key, value });
            tells.push(Tell { key, value });
        }
        tells
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
        let mut arrivals: BTreeMap<ItemPosition, bool> = BTreeMap::new();
        for (at, Request { leader, report, tellings, .. }) in open {
            let arrives = *arrivals.entry(leader).or_insert_with(|| self.chance(50));
            if arrives && matches!(report.outcome, Outcome::Delivered { .. }) {
                self.take(at);
                let effect = self.arrivals[usize::try_from(at.record.offset).expect("few")].1;
                self.hears(&effect, report.outcome, &tellings);
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
        let again = before(image.cursor).saturating_sub(self.random.next_u64() % 20);
        self.began = (again, self.now);
        self.lane = Lane::new(limits_of(self.seed), RetryPolicy::default(), image);
        let last = self.folded().0.checked_sub(1).map(|last| self.arrivals[last].1.at);
        self.lane.doubt(last.map_or_else(|| at(0), behind));
        // That somebody resumed it may be forgotten.
        if self.lane.paused.is_some() {
            self.resume_at = self.resume_at.or(Some(self.now));
        }
    }

    /// Notes whom the process before may have told, as far as their profiles are known.
    fn doubt(&mut self) {
        let folded = self.folded().1;
        let last = folded.checked_sub(1).map(|last| self.arrivals[last].1.at);
        self.lane.folded(last.map_or_else(|| at(0), behind));
        let folded = folded as u64;
        for effect in self.lane.doubtful(3) {
            if effect.at >= at(folded) {
                return;
            }
            let heard = self.lane.image().told.of(&effect);
            self.state().doubt(&effect, &heard);
            self.lane.doubted(effect.at, heard.into_doubted());
        }
    }

    fn filter() -> Filter {
        let kind = crate::feed::EffectKind(CHANGE);
        let topic = |subject| crate::feed::Topic { kind, subject: Some(subject) };
        Filter::only([EventType::Track.into()]).with_derived((0..SUBJECTS).map(topic).collect())
    }

    fn page(&self, from: ItemPosition, max: usize) -> FeedPage {
        let folded = self.arrivals[..self.folded().1].iter().map(|(_, effect)| *effect);
        let effects: Vec<_> = folded.filter(|effect| effect.at >= from).take(max).collect();
        let next = effects.last().map_or(from, |last| behind(last.at));
        FeedPage { effects, next }
    }

    /// The lane falls behind and is resumed, some hours later, with its ranges sent again.
    fn lag(&mut self) {
        if self.falls.last().is_some_and(|fall| *fall <= self.now) {
            self.falls.pop();
            let end = self.page(at(0), usize::MAX).next;
            self.lane.fall_behind(crate::range::Beyond::Age, end, self.now, Self::filter());
            let later = self.random.next_u64() % self.pace.hours(3);
            self.resume_at = Some(plus(self.now, Duration::from_millis(later)));
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
            .filter(|(_, request)| request.ends <= self.now)
            .map(|(at, _)| *at)
            .collect();
        for at in ended {
            let Request { mut report, tellings, _reserved, .. } =
                self.requests.remove(&at).expect("just seen");
            let effect = self.lane.items[&at].effect;
            report.told.extend(self.hears(&effect, report.outcome, &tellings));
            if matches!(report.outcome, Outcome::Delivered { .. }) {
                self.take(at);
            }
            self.lane.finished(at, report, self.now, self.random.next_u64());
        }
        self.lag();
        let page = self.page(self.lane.read_to(), self.lane.room());
        if !self.lane.is_giving_up() && !page.effects.is_empty() {
            self.offer(page);
        }
        self.doubt();
        let sends = self.lane.sends(self.now, usize::MAX);
        for together in sends.chunk_by(|one, next| one.leader == next.leader) {
            for (send, request) in together.iter().zip(self.attempts(together)) {
                let before = self.requests.insert(send.effect.at, request);
                assert!(before.is_none(), "seed {}: sent twice at once", self.seed);
            }
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

    /// Offers what is wanted of a page.
    fn offer(&mut self, page: FeedPage) {
        let FeedPage { effects, next } = page;
        let filter = Self::filter();
        let is_wanted = |effect: &Effect| filter.accepts(effect.topic()) && !is_unwanted(effect);
        let numbered = (0_u64..).zip(&effects).filter(|(_, effect)| is_wanted(effect));
        let chosen: Vec<_> = numbered.map(|(number, effect)| (number, *effect)).collect();
        let by_name = |from: u64, to: u64| {
            let place = |number| usize::try_from(number).expect("few");
            let span = &effects[place(from)..place(to)];
            span.iter().filter(|effect| filter.accepts(effect.topic())).count() as u64
        };
        let numbers = (0, effects.len() as u64);
        self.lane.choose(Offer { chosen: &chosen, numbers, next }, by_name);
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
        let mut busy = BTreeMap::new();
        for (at, request) in &self.requests {
            let profile = self.arrivals[usize::try_from(at.record.offset).expect("few")].1.profile;
            let leader = busy.entry(profile).or_insert(request.leader);
            assert_eq!(*leader, request.leader, "seed {seed}: two of a profile in flight");
        }
    }

    /// The next moment at which something happens.
    fn next(&self) -> Option<Time> {
        let arrival = self.arrivals.iter().map(|(time, _)| *time).find(|time| *time > self.now);
        let ends = self.requests.values().map(|request| request.ends);
        let (there, folded) = self.folded();
        let is_behind = folded < there || !self.lane.doubtful(1).is_empty();
        let fold = is_behind.then(|| self.now.plus_micros(FOLDED));
        let durable = self.appending.as_ref().map(|(_, durable)| *durable);
        let crash = self.crashes.last().copied();
        let falls = self.falls.last().copied().into_iter().chain(self.resume_at);
        let soon = self.lane.is_giving_up().then(|| self.now.plus_micros(1_000));
        let is_down = self.lane.breaker.is_down() && !self.lane.lines.is_empty();
        let can_read = self.lane.paused.is_none() && !is_down;
        let reread =
            (can_read && self.lane.is_resending()).then(|| plus(self.now, Duration::from_secs(30)));
        let lag = falls.chain(soon).chain(reread);
        let others = arrival.into_iter().chain(fold).chain(durable).chain(crash).chain(lag);
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
        assert_eq!(numbers.looked, self.arrivals.len() as u64, "seed {seed}");
        let dead = &self.lane.image().dead;
        let wanted = self
            .arrivals
            .iter()
            .filter(|(_, effect)| effect.kind.0 == TRACK && !is_unwanted(effect));
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
        let (state, changes) = (self.state(), self.arrivals.iter().map(|(_, effect)| effect));
        for effect in changes.filter(|effect| effect.subject.is_some()) {
            // Who could not be told of the newest change knows what they knew.
            if state.newest(effect).is_some_and(|newest| !dead.contains_key(&newest.at)) {
                state.check(&self.known, effect, seed);
            }
        }
        if matches!(self.pace, Pace::Calm) {
            assert!(!self.given_up.is_empty(), "seed {seed}: it fell behind");
            assert!(numbers.superseded > 5, "seed {seed}: some were replaced: {numbers:?}");
            assert!(dead.len() > 5, "seed {seed}: the poisoned ones die");
        }
        assert!(!self.taken.contains_key(&at(0)), "seed {seed}: nothing poisoned is taken");
    }
}

fn run(seeds: std::ops::Range<u64>, pace: Pace) {
    for seed in seeds {
        let mut world = World::new(seed, pace);
        world.run();
        world.check_end();
    }
}

#[test]
fn every_effect_ends_in_order_and_is_accounted_for_through_failures_lag_and_crashes() {
    run(0..8, Pace::Calm);
}

/// The same where people become one, leave and are killed with something on its way all the time.
#[test]
fn nobody_knows_what_is_not_so_after_crashes_while_people_become_one() {
    run(0..160, Pace::Busy);
}
