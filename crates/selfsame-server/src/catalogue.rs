//! The destinations that are part of the program, and those of a folder.

use std::path::Path;

use selfsame_destinations::{Catalogue, CatalogueError};

/// What `build.rs` found in `destinations/`, by the names of their folders.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/manifests.rs"));
}

/// The manifests of the program, by the names of their folders.
pub(crate) fn own_manifests() -> &'static [(&'static str, &'static str)] {
    embedded::MANIFESTS
}

/// Every destination; of two with one id, that of the folder.
pub(crate) fn catalogue(folder: Option<&Path>) -> Result<Catalogue, CatalogueError> {
    let own = Catalogue::read(embedded::MANIFESTS.iter().copied())?;
    match folder {
        Some(folder) => Ok(own.with(Catalogue::load(folder)?)),
        None => Ok(own),
    }
}
