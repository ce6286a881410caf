//! Every resource of the Profile API. The router and the published document are made from this table.

use axum::routing::{MethodRouter, get, post};

use crate::api::ProfileApi;
use crate::{document, routes};

/// The method of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

/// One resource.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    /// Its name in the document.
    pub(crate) operation: &'static str,
    pub(crate) summary: &'static str,
    /// The parameters of its query.
    pub(crate) query: &'static [&'static str],
    /// The schema of its body.
    pub(crate) body: Option<&'static str>,
    /// The schema of its answer.
    pub(crate) answer: &'static str,
    pub(crate) serve: fn() -> MethodRouter<ProfileApi>,
}

macro_rules! routes {
    ($($verb:ident $path:expr, $operation:literal $summary:literal query [$($query:literal)*]
        $(body $body:literal)? => $answer:literal = $serve:expr;)+) => {
        /// Every resource.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            verb: Verb::$verb,
            path: $path,
            operation: $operation,
            summary: $summary,
            query: &[$($query),*],
            body: body!($($body)?),
            answer: $answer,
            serve: $serve,
        },)+];
    };
}

macro_rules! body {
    () => {
        None
    };
    ($body:literal) => {
        Some($body)
    };
}

/// Below a collection.
macro_rules! at {
    ($rest:literal) => {
        concat!("/v1/spaces/{space}/collections/{collection}", $rest)
    };
}

routes! {
    Get "/openapi/profile.json", "document" "This document" query [] => "Document" = || get(document::show);
    Get at!("/search"), "search" "Find profiles by an identifier of any type, or by the value of a trait" query ["identifier" "trait" "value" "limit" "next" "wait_for"] => "SearchPage" = || get(routes::search);
    Post at!("/profiles/batch"), "batch" "The traits of up to 100 profiles" query ["wait_for"] body "BatchRequest" => "BatchAnswer" = || post(routes::batch);
    Get at!("/profiles/{id}"), "profile" "All of a profile but its events" query ["verbose" "at" "wait_for"] => "Profile" = || get(routes::profile);
    Get at!("/profiles/{id}/traits"), "traits" "Traits by key" query ["include" "class" "verbose" "limit" "next" "at" "wait_for"] => "TraitsPage" = || get(routes::traits);
    Get at!("/profiles/{id}/external_ids"), "external_ids" "Identifiers, the first ones first" query ["include" "verbose" "limit" "next" "at" "wait_for"] => "ExternalIdsPage" = || get(routes::external_ids);
    Get at!("/profiles/{id}/events"), "events" "Events by their time, the newest first; those whose bodies are gone are left out" query ["include" "exclude" "start" "end" "sort" "limit" "next" "at" "wait_for"] => "EventsPage" = || get(routes::events);
    Get at!("/profiles/{id}/metadata"), "metadata" "The first and the last event" query ["verbose" "at" "wait_for"] => "MetadataAnswer" = || get(routes::metadata);
    Get at!("/profiles/{id}/links"), "links" "The profiles at the other end of group calls, and the households of a user" query ["limit" "at" "wait_for"] => "Links" = || get(routes::links);
    Get at!("/profiles/{id}/merges"), "merges" "Merges that were made or refused" query ["wait_for"] => "Merges" = || get(routes::merges);
}
