//! Files that were built before the program and are part of it, or are beside it.

use selfsame_collect::Scripts;

/// The browser SDK, if it was built.
pub(crate) fn sdk() -> Scripts {
    Scripts::default()
}
