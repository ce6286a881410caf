//! Files that were built before the program and are part of it: the browser SDK and the demo's shop.
//!
//! A program that was built without Node has neither, and says so where they are asked for.

use selfsame_collect::Scripts;

/// What `build.rs` found, by paths in the folders of their builds.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// What is answered in place of the shop where it is not there.
pub(crate) const NOT_BUILT: &str = "The shop is not part of this program, because it was built without Node. \
     With Node 20 or newer, run `make web` and build the program again. All else works.\n";

/// The browser SDK, if it was built.
pub(crate) fn sdk() -> Scripts {
    let file = |name: &str| embedded::SDK.iter().find(|(path, _)| *path == name);
    let Some((_, script)) = file("analytics.min.js") else { return Scripts::default() };
    let bundles = embedded::SDK.iter().filter_map(|(path, bytes)| {
        let name = path.strip_prefix("bundles/")?;
        Some((name.to_owned(), bytes.to_vec()))
    });
    Scripts::new(script, bundles)
}

/// A file of the shop, and its media type.
pub(crate) fn shop(path: &str) -> Option<(&'static [u8], &'static str)> {
    let (_, bytes) = embedded::SHOP.iter().find(|(known, _)| *known == path)?;
    let kind = match path.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    Some((bytes, kind))
}
