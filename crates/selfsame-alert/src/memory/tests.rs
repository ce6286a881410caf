//! Alerts in virtual time.

use selfsame_event::Time;

use super::{Memory, Told, Turn, TurnKind};
use crate::condition::Condition;
use crate::defaults::defaults;
use crate::rule::{Rule, Rules, Severity};
use crate::sample::{
    AudienceSample, DestinationSample, DestinationState, DiskSample, IdentitySample, Sample,
    SourceSample,
};
use crate::span::Span;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A node whose time a test moves.
struct World {
    memory: Memory,
    rules: Rules,
    channels: Vec<String>,
    sample: Sample,
    now: i64,
    turns: Vec<Turn>,
    /// Whether the process ends and begins again between any two looks.
    restless: bool,
}

impl World {
    fn new(rules: Rules) -> Self {
        let now = 1_790_000_000;
        let sample = Sample {
            sources: vec![SourceSample { id: "web".to_owned(), ..SourceSample::default() }],
            destinations: vec![DestinationSample {
                id: "crm".to_owned(),
                ..DestinationSample::default()
            }],
            ..Sample::default()
        };
        let channels = vec!["team".to_owned()];
        let (memory, turns) = (Memory::default(), Vec::new());
        Self { memory, rules, channels, sample, now, turns, restless: false }
    }

    fn with(when: Condition, raise_after: Span) -> Self {
        let rule = Rule::new("Test", Severity::Warning, when).raised_after(raise_after);
        Self::new([("test".to_owned(), rule)].into())
    }

    /// Looks once a minute for so long; before each look, the node goes on.
    fn run(&mut self, seconds: i64, mut go_on: impl FnMut(&mut Sample, i64)) {
        for _ in 0..seconds / MINUTE {
            self.now += MINUTE;
            go_on(&mut self.sample, self.now);
            self.look();
        }
    }

    fn look(&mut self) {
        if self.restless {
            let text = serde_json::to_string(&self.memory).expect("JSON");
            self.memory = serde_json::from_str(&text).expect("what was written");
        }
        self.sample.now = Time::from_micros(self.now * 1_000_000);
        let turns = self.memory.step(&self.rules, &self.channels, &self.sample);
        self.turns.extend(turns);
    }

    fn idle(&mut self, seconds: i64) {
        self.run(seconds, |_, _| {});
    }

    fn state(&mut self, state: DestinationState) {
        self.sample.destinations[0].state = state;
    }

    /// What turned since this was asked last.
    fn turned(&mut self) -> Vec<(String, TurnKind)> {
        let turns = std::mem::take(&mut self.turns);
        turns.into_iter().map(|turn| (turn.subject, turn.kind)).collect()
    }

    /// Tells channels all that is due, which they take; what they were told.
    fn tell(&mut self) -> Vec<(u64, TurnKind)> {
        let mut told = Vec::new();
        loop {
            let due = self.memory.due(self.now);
            if due.is_empty() {
                return told;
            }
            for due in due {
                told.push((due.turn.number, due.turn.kind));
                self.memory.told(&due, self.now, Ok(()));
            }
        }
    }
}

fn paused() -> Condition {
    Condition::DestinationPaused { destinations: Vec::new() }
}

fn failing() -> Condition {
    Condition::DestinationFailing { destinations: Vec::new() }
}

fn raised(subject: &str) -> (String, TurnKind) {
    (subject.to_owned(), TurnKind::Raised)
}

fn cleared(subject: &str) -> (String, TurnKind) {
    (subject.to_owned(), TurnKind::Cleared)
}

#[test]
fn what_lasts_is_raised_once_and_cleared_once() {
    for restless in [false, true] {
        let mut world = World::with(failing(), Span::minutes(5));
        world.restless = restless;
        world.idle(HOUR);
        world.state(DestinationState::Down);
        world.idle(4 * MINUTE);
        assert_eq!(world.turned(), []);
        world.idle(3 * HOUR);
        assert_eq!(world.turned(), [raised("crm")]);
        assert_eq!(world.tell(), [(1, TurnKind::Raised)]);
        world.state(DestinationState::Running);
        world.idle(4 * MINUTE);
        assert_eq!(world.turned(), []);
        world.idle(3 * HOUR);
        assert_eq!(world.turned(), [cleared("crm")]);
        assert_eq!(world.tell(), [(2, TurnKind::Cleared)]);
        assert!(world.memory.raised().next().is_none());
        let sentences: Vec<_> = world.memory.turns().map(|turn| turn.sentence.as_str()).collect();
        assert_eq!(sentences[0], "it is over, after 3 hours");
    }
}

#[test]
fn what_flaps_is_told_seldom_and_less_and_less() {
    let mut world = World::with(paused(), Span::default());
    // Ten minutes paused and ten minutes not, for a day.
    world.run(DAY, |sample, now| {
        let is_paused = now.div_euclid(10 * MINUTE).rem_euclid(2) == 0;
        sample.destinations[0].state =
            if is_paused { DestinationState::Paused("gone") } else { DestinationState::Running };
    });
    let turned = world.turned();
    // Cleared after 5 minutes, then never: 10 and more of quiet do not come any more.
    assert_eq!(turned, [raised("crm"), cleared("crm"), raised("crm")], "{turned:?}");
    world.state(DestinationState::Running);
    world.idle(DAY);
    assert_eq!(world.turned(), [cleared("crm")]);
    // A day later it is as quick as at first.
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    world.state(DestinationState::Running);
    world.idle(6 * MINUTE);
    assert_eq!(world.turned(), [raised("crm"), cleared("crm")]);
}

#[test]
fn short_failures_raise_nothing() {
    let mut world = World::with(failing(), Span::minutes(5));
    world.run(DAY, |sample, now| {
        let is_down = now.div_euclid(4 * MINUTE).rem_euclid(2) == 0;
        sample.destinations[0].state =
            if is_down { DestinationState::Down } else { DestinationState::Running };
    });
    assert_eq!(world.turned(), []);
}

#[test]
fn a_restart_tells_nothing_again_and_loses_nothing() {
    let mut world = World::with(paused(), Span::default());
    world.state(DestinationState::Paused("behind"));
    world.idle(MINUTE);
    assert_eq!(world.turned(), [raised("crm")]);
    // Killed before anybody was told, for an hour.
    world.restless = true;
    world.now += HOUR;
    world.idle(10 * MINUTE);
    assert_eq!(world.turned(), []);
    assert_eq!(world.tell(), [(1, TurnKind::Raised)]);
    world.now += HOUR;
    world.idle(10 * MINUTE);
    assert_eq!(world.tell(), []);
    world.state(DestinationState::Running);
    world.now += HOUR;
    world.idle(MINUTE);
    // Nobody looked for the hour: five minutes of quiet have to be seen.
    assert_eq!(world.turned(), []);
    world.idle(6 * MINUTE);
    assert_eq!(world.turned(), [cleared("crm")]);
    assert_eq!(world.tell(), [(2, TurnKind::Cleared)]);
}

#[test]
fn a_destination_that_has_not_begun_after_a_restart_stays_as_it_was() {
    let mut world = World::with(paused(), Span::default());
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    assert_eq!(world.turned(), [raised("crm")]);
    world.state(DestinationState::Unknown);
    world.idle(HOUR);
    world.state(DestinationState::Paused("gone"));
    world.idle(HOUR);
    assert_eq!(world.turned(), []);
}

#[test]
fn a_failure_that_nobody_watched_does_not_count() {
    let mut world = World::with(failing(), Span::minutes(30));
    world.state(DestinationState::Down);
    world.idle(10 * MINUTE);
    world.now += HOUR;
    world.idle(29 * MINUTE);
    assert_eq!(world.turned(), []);
    world.idle(2 * MINUTE);
    assert_eq!(world.turned(), [raised("crm")]);
}

#[test]
fn what_is_gone_or_switched_off_is_cleared() {
    let mut world = World::with(paused(), Span::default());
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    world.state(DestinationState::Off);
    world.idle(MINUTE);
    assert_eq!(world.turned(), [raised("crm"), cleared("crm")]);
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    let rule = world.rules.get_mut("test").expect("the rule");
    rule.enabled = false;
    world.idle(MINUTE);
    assert_eq!(world.turned(), [raised("crm"), cleared("crm")]);
    world.rules.get_mut("test").expect("the rule").enabled = true;
    world.idle(MINUTE);
    world.rules.clear();
    world.idle(2 * MINUTE);
    assert_eq!(world.turned(), [raised("crm"), cleared("crm")]);
    assert_eq!(world.tell().len(), 6);
}

#[test]
fn what_is_silent_is_told_when_the_silence_ends_if_it_is_still_so() {
    let mut world = World::with(paused(), Span::default());
    world.memory.silence("test", None, world.now + HOUR);
    world.state(DestinationState::Paused("gone"));
    world.idle(30 * MINUTE);
    assert_eq!((world.turned(), world.tell()), (vec![raised("crm")], vec![]));
    world.idle(HOUR);
    assert_eq!(world.tell(), [(1, TurnKind::Raised)]);
    // It ends within a silence of that destination: told when that ends.
    world.memory.silence("test", Some("crm"), world.now + HOUR);
    world.state(DestinationState::Running);
    world.idle(30 * MINUTE);
    assert_eq!((world.turned(), world.tell()), (vec![cleared("crm")], vec![]));
    assert!(world.memory.unsilence("test", Some("crm")));
    assert!(!world.memory.unsilence("test", Some("crm")));
    world.idle(MINUTE);
    assert_eq!(world.tell(), [(2, TurnKind::Cleared)]);
    // It comes and goes within a silence: nobody is told anything.
    world.memory.silence("test", Some("crm"), world.now + 5 * HOUR);
    world.state(DestinationState::Paused("gone"));
    world.idle(30 * MINUTE);
    world.state(DestinationState::Running);
    world.idle(6 * HOUR);
    assert_eq!(world.turned(), [raised("crm"), cleared("crm")]);
    assert_eq!(world.tell(), []);
    // A silence of another destination is none of this one.
    world.memory.silence("test", Some("other"), world.now + HOUR);
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    assert_eq!(world.tell(), [(5, TurnKind::Raised)]);
}

#[test]
fn a_channel_that_fails_is_told_later_in_order_and_given_up_after_a_day() {
    let mut world = World::with(paused(), Span::default());
    world.channels = vec!["broken".to_owned(), "team".to_owned()];
    world.state(DestinationState::Paused("gone"));
    world.idle(MINUTE);
    let (mut attempts, mut taken) = (0, Vec::new());
    for minute in 0..25 * 60 {
        if minute == 20 {
            world.state(DestinationState::Running);
        }
        world.idle(MINUTE);
        for due in world.memory.due(world.now) {
            let result = match due.channel.as_str() {
                "broken" => Err("timeout".to_owned()),
                _ => Ok(()),
            };
            match result {
                Ok(()) => taken.push(due.turn.number),
                Err(_) => {
                    attempts += 1;
                    assert_eq!(due.turn.number, 1, "in order");
                }
            }
            world.memory.told(&due, world.now, result);
        }
        if attempts > 0 && world.memory.waiting("broken") < 2 && minute > 30 {
            break;
        }
    }
    assert_eq!(taken, [1, 2]);
    assert!((100..200).contains(&attempts), "{attempts}");
    let told: Vec<_> = world.memory.turns().map(|turn| turn.told["broken"].clone()).collect();
    assert_eq!(told, [Told::Waiting, Told::Failed("timeout".to_owned())]);
    // A channel that is gone has nothing waiting.
    world.channels = vec!["team".to_owned()];
    world.idle(MINUTE);
    assert_eq!(world.memory.waiting("broken"), 0);
}

#[test]
fn a_channel_that_comes_later_is_told_what_nobody_was() {
    let mut world = World::with(paused(), Span::default());
    world.channels.clear();
    world.state(DestinationState::Paused("gone"));
    world.idle(HOUR);
    assert_eq!(world.tell(), []);
    world.channels = vec!["mail".to_owned()];
    world.idle(MINUTE);
    assert_eq!(world.tell(), [(1, TurnKind::Raised)]);
    // A rule that names another channel tells this one nothing.
    world.rules.get_mut("test").expect("the rule").channels = vec!["team".to_owned()];
    world.state(DestinationState::Running);
    world.idle(HOUR);
    assert_eq!(world.tell(), []);
}

#[test]
fn a_source_is_silent_when_it_is_longer_so_than_usual() {
    let silent = Condition::SourceSilent { sources: Vec::new(), after: None };
    let mut world = World::with(silent, Span::default());
    // One that never sent anything is not silent.
    world.idle(3 * DAY);
    assert_eq!(world.turned(), []);
    // Events in the daytime, for a week: nights are usual.
    let by_day = |sample: &mut Sample, now: i64| {
        sample.sources[0].events += u64::from(now.rem_euclid(DAY) < 14 * HOUR);
    };
    world.run(7 * DAY, by_day);
    assert_eq!(world.turned(), []);
    let quiet_since = world.now;
    world.idle(2 * DAY);
    assert_eq!(world.turned(), [raised("web")]);
    let at = world.memory.turns().next().expect("a turn").at;
    assert!(at - quiet_since < 21 * HOUR, "after {} hours", (at - quiet_since) / HOUR);
    world.run(HOUR, |sample, _| sample.sources[0].events += 1);
    assert_eq!(world.turned(), [cleared("web")]);
}

#[test]
fn a_source_is_not_silent_while_the_server_was_down() {
    let silent = Condition::SourceSilent { sources: Vec::new(), after: Some(Span::minutes(30)) };
    let mut world = World::with(silent, Span::default());
    world.run(HOUR, |sample, _| sample.sources[0].events += 1);
    world.now += 10 * HOUR;
    world.idle(29 * MINUTE);
    assert_eq!(world.turned(), []);
    world.idle(2 * MINUTE);
    assert_eq!(world.turned(), [raised("web")]);
}

#[test]
fn rejected_and_repeated_events_are_shares_of_the_last_hour() {
    let everything = Vec::new;
    for (when, which) in [
        (
            Condition::EventsRejected {
                sources: everything(),
                percent: 10,
                events: 20,
                within: Span::hours(1),
            },
            false,
        ),
        (
            Condition::EventsRepeated {
                sources: everything(),
                percent: 10,
                events: 20,
                within: Span::hours(1),
            },
            true,
        ),
    ] {
        let mut world = World::with(when, Span::default());
        let go = |bad: u64, other: u64| {
            move |sample: &mut Sample, _: i64| {
                let source = &mut sample.sources[0];
                source.events += 100;
                source.rejected += if which { other } else { bad };
                source.repeated += if which { bad } else { other };
            }
        };
        world.run(DAY, go(5, 90));
        assert_eq!(world.turned(), [], "{which}");
        world.run(HOUR, go(20, 0));
        assert_eq!(world.turned(), [raised("web")], "{which}");
        world.run(2 * HOUR, go(1, 0));
        assert_eq!(world.turned(), [cleared("web")], "{which}");
    }
}

#[test]
fn an_audience_that_jumps_is_told_once_and_a_changed_definition_is_no_jump() {
    let when = Condition::AudienceSize {
        audiences: Vec::new(),
        percent: 50,
        members: 100,
        within: Span::hours(24),
    };
    let mut world = World::with(when, Span::default());
    let vip = |members, version| AudienceSample { id: "shop/vip".to_owned(), members, version };
    world.sample.audiences = vec![vip(1_000, 1)];
    world.idle(2 * DAY);
    world.sample.audiences = vec![vip(1_200, 1)];
    world.idle(2 * DAY);
    assert_eq!(world.turned(), []);
    world.sample.audiences = vec![vip(20, 1)];
    world.idle(2 * DAY);
    // A day later it is what it is.
    assert_eq!(world.turned(), [raised("shop/vip"), cleared("shop/vip")]);
    world.sample.audiences = vec![vip(9_000, 2)];
    world.idle(2 * DAY);
    assert_eq!(world.turned(), []);
}

#[test]
fn the_rules_by_default_say_what_is_wrong_and_nothing_else() {
    let mut world = World::new(defaults());
    let size_bytes = 100 << 30;
    world.sample.disk = Some(DiskSample { free_bytes: 50 << 30, size_bytes });
    let kinds = ["giant_profile", "merges"];
    let identity = |count| {
        let of = |kind| IdentitySample { space: "shop".to_owned(), kind, count };
        Some(kinds.map(of).to_vec())
    };
    world.sample.identity = identity(0);
    let healthy = |sample: &mut Sample, _: i64| {
        sample.sources[0].events += 100;
        sample.sources[0].rejected += 1;
        sample.destinations[0].delivered += 100;
        sample.destinations[0].dead += 1;
    };
    world.run(3 * DAY, healthy);
    assert_eq!(world.turned(), []);
    world.sample.destinations[0] = DestinationSample {
        id: "crm".to_owned(),
        state: DestinationState::Paused("behind"),
        delivered: world.sample.destinations[0].delivered,
        dead: world.sample.destinations[0].dead + 5_000,
        unaccounted: 1,
        behind_percent: 100,
        ..DestinationSample::default()
    };
    world.sample.sources[0].rejected += 10_000;
    world.sample.sources[0].repeated += 1_000_000;
    world.sample.disk = Some(DiskSample { free_bytes: 9 << 30, size_bytes });
    world.sample.unfolded = 200_000;
    world.sample.clock_held_seconds = 600;
    world.sample.identity = identity(3);
    world.run(30 * MINUTE, |sample, _| sample.sources[0].events += 1);
    let raised: Vec<_> = world.memory.raised().map(|(id, subject, _)| (id, subject)).collect();
    assert_eq!(
        raised,
        [
            ("clock-held", "clock"),
            ("dead-letters", "crm"),
            ("destination-behind", "crm"),
            ("destination-far-behind", "crm"),
            ("destination-paused", "crm"),
            ("disk-low", "data"),
            ("events-rejected", "web"),
            ("events-repeated", "web"),
            ("fold-behind", "log"),
            ("identity-health", "shop/giant_profile"),
            ("identity-health", "shop/merges"),
            ("unaccounted", "crm"),
        ]
    );
    // Nobody looked at identity or at the disk: they stay as they are.
    (world.sample.identity, world.sample.disk) = (None, None);
    world.idle(30 * MINUTE);
    assert_eq!(world.memory.raised().count(), 12);
}

#[test]
fn a_clock_that_is_set_back_raises_and_clears_nothing_early() {
    let mut world = World::with(failing(), Span::minutes(30));
    world.state(DestinationState::Down);
    world.idle(20 * MINUTE);
    world.now -= 5 * HOUR;
    world.idle(2 * HOUR);
    assert_eq!(world.turned(), []);
    world.now += 3 * HOUR;
    world.idle(MINUTE);
    assert_eq!(world.memory.raised().count(), 0);
    world.idle(40 * MINUTE);
    assert_eq!(world.turned(), [raised("crm")]);
}

#[test]
fn a_rule_is_read_as_it_was_written_and_wrong_ones_are_refused() {
    for (id, rule) in defaults() {
        assert_eq!(rule.check(), Ok(()), "{id}");
        let text = serde_json::to_string(&rule).expect("JSON");
        assert_eq!(serde_json::from_str::<Rule>(&text).expect("a rule"), rule);
    }
    for wrong in [
        r#"{"name":"x","when":{"kind":"nothing"}}"#,
        r#"{"name":"x","when":{"kind":"disk_low"}}"#,
        r#"{"name":"x","when":{"kind":"fold_behind","records":1,"more":2}}"#,
        r#"{"name":"x","when":{"kind":"clock_held","by":"soon"}}"#,
        r#"{"name":"x","when":{"kind":"fold_behind","records":1},"severity":"bad"}"#,
    ] {
        assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
    }
    for (wrong, field) in [
        (r#"{"kind":"disk_low","percent":0}"#, "when.percent"),
        (r#"{"kind":"events_rejected","percent":101}"#, "when.percent"),
        (r#"{"kind":"dead_letters","percent":5,"within":"2d"}"#, "when.within"),
    ] {
        let when: Condition = serde_json::from_str(wrong).expect("a condition");
        let error = when.check().expect_err(wrong);
        assert_eq!(error.field, field, "{wrong}");
    }
}
