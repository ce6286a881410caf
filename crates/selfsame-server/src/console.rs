//! The console: the files of its pages, and the Profile API as its pages read it.
//!
//! **Invariants:**
//! - a page runs no script and shows no style but those of its own files, talks to this server only, and is
//!   in no frame: its headers say so;
//! - a file whose name has its hash never changes under that name; all others are asked for anew.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, IF_NONE_MATCH, REFERRER_POLICY, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use selfsame_profile_api::ProfileApi;

use crate::access::{Access, CONSOLE_HEADER};
use crate::assets::{self, ConsoleFile};
use crate::node::Node;

const INDEX: &str = "index.html";
/// The folder of files that have their hash in their names.
const HASHED: &str = "assets/";
/// Svelte makes its templates by a policy of this name; no other text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html";
/// The page that stands in where the console was not built has a style of its own, and no script.
const POLICY_NOT_BUILT: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// `/console/…`
pub(crate) fn router() -> Router {
    Router::new()
        .route("/console", get(async || Redirect::permanent("/console/")))
        .route("/console/", get(async |headers: HeaderMap| file(INDEX, &headers)))
        .route("/console/{*path}", get(page))
}

/// `/`, of a server that has nothing else there.
pub(crate) fn front() -> Router {
    Router::new().route("/", get(async || Redirect::temporary("/console/")))
}

/// The Profile API, for programs and for the console.
pub(crate) fn profiles(node: &Arc<Node>, access: &Access) -> Router {
    let tokens = Arc::new(access.clone());
    let api = ProfileApi::new(node.reader(), tokens, Arc::clone(&node.clock));
    let routes: Router = selfsame_profile_api::router(api);
    routes.layer(from_fn(read_by_pages))
}

/// What answers to pages need: no dialog of the browser's own where a session has ended, nothing kept by a
/// cache, nothing taken for a page.
async fn read_by_pages(request: Request, next: Next) -> Response {
    let mode = request.headers().get("sec-fetch-mode").and_then(|mode| mode.to_str().ok());
    let is_page = request.headers().contains_key(CONSOLE_HEADER)
        || mode.is_some_and(|mode| mode != "navigate");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if is_page {
        headers.remove(WWW_AUTHENTICATE);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const GUARDS: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

async fn page(request: Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix("/console/").unwrap_or_default().to_owned();
    file(&path, request.headers())
}

/// A file, or the page that shows what the path is about.
fn file(path: &str, headers: &HeaderMap) -> Response {
    let all = assets::console();
    let find = |path: &str| all.iter().find(|file| file.path == path);
    let found = match find(path) {
        Some(file) => file,
        None if path.starts_with(HASHED) => {
            return guarded((StatusCode::NOT_FOUND, "There is no such file.\n").into_response());
        }
        None => match find(INDEX) {
            Some(index) => index,
            None => return not_built(),
        },
    };
    let tag = tag(found);
    let is_known =
        headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => whole(found, headers),
    };
    let cache = match found.path.starts_with(HASHED) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let own = response.headers_mut();
    own.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    own.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        own.insert(ETAG, tag);
    }
    guarded(response)
}

fn whole(file: &'static ConsoleFile, headers: &HeaderMap) -> Response {
    let (bytes, encoding) = match file.brotli {
        Some(brotli) if takes_brotli(headers) => (brotli, Some("br")),
        _ => (file.bytes, None),
    };
    let mut response = Response::new(Body::from(bytes));
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
    if let Some(encoding) = encoding {
        own.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = all.flat_map(|text| text.split(',')).map(|one| one.trim());
    codings.any(|one| match one.split_once(';') {
        Some((name, weight)) => name.trim() == "br" && !is_zero(weight),
        None => one == "br",
    })
}

fn is_zero(weight: &str) -> bool {
    let weight = weight.trim().strip_prefix("q=").and_then(|number| number.parse::<f32>().ok());
    weight.is_some_and(|weight| weight <= 0.0)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// What says whether a file is still the one that a browser has: of its content, whatever its encoding.
fn tag(file: &ConsoleFile) -> String {
    static TAGS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().chars().take(32).collect::<String>();
        assets::console().iter().map(|file| (file.path, hash(file.bytes))).collect()
    });
    let found = TAGS.iter().find(|(path, _)| *path == file.path);
    found.map(|(_, hash)| format!("W/\"{hash}\"")).unwrap_or_default()
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in GUARDS.into_iter().chain([
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ]) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn not_built() -> Response {
    let mut response = (StatusCode::OK, assets::CONSOLE_NOT_BUILT).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_NOT_BUILT));
    guarded(response)
}

#[cfg(test)]
mod tests;
