//! A feed in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use selfsame_deliver::{
    BodyError, Effect, EffectKind, Feed, FeedEnd, FeedError, FeedPage, Measured, Question,
};
use selfsame_event::{EventType, ItemPosition, Position, ProfileId, Time};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct MemoryFeed {
    effects: Mutex<Vec<Effect>>,
    /// What bodies are no longer there.
    missing: Mutex<BTreeMap<u64, fn() -> BodyError>>,
    end: watch::Sender<FeedEnd>,
    /// How many effects are removed, and how many are too far from the end.
    first: Mutex<u64>,
    far: Mutex<u64>,
    old: Mutex<u64>,
}

pub(crate) fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

impl MemoryFeed {
    pub(crate) fn new() -> Self {
        let (effects, missing) = (Mutex::default(), Mutex::default());
        let end = watch::Sender::new(FeedEnd::default());
        let (first, far, old) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { effects, missing, end, first, far, old }
    }

    /// Adds effects of these profiles.
    pub(crate) fn add(&self, kind: EventType, profiles: impl IntoIterator<Item = u8>) {
        let mut effects = self.effects.lock().expect("no test panics here");
        for profile in profiles {
            let offset = effects.len() as u64;
            let mut id = [0; 16];
            id[..8].copy_from_slice(&offset.to_le_bytes());
            let profile = ProfileId::from_bytes([profile; 20]);
            let kind = EffectKind::from(kind);
            effects.push(Effect {
                at: at(offset),
                id,
                profile,
                kind,
                subject: None,
                log_time: Time::EPOCH,
            });
        }
        let count = effects.len() as u64;
        self.end.send_replace(FeedEnd { at: at(count), effects: count });
    }

    /// Removes what is before an effect.
    pub(crate) fn trim(&self, first: u64) {
        *self.first.lock().expect("no test panics here") = first;
    }

    /// Says that a cursor before this effect is too far behind.
    pub(crate) fn leave_behind(&self, far: u64) {
        *self.far.lock().expect("no test panics here") = far;
    }

    /// Says that a cursor before this effect is at one that is too old.
    pub(crate) fn age(&self, old: u64) {
        *self.old.lock().expect("no test panics here") = old;
    }

    pub(crate) fn lose(&self, offset: u64, why: fn() -> BodyError) {
        self.missing.lock().expect("no test panics here").insert(offset, why);
    }
}

impl Feed for MemoryFeed {
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError> {
        let effects = self.effects.lock().expect("no test panics here");
        let effects: Vec<_> =
            effects.iter().filter(|effect| effect.at >= from).take(max).copied().collect();
        let next = effects.last().map_or(from, |last| last.at.record.next().item(0));
        Ok(FeedPage { effects, next })
    }

    fn body(&self, effect: &Effect) -> Result<Bytes, BodyError> {
        let offset = effect.at.record.offset;
        if let Some(why) = self.missing.lock().expect("no test panics here").get(&offset) {
            return Err(why());
        }
        Ok(format!(r#"{{"offset":{offset}}}"#).into())
    }

    fn unsent(&self, _cursor: ItemPosition) -> ItemPosition {
        self.end.borrow().at
    }

    /// The text is a number, and matches what it divides.
    fn matches(&self, effects: &[Effect], text: &str) -> Result<Vec<bool>, FeedError> {
        let number: u64 = text.parse().expect("a number");
        Ok(effects.iter().map(|effect| effect.at.record.offset % number == 0).collect())
    }

    fn first(&self) -> ItemPosition {
        at(*self.first.lock().expect("no test panics here"))
    }

    fn measure(&self, question: Question) -> Result<Measured, FeedError> {
        let near = at(*self.far.lock().expect("no test panics here"));
        let end = self.end.borrow().effects;
        let bytes = end - question.cursor.record.offset;
        let young = at(*self.old.lock().expect("no test panics here"));
        Ok(Measured { bytes, near, young, time: None })
    }

    fn subscribe(&self) -> watch::Receiver<FeedEnd> {
        self.end.subscribe()
    }
}
