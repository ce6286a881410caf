//! `GET /v1/me`: what a page may know of its own visitor, for a browser with a public write key.
//!
//! ```text
//! {"audiences":{"vip":true},"traits":{"favourite_category":"shoes"}}
//! ```
//!
//! **Invariants:**
//! - only audiences and computed traits that were marked public are told, and nothing that says who
//!   somebody is;
//! - in a space that guards its people, somebody known is told of with a token of that very user only; the
//!   answer without one is that for a stranger;
//! - one profile is read, by its identifier: nothing is scanned, and nothing is made.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use selfsame_collect::{CollectConfig, Problem, Visitor, VisitorError, Visitors};
use selfsame_event::{Clock, Collection, Time};
use selfsame_pipeline::workspace::DefinitionKind;
use selfsame_pipeline::{JsonObject, LookupError, ProfileRef, Reader, Shared};
use tokio::sync::Semaphore;

use crate::intake::KeyTable;
use crate::node::Node;

/// How many visitors are looked at at once.
const READS: usize = 32;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
struct Me {
    visitors: Arc<Visitors<Arc<KeyTable>>>,
    reader: Reader,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    reads: Arc<Semaphore>,
}

/// `/v1/me`.
pub(crate) fn router(node: &Arc<Node>, config: CollectConfig) -> Router {
    let clock = Arc::clone(&node.clock);
    let me = Me {
        visitors: Arc::new(Visitors::new(config, Arc::clone(&node.keys), Arc::clone(&clock))),
        reader: node.reader(),
        shared: Arc::clone(&node.shared),
        clock,
        reads: Arc::new(Semaphore::new(READS)),
    };
    let methods = get(show).options(preflight).fallback(no_method);
    Router::new().route("/v1/me", methods).with_state(me)
}

async fn show(State(me): State<Me>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let told = match me.visitors.visitor(&parts) {
        Ok(visitor) => me.told(visitor).await,
        Err(error) => Err(error),
    };
    me.visitors.answer(&parts.headers, told).map(Body::new)
}

async fn preflight(State(me): State<Me>, headers: HeaderMap) -> Response {
    me.visitors.preflight(&headers).map(Body::new)
}

async fn no_method(State(me): State<Me>, headers: HeaderMap) -> Response {
    let mut answer = me.visitors.answer(&headers, Err(Problem::MethodUnknown.into()));
    let allowed = axum::http::HeaderValue::from_static("GET, OPTIONS");
    answer.headers_mut().insert(axum::http::header::ALLOW, allowed);
    answer.map(Body::new)
}

impl Me {
    async fn told(&self, visitor: Visitor) -> Result<String, VisitorError> {
        let turn = Arc::clone(&self.reads).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, turn).await else {
            return Err(VisitorError::Busy);
        };
        let (reader, now) = (self.reader.clone(), self.clock.wall());
        let meta = self.shared.meta();
        let space = meta.workspace.source(visitor.source).map(|source| source.space.clone());
        let space = space.ok_or(Problem::KeyUnknown)?;
        let read = move || {
            let _permit = permit;
            told(&reader, &space, &visitor, now)
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(json)) => Ok(json),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a visitor was not looked at"
                );
                Err(VisitorError::Unavailable)
            }
            Err(_) => Err(VisitorError::Unavailable),
        }
    }
}

/// What a visitor may be told.
fn told(reader: &Reader, space: &str, visitor: &Visitor, now: Time) -> Result<String, LookupError> {
    let read = reader.space(space)?;
    let by = |kind: &str, value: &str| {
        let wanted = ProfileRef::Identifier { kind: kind.to_owned(), value: value.to_owned() };
        read.find(Collection::Users, &wanted)
    };
    let found = match (&visitor.user_id, &visitor.anonymous_id) {
        (Some(user), _) => by("user_id", user)?,
        (None, Some(device)) => by("anonymous_id", device)?
            // Whoever knows a device's id need not be the one who signed in on it.
            .filter(|found| !(read.is_guarded() && found.is_known())),
        (None, None) => None,
    };
    let (mut audiences, mut traits) = (JsonObject::default(), JsonObject::default());
    if let Some(found) = &found {
        for one in found.computed(now)?.iter().filter(|one| one.definition.public) {
            let among = match one.definition.kind {
                DefinitionKind::Audience => &mut audiences,
                DefinitionKind::ComputedTrait => &mut traits,
            };
            among.raw(&one.definition.id, &one.value);
        }
    }
    let (audiences, traits) = (audiences.finish(), traits.finish());
    Ok(JsonObject::default().raw("audiences", &audiences).raw("traits", &traits).finish())
}
