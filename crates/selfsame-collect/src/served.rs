//! What is fetched, not sent: the settings document, and the browser SDK with its parts.

use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    VARY,
};
use hyper::http::request::Parts;

use crate::respond::{self, Answer};
use crate::script::Served;
use crate::{Collector, Intake, Lookup, Peer, Problem, Sources, network, settings};

impl<I: Intake, S: Sources> Collector<I, S> {
    pub(crate) fn settings(&self, parts: &Parts, key: &str, peer: Peer) -> Answer {
        if !matches!(self.sources.by_key(key), Lookup::Active(_)) {
            return self.stop(Problem::SettingsMissing.into());
        }
        let Some((scheme, host)) = network::own_address(&self.config, parts, peer) else {
            return self.stop(Problem::HostInvalid.into());
        };
        let document = settings::document(key, scheme, &host);
        let mut answer = respond::answer(StatusCode::OK, "application/json", document);
        cache(answer.headers_mut(), &max_age(self.config.settings_cache_seconds));
        answer
    }

    pub(crate) fn script(&self, parts: &Parts, key: &str) -> Answer {
        let Lookup::Active(source) = self.sources.by_key(key) else {
            return self.stop(Problem::SettingsMissing.into());
        };
        match self.scripts.script(source.browser_sdk, key) {
            Some(script) => serve(parts, &script, &max_age(self.config.script_cache_seconds)),
            None => self.stop(Problem::ScriptMissing.into()),
        }
    }

    pub(crate) fn bundle(&self, parts: &Parts, name: &str) -> Answer {
        match self.scripts.bundle(name) {
            // The name has a hash of the content in it.
            Some(bundle) => serve(parts, bundle, "public, max-age=31536000, immutable"),
            None if self.scripts.is_built() => self.stop(Problem::BundleMissing.into()),
            None => self.stop(Problem::ScriptMissing.into()),
        }
    }
}

fn serve(parts: &Parts, served: &Served, lifetime: &str) -> Answer {
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let gzip = header(ACCEPT_ENCODING).is_some_and(accepts_gzip);
    let tag = format!("\"{}{}\"", served.tag, if gzip { "-gz" } else { "" });
    let known = header(IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',').any(|known| matches!(known.trim().trim_start_matches("W/"), known if known == tag || known == "*"))
    });
    let mut answer = if known {
        respond::empty(StatusCode::NOT_MODIFIED)
    } else {
        let body = if gzip { &served.gzip } else { &served.plain };
        respond::answer(StatusCode::OK, "application/javascript; charset=utf-8", body.clone())
    };
    let headers = answer.headers_mut();
    if gzip && !known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    cache(headers, lifetime);
    answer
}

fn accepts_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && refused != Some(0.0)
    })
}

fn max_age(seconds: u32) -> String {
    format!("public, max-age={seconds}")
}

fn cache(headers: &mut HeaderMap, lifetime: &str) {
    if let Ok(lifetime) = HeaderValue::from_str(lifetime) {
        headers.insert(CACHE_CONTROL, lifetime);
    }
}
