//! Files that were built before the program and are part of it: the console, the browser SDKs and the demo's
//! shop.
//!
//! A program that was built without Node has none of them, and says so where they are asked for.

use selfsame_collect::{BrowserSdk, Scripts};

/// A file of the console.
#[derive(Debug)]
pub(crate) struct ConsoleFile {
    /// Its path below `/console/`.
    pub(crate) path: &'static str,
    pub(crate) bytes: &'static [u8],
    /// The same, compressed when it was built.
    pub(crate) brotli: Option<&'static [u8]>,
}

/// What `build.rs` found, by paths in the folders of their builds.
mod embedded {
    use super::ConsoleFile;

    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// What is answered in place of the shop where it is not there.
pub(crate) const NOT_BUILT: &str = "The shop is not part of this program, because it was built without Node. \
     With Node 20 or newer, run `make web` and build the program again. All else works.\n";

/// The same as a page.
pub(crate) const NOT_BUILT_PAGE: &str = "<!doctype html>\n\
<html lang=\"en\">\n\
<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n\
<title>Selfsame: the shop was not built</title>\n\
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}\
pre{background:#f3f3f0;padding:1em;overflow:auto}</style>\n\
<h1>The shop is not part of this program</h1>\n\
<p>It was built without Node. To get the shop, install Node 20 or newer, then, in the folder of the source:</p>\n\
<pre>make web\nmake run</pre>\n\
<p>All else works: shoppers come and their events are folded and delivered. Look at one of them:</p>\n\
<pre>curl -u demo: \"http://127.0.0.1:8080/v1/spaces/demo/collections/users/profiles/user_id:ada/traits\"</pre>\n\
<p><a href=\"/demo/status\">Figures</a>, <a href=\"/demo/inbox\">what was delivered</a>, \
<a href=\"/demo/me?ids=user_id:ada\">a profile with its newest events</a>.</p>\n";

/// What is shown in place of the console where it is not there.
pub(crate) const CONSOLE_NOT_BUILT: &str = "<!doctype html>\n\
<html lang=\"en\">\n\
<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n\
<title>Selfsame: the console was not built</title>\n\
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}\
pre{background:#f3f3f0;padding:1em;overflow:auto}</style>\n\
<h1>The console is not part of this program</h1>\n\
<p>It was built without Node. To get the console, install Node 20 or newer, then, in the folder of the source:</p>\n\
<pre>make web\ncargo build --release</pre>\n\
<p>All else works: <code>selfsame --help</code> lists what the command line does, and \
<code>/api/openapi.json</code> what programs may ask.</p>\n";

/// The files of the console; none if it was not built.
pub(crate) fn console() -> &'static [ConsoleFile] {
    embedded::CONSOLE
}

/// The browser SDKs that were built.
pub(crate) fn sdks() -> Scripts {
    let all =
        [(BrowserSdk::Official, embedded::OFFICIAL), (BrowserSdk::Selfsame, embedded::SELFSAME)];
    all.into_iter().fold(Scripts::default(), |scripts, (sdk, files)| {
        let main = files.iter().find(|(path, _)| *path == "analytics.min.js");
        let Some((_, script)) = main else { return scripts };
        let bundles = files.iter().filter_map(|(path, bytes)| {
            let name = path.strip_prefix("bundles/")?;
            Some((name.to_owned(), bytes.to_vec()))
        });
        scripts.with(sdk, script, bundles)
    })
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
