//! The records of the ledger.
//!
//! ```text
//! every record:  | version: u8 = 5 | kind: u8 | connection: 16 | body |
//!
//! kind 1 started   | cursor: position | effects: uint |
//! kind 2 step      | cursor | counts | pause: u8 | aside: [aside] | ended: [position]
//!                  | resent: [position] | dead: [dead] | attempts: [attempt]
//!                  | ranges: [range] | dropped: [position] | told: [tell] |
//! kind 3 snapshot  | part: uint | last: u8 | started: uint | cursor | counts | pause
//!                  | aside: [aside] | dead: [dead] | ranges: [range] | told: [tell] |
//! kind 4 removed   | |
//! kind 5 replay    | of: 16 | number: uint | from, to: position | since, until, begun: time
//!                  | rate: uint, 0 = none | cancelled: u8 | matching: bytes |
//!
//! pause: 0 no, 1 the receiver is gone, 2 too far behind, 3 it does not take the credentials.
//!
//! counts    | looked: uint | delivered: uint | filtered: uint | withheld: uint
//!           | superseded: uint | extra: uint | reasons: [reason: u8, units: uint] |
//! effect    | at: position | id: 16 | profile: 20 | kind: u8 | log_time: time
//!           | subject: uint, 0 = none, else one more |
//! aside     | effect | attempts: uint | first attempt: time, 0 = none | due: time | share |
//! dead      | effect | attempts: uint | first attempt: time | died: time | failure: u8
//!           | status: uint, 0 = none | share |
//! share     | uint, a bit for each action; 0 = the whole |
//! range     | from, to, at: position | reason: u8 | since: time | events: uint
//!           | flags: u8, 1 being sent again, 2 partly gone | filter: uint | ended: [position]
//!           | derived: [kind: u8, subject: uint] |
//! tell      | kind: u8 | subject: uint | to: 16 | value: uint |
//! attempt   | offset: int, from the row before | partition, index: uint | number: uint
//!           | started: int, from the row before | took: uint, ms | outcome: u8 | status: uint
//!           | note: bytes | action: u8, where the outcome has 128 added |
//! position  | partition: uint | offset: uint | index: uint |
//! uint, int: LEB128, zigzag.   time: int, microseconds.   [x]: uint count, then so many x.
//! ```
//!
//! A step is one move of a connection's cursor together with the exceptions it leaves behind, so
//! that neither can be durable without the other. Counts are totals, not differences.
//! Version 1 had no ranges, and no pause but 0 and 1. Version 2 had no subjects and nothing told, and
//! nothing was superseded. Version 3 had no actions, and no replays, whose records are those of a connection of its own.
//! Version 4 did not count by reasons.

use bytes::Bytes;
use selfsame_event::{ItemPosition, ProfileId, Time};

use crate::connection::{ConnectionId, Filter};
use crate::feed::{Effect, EffectKind, FeedEnd, Topic};
use crate::outcome::{Failure, Outcome, Withheld};
use crate::range::{Beyond, DeadRange};
use crate::reasons::Reasons;
use crate::replay::Replay;
use crate::share::Share;
use crate::status::Pause;
use crate::told::{Tell, TellKey};
use crate::wire::{Reader, WireError, Writer};

mod attempt;

pub(crate) use attempt::{read_attempt, write_attempt};

const VERSION: u8 = 5;
const OLDEST: u8 = 1;

/// Totals of a connection since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Effects that the cursor has passed.
    pub(crate) looked: u64,
    /// Effects that the receiver took.
    pub(crate) delivered: u64,
    /// Effects that the connection does not want, and those withheld.
    pub(crate) filtered: u64,
    /// The part of `filtered` that was withheld when it was to be sent.
    pub(crate) withheld: u64,
    /// The part of `filtered` that a newer change replaced.
    pub(crate) superseded: u64,
    /// By how many there are more units than effects, of those that the cursor has passed.
    pub(crate) extra: u64,
    /// The part of `withheld` that has a reason: what was counted since reasons are.
    pub(crate) reasons: Reasons,
}

impl Counts {
    /// Counts what was withheld, or superseded.
    pub(crate) fn withhold(&mut self, reason: Withheld, units: u64) {
        self.filtered += units;
        if reason == Withheld::Superseded {
            self.superseded += units;
        } else {
            self.withheld += units;
            self.reasons.note(reason, units);
        }
    }
}

/// An effect that the cursor has passed before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aside {
    /// The effect.
    pub(crate) effect: Effect,
    /// Attempts made.
    pub(crate) attempts: u32,
    /// When the first one was made.
    pub(crate) first_attempt: Option<Time>,
    /// When to try again.
    pub(crate) due: Time,
    /// What of it.
    pub(crate) share: Share,
}

/// An effect that is not tried any more until somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetter {
    /// The effect.
    pub effect: Effect,
    /// Attempts made.
    pub attempts: u32,
    /// When the first one was made.
    pub first_attempt: Time,
    /// When it was given up.
    pub died: Time,
    /// Why the last attempt failed.
    pub failure: Failure,
    /// The status of the last attempt, where there was an answer.
    pub status: Option<u16>,
    /// What of it: the actions that were given up.
    pub share: Share,
}

/// One attempt, for the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The effect's place.
    pub at: ItemPosition,
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub started: Time,
    /// How long it took.
    pub took_ms: u32,
    /// How it ended; a `Retry-After` is not kept.
    pub outcome: Outcome,
    /// A failed answer's body, control characters escaped; in the ledger the beginning of it.
    pub note: String,
    /// The number of the action, where the connection has actions.
    pub action: Option<u8>,
}

/// What one connection appends at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Step {
    /// The cursor now.
    pub(crate) cursor: ItemPosition,
    /// The totals now.
    pub(crate) counts: Counts,
    /// Why nothing is sent, if so.
    pub(crate) paused: Option<Pause>,
    /// Effects set aside, or aside and tried again.
    pub(crate) aside: Vec<Aside>,
    /// Effects that were aside and were delivered or withheld.
    pub(crate) ended: Vec<ItemPosition>,
    /// Dead letters that are to be sent again; they are in `aside` too.
    pub(crate) resent: Vec<ItemPosition>,
    /// New dead letters.
    pub(crate) dead: Vec<DeadLetter>,
    /// Attempts that ended.
    pub(crate) attempts: Vec<Attempt>,
    /// Dead ranges, new or changed.
    pub(crate) ranges: Vec<DeadRange>,
    /// Beginnings of dead ranges of which nothing is left.
    pub(crate) dropped: Vec<ItemPosition>,
    /// What recipients were told.
    pub(crate) told: Vec<Tell>,
}

/// A part of all that is known of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SnapshotPart {
    /// 0 for the first.
    pub(crate) part: u32,
    /// Whether it is the last.
    pub(crate) last: bool,
    /// Effects of the feed before the connection began.
    pub(crate) started: u64,
    /// The cursor.
    pub(crate) cursor: ItemPosition,
    /// The totals.
    pub(crate) counts: Counts,
    /// Why nothing is sent, if so.
    pub(crate) paused: Option<Pause>,
    /// Some of the effects that are aside.
    pub(crate) aside: Vec<Aside>,
    /// Some of the dead letters.
    pub(crate) dead: Vec<DeadLetter>,
    /// The dead ranges, in the first part.
    pub(crate) ranges: Vec<DeadRange>,
    /// Some of what recipients were told.
    pub(crate) told: Vec<Tell>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The connection begins here.
    Started(FeedEnd),
    /// The connection went on.
    Step(Step),
    /// All that is known of it, in parts.
    Snapshot(SnapshotPart),
    /// The connection was removed; nothing of it is kept.
    Removed,
    /// It is a replay, which begins here or has changed.
    Replay(Replay),
}

/// A record of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whose it is.
    pub(crate) connection: ConnectionId,
    /// What it says.
    pub(crate) entry: Entry,
}

impl Record {
    /// The bytes of the record.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.byte(match self.entry {
            Entry::Started(_) => 1,
            Entry::Step(_) => 2,
            Entry::Snapshot(_) => 3,
            Entry::Removed => 4,
            Entry::Replay(_) => 5,
        });
        out.raw(&self.connection.0);
        match &self.entry {
            Entry::Started(start) => {
                out.position(start.at);
                out.uint(start.effects);
            }
            Entry::Step(step) => write_step(&mut out, step),
            Entry::Snapshot(part) => write_snapshot(&mut out, part),
            Entry::Removed => {}
            Entry::Replay(replay) => replay.write(&mut out),
        }
        out.finish().into()
    }

    /// Reads a record.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(WireError);
        }
        let kind = from.byte()?;
        let connection = ConnectionId(from.raw()?);
        let entry = match kind {
            1 => Entry::Started(FeedEnd { at: from.position()?, effects: from.uint()? }),
            2 => Entry::Step(read_step(&mut from, version)?),
            3 => Entry::Snapshot(read_snapshot(&mut from, version)?),
            4 => Entry::Removed,
            5 if version > 3 => Entry::Replay(Replay::read(&mut from)?),
            _ => return Err(WireError),
        };
        if from.is_empty() { Ok(Self { connection, entry }) } else { Err(WireError) }
    }
}

fn write_step(out: &mut Writer, step: &Step) {
    out.position(step.cursor);
    write_counts(out, step.counts);
    write_pause(out, step.paused);
    out.list(&step.aside, write_aside);
    out.list(&step.ended, |out, at| out.position(*at));
    out.list(&step.resent, |out, at| out.position(*at));
    out.list(&step.dead, write_dead);
    let mut before = (0, 0);
    out.list(&step.attempts, |out, attempt| before = write_attempt(out, attempt, before));
    out.list(&step.ranges, write_range);
    out.list(&step.dropped, |out, at| out.position(*at));
    out.list(&step.told, write_tell);
}

fn read_step(from: &mut Reader<'_>, version: u8) -> Result<Step, WireError> {
    let cursor = from.position()?;
    let counts = read_counts(from, version)?;
    let paused = read_pause(from)?;
    let aside = from.list(|from| read_aside(from, version))?;
    let ended = from.list(Reader::position)?;
    let resent = from.list(Reader::position)?;
    let dead = from.list(|from| read_dead(from, version))?;
    let mut before = (0, 0);
    let attempts = from.list(|from| read_attempt(from, &mut before))?;
    let has_ranges = version > 1;
    let ranges = if has_ranges { from.list(|from| read_range(from, version))? } else { Vec::new() };
    let dropped = if has_ranges { from.list(Reader::position)? } else { Vec::new() };
    let told = if version > 2 { from.list(read_tell)? } else { Vec::new() };
    let moved = Step { cursor, counts, paused, aside, ended, resent, ..Step::default() };
    Ok(Step { dead, attempts, ranges, dropped, told, ..moved })
}

fn write_snapshot(out: &mut Writer, part: &SnapshotPart) {
    out.uint(u64::from(part.part));
    out.byte(part.last.into());
    out.uint(part.started);
    out.position(part.cursor);
    write_counts(out, part.counts);
    write_pause(out, part.paused);
    out.list(&part.aside, write_aside);
    out.list(&part.dead, write_dead);
    out.list(&part.ranges, write_range);
    out.list(&part.told, write_tell);
}

fn read_snapshot(from: &mut Reader<'_>, version: u8) -> Result<SnapshotPart, WireError> {
    Ok(SnapshotPart {
        part: from.u32()?,
        last: from.byte()? != 0,
        started: from.uint()?,
        cursor: from.position()?,
        counts: read_counts(from, version)?,
        paused: read_pause(from)?,
        aside: from.list(|from| read_aside(from, version))?,
        dead: from.list(|from| read_dead(from, version))?,
        ranges: match version {
            1 => Vec::new(),
            _ => from.list(|from| read_range(from, version))?,
        },
        told: if version > 2 { from.list(read_tell)? } else { Vec::new() },
    })
}

fn write_pause(out: &mut Writer, paused: Option<Pause>) {
    out.byte(paused.map_or(0, |pause| pause as u8));
}

fn read_pause(from: &mut Reader<'_>) -> Result<Option<Pause>, WireError> {
    match from.byte()? {
        0 => Ok(None),
        code => Pause::from_code(code).map(Some).ok_or(WireError),
    }
}

const RESENDING: u8 = 1;
const PARTLY_GONE: u8 = 2;

fn write_range(out: &mut Writer, range: &DeadRange) {
    [range.from, range.to, range.at].into_iter().for_each(|place| out.position(place));
    out.byte(range.reason as u8);
    out.time(range.since);
    out.uint(range.events);
    let resending = if range.is_resending { RESENDING } else { 0 };
    out.byte(resending | if range.is_partly_gone { PARTLY_GONE } else { 0 });
    out.uint(range.filter.bits());
    out.list(&range.ended, |out, at| out.position(*at));
    let derived: Vec<Topic> = range.filter.derived().copied().collect();
    out.list(&derived, |out, topic| {
        out.byte(topic.kind.0);
        out.uint(u64::from(topic.subject.unwrap_or(0)));
    });
}

fn read_range(from: &mut Reader<'_>, version: u8) -> Result<DeadRange, WireError> {
    let (begin, to, at) = (from.position()?, from.position()?, from.position()?);
    let reason = Beyond::from_code(from.byte()?).ok_or(WireError)?;
    let (since, events, flags) = (from.time()?, from.uint()?, from.byte()?);
    if flags > RESENDING | PARTLY_GONE {
        return Err(WireError);
    }
    let filter = Filter::from_bits(from.uint()?);
    let ended = from.list(Reader::position)?;
    let derived = if version > 2 { from.list(read_topic)? } else { Vec::new() };
    Ok(DeadRange {
        from: begin,
        to,
        at,
        reason,
        since,
        events,
        is_resending: flags & RESENDING != 0,
        is_partly_gone: flags & PARTLY_GONE != 0,
        filter: filter.with_derived(derived.into_iter().collect()),
        ended,
    })
}

fn read_topic(from: &mut Reader<'_>) -> Result<Topic, WireError> {
    Ok(Topic { kind: EffectKind(from.byte()?), subject: Some(from.u32()?) })
}

fn write_tell(out: &mut Writer, tell: &Tell) {
    out.byte(tell.key.kind.0);
    out.uint(u64::from(tell.key.subject));
    out.raw(&tell.key.to);
    out.uint(tell.value);
}

fn read_tell(from: &mut Reader<'_>) -> Result<Tell, WireError> {
    let (kind, subject) = (EffectKind(from.byte()?), from.u32()?);
    Ok(Tell { key: TellKey { kind, subject, to: from.raw()? }, value: from.uint()? })
}

fn write_counts(out: &mut Writer, counts: Counts) {
    let Counts { looked, delivered, filtered, withheld, superseded, extra, reasons } = counts;
    [looked, delivered, filtered, withheld, superseded, extra]
        .into_iter()
        .for_each(|count| out.uint(count));
    let there: Vec<_> = reasons.iter().filter(|(_, units)| *units > 0).collect();
    out.list(&there, |out, (reason, units)| {
        out.byte(*reason as u8);
        out.uint(*units);
    });
}

fn read_counts(from: &mut Reader<'_>, version: u8) -> Result<Counts, WireError> {
    let (looked, delivered) = (from.uint()?, from.uint()?);
    let (filtered, withheld) = (from.uint()?, from.uint()?);
    let superseded = if version > 2 { from.uint()? } else { 0 };
    let extra = if version > 3 { from.uint()? } else { 0 };
    let mut reasons = Reasons::default();
    if version > 4 {
        let read = |from: &mut Reader<'_>| {
            let reason = Withheld::from_code(from.byte()?).ok_or(WireError)?;
            Ok((reason, from.uint()?))
        };
        from.list(read)?.into_iter().for_each(|(reason, units)| reasons.note(reason, units));
    }
    Ok(Counts { looked, delivered, filtered, withheld, superseded, extra, reasons })
}

fn write_effect(out: &mut Writer, effect: &Effect) {
    out.position(effect.at);
    out.raw(&effect.id);
    out.raw(&effect.profile.to_bytes());
    out.byte(effect.kind.0);
    out.time(effect.log_time);
    out.uint(effect.subject.map_or(0, |subject| u64::from(subject) + 1));
}

fn read_effect(from: &mut Reader<'_>, version: u8) -> Result<Effect, WireError> {
    let (at, id) = (from.position()?, from.raw()?);
    let profile = ProfileId::from_bytes(from.raw()?);
    let (kind, log_time) = (EffectKind(from.byte()?), from.time()?);
    let subject = match if version > 2 { from.uint()? } else { 0 } {
        0 => None,
        more => Some(u32::try_from(more - 1).map_err(|_| WireError)?),
    };
    Ok(Effect { at, id, profile, kind, subject, log_time })
}

fn write_aside(out: &mut Writer, aside: &Aside) {
    write_effect(out, &aside.effect);
    out.uint(u64::from(aside.attempts));
    out.time(aside.first_attempt.unwrap_or(Time::EPOCH));
    out.time(aside.due);
    out.uint(aside.share.bits());
}

fn read_aside(from: &mut Reader<'_>, version: u8) -> Result<Aside, WireError> {
    let (effect, attempts) = (read_effect(from, version)?, from.u32()?);
    let first_attempt = Some(from.time()?).filter(|time| *time != Time::EPOCH);
    let due = from.time()?;
    Ok(Aside { effect, attempts, first_attempt, due, share: read_share(from, version)? })
}

fn write_dead(out: &mut Writer, dead: &DeadLetter) {
    write_effect(out, &dead.effect);
    out.uint(u64::from(dead.attempts));
    out.time(dead.first_attempt);
    out.time(dead.died);
    out.byte(dead.failure as u8);
    out.uint(u64::from(dead.status.unwrap_or(0)));
    out.uint(dead.share.bits());
}

fn read_dead(from: &mut Reader<'_>, version: u8) -> Result<DeadLetter, WireError> {
    let (effect, attempts) = (read_effect(from, version)?, from.u32()?);
    let (first_attempt, died) = (from.time()?, from.time()?);
    let failure = Failure::from_code(from.byte()?).ok_or(WireError)?;
    let (status, share) = (read_status(from)?, read_share(from, version)?);
    Ok(DeadLetter { effect, attempts, first_attempt, died, failure, status, share })
}

fn read_share(from: &mut Reader<'_>, version: u8) -> Result<Share, WireError> {
    let bits = if version > 3 { from.uint()? } else { 0 };
    Ok(Share::from_bits(bits))
}

fn read_status(from: &mut Reader<'_>) -> Result<Option<u16>, WireError> {
    let status = u16::try_from(from.uint()?).map_err(|_| WireError)?;
    Ok(Some(status).filter(|status| *status != 0))
}

#[cfg(test)]
mod tests;
