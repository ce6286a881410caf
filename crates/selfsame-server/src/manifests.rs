//! The manifests that there are: those of the program, those of the actions pack, and those of a folder that is
//! looked at while the server runs.
//!
//! A manifest of the folder adds a destination or takes the place of the program's. When a file changes it is
//! read again; one with anything wrong is refused, the reasons are shown in the catalogue and go to the log, and
//! what was in force before stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use selfsame_destinations::{Manifest, near};
use selfsame_pack::Entry;
use serde_json::Value;
use tracing::{error, info};

use crate::catalogue::own_manifests;
use crate::pack::pack;

/// The largest manifest that is read.
const MOST_BYTES: u64 = 1 << 20;

/// Manifests, read when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    folder: Option<PathBuf>,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    own: BTreeMap<String, Arc<Manifest>>,
    /// Those of the folder, by their ids.
    others: BTreeMap<String, Arc<Manifest>>,
    /// What the files of the folder were at the last look.
    seen: BTreeMap<String, String>,
    /// What is wrong with files that are not used.
    wrong: BTreeMap<String, String>,
}

impl Manifests {
    /// The program's, and those of a folder.
    ///
    /// # Errors
    ///
    /// The folder is none.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Self> {
        let folder = (!folder.as_os_str().is_empty()).then(|| folder.to_owned());
        if let Some(folder) = &folder {
            anyhow::ensure!(
                folder.is_dir(),
                "there is no folder {}, which is to hold destinations",
                folder.display()
            );
        }
        let manifests = Self { folder, read: Mutex::default() };
        manifests.look();
        Ok(manifests)
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The manifest of a destination.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Manifest>> {
        let mut read = self.lock();
        if let Some(manifest) = read.others.get(id).or_else(|| read.own.get(id)) {
            return Some(Arc::clone(manifest));
        }
        let own = own_manifests().iter().find(|(folder, _)| *folder == id);
        let manifest = match own {
            Some((folder, text)) => Manifest::read(&format!("{folder}/manifest.yaml"), text).ok(),
            None => pack().and_then(|pack| pack.manifest(id).ok()),
        };
        let manifest = Arc::new(manifest?);
        read.own.insert(id.to_owned(), Arc::clone(&manifest));
        Some(manifest)
    }

    /// The ids of the destinations that have manifests of their own.
    fn own_ids(&self) -> Vec<String> {
        let own = own_manifests().iter().map(|(folder, _)| (*folder).to_owned());
        let mut ids: Vec<String> = own.chain(self.lock().others.keys().cloned()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// What to say where there is none of an id.
    pub(crate) fn without(&self, id: &str) -> String {
        let offered = self.offered();
        let ids: Vec<&str> = offered.iter().map(|one| one.id.as_str()).collect();
        let help = match near(id, &ids) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`selfsame destination catalogue --all` lists them.".to_owned(),
        };
        format!("there is no destination `{id}`; {help}")
    }

    /// What could be made: native ones first, then those of the pack.
    pub(crate) fn offered(&self) -> Vec<Offered> {
        let ids = self.own_ids();
        let of_pack = pack().map_or(&[][..], |pack| pack.entries());
        let of_pack = of_pack.iter().filter(|entry| !ids.contains(&entry.id)).map(Offered::of_pack);
        let own = ids.iter().filter_map(|id| self.get(id)).map(|manifest| Offered::of(&manifest));
        own.chain(of_pack).collect()
    }

    /// The manifest of a destination, as it was written.
    pub(crate) fn document(&self, id: &str) -> Option<Value> {
        if let Some(text) = self.lock().seen.get(id) {
            return Some(Manifest::document(text));
        }
        let own = own_manifests().iter().find(|(folder, _)| *folder == id);
        let text = match own {
            Some((_, text)) => (*text).to_owned(),
            None => pack()?.text(id).ok()?,
        };
        Some(Manifest::document(&text))
    }

    /// What is wrong with files of the folder that are not used, by the ids of their folders.
    pub(crate) fn wrong(&self) -> BTreeMap<String, String> {
        self.lock().wrong.clone()
    }

    /// What is wrong with a file of the folder that is not used.
    pub(crate) fn problem(&self, id: &str) -> Option<String> {
        self.lock().wrong.get(id).cloned()
    }

    /// Whether there is anything to look at while the server runs.
    pub(crate) fn has_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// Looks at the folder. Whether other manifests are in force now.
    pub(crate) fn look(&self) -> bool {
        let Some(folder) = &self.folder else { return false };
        let now = match texts(folder) {
            Ok(now) => now,
            Err(error) => {
                error!(folder = %folder.display(), %error, "the folder of destinations cannot be read");
                return false;
            }
        };
        let mut read = self.lock();
        if read.seen == now {
            return false;
        }
        let before = std::mem::replace(&mut read.seen, now);
        let mut is_other = false;
        let now: Vec<_> = read.seen.clone().into_iter().collect();
        for (id, text) in &now {
            if before.get(id) == Some(text) {
                continue;
            }
            let file = format!("{}/{id}/manifest.yaml", folder.display());
            read.wrong.remove(id);
            match Manifest::read(&file, text) {
                Ok(manifest) if manifest.id == *id => {
                    info!(destination = %id, version = %manifest.version, "a manifest is in force");
                    read.others.insert(id.clone(), Arc::new(manifest));
                    is_other = true;
                }
                Ok(manifest) => {
                    let named = &manifest.id;
                    error!(%file, id = %named, "a manifest has to be in a folder of its id; it is not used");
                    let why = format!("its id is `{named}`: it has to be in a folder of that name");
                    read.wrong.insert(id.clone(), why);
                }
                Err(wrong) => {
                    error!(%wrong, "a manifest is wrong; what was there before stays in force");
                    read.wrong.insert(id.clone(), wrong.to_string());
                }
            }
        }
        for id in before.keys().filter(|id| !now.iter().any(|(there, _)| there == *id)) {
            is_other |= read.others.remove(id).is_some();
            read.wrong.remove(id);
            info!(destination = %id, "a manifest is gone");
        }
        is_other
    }
}

/// A destination that could be made.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) status: String,
    pub(crate) actions: u64,
    /// The native one for the same tool.
    pub(crate) instead_of: Option<String>,
    /// Settings that are of an application which has to be registered with the vendor first.
    pub(crate) application: Vec<String>,
    /// Whether it speaks to an address that the vendor made for the publisher of the pack.
    pub(crate) partner: bool,
}

impl Offered {
    fn of(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            category: manifest.category.clone(),
            status: manifest.status.clone(),
            actions: manifest.actions().len() as u64,
            instead_of: None,
            application: Vec::new(),
            partner: false,
        }
    }

    fn of_pack(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            name: entry.name.clone(),
            category: entry.category.clone(),
            status: "community".to_owned(),
            actions: entry.actions as u64,
            instead_of: entry.instead_of.clone(),
            application: entry.application.clone(),
            partner: entry.partner,
        }
    }
}

/// The manifests of a folder as they are now, by the names of their folders.
fn texts(folder: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let file = path.join("manifest.yaml");
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !file.is_file() {
            continue;
        }
        if std::fs::metadata(&file)?.len() > MOST_BYTES {
            error!(file = %file.display(), "a manifest has at most 1 MiB; it is not used");
            continue;
        }
        texts.insert(name.to_owned(), std::fs::read_to_string(&file)?);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests;
