//! Every manifest that there is, by its id.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::Manifest;
use crate::problem::ManifestError;

/// The largest manifest that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// Destinations by their ids.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    manifests: BTreeMap<String, Manifest>,
}

/// Why a folder of manifests cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is larger than a manifest may be.
    #[error("{0} is larger than {MAX_BYTES} bytes")]
    Large(PathBuf),
    /// Manifests have something wrong with them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Manifests(Vec<ManifestError>),
    /// A manifest is not in the folder of its name.
    #[error("{path} is of `{id}`, and has to be in a folder of that name")]
    Id {
        /// The file.
        path: String,
        /// What it says it is.
        id: String,
    },
}

impl Catalogue {
    /// Reads manifests from their texts: names of folders, and what is in the files.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them.
    pub fn read<'t>(
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, CatalogueError> {
        let (mut catalogue, mut wrong) = (Self::default(), Vec::new());
        for (folder, text) in texts {
            let path = format!("{folder}/manifest.yaml");
            match Manifest::read(&path, text) {
                Ok(manifest) if manifest.id != folder => {
                    return Err(CatalogueError::Id { path, id: manifest.id });
                }
                Ok(manifest) => {
                    catalogue.manifests.insert(manifest.id.clone(), manifest);
                }
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(catalogue) } else { Err(CatalogueError::Manifests(wrong)) }
    }

    /// Reads every `*/manifest.yaml` of a folder.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or everything that is wrong with any of them.
    pub fn load(folder: &Path) -> Result<Self, CatalogueError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| CatalogueError::Read { path, source }
        };
        let mut texts = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let file = path.join("manifest.yaml");
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !file.is_file() {
                continue;
            }
            if fs::metadata(&file).map_err(failed(&file))?.len() > MAX_BYTES {
                return Err(CatalogueError::Large(file));
            }
            texts.push((name.to_owned(), fs::read_to_string(&file).map_err(failed(&file))?));
        }
        texts.sort();
        Self::read(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Adds those of another catalogue; of two with one id, the other's is kept.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.manifests.extend(other.manifests);
        self
    }

    /// A destination.
    pub fn get(&self, id: &str) -> Option<&Manifest> {
        self.manifests.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values()
    }
}
