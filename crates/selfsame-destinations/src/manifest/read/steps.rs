//! Requests and steps, read.

use selfsame_mapping::{Expression, Tree};
use serde_json::Value;

use super::super::{Lets, Requirement, Step};
use super::{Reader, and, items, pairs, text};
use crate::problem::below;
use crate::request::{BodyForm, Form};

impl Reader<'_> {
    pub(super) fn require(&mut self, value: &Value, at: &str, names: &[&str]) -> Vec<Requirement> {
        let mut all = Vec::new();
        for (index, one) in items(value.get("require")) {
            let at = below(&below(at, "require"), &index.to_string());
            let that = self.expression(one, "that", &at, names);
            let message = self.template(&one["message"], &below(&at, "message"), names);
            all.extend(that.zip(message).map(|(that, message)| Requirement { that, message }));
        }
        all
    }

    /// One request, or steps.
    pub(super) fn operation(&mut self, value: &Value, at: &str, names: &[&str]) -> Vec<Step> {
        let mut names = and(names, &["steps"]);
        if let Some(request) = value.get("request") {
            let form = self.request(request, &below(at, "request"), &names);
            return form.map(Step::alone).into_iter().collect();
        }
        let (mut steps, mut seen) = (Vec::<Step>::new(), Vec::<String>::new());
        for (index, one) in items(value.get("steps")) {
            let at = below(&below(at, "steps"), &index.to_string());
            let id = text(one, "id");
            if seen.contains(&id) {
                self.problems.add(&below(&at, "id"), format!("there is a step `{id}` before"));
            }
            seen.push(id);
            let when = self.expression(one, "when", &at, &names);
            let each = self.expression(one, "each", &at, &names);
            // Values of a step are in reach of later ones too.
            let lets = if each.is_some() {
                let mut inner = and(&names, &["one", "index"]);
                let lets = self.lets(one.get("let"), &below(&at, "let"), &mut inner);
                steps.extend(self.step(one, &at, &inner, when, each, lets));
                continue;
            } else {
                self.lets(one.get("let"), &below(&at, "let"), &mut names)
            };
            steps.extend(self.step(one, &at, &names.clone(), when, each, lets));
        }
        steps
    }

    #[expect(clippy::too_many_arguments, reason = "what was read before the names were known")]
    fn step(
        &mut self,
        one: &Value,
        at: &str,
        names: &[&str],
        when: Option<Expression>,
        each: Option<Expression>,
        lets: Lets,
    ) -> Option<Step> {
        let after = and(names, &["r"]);
        Some(Step {
            id: text(one, "id"),
            when,
            each,
            lets,
            require: self.require(one, at, names),
            ok: self.expression(one, "ok", at, &after),
            fail: self.expression(one, "fail", at, &after),
            stop: self.expression(one, "stop", at, &after),
            request: self.request(&one["request"], &below(at, "request"), names)?,
        })
    }

    pub(super) fn request(&mut self, value: &Value, at: &str, names: &[&str]) -> Option<Form> {
        let bodies = ["json", "form", "text"].iter().filter(|key| value.get(**key).is_some());
        if bodies.count() > 1 {
            self.problems.add(at, "a request has one of `json`, `form` and `text`");
        }
        let body = if let Some(json) = value.get("json") {
            self.tree(json, &below(at, "json"), names).map_or(BodyForm::Empty, BodyForm::Json)
        } else if let Some(form) = value.get("form") {
            BodyForm::Form(self.pairs(Some(form), &below(at, "form"), names))
        } else if let Some(text) = value.get("text") {
            self.template(text, &below(at, "text"), names).map_or(BodyForm::Empty, BodyForm::Text)
        } else {
            BodyForm::Empty
        };
        let method = value.get("method");
        Some(Form {
            method: method.and_then(|one| self.template(one, &below(at, "method"), names)),
            url: self.template(&value["url"], &below(at, "url"), names)?,
            query: self.pairs(value.get("query"), &below(at, "query"), names),
            headers: self.pairs(value.get("headers"), &below(at, "headers"), names),
            body,
            auth: value.get("auth").and_then(Value::as_bool).unwrap_or(true),
        })
    }

    pub(super) fn pairs(
        &mut self,
        value: Option<&Value>,
        at: &str,
        names: &[&str],
    ) -> Vec<(String, Tree)> {
        pairs(value)
            .filter_map(|(name, one)| {
                Some((name.clone(), self.tree(one, &below(at, name), names)?))
            })
            .collect()
    }
}
