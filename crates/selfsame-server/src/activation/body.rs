//! The JSON that tells a destination of a change, in the shapes that Segment's destinations know.
//!
//! docs/reference/activation.md shows each of them.

use selfsame_event::{ProfileId, Time};
use selfsame_pipeline::event_json::Object;
use selfsame_pipeline::workspace::{Definition, DefinitionKind, Destination};
use selfsame_pipeline::{ExternalId, JsonArray};
use sha2::{Digest as _, Sha256};

use super::Form;

/// How many identifiers a call lists.
const EXTERNAL_IDS: usize = 100;

/// `context.personas`: which computation says so.
#[derive(Debug)]
pub(super) struct Personas {
    class: &'static str,
    id: String,
    emitter: String,
    /// The id of the list that the audience is at the destination.
    list: Option<String>,
}

impl Personas {
    pub(super) fn of(definition: &Definition, destination: &Destination) -> Self {
        let (class, prefix) = match definition.kind {
            DefinitionKind::Audience => ("audience", "aud"),
            DefinitionKind::ComputedTrait => ("trait", "tra"),
        };
        let Definition { space, number, .. } = definition;
        let id = format!("{prefix}_{space}_{number}");
        let digest = Sha256::digest(format!("{id} {}", destination.id).as_bytes());
        let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let lists = destination.tool.as_ref().map(|tool| &tool.audiences);
        let list = lists.and_then(|lists| lists.get(&definition.id)).cloned();
        Self { class, id, emitter: format!("act_{hex}"), list }
    }

    fn json(&self, definition: &Definition) -> String {
        let mut out = Object::new();
        out.text("computation_class", self.class);
        out.text("computation_id", &self.id);
        out.text("computation_key", &definition.id);
        out.text("namespace", &definition.space);
        out.text("space_id", &definition.space);
        out.text("event_emitter_id", &self.emitter);
        if let Some(list) = &self.list {
            out.text("external_audience_id", list);
        }
        out.finish()
    }
}

/// One call.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) form: Form,
    pub(super) id: String,
    pub(super) personas: &'a Personas,
    pub(super) definition: &'a Definition,
    /// What the definition comes to, as JSON.
    pub(super) value: &'a str,
    /// The identifier that the profile is named by.
    pub(super) named: ExternalId<'a>,
    /// All of its identifiers.
    pub(super) ids: &'a [ExternalId<'a>],
    pub(super) email: Option<String>,
    /// The name of the destination.
    pub(super) destination: &'a str,
    /// When it became so.
    pub(super) at: Time,
    pub(super) received_at: Time,
    pub(super) profile: ProfileId,
}

impl Message<'_> {
    pub(super) fn json(&self) -> String {
        let mut out = Object::new();
        out.text("type", self.form.call(self.definition.collection));
        out.text("messageId", &self.id);
        match self.named.kind {
            "user_id" => out.text("userId", self.named.value),
            "anonymous_id" => out.text("anonymousId", self.named.value),
            "group_id" => out.text("groupId", self.named.value),
            _ => {}
        }
        match self.form {
            Form::Track => {
                out.text("event", self.event());
                out.raw("properties", &self.properties());
            }
            Form::Identify => out.raw("traits", &self.traits()),
        }
        out.raw("context", &self.context());
        let mut integrations = Object::new();
        integrations.raw("All", "false");
        integrations.raw(self.destination, "{}");
        out.raw("integrations", &integrations.finish());
        out.text("originalTimestamp", &self.at.to_string());
        out.text("receivedAt", &self.received_at.to_string());
        out.text("timestamp", &self.at.to_string());
        out.text("profileId", &self.profile.to_string());
        out.text("spaceId", &self.definition.space);
        out.finish()
    }

    fn event(&self) -> &'static str {
        match (self.definition.kind, self.value) {
            (DefinitionKind::Audience, "true") => "Audience Entered",
            (DefinitionKind::Audience, _) => "Audience Exited",
            (DefinitionKind::ComputedTrait, _) => "Trait Computed",
        }
    }

    fn properties(&self) -> String {
        let mut out = Object::new();
        let key = match self.definition.kind {
            DefinitionKind::Audience => "audience_key",
            DefinitionKind::ComputedTrait => "trait_key",
        };
        out.text(key, &self.definition.id);
        if self.definition.id != key {
            out.raw(&self.definition.id, self.value);
        }
        out.finish()
    }

    fn traits(&self) -> String {
        let mut out = Object::new();
        out.raw(&self.definition.id, self.value);
        if let Some(email) = self.email.as_deref().filter(|_| self.definition.id != "email") {
            out.text("email", email);
        }
        out.finish()
    }

    fn context(&self) -> String {
        let mut out = Object::new();
        // An id that has a field of its own is not said twice.
        let has_field = matches!(self.named.kind, "user_id" | "anonymous_id" | "group_id");
        let others = self.ids.iter().filter(|id| !has_field || id.key != self.named.key);
        let mut ids = JsonArray::default();
        // The newest come first: they are kept where there are too many.
        let named = (!has_field).then_some(&self.named).into_iter();
        let others = others.rev().filter(|id| id.key != self.named.key);
        for id in named.chain(others).take(EXTERNAL_IDS) {
            let mut one = Object::new();
            one.text("id", id.value);
            one.text("type", id.kind);
            one.text("collection", self.definition.collection.name());
            one.text("encoding", "none");
            ids.raw(&one.finish());
        }
        out.raw("externalIds", &ids.finish());
        out.raw("personas", &self.personas.json(self.definition));
        if let (Form::Track, Some(email)) = (self.form, &self.email) {
            let mut traits = Object::new();
            traits.text("email", email);
            out.raw("traits", &traits.finish());
        }
        out.finish()
    }
}

#[cfg(test)]
mod tests;
