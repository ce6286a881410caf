//! What a new or changed definition would do, before it is made.

use selfsame_event::Collection;
use selfsame_pipeline::workspace::DefinitionKind;
use serde_json::Value;

use crate::client::Client;
use crate::command::definition::preview;
use crate::command::resource::DefinitionFile;
use crate::control::PreviewWish;

/// One line below the step: how many profiles would enter and leave.
pub(super) async fn effect(
    client: &Client,
    file: &DefinitionFile,
    kind: DefinitionKind,
    is_new: bool,
) -> Option<String> {
    let wish = PreviewWish {
        kind,
        collection: Some(file.collection),
        query: Value::String(file.query.clone()),
        filter_by_external_ids: Some(file.filter_by_external_ids.clone()),
        replaces: (!is_new).then(|| file.id.clone()),
        overlap: None,
        sample: Some(0),
    };
    // The space may be new too, or the server busy: the step itself says what is wrong with it.
    let found = match preview(client, &file.space, &wish).await {
        Ok(found) => found,
        Err(error) => return Some(format!("how many profiles that changes is not known: {error}")),
    };
    let (entering, leaving) = match (found.entering, found.leaving) {
        (Some(entering), Some(leaving)) => (entering, leaving),
        _ => (found.size, 0),
    };
    let things = match file.collection {
        Collection::Users => "profiles",
        Collection::Accounts => "accounts",
    };
    Some(match kind {
        DefinitionKind::Audience => {
            format!("{entering} of {} {things} would enter, {leaving} would leave", found.profiles)
        }
        DefinitionKind::ComputedTrait => {
            format!("{} of {} {things} would have a value", found.size, found.profiles)
        }
    })
}
