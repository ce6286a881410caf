//! `POST /api/backup {"dir": "/…"}`: a backup of the running server, on its own disk.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use selfsame_event::Position;
use selfsame_log::LogRead as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::make;
use crate::node::Node;
use crate::tokens::Tokens;

/// What is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BackupRequest {
    /// A folder of the server's machine, absolute, empty or not there.
    pub(crate) dir: PathBuf,
}

/// A backup that was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BackupDone {
    pub(crate) position: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

#[derive(Clone)]
struct Backups {
    node: Arc<Node>,
    tokens: Tokens,
}

/// `/api/backup`.
pub(crate) fn router(node: &Arc<Node>, tokens: &Tokens) -> Router {
    let backups = Backups { node: Arc::clone(node), tokens: tokens.clone() };
    Router::new().route("/api/backup", post(take)).with_state(backups)
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

async fn take(
    State(backups): State<Backups>,
    headers: HeaderMap,
    Json(asked): Json<BackupRequest>,
) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| backups.tokens.allows(token)) {
        let message = "A valid API token is needed as bearer token.";
        return problem(StatusCode::UNAUTHORIZED, "authentication_error", message);
    }
    if !asked.dir.is_absolute() {
        let message = "`dir` must be an absolute path.";
        return problem(StatusCode::BAD_REQUEST, "validation_error", message);
    }
    let node = Arc::clone(&backups.node);
    // What was acknowledged before this is in the backup.
    let until: Position = node.log.end();
    let root = node.folder.root().to_owned();
    let made = tokio::task::spawn_blocking(move || make(&root, &asked.dir)).await;
    match made {
        Ok(Ok(manifest)) if manifest.position >= until.offset => {
            let bytes = manifest.files.iter().map(|file| file.bytes).sum();
            let files = manifest.files.len();
            Json(BackupDone { position: manifest.position, files, bytes }).into_response()
        }
        Ok(Ok(_)) => {
            let message =
                "The copied log is shorter than the log was; the backup is not to be used.";
            problem(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
        }
        Ok(Err(error)) => {
            let message = format!("{error:#}");
            tracing::warn!(error = %message, "a backup was not made");
            problem(StatusCode::UNPROCESSABLE_ENTITY, "backup_failed", &message)
        }
        Err(_) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The backup ended early.")
        }
    }
}
