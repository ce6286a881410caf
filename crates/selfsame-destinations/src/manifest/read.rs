//! From the text of a manifest to what it says. The shape is checked first, against the tables of the
//! format; what is left to find is what refers to something else: names, actions, steps.

mod auth;
mod limits;
mod steps;

use std::collections::BTreeSet;
use std::sync::Arc;

use selfsame_mapping::{Expression, Template, Tree, Trigger};
use serde_json::{Map, Value};

use super::{Action, Audience, Batch, Dynamic, Lets, Limits, Manifest, Preset, Program, Step};
use crate::answer::{Outcome, Response};
use crate::auth::Auth;
use crate::field::{Field, Fields, Kind, Required, TextFormat};
use crate::format::{FORMAT, MANIFEST};
use crate::problem::{ManifestError, Problems, below};
use crate::request::{Defaults, Form};
use crate::shape::{self, Shape};

/// What every expression of an action may read; what is of batches is undefined elsewhere.
const NAMES: &[&str] = &[
    "settings", "auth", "event", "payload", "sync", "audience", "action", "events", "payloads",
    "items",
];
/// Most anchors within each other that are merged into objects.
const MERGES: usize = 8;

pub(super) fn manifest(file: &str, text: &str) -> Result<Manifest, ManifestError> {
    let mut problems = Problems::default();
    let document = document(text, &mut problems);
    if problems.is_empty() {
        shape::check(Shape::Object(&MANIFEST), &document, "", &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems.within(file, text));
    }
    let manifest = Reader { problems: &mut problems, used: BTreeSet::new() }.manifest(&document);
    if problems.is_empty() { Ok(manifest) } else { Err(problems.within(file, text)) }
}

/// The document with its anchors resolved, merge keys too.
pub(super) fn document(text: &str, problems: &mut Problems) -> Value {
    if let Ok(document) = serde_json::from_str(text) {
        return document;
    }
    let read = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(text).and_then(|mut document| {
        for _ in 0..MERGES {
            document.apply_merge()?;
        }
        serde_yaml_ng::from_value::<Value>(document)
    });
    read.unwrap_or_else(|error| {
        let line = error.location().map(|place| place.line());
        problems.unread(line, format!("no YAML: {error}"));
        Value::Null
    })
}

/// Reads what was checked; what it adds are problems of names.
struct Reader<'p> {
    problems: &'p mut Problems,
    /// The names that were read since it was last emptied.
    used: BTreeSet<String>,
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn word(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The pairs of an object, or none.
fn pairs(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    value.and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// These names and one more.
fn and<'n>(names: &[&'n str], more: &[&'n str]) -> Vec<&'n str> {
    [names, more].concat()
}

impl Reader<'_> {
    fn manifest(&mut self, document: &Value) -> Manifest {
        if document["manifest"].as_u64() != Some(FORMAT) {
            let message = format!("this program reads format {FORMAT}");
            self.problems.add("/manifest", message);
        }
        let settings =
            Fields { fields: self.fields(document.get("settings"), "/settings"), additional: true };
        let setting =
            |(name, one): (&String, &Value)| Some((name.clone(), one.get("default")?.clone()));
        let secret = |(name, one): (&String, &Value)| {
            (text(one, "type") == "password").then(|| name.clone())
        };
        let mut names = NAMES.to_vec();
        let lets = self.lets(document.get("let"), "/let", &mut names);
        self.used.clear();
        let auth = document.get("auth").map_or(Auth::None, |auth| self.auth(auth, &names));
        let sign = items(document.get("sign"))
            .map(|(index, one)| self.hmac(one, &below("/sign", &index.to_string()), &names))
            .collect();
        let defaults = self.defaults(document.get("request_defaults"), &names);
        let whole = Whole { lets: &lets, names: &names, used: std::mem::take(&mut self.used) };
        let actions: Vec<Action> = pairs(document.get("actions"))
            .map(|(key, one)| self.action(key, one, &whole))
            .collect();
        let presets = self.presets(document.get("presets"), &actions);
        let audience = document.get("audience").map(|one| self.audience(one, &actions));
        let plain = ["settings", "auth", "event"];
        let others = items(document.get("integrations"));
        let others = others.filter_map(|(_, name)| name.as_str().map(str::to_owned));
        Manifest {
            id: text(document, "id"),
            name: text(document, "name"),
            category: text(document, "category"),
            docs: items(document.get("docs"))
                .filter_map(|(_, one)| one.as_str().map(str::to_owned))
                .collect(),
            version: text(document, "version"),
            status: text(document, "status"),
            cases: word(document, "cases"),
            called: std::iter::once(text(document, "name")).chain(others).collect(),
            program: self.program(document, &actions),
            setting_defaults: pairs(document.get("settings")).filter_map(setting).collect(),
            secrets: pairs(document.get("settings")).filter_map(secret).collect(),
            settings,
            auth,
            sign,
            defaults,
            responses: self.responses(document.get("responses")),
            presets,
            delete: document.get("delete").map(|one| self.operation(one, "/delete", &plain)),
            audience,
            dynamic_fields: self.dynamic(document.get("dynamic_fields"), &plain),
            limits: self.limits(document.get("limits")),
            actions,
        }
    }

    /// The program, where actions have one to run.
    fn program(&mut self, document: &Value, actions: &[Action]) -> Option<Program> {
        let Some(one) = document.get("program") else {
            for action in actions.iter().filter(|action| action.is_program) {
                let at = below(&below("/actions", &action.key), "program");
                self.problems.add(&at, "the manifest has no `program`");
            }
            return None;
        };
        Some(Program {
            name: text(one, "name"),
            instead_of: word(one, "instead_of"),
            is_partner: flag(one, "partner"),
            refreshes: flag(one, "refreshes"),
            checks: flag(one, "checks"),
        })
    }

    fn dynamic(&mut self, value: Option<&Value>, names: &[&str]) -> Vec<(String, Dynamic)> {
        let mut fields = Vec::new();
        for (name, one) in pairs(value) {
            let at = below("/dynamic_fields", name);
            let request = self.request(&one["request"], &below(&at, "request"), names);
            let choices = self.expression(one, "choices", &at, &["r"]);
            if let (Some(request), Some(choices)) = (request, choices) {
                fields.push((name.clone(), Dynamic { steps: vec![Step::alone(request)], choices }));
            }
        }
        fields
    }

    fn fields(&mut self, value: Option<&Value>, at: &str) -> Vec<(String, Field)> {
        pairs(value).map(|(name, one)| (name.clone(), self.field(one, &below(at, name)))).collect()
    }

    fn field(&mut self, value: &Value, at: &str) -> Field {
        let required = match value.get("required") {
            Some(Value::Bool(true)) => Required::Always,
            Some(Value::String(_)) => {
                let condition = self.expression(value, "required", at, &["payload"]);
                condition.map_or(Required::Never, Required::When)
            }
            _ => Required::Never,
        };
        let kind = Kind::of(&text(value, "type"));
        let properties = value.get("properties").map(|_| Fields {
            fields: self.fields(value.get("properties"), &below(at, "properties")),
            additional: flag(value, "additional_properties"),
        });
        let format = word(value, "format").and_then(|word| TextFormat::of(&word));
        Field {
            kind,
            multiple: flag(value, "multiple"),
            required,
            allow_null: flag(value, "allow_null"),
            choices: items(value.get("choices")).map(|(_, one)| one.clone()).collect(),
            format: if kind == Kind::Time { Some(TextFormat::DateLike) } else { format },
            minimum: value.get("minimum").and_then(Value::as_f64),
            maximum: value.get("maximum").and_then(Value::as_f64),
            properties,
        }
    }

    fn action(&mut self, key: &str, value: &Value, whole: &Whole<'_>) -> Action {
        let at = below("/actions", key);
        let fields = pairs(value.get("fields"));
        let proposed =
            fields.filter_map(|(name, one)| Some((name.clone(), one.get("default")?.clone())));
        let default_mapping = Value::Object(proposed.collect());
        let mut inner = whole.names.to_vec();
        let lets = self.lets(value.get("let"), &below(&at, "let"), &mut inner);
        self.used.clear();
        let alone = inner.clone();
        let with_item =
            if value.get("item").is_some() { and(&inner, &["item"]) } else { inner.clone() };
        let require = self.require(value, &at, &inner);
        let skip = self.expression(value, "skip", &at, &inner);
        let item = value.get("item");
        let item = item.and_then(|item| self.tree(item, &below(&at, "item"), &inner));
        let mut of_event = self.used.clone();
        self.used.extend(whole.used.iter().cloned());
        let steps = self.operation(value, &at, &with_item);
        let mut used = std::mem::take(&mut self.used);
        let mut keys = Vec::new();
        for (index, one) in items(value.get("batch").and_then(|batch| batch.get("key"))) {
            let place = below(&below(&below(&at, "batch"), "key"), &index.to_string());
            keys.extend(self.template(one, &place, &alone));
        }
        for name in std::mem::take(&mut self.used) {
            of_event.insert(name.clone());
            used.insert(name);
        }
        Action {
            key: key.to_owned(),
            title: text(value, "title"),
            trigger: word(value, "trigger").and_then(|text| Trigger::compile(&text).ok()),
            proposed_trigger: word(value, "trigger"),
            fields: Fields {
                fields: self.fields(value.get("fields"), &below(&at, "fields")),
                // A program that names no fields takes what it is given.
                additional: flag(value, "program") && value.get("fields").is_none(),
            },
            default_mapping,
            require,
            skip,
            item,
            steps,
            is_program: flag(value, "program"),
            batch: value
                .get("batch")
                .map(|batch| self.batch(batch, &below(&at, "batch"), keys, whole)),
            lets_of_event: needed([whole.lets, &lets], of_event),
            lets: needed([whole.lets, &lets], used),
        }
    }

    fn batch(&mut self, value: &Value, at: &str, key: Vec<Template>, whole: &Whole<'_>) -> Batch {
        let mut inner = whole.names.to_vec();
        let lets = self.lets(value.get("let"), &below(at, "let"), &mut inner);
        self.used.clone_from(&whole.used);
        let require = self.require(value, at, &inner);
        let steps = self.operation(value, at, &inner);
        let used = std::mem::take(&mut self.used);
        let max_events = value["max_events"].as_u64().unwrap_or(1);
        Batch {
            key,
            max_events,
            max_bytes: value.get("max_bytes").and_then(Value::as_u64),
            max_wait_seconds: value.get("max_wait_seconds").and_then(Value::as_u64),
            ordered: value.get("ordered").and_then(Value::as_bool).unwrap_or(false),
            require,
            steps,
            lets: needed([whole.lets, &lets], used),
        }
    }

    /// Values with names; each is in reach of the next.
    fn lets<'n>(&mut self, value: Option<&'n Value>, at: &str, names: &mut Vec<&'n str>) -> Lets {
        let mut lets = Vec::new();
        for (name, one) in pairs(value) {
            if let Some(tree) = self.tree(one, &below(at, name), names) {
                lets.push((name.clone(), Arc::new(tree)));
            }
            names.push(name);
        }
        lets
    }

    fn defaults(&mut self, value: Option<&Value>, names: &[&str]) -> Defaults {
        let Some(value) = value else { return Defaults::default() };
        let names = and(names, &["steps", "one"]);
        Defaults {
            method: word(value, "method"),
            headers: self.pairs(value.get("headers"), "/request_defaults/headers", &names),
            query: self.pairs(value.get("query"), "/request_defaults/query", &names),
        }
    }

    fn responses(&mut self, value: Option<&Value>) -> Vec<Response> {
        let mut responses = Vec::new();
        for (index, one) in items(value) {
            let at = below("/responses", &index.to_string());
            let names = ["r", "settings", "step"];
            let items = self.expression(one, "items", &at, &names);
            let after = self.expression(one, "after_seconds", &at, &names);
            let message = one
                .get("message")
                .and_then(|text| self.template(text, &below(&at, "message"), &names));
            let outcome = Outcome::of_word(&text(one, "outcome"));
            if let Some(when) = self.expression(one, "when", &at, &names) {
                responses.push(Response { when, outcome, after, items, message });
            }
        }
        responses
    }

    fn presets(&mut self, value: Option<&Value>, actions: &[Action]) -> Vec<Preset> {
        let mut presets = Vec::new();
        for (index, one) in items(value) {
            let at = below("/presets", &index.to_string());
            let preset = Preset {
                name: text(one, "name"),
                action: text(one, "action"),
                trigger: text(one, "trigger"),
                mapping: one
                    .get("mapping")
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_else(Map::new),
            };
            self.known_action(&preset.action, &below(&at, "action"), actions);
            if let Some(action) = actions.iter().find(|action| action.key == preset.action) {
                let names: Vec<&str> =
                    action.fields.fields.iter().map(|(name, _)| name.as_str()).collect();
                for name in preset.mapping.keys().filter(|name| !names.contains(&name.as_str())) {
                    let place = below(&below(&at, "mapping"), name);
                    let message = format!("`{}` has no field `{name}`", preset.action);
                    self.problems.hint(&place, message, shape::meant(name, &names));
                }
            }
            presets.push(preset);
        }
        presets
    }

    fn known_action(&mut self, key: &str, at: &str, actions: &[Action]) {
        if !actions.iter().any(|action| action.key == key) {
            let names: Vec<&str> = actions.iter().map(|action| action.key.as_str()).collect();
            self.problems.hint(
                at,
                format!("there is no action `{key}`"),
                shape::meant(key, &names),
            );
        }
    }

    fn audience(&mut self, value: &Value, actions: &[Action]) -> Audience {
        for key in ["add", "remove"] {
            self.known_action(&text(value, key), &below("/audience", key), actions);
        }
        let names = ["settings", "auth", "audience"];
        let mut steps = |key: &str| {
            value.get(key).map(|one| self.operation(one, &below("/audience", key), &names))
        };
        let (create, get) = (steps("create"), steps("get"));
        let after = ["r", "audience"];
        Audience {
            create,
            get,
            external_id: self.expression(value, "external_id", "/audience", &after),
            add: text(value, "add"),
            remove: text(value, "remove"),
        }
    }

    fn tree(&mut self, value: &Value, at: &str, names: &[&str]) -> Option<Tree> {
        match Tree::compile(value) {
            Ok(tree) => {
                self.names(tree.names(), at, names);
                Some(tree)
            }
            Err(faults) => {
                self.problems.faults(at, Some(faults));
                None
            }
        }
    }

    fn template(&mut self, value: &Value, at: &str, names: &[&str]) -> Option<Template> {
        let Some(text) = value.as_str() else {
            self.problems.add(at, "expected a text");
            return None;
        };
        match Template::compile(text) {
            Ok(template) => {
                self.names(template.names(), at, names);
                Some(template)
            }
            Err(fault) => {
                self.problems.faults(at, Some(vec![fault]));
                None
            }
        }
    }

    fn expression(
        &mut self,
        value: &Value,
        key: &str,
        at: &str,
        names: &[&str],
    ) -> Option<Expression> {
        let text = value.get(key)?.as_str()?.strip_prefix('=')?;
        let at = below(at, key);
        match Expression::compile(text) {
            Ok(expression) => {
                self.names(expression.names(), &at, names);
                Some(expression)
            }
            Err(fault) => {
                self.problems.faults(&at, Some(vec![fault]));
                None
            }
        }
    }

    /// Refuses names that nothing has.
    fn names(&mut self, used: &[String], at: &str, names: &[&str]) {
        self.used.extend(used.iter().cloned());
        for name in used.iter().filter(|name| !names.contains(&name.as_str())) {
            self.problems.hint(at, format!("`{name}` is not in reach"), shape::meant(name, names));
        }
    }
}

/// What is of the whole manifest: its values, what is in reach of its actions, and which of that every request
/// reads.
struct Whole<'w> {
    lets: &'w Lets,
    names: &'w [&'w str],
    used: BTreeSet<String>,
}

/// The values, in order, that are read by these names, or by values that are.
fn needed(lets: [&Lets; 2], mut used: BTreeSet<String>) -> Lets {
    let mut kept: Lets = Vec::new();
    for (name, tree) in lets.into_iter().flatten().rev() {
        if used.contains(name) {
            used.extend(tree.names().iter().cloned());
            kept.push((name.clone(), Arc::clone(tree)));
        }
    }
    kept.reverse();
    kept
}

fn nothing() -> Tree {
    known("")
}

fn known(text: &str) -> Tree {
    Tree::compile(&Value::String(text.to_owned())).expect("a text of this file")
}

impl Step {
    /// The only one.
    fn alone(request: Form) -> Self {
        let (when, each, ok, fail, stop) = (None, None, None, None, None);
        let (lets, require) = (Vec::new(), Vec::new());
        Self { id: "request".to_owned(), when, each, lets, require, request, ok, fail, stop }
    }
}
