//! What the engine counted, and what there is in the workspace.

use selfsame_log::LogRead as _;

use super::Control;
use super::asked::Asked;
use super::problem::Problem;
use super::shape::shape;

shape! {
    /// Where the engine is, and what it counted.
    pub(crate) struct State {
        /// The next record to fold: all before it shows.
        position: String,
        /// Events folded into profiles.
        events: u64,
        /// Profiles that are not merged into another one.
        profiles: u64,
        /// Events that were there before.
        duplicates: u64,
        /// Events whose id was there before with other content.
        changed: u64,
        /// Events set aside.
        rejected: u64,
        /// Events that identified nobody.
        unattached: u64,
        /// Records that are durable and not folded yet.
        lag: u64,
    }

    /// What there is in the workspace.
    pub(crate) struct WorkspaceShown {
        /// The name.
        name: String,
        /// The program's version.
        version: String,
        /// Ids of the spaces.
        spaces: Vec<String>,
        /// Ids of the sources.
        sources: Vec<String>,
        /// Ids of the destinations.
        destinations: Vec<String>,
        /// How many tokens are accepted.
        tokens: u64,
    }

    /// That something was done.
    pub(crate) struct Done {
        /// To what.
        id: String,
        /// What was done.
        done: String,
    }
}

impl Done {
    pub(crate) fn new(id: &str, done: &str) -> Self {
        Self { id: id.to_owned(), done: done.to_owned() }
    }
}

/// `GET /api/state`
pub(crate) async fn show(control: Control, _: Asked) -> Result<State, Problem> {
    let view = control.view()?;
    let (spaces, sources) = (&view.meta.spaces, &view.meta.sources);
    let folded = control.node.shared.folded();
    Ok(State {
        position: folded.to_string(),
        events: spaces.iter().map(|space| space.events).sum(),
        profiles: spaces.iter().map(|space| space.profiles).sum(),
        duplicates: sources.iter().map(|source| source.duplicates).sum(),
        changed: sources.iter().map(|source| source.changed).sum(),
        rejected: sources.iter().flat_map(|source| source.rejected.values()).sum(),
        unattached: spaces.iter().map(|space| space.unattached).sum(),
        lag: control.node.log.end().offset.saturating_sub(folded.offset),
    })
}

/// `GET /api/workspace`
pub(crate) async fn workspace(control: Control, _: Asked) -> Result<WorkspaceShown, Problem> {
    let view = control.view()?;
    let workspace = &view.meta.workspace;
    let live = workspace.tokens.iter().filter(|token| !token.revoked).count();
    Ok(WorkspaceShown {
        name: workspace.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        spaces: workspace.spaces.iter().map(|space| space.id.clone()).collect(),
        sources: workspace.sources.iter().map(|source| source.id.clone()).collect(),
        destinations: workspace.destinations.iter().map(|one| one.id.clone()).collect(),
        tokens: u64::try_from(live).unwrap_or(u64::MAX),
    })
}
