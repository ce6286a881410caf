//! The rule in its plainest form: a list of all entries, searched from the newest, with an hour, a
//! bucket and a number each.

use selfsame_event::{ItemPosition, Time};

use super::{HOUR, Verdict};
use crate::config::Config;

/// Id, content, place, log time, original time.
pub(super) type Event = ([u8; 16], u32, ItemPosition, Time, Option<Time>);

struct Entry {
    id: [u8; 16],
    content: u32,
    at: ItemPosition,
    hour: i64,
    bucket: u64,
    gone: bool,
}

pub(super) struct Model {
    entries: Vec<Entry>,
    window_hours: i64,
    most_ids: usize,
    generation_ids: usize,
}

impl Model {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            entries: Vec::new(),
            window_hours: 3,
            most_ids: usize::try_from(config.most_ids()).expect("small"),
            generation_ids: usize::try_from(config.tag_ids() / 2).expect("small"),
        }
    }

    pub(super) fn live(&self) -> u64 {
        self.entries.iter().filter(|entry| !entry.gone).count() as u64
    }

    pub(super) fn admit(&mut self, (id, content, at, now, original): Event) -> Verdict {
        let hour = now.micros() / HOUR;
        for entry in &mut self.entries {
            entry.gone |= hour - entry.hour > self.window_hours;
        }
        let generation = self.entries.len().saturating_sub(1) / self.generation_ids;
        let seen = self.entries.iter().enumerate().rev().find(|(number, entry)| {
            let tagged = number / self.generation_ids + 1 >= generation;
            let timely = original.is_none_or(|time| entry.hour > time.micros() / HOUR - 2);
            entry.id == id && !entry.gone && (tagged || timely)
        });
        if let Some((_, entry)) = seen {
            let first = entry.at;
            return if entry.content == content {
                Verdict::Duplicate { first }
            } else {
                Verdict::DifferentContent { first }
            };
        }
        let bucket = self.bucket(hour);
        self.entries.push(Entry { id, content, at, hour, bucket, gone: false });
        while self.entries.iter().filter(|entry| !entry.gone).count() > self.most_ids {
            let live = self.entries.iter().filter(|entry| !entry.gone);
            let oldest = live.map(|entry| entry.bucket).min().expect("too many are some");
            for entry in self.entries.iter_mut().filter(|entry| entry.bucket == oldest) {
                entry.gone = true;
            }
        }
        Verdict::New
    }

    /// The newest bucket, or the next if that is full, left, or of another hour.
    fn bucket(&self, hour: i64) -> u64 {
        let Some(last) = self.entries.last() else { return 0 };
        let ids = self.entries.iter().filter(|entry| entry.bucket == last.bucket).count();
        let open = !last.gone && last.hour == hour && ids < self.most_ids / 64;
        if open { last.bucket } else { last.bucket + 1 }
    }
}
