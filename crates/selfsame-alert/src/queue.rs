//! What channels are still to be told, in order, with the next time that it is tried.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::memory::{Memory, Told, Turn};

/// The first pause between two attempts, in seconds; it doubles.
const FIRST_PAUSE: i64 = 10;
/// The longest one.
const LONGEST_PAUSE: i64 = 600;
/// For how long something is tried.
const PATIENCE: i64 = 86_400;
/// How many turns wait for one channel at most; the oldest are given up.
const WAITING: usize = 200;

/// Turns that wait, by channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Queue {
    channels: BTreeMap<String, VecDeque<Waiting>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    turn: u64,
    since: i64,
    tries: u32,
    next: i64,
}

/// A turn that a channel is to be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The id of the channel.
    pub channel: String,
    /// What.
    pub turn: Turn,
}

impl Queue {
    pub(crate) fn push(&mut self, turn: u64, channel: &str, now: i64) {
        let waiting = self.channels.entry(channel.to_owned()).or_default();
        waiting.push_back(Waiting { turn, since: now, tries: 0, next: now });
        let surplus = waiting.len().saturating_sub(WAITING);
        waiting.drain(..surplus);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(u64, &str) -> bool) {
        for (channel, waiting) in &mut self.channels {
            waiting.retain(|one| keep(one.turn, channel));
        }
        self.channels.retain(|_, waiting| !waiting.is_empty());
    }
}

impl Memory {
    /// What is to be told now: the oldest of each channel whose time has come.
    pub fn due(&self, now_seconds: i64) -> Vec<Due> {
        let first = self.queue.channels.iter().filter_map(|(channel, waiting)| {
            let first = waiting.front().filter(|one| one.next <= now_seconds)?;
            Some(Due { channel: channel.clone(), turn: self.turn(first.turn)?.clone() })
        });
        first.collect()
    }

    /// Notes that a channel was told, or why it was not: it is tried again, later each time, for a day.
    pub fn told(&mut self, due: &Due, now_seconds: i64, result: Result<(), String>) {
        let Some(waiting) = self.queue.channels.get_mut(&due.channel) else { return };
        let Some(first) = waiting.front_mut().filter(|one| one.turn == due.turn.number) else {
            return;
        };
        let told = match result {
            Ok(()) => Told::Sent,
            Err(_) if now_seconds - first.since < PATIENCE => {
                let pause = FIRST_PAUSE << first.tries.min(10);
                first.tries += 1;
                first.next = now_seconds + pause.min(LONGEST_PAUSE);
                return;
            }
            Err(why) => Told::Failed(why),
        };
        waiting.pop_front();
        if let Some(turn) = self.turn_mut(due.turn.number) {
            turn.told.insert(due.channel.clone(), told);
        }
    }

    /// How many turns wait for a channel.
    pub fn waiting(&self, channel: &str) -> usize {
        self.queue.channels.get(channel).map_or(0, VecDeque::len)
    }
}
