//! Opening: exactly the state of the manifest, or a loud error.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::grave::Grave;
use super::{Dedupe, Slot};
use crate::config::{Config, Limits};
use crate::error::{OpenError, RunError};
use crate::fresh::Fresh;
use crate::manifest::Manifest;
use crate::run::{Reader, Run, file_name, number_in};
use crate::tags::Tags;
use crate::window::Window;

impl Dedupe {
    /// Opens the set as it was at the checkpoint whose manifest this is; without a manifest an
    /// empty one. Creates the folder.
    ///
    /// Files that were begun, or written after that checkpoint, are deleted; older ones that the
    /// manifest does not name stay until [`Dedupe::stored`], as another kept manifest may name
    /// them. Reads the runs that the tags cover: about 0.1 s for a million ids.
    pub fn open(dir: &Path, manifest: Option<&[u8]>, config: &Config) -> Result<Self, OpenError> {
        let manifest = manifest.map(Manifest::read).transpose()?.unwrap_or_default();
        let limits = Limits::from(config);
        let io = |source| OpenError::Io { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(io)?;
        let retired = clean(dir, &manifest).map_err(io)?;
        let mut slots = Vec::with_capacity(manifest.runs.len());
        for meta in &manifest.runs {
            let run = Run::open(dir, meta.number).map_err(|error| match error {
                RunError::Io { path, source } if source.kind() == io::ErrorKind::NotFound => {
                    OpenError::Missing { path }
                }
                other => OpenError::Run(other),
            })?;
            if run.meta != *meta {
                return Err(OpenError::Run(run.damaged("not the file that the manifest names")));
            }
            slots.push(Slot { run: Arc::new(run), filter: None });
        }
        load_filters(&mut slots, limits.filter_bytes)?;
        let tags = rebuild_tags(&slots, &manifest.window, &limits)?;
        Ok(Self {
            dir: dir.to_owned(),
            limits,
            tags,
            fresh: Fresh::new(),
            pending: VecDeque::new(),
            early: Vec::new(),
            slots,
            durable: manifest.window.clone(),
            window: manifest.window,
            next_number: manifest.next_number,
            retired,
            grave: Grave::default(),
            blocks_read: 0,
        })
    }
}

/// Deletes what no checkpoint can name; returns what this one does not, with sizes.
fn clean(dir: &Path, manifest: &Manifest) -> io::Result<Vec<(PathBuf, u64)>> {
    let named: HashSet<u64> = manifest.runs.iter().map(|run| run.number).collect();
    let mut others = Vec::new();
    for file in fs::read_dir(dir)? {
        let file = file?;
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        match number_in(name) {
            Some(number) if named.contains(&number) => {}
            Some(number) if number < manifest.next_number => {
                others.push((dir.join(file_name(number)), file.metadata()?.len()));
            }
            Some(_) => fs::remove_file(file.path())?,
            None if name.ends_with(".tmp") => fs::remove_file(file.path())?,
            None => {}
        }
    }
    others.sort();
    Ok(others)
}

/// Checks every filter, and keeps those of the newest runs.
fn load_filters(slots: &mut [Slot], bytes: u64) -> Result<(), RunError> {
    let mut left = bytes;
    for slot in slots.iter_mut().rev() {
        if let Some(rest) = left.checked_sub(slot.run.filter_bytes()) {
            left = rest;
            slot.filter = Some(slot.run.filter()?);
        }
    }
    Ok(())
}

fn rebuild_tags(slots: &[Slot], window: &Window, limits: &Limits) -> Result<Tags, RunError> {
    let mut tags = Tags::new(limits.generation_ids);
    let [older, current] = window.generations;
    let older_ids = if older < current { limits.generation_ids } else { 0 };
    tags.reserve(older_ids.min(window.ids), window.generation_ids);
    for slot in slots.iter().filter(|slot| slot.run.meta.last >= older) {
        let mut reader = Reader::new(Arc::clone(&slot.run));
        while let Some(entry) = reader.next()? {
            if entry.place() >= current {
                tags.insert(entry.id);
            } else if entry.place() >= older {
                tags.insert_older(entry.id);
            }
        }
    }
    Ok(tags)
}
