//! The destinations that are part of the program.

/// What `build.rs` found in `destinations/`, by the names of their folders.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/manifests.rs"));
}

/// The manifests of the program, by the names of their folders.
pub(crate) fn own_manifests() -> &'static [(&'static str, &'static str)] {
    embedded::MANIFESTS
}
