//! The Control API: configures the workspace, and shows what became of its events.
//!
//! One table ([`table`]) has every operation. From it come the router, the permission check and the
//! published document.
//!
//! **Invariants:**
//! - every operation needs a token or a session with its permission; what is not in the table does not exist;
//! - whatever was changed, exported or refused is in the audit log before it is answered;
//! - every change is a record of the log, and one change is made at a time, so that none is lost
//!   between reading and writing;
//! - a secret is shown by the answer that makes it, and never again.

mod accounting;
mod alerts;
mod asked;
mod attempts;
mod audit;
mod backups;
mod catalogue;
mod dead_letters;
mod dead_ranges;
mod decided;
mod definitions;
mod destinations;
mod function_uses;
mod functions;
mod hint;
mod identity;
mod identity_keys;
mod imports;
pub(crate) mod insights;
mod oauth;
mod openapi;
mod people;
mod permission;
mod previews;
mod problem;
mod reconcile;
mod rejected;
mod replays;
mod rule_jobs;
mod schemas;
mod session;
mod shape;
mod sources;
mod spaces;
mod state;
mod stream;
mod table;
mod tail;
mod tokens;
mod trace;
mod undo;

pub(crate) use accounting::{AccountingShown, DestinationAccount, ReceivedShown};
pub(crate) use alerts::channels::{
    AlertChannelSet, AlertChannelShown, AlertChannelTested, AlertChannelWanted,
};
pub(crate) use alerts::{AlertShown, AlertTurn, AlertWanted, SilenceWanted};
pub(crate) use attempts::requests::RequestsShown;
pub(crate) use attempts::{AttemptFound, AttemptsFound};
pub(crate) use audit::AuditFound;
pub(crate) use backups::{BackupDone, BackupRequest};
pub(crate) use catalogue::CatalogueEntry;
pub(crate) use dead_letters::{DeadCauses, DeadLetters, Resent};
pub(crate) use dead_ranges::{DeadRanges, RangeResent};
pub(crate) use definitions::{
    ActivationShown, DefinitionProgress, DefinitionShown, NamingShown, NewDefinition,
};
pub(crate) use destinations::alarm;
pub(crate) use destinations::{
    AuthorizeShown, ChoicesFound, DestinationShown, MappingShown, NewDestination, NewMapping,
    NewSecret,
};
pub(crate) use function_uses::{FunctionUseAsked, FunctionUseShown};
pub(crate) use functions::{
    FunctionCalled, FunctionChange, FunctionCode, FunctionRollBack, FunctionSettingShown,
    FunctionShown, FunctionVersionShown, NewFunction,
};
pub(crate) use identity::hint as rules_hint;
pub(crate) use identity_keys::{AddedIdentityKey, IdentityKeyShown, NewIdentityKey, checker};
pub(crate) use imports::{KEY_HEADER, Outcome, Progress};
#[cfg(test)]
pub(crate) use insights::words as insight_words;
pub(crate) use oauth::{
    AddedOAuthClient, OAuthChange, OAuthClientGiven, OAuthKeyGiven, OAuthShown,
};
pub(crate) use people::{MemberLink, MemberShown};
pub(crate) use permission::{Permission, may};
pub(crate) use previews::{PreviewFound, PreviewShown, PreviewWish};
pub(crate) use problem::Code;
pub(crate) use reconcile::{
    ReconcileFound, ReconcileRow, ReconcileSide, ReconcileWish, StandingShown, UnitShown,
};
pub(crate) use replays::{ReplayFound, ReplayLook, ReplayShown, ReplayWanted};
pub(crate) use shape::Page;
pub(crate) use sources::{NewSource, SourceShown};
pub(crate) use spaces::{NewSpace, SpaceShown};
pub(crate) use state::Done;
pub(crate) use stream::{LiveDestination, LiveShown, LiveSource};
#[cfg(test)]
pub(crate) use table::ROUTES as OPERATIONS;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, RawPathParams, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any};
use http_body_util::LengthLimitError;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::Change;
use tokio::sync::{MutexGuard, Semaphore};

use self::asked::Asked;
use self::openapi::operation_id;
use self::problem::{Acted, Problem};
use self::table::{ROUTES, Route, Takes, Verb};
use self::undo::UndoJobs;
use crate::access::{Access, Caller, Forged, Who};
use crate::audit::Entry;
use crate::live::Live;
use crate::node::Node;
use crate::preview_job::Previews;
use crate::rule_job::RuleJobs;
use crate::tasks::Tasks;

/// How many reads of many records go on at once.
const SCANS: usize = 2;
/// How many clients follow events at once.
const TAILS: usize = 16;
/// How many clients watch numbers at once.
const WATCHERS: usize = 32;
/// How many audiences are exported at once.
const EXPORTS: usize = 4;

/// What operations need. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    node: Arc<Node>,
    access: Access,
    tasks: Tasks,
    scans: Arc<Semaphore>,
    tails: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
    live: Arc<Live>,
    exports: Arc<Semaphore>,
    rule_jobs: Arc<RuleJobs>,
    previews: Arc<Previews>,
    undo_jobs: Arc<UndoJobs>,
}

/// `/api`, and where people come back to who agreed at a vendor.
pub(crate) fn router(node: &Arc<Node>, access: &Access, tasks: &Tasks) -> Router {
    let control = Control {
        node: Arc::clone(node),
        access: access.clone(),
        tasks: tasks.clone(),
        scans: Arc::new(Semaphore::new(SCANS)),
        tails: Arc::new(Semaphore::new(TAILS)),
        watchers: Arc::new(Semaphore::new(WATCHERS)),
        live: Arc::default(),
        exports: Arc::new(Semaphore::new(EXPORTS)),
        rule_jobs: Arc::default(),
        previews: Arc::default(),
        undo_jobs: Arc::default(),
    };
    let mut paths: Vec<(&str, MethodRouter<Control>)> = Vec::new();
    for route in ROUTES {
        let path = route.path.strip_prefix("/api").expect("every path of the table begins so");
        let filter = match route.verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
            Verb::Patch => MethodFilter::PATCH,
            Verb::Delete => MethodFilter::DELETE,
        };
        let handler = move |State(control): State<Control>,
                            path: RawPathParams,
                            request: Request| {
            async move { answer(control, route, &path, request).await }
        };
        match paths.iter().position(|(known, _)| *known == path) {
            Some(index) => {
                let (path, methods) = paths.swap_remove(index);
                paths.push((path, methods.on(filter, handler)));
            }
            None => paths.push((path, MethodRouter::new().on(filter, handler))),
        }
    }
    let mut api = Router::new();
    for (path, methods) in paths {
        api = api.route(path, methods.fallback(no_method));
    }
    let api = api.route("/", any(no_route)).fallback(no_route);
    Router::new()
        .nest("/api", api)
        .route("/api/", any(no_route))
        .with_state(control)
        .merge(crate::consent::router(node))
}

async fn answer(
    control: Control,
    route: &'static Route,
    path: &RawPathParams,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    // The router has taken the part that all paths begin with.
    let target = format!("/api{}", parts.uri.path());
    let caller = control.access.caller(&parts);
    let who = caller.as_ref().map_or(Who::Nobody, |caller| caller.who.clone());
    let address = caller.as_ref().ok().and_then(|caller| caller.address);
    let result = match asked(&control, route, caller, path, parts, body).await {
        Ok(asked) => (route.call)(control.clone(), asked).await,
        Err(problem) => Err(problem),
    };
    let mut response = private(result.unwrap_or_else(IntoResponse::into_response));
    let entry = Entry {
        who: who.name(),
        operation: operation_id(route),
        target,
        address: address.map(|address| address.to_string()),
        status: response.status().as_u16(),
        code: response.extensions().get::<Code>().map(|code| code.word().to_owned()),
    };
    let acted = response.extensions_mut().remove::<Acted>();
    let is_told = route.verb != Verb::Get || route.is_export() || entry.status == 403;
    if acted.is_some() || (is_told && !matches!(who, Who::Nobody)) {
        let entry = match acted {
            Some(Acted(who)) => Entry { who, ..entry },
            None => entry,
        };
        // What was done is done: the answer says so, and the server's log what is missing.
        if let Err(error) = control.node.audit.write(&entry).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, operation = entry.operation, "the audit log lacks an entry");
        }
    }
    response
}

/// Nothing that was answered here is kept by a cache, taken for a page, or read by one of another site.
fn private(mut response: Response) -> Response {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn no_route(State(control): State<Control>, request: Request) -> Response {
    let message = format!("There is no route {}.", request.uri().path());
    private(unless_stranger(&control, request, Problem::new(Code::NoRoute, message)))
}

async fn no_method(State(control): State<Control>, request: Request) -> Response {
    let problem = Problem::new(Code::NoMethod, "This resource does not have that method.");
    private(unless_stranger(&control, request, problem))
}

/// Who is not known learns nothing of what there is.
fn unless_stranger(control: &Control, request: Request, problem: Problem) -> Response {
    let (parts, _) = request.into_parts();
    match control.access.caller(&parts) {
        Ok(caller) if caller.who.may(Permission::Read) => problem.into_response(),
        _ => Problem::stranger().into_response(),
    }
}

/// Checks who asks and from where, and takes the request apart.
async fn asked(
    control: &Control,
    route: &Route,
    caller: Result<Caller, Forged>,
    path: &RawPathParams,
    parts: Parts,
    body: Body,
) -> Result<Asked, Problem> {
    if route.verb != Verb::Get {
        check_origin(&parts.headers, &parts.uri)?;
    }
    let caller = caller?;
    check(&caller, route.permission)?;
    if let Who::Member(signed_in) = &caller.who {
        let (node, now) = (&control.node, control.node.clock.wall());
        node.members.touch(&node.vault, &signed_in.session, now).await?;
    }
    let wrong = |_| Problem::new(Code::Invalid, "The query cannot be read.");
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(wrong)?;
    for (index, (name, _)) in query.iter().enumerate() {
        if !route.query.contains(&name.as_str()) {
            let known = match route.query {
                [] => "this operation has none".to_owned(),
                known => format!("this operation has {}", known.join(", ")),
            };
            let message = format!("There is no parameter `{name}`; {known}.");
            return Err(Problem::field(name.clone(), message));
        }
        if query[..index].iter().any(|(before, _)| before == name) {
            return Err(Problem::field(name.clone(), format!("`{name}` is there twice.")));
        }
    }
    let path = path.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut headers = Vec::new();
    for name in route.headers {
        let value = parts.headers.get(*name).and_then(|value| value.to_str().ok());
        headers.extend(value.map(|value| (*name, value.to_owned())));
    }
    let body = read(&parts.headers, route, body).await?;
    Ok(Asked { path, query, headers, body, caller })
}

async fn read(
    headers: &HeaderMap,
    route: &Route,
    body: Body,
) -> Result<axum::body::Bytes, Problem> {
    let (most, patience) = (route.takes.most_bytes(), route.takes.patience());
    let body = match tokio::time::timeout(patience, to_bytes(body, most)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if is_too_large(&error) => {
            let message = format!("The body is larger than {} MiB.", most >> 20);
            return Err(Problem::new(Code::TooLarge, message));
        }
        Ok(Err(_)) | Err(_) => {
            return Err(Problem::new(Code::Incomplete, "The body broke off or came too slowly."));
        }
    };
    if matches!(route.takes, Takes::Json(_)) {
        let kind =
            headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                Code::NotJson,
                "The body's content type is not application/json.",
            ));
        }
    }
    Ok(body)
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<LengthLimitError>())
}

/// Refuses changes that a page of another site sends.
fn check_origin(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the URI.
    let host = named.or_else(|| uri.authority().map(Authority::as_str));
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Problem::new(Code::ForeignOrigin, "A page of another site sent this change.")),
    }
}

/// Refuses who lacks a permission.
fn check(caller: &Caller, wanted: Permission) -> Result<(), Problem> {
    match caller.who.role() {
        _ if caller.who.may(wanted) => Ok(()),
        None => Err(Problem::stranger()),
        Some(role) => Err(Problem::lacks(role, wanted)),
    }
}

impl Control {
    /// The state as it is now.
    fn view(&self) -> Result<View, Problem> {
        self.node.view().ok_or_else(Problem::opening)
    }

    /// The turn to make a change: what is read while it is held stays so until it is written.
    async fn turn(&self) -> MutexGuard<'_, ()> {
        self.node.turn().await
    }

    /// Makes a change, and shows the state in which it holds.
    async fn change(&self, change: &Change) -> Result<View, Problem> {
        self.node.change(change).await?;
        self.view()
    }

    /// Reads many records, on a thread that may wait for the disk.
    async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Node) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = Arc::clone(&self.scans).acquire_owned().await;
        let permit =
            permit.map_err(|_| Problem::new(Code::Unavailable, "The server is stopping."))?;
        let node = Arc::clone(&self.node);
        let working = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&node)
        });
        working.await.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "A read ended early.")))
    }
}
