//! What a disk holds: as it is seen, as it is durable, and what lies between.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is written whole or not at all.
const SECTOR: u64 = 512;

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    name_changes: Vec<NameChange>,
    files: BTreeMap<u64, Inode>,
    last_number: u64,
}

/// One change of names, which is kept or lost as a whole.
#[derive(Debug, Clone)]
pub(super) struct NameChange {
    pub(super) removed: Option<PathBuf>,
    pub(super) added: Option<(PathBuf, u64)>,
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        if let Some(path) = &self.removed {
            names.remove(path);
        }
        if let Some((path, number)) = &self.added {
            names.insert(path.clone(), *number);
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let added = self.added.iter().map(|(path, _)| path);
        self.removed.iter().chain(added).any(|path| path.parent() == Some(folder))
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Arc<[u8]>),
    Size(u64),
}

/// A file. Shared between snapshots until it changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    now: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    changes: Vec<Change>,
}

fn index(position: u64) -> usize {
    usize::try_from(position).expect("files in memory are small")
}

fn write(to: &mut Vec<u8>, bytes: &[u8], position: u64) {
    let start = index(position);
    if to.len() < start + bytes.len() {
        to.resize(start + bytes.len(), 0);
    }
    to[start..start + bytes.len()].copy_from_slice(bytes);
}

impl Inode {
    pub(super) fn read(&self, buffer: &mut [u8], position: u64) -> usize {
        let rest = self.now.get(index(position)..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        len
    }

    pub(super) fn size(&self) -> u64 {
        self.now.len() as u64
    }

    pub(super) fn write(&mut self, bytes: &[u8], position: u64) {
        write(Arc::make_mut(&mut self.now), bytes, position);
        self.changes.push(Change::Write(position, bytes.into()));
    }

    pub(super) fn resize(&mut self, size: u64) {
        Arc::make_mut(&mut self.now).resize(index(size), 0);
        self.changes.push(Change::Size(size));
    }

    pub(super) fn sync(&mut self) {
        let durable = Arc::make_mut(&mut self.durable);
        for change in self.changes.drain(..) {
            match change {
                Change::Write(position, bytes) => write(durable, &bytes, position),
                Change::Size(size) => durable.resize(index(size), 0),
            }
        }
    }

    /// Makes durable what chance keeps of the changes, and forgets the others.
    fn sync_some(&mut self, chance: &mut Chance) {
        let durable = Arc::make_mut(&mut self.durable);
        for change in self.changes.drain(..) {
            match change {
                Change::Size(size) if chance.keeps() => durable.resize(index(size), 0),
                Change::Size(_) => {}
                Change::Write(position, bytes) => {
                    let whole = chance.keeps();
                    let mut done = 0;
                    while done < bytes.len() {
                        let at = position + done as u64;
                        let len = index(SECTOR - at % SECTOR).min(bytes.len() - done);
                        if chance.keeps_sector(whole) {
                            write(durable, &bytes[done..done + len], at);
                        }
                        done += len;
                    }
                }
            }
        }
    }
}

impl Disk {
    pub(super) fn file(&self, number: u64) -> &Inode {
        self.files.get(&number).expect("files are never forgotten")
    }

    pub(super) fn file_mut(&mut self, number: u64) -> &mut Inode {
        self.files.get_mut(&number).expect("files are never forgotten")
    }

    pub(super) fn find(&self, path: &Path) -> Option<u64> {
        self.names.get(path).copied()
    }

    pub(super) fn bytes(&self, path: &Path) -> Option<&[u8]> {
        Some(&self.file(self.find(path)?).now)
    }

    pub(super) fn put(&mut self, path: &Path, bytes: Vec<u8>) {
        let number = self.create(path);
        let bytes = Arc::new(bytes);
        *self.file_mut(number) =
            Inode { now: Arc::clone(&bytes), durable: bytes, changes: Vec::new() };
        self.sync_dir(path.parent().unwrap_or_else(|| Path::new("")));
    }

    pub(super) fn create(&mut self, path: &Path) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        self.files.insert(number, Inode::default());
        self.change(NameChange { removed: None, added: Some((path.to_path_buf(), number)) });
        number
    }

    pub(super) fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    pub(super) fn list(&self, folder: &Path) -> Vec<String> {
        let names = self.names.keys().filter(|path| path.parent() == Some(folder));
        names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    }

    pub(super) fn sync_dir(&mut self, folder: &Path) {
        let (synced, rest) = self.name_changes.drain(..).partition(|change| change.is_in(folder));
        self.name_changes = rest;
        let synced: Vec<NameChange> = synced;
        for change in synced {
            change.apply(&mut self.durable_names);
        }
    }

    pub(super) fn fail_sync(&mut self, number: u64) {
        let mut chance = Chance::new(self.last_number ^ number ^ 0x5eed);
        self.file_mut(number).sync_some(&mut chance);
    }

    pub(super) fn is_uncertain(&self) -> bool {
        !self.name_changes.is_empty() || self.files.values().any(|file| !file.changes.is_empty())
    }

    /// The disk after a crash.
    pub(super) fn crash(&self, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut names = self.durable_names.clone();
        for change in &self.name_changes {
            if chance.keeps() {
                change.apply(&mut names);
            }
        }
        let files = names.values().map(|number| {
            let mut file = self.file(*number).clone();
            file.sync_some(&mut chance);
            file.now = Arc::clone(&file.durable);
            (*number, file)
        });
        Self {
            files: files.collect(),
            durable_names: names.clone(),
            names,
            name_changes: Vec::new(),
            last_number: self.last_number,
        }
    }
}

/// What is kept: nothing (seed 0), all (seed 1), or each part by its own draw, with odds that are
/// drawn too.
#[derive(Debug)]
struct Chance {
    state: u64,
    odds: u64,
    torn: bool,
}

impl Chance {
    fn new(seed: u64) -> Self {
        let mut chance =
            Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), odds: 0, torn: true };
        chance.odds = match seed {
            0 => 0,
            1 => 256,
            _ => [64, 128, 192, 230].get(index(chance.next() % 4)).copied().unwrap_or(128),
        };
        chance.torn = seed > 1 && !chance.next().is_multiple_of(4);
        chance
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn keeps(&mut self) -> bool {
        self.next() % 256 < self.odds
    }

    /// Whether a sector of a write is kept: as the whole write is, or torn from it.
    fn keeps_sector(&mut self, whole: bool) -> bool {
        if self.torn { self.keeps() } else { whole }
    }
}
