//! The actions pack, where this build has it.

pub(crate) mod workers;

use std::sync::OnceLock;

use selfsame_pack::Pack;

/// What `build.rs` found of `actions-pack/`.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/pack.rs"));
}

/// Why there is none, and what to do about it.
pub(crate) const NONE: &str = "This build has no actions pack: there was no Node when it was made. \
                               `make pack` builds one, and the next build of the program has it.";

/// The pack.
pub(crate) fn pack() -> Option<&'static Pack> {
    static PACK: OnceLock<Option<Pack>> = OnceLock::new();
    let open = || match Pack::open(embedded::PACK?) {
        Ok(pack) => Some(pack),
        Err(error) => {
            tracing::error!(%error, "the actions pack cannot be read");
            None
        }
    };
    PACK.get_or_init(open).as_ref()
}
