//! A connection of the catalogue, as delivery speaks through it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_deliver::{
    Body, Carried, Carrying, CarryingAll, Company, EffectKind, Failure, Interest, Job, Letter,
    Outcome, Rider, Share, Tool, Withheld,
};
use selfsame_destinations::Manifest;
use selfsame_event::{EventType, Time};
use selfsame_mapping::Reach;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::batch::{Batches, Passenger};
use crate::config::{Config, Line};
use crate::credentials::Credentials;
use crate::daily::Daily;
use crate::journal::Notebook;
use crate::mask::Mask;
use crate::pace::Pace;

/// Exchanges at once, where the manifest does not say how many a vendor allows.
const EXCHANGES: usize = 16;
/// The most that a manifest may say.
const MOST_EXCHANGES: usize = 256;
/// The most events of batches that are under way at once.
const MOST_EVENTS: usize = 1_024;
/// The most events that come at once.
const MOST_AT_ONCE: usize = 256;
/// The most events of one person that go at once, in order.
const MOST_TOGETHER: usize = 64;

/// Keeps tokens that were fetched, where the ones before are worth nothing any more.
pub trait Keep: Send + Sync + fmt::Debug {
    /// Keeps them, in its own time.
    fn keep(&self, auth: &Value);
}

/// A connection, ready to speak. What it learned goes on to the next one of the same connection.
#[derive(Debug)]
pub struct Connector {
    pub(crate) config: Config,
    /// The settings as a text, for a program.
    pub(crate) settings: Arc<str>,
    /// Hides the secrets among the settings.
    pub(crate) mask: Mask,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notes: Notebook,
    pub(crate) pace: Arc<Pace>,
    pub(crate) exchanges: Semaphore,
    pub(crate) batches: Batches,
    pub(crate) keep: Arc<dyn Keep>,
}

impl Connector {
    /// A connector of that configuration, with its part of the journal; `before` is the one that spoke for the
    /// same connection.
    pub fn new(
        config: Config,
        keep: Arc<dyn Keep>,
        notes: Notebook,
        before: Option<&Self>,
    ) -> Self {
        let secrets = config.manifest.secrets().iter();
        let secrets = secrets.filter_map(|name| config.settings.get(name));
        let mask = Mask::of(secrets);
        // Tokens that were fetched and kept come back as configuration: they are those that it has.
        let same_tokens = before.filter(|before| {
            let is_same = before.config.auth == config.auth;
            let is_known = is_same || before.credentials.has(&config.auth);
            is_known && before.config.settings == config.settings
        });
        let credentials = match same_tokens {
            Some(before) => Arc::clone(&before.credentials),
            None => Arc::new(Credentials::new(config.auth.clone(), &mask)),
        };
        let limits = &config.manifest.limits;
        let same_pace = before.filter(|before| before.config.manifest.limits == *limits);
        let pace = match same_pace {
            Some(before) => Arc::clone(&before.pace),
            None => Arc::new(Pace::new(limits.requests_per_second)),
        };
        let exchanges = Semaphore::new(exchanges(&config.manifest));
        let batches = Batches::default();
        let settings = match &config.program {
            Some(_) => config.settings.to_string().into(),
            None => "{}".into(),
        };
        Self { config, settings, mask, credentials, notes, pace, exchanges, batches, keep }
    }

    /// How many events of it may be under way at once: those of a batch are, and whole batches.
    pub fn concurrency(&self) -> usize {
        let rooms = self.config.lines.iter().filter_map(|line| line.room);
        let most = rooms.map(|room| room.events).max().unwrap_or(1);
        let exchanges = exchanges(&self.config.manifest);
        let batches = exchanges.min((MOST_EVENTS / most).max(1));
        batches.saturating_mul(most).min(MOST_EVENTS).max(exchanges)
    }

    /// What the `integrations` of events call the tool.
    pub fn called(&self) -> &[String] {
        &self.config.manifest.called
    }

    /// The requests a second that go out at most, where there is a rate now.
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate()
    }

    /// What a vendor allows for a day of it, where the manifest says so.
    pub fn daily(&self, now: Time) -> Option<Daily> {
        Daily::of(&self.config.manifest.limits, &self.notes, now)
    }

    /// The mapping of that number, if it is in use.
    pub(crate) fn line(&self, number: u8) -> Option<&Line> {
        self.config.lines.iter().find(|line| line.number == number && line.enabled)
    }

    /// The mappings whose triggers hold for an event.
    pub(crate) fn wanted_by(&self, event: &Value) -> Share {
        let lines = self.config.lines.iter().filter(|line| line.enabled);
        lines.filter(|line| line.trigger.holds(event)).map(|line| line.number).collect()
    }
}

fn exchanges(manifest: &Manifest) -> usize {
    let allowed = manifest.limits.concurrency.map(usize::try_from).and_then(Result::ok);
    allowed.unwrap_or(EXCHANGES).clamp(1, MOST_EXCHANGES)
}

impl Tool for Connector {
    fn open(self: Arc<Self>, body: &Bytes) -> Result<Box<dyn Letter>, Failure> {
        let event: Value = serde_json::from_slice(body).map_err(|_| Failure::Unmapped)?;
        let wanted = self.wanted_by(&event);
        let (event, size) = (Arc::new(event), body.len());
        Ok(Box::new(Opened { connector: self, event, size, wanted }))
    }

    fn waits_until(&self, now: Time) -> Option<Time> {
        self.daily(now)?.free_at
    }

    fn open_shared(self: Arc<Self>, body: &Body) -> Result<Box<dyn Letter>, Failure> {
        let event = body.value().ok_or(Failure::Unmapped)?;
        let wanted = self.wanted_by(&event);
        Ok(Box::new(Opened { connector: self, event, size: body.bytes().len(), wanted }))
    }

    fn together(&self) -> usize {
        let rooms =
            self.config.lines.iter().filter(|line| line.enabled).filter_map(|line| line.room);
        let ordered = rooms.filter(|room| room.ordered).map(|room| room.events).max();
        ordered.unwrap_or(1).min(MOST_TOGETHER)
    }

    fn at_once(&self) -> usize {
        let rooms =
            self.config.lines.iter().filter(|line| line.enabled).filter_map(|line| line.room);
        rooms.map(|room| room.events).max().unwrap_or(1).min(MOST_AT_ONCE)
    }

    fn interests(&self) -> Vec<Interest> {
        let lines = self.config.lines.iter().filter(|line| line.enabled);
        lines.flat_map(|line| line.trigger.reach()).map(interest).collect()
    }
}

/// What a trigger reaches, as delivery looks for it.
fn interest(reach: Reach) -> Interest {
    let kind = |name: &String| EventType::from_name(name).map(EffectKind::from);
    let kinds = reach.types.map(|types| types.iter().filter_map(kind).collect());
    Interest { kinds, names: reach.names }
}

/// An event, read.
struct Opened {
    connector: Arc<Connector>,
    event: Arc<Value>,
    /// How many bytes it was.
    size: usize,
    wanted: Share,
}

impl Letter for Opened {
    fn wanted_by(&self) -> Share {
        self.wanted
    }

    fn carry<'a>(&'a self, action: u8, job: Job<'a>) -> Carrying<'a> {
        Box::pin(async move {
            let Some(line) = self.connector.line(action) else {
                return Carried::quiet(Outcome::Withheld(Withheld::Unwanted));
            };
            match line.room {
                Some(room) => {
                    let postponed = || Carried::quiet(Outcome::Postponed);
                    let alone = self.passenger(0, job);
                    let carried = self.connector.carry_party(&[alone], (line, room)).await;
                    carried.into_iter().next().unwrap_or_else(postponed)
                }
                // In a box: events of batches, of which there are more at once, need less.
                None => Box::pin(self.connector.carry(&self.event, line, job, &mut None)).await,
            }
        })
    }

    fn company(&self, action: u8) -> Company {
        let line = self.connector.line(action).filter(|_| self.wanted.has(action));
        match line.and_then(|line| line.room) {
            Some(room) if room.ordered => Company::InOrder,
            Some(_) => Company::Others,
            None => Company::None,
        }
    }

    fn carry_all<'a>(&'a self, action: u8, riders: &'a [Rider<'a>]) -> CarryingAll<'a> {
        Box::pin(async move {
            let party = riders.iter().map(|rider| {
                let opened = (rider.letter as &dyn Any).downcast_ref::<Self>()?;
                Some(opened.passenger(rider.person, rider.job))
            });
            let party: Option<Vec<Passenger<'_>>> = party.collect();
            let line = self.connector.line(action);
            let with = line.and_then(|line| Some((line, line.room?)));
            match (party, with) {
                (Some(party), Some(with)) => self.connector.carry_party(&party, with).await,
                // Another tool opened them, or it is configured otherwise by now: they come again one by one.
                _ => riders.iter().map(|_| Carried::quiet(Outcome::Postponed)).collect(),
            }
        })
    }
}

impl Opened {
    fn passenger<'p>(&'p self, person: usize, job: Job<'p>) -> Passenger<'p> {
        Passenger { event: &self.event, size: self.size, person, job }
    }
}

#[cfg(test)]
mod tests;
