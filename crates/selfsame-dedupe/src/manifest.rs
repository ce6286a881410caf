//! The state that a checkpoint stores, a few kilobytes.
//!
//! ```text
//! "SSDEDUPM" | version u32 | window | next run number u64 | runs u32 |
//!   per run: number, ids, bytes u64, first and last place | crc32c u32 of all before
//! place:  offset u64, item u32
//! window: partition u32 + 1 or 0, as u64 | last place or END | now i64 | floor | 2 generations |
//!         generation ids, left early, admitted, duplicates, different content u64 |
//!         shrunk hour i64 or MIN | buckets u32 | per bucket: started i64, first place, ids u64
//! ```

use std::collections::VecDeque;

use selfsame_event::Time;

use crate::entry::Place;
use crate::error::OpenError;
use crate::run::RunMeta;
use crate::window::{Bucket, Window};

const MAGIC: &[u8; 8] = b"SSDEDUPM";
const VERSION: u32 = 1;

/// What a manifest says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) window: Window,
    pub(crate) next_number: u64,
    pub(crate) runs: Vec<RunMeta>,
}

impl Manifest {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        write_window(&self.window, &mut bytes);
        bytes.extend_from_slice(&self.next_number.to_le_bytes());
        count(self.runs.len(), &mut bytes);
        for run in &self.runs {
            for word in [run.number, run.ids, run.bytes] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            place(run.first, &mut bytes);
            place(run.last, &mut bytes);
        }
        let sum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        let cut = bytes.len().checked_sub(4).ok_or(OpenError::Manifest("too short"))?;
        let (body, sum) = bytes.split_at(cut);
        if body.get(..8) != Some(&MAGIC[..]) {
            return Err(OpenError::Manifest("it is none"));
        }
        if crc32c::crc32c(body).to_le_bytes() != sum {
            return Err(OpenError::Manifest("checksum"));
        }
        let mut rest = Rest(&body[8..]);
        match rest.half() {
            Some(VERSION) => {}
            Some(version) => return Err(OpenError::ManifestVersion(version)),
            None => return Err(OpenError::Manifest("too short")),
        }
        rest.manifest().ok_or(OpenError::Manifest("length"))
    }
}

/// The written form of the window; also what the canonical hash is taken of.
pub(crate) fn write_window(window: &Window, bytes: &mut Vec<u8>) {
    let partition = window.partition.map_or(0, |partition| u64::from(partition) + 1);
    bytes.extend_from_slice(&partition.to_le_bytes());
    place(window.last.unwrap_or(Place::END), bytes);
    bytes.extend_from_slice(&window.now.micros().to_le_bytes());
    for at in [window.floor, window.generations[0], window.generations[1]] {
        place(at, bytes);
    }
    for word in [
        window.generation_ids,
        window.left_early,
        window.admitted,
        window.duplicates,
        window.different_content,
    ] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(&window.shrunk_hour.unwrap_or(i64::MIN).to_le_bytes());
    count(window.buckets.len(), bytes);
    for bucket in &window.buckets {
        bytes.extend_from_slice(&bucket.started.micros().to_le_bytes());
        place(bucket.first, bytes);
        bytes.extend_from_slice(&bucket.ids.to_le_bytes());
    }
}

fn place(place: Place, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&place.offset.to_le_bytes());
    bytes.extend_from_slice(&place.index.to_le_bytes());
}

fn count(count: usize, bytes: &mut Vec<u8>) {
    let count = u32::try_from(count).expect("there are fewer runs and hours than 2^32");
    bytes.extend_from_slice(&count.to_le_bytes());
}

/// What is still to be read.
struct Rest<'b>(&'b [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn word(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn half(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place { offset: self.word()?, index: self.half()? })
    }

    fn manifest(&mut self) -> Option<Manifest> {
        let window = self.window()?;
        let next_number = self.word()?;
        let mut runs = Vec::new();
        for _ in 0..self.half()? {
            runs.push(RunMeta {
                number: self.word()?,
                ids: self.word()?,
                bytes: self.word()?,
                first: self.place()?,
                last: self.place()?,
            });
        }
        self.0.is_empty().then_some(Manifest { window, next_number, runs })
    }

    fn window(&mut self) -> Option<Window> {
        let partition = self.word()?.checked_sub(1);
        let mut window = Window {
            partition: partition.map(u32::try_from).transpose().ok()?,
            last: Some(self.place()?).filter(|last| *last != Place::END),
            now: Time::from_micros(self.signed()?),
            floor: self.place()?,
            generations: [self.place()?, self.place()?],
            generation_ids: self.word()?,
            left_early: self.word()?,
            admitted: self.word()?,
            duplicates: self.word()?,
            different_content: self.word()?,
            shrunk_hour: Some(self.signed()?).filter(|hour| *hour != i64::MIN),
            buckets: VecDeque::new(),
            ids: 0,
        };
        for _ in 0..self.half()? {
            let started = Time::from_micros(self.signed()?);
            let bucket = Bucket { started, first: self.place()?, ids: self.word()? };
            window.ids = window.ids.checked_add(bucket.ids)?;
            window.buckets.push_back(bucket);
        }
        Some(window)
    }
}
