//! Reads one directive.

use serde_json::{Map, Value};

use crate::limits::REPLACE_CHARS;
use crate::liquid::Liquid;
use crate::path::Path;
use crate::problem::{Problem, pushed, quoted};
use crate::text::length;

use super::compile::{Compiler, DIRECTIVES, Rule, is_directive, is_false, kind};
use super::placeholders::Placeholders;
use super::replace::{Pair, Replace};
use super::{Computed, Each, If, Node, Transform, Written};

impl Compiler {
    pub(super) fn directive(&mut self, name: &str, config: &Value, pointer: &str) -> Node {
        match name {
            "@path" => self.computed(config, pointer, true),
            "@template" => self.computed(config, pointer, false),
            "@literal" => self.raw(config, pointer),
            "@excludeWhenNull" => Node::WithoutNulls(Box::new(self.raw(config, pointer))),
            "@if" => self.decision(config, pointer).unwrap_or(Node::Undefined),
            "@case" => self.case(config, pointer).unwrap_or(Node::Undefined),
            "@replace" => self.replace(config, pointer).unwrap_or(Node::Undefined),
            "@arrayPath" => self.each(config, pointer).unwrap_or(Node::Undefined),
            "@merge" => self.merge(config, pointer).unwrap_or(Node::Undefined),
            "@transform" => self.transform(config, pointer).unwrap_or(Node::Undefined),
            "@json" => self.json(config, pointer).unwrap_or(Node::Undefined),
            "@flatten" => self.flatten(config, pointer).unwrap_or(Node::Undefined),
            "@liquid" => self.liquid(config, pointer).unwrap_or(Node::Undefined),
            _ => {
                let problem = Problem::at(pointer, "a directive", quoted(name));
                self.problem(problem.suggest(name, DIRECTIVES));
                Node::Undefined
            }
        }
    }

    /// A value that is a directive, or is looked at only when it is resolved.
    fn raw(&mut self, value: &Value, pointer: &str) -> Node {
        let rule = if is_directive(value) { Rule::Checked } else { Rule::Free };
        self.node(value, pointer, rule)
    }

    fn computed(&mut self, config: &Value, pointer: &str, is_path: bool) -> Node {
        match config {
            Value::String(path) if is_path => Node::Path(Path::of_directive(path)),
            Value::String(text) => Node::Template(Placeholders::read(text)),
            _ => {
                let of = self.text_or_directive(config, pointer);
                let pointer = pointer.to_owned();
                Node::Computed(Box::new(Computed { of, is_path, pointer }))
            }
        }
    }

    fn decision(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["exists", "blank", "then", "else"])?;
        let is_set = |name| fields.get(name).is_some_and(|value| !is_false(value));
        let mut part = |name: &str| {
            let value = fields.get(name)?;
            Some(self.node(value, &pushed(pointer, name), Rule::Checked))
        };
        let (exists, blank) = (part("exists"), part("blank"));
        let (then, other) = (part("then"), part("else").filter(|_| is_set("else")));
        if !is_set("exists") && !is_set("blank") {
            let found =
                if exists.is_some() || blank.is_some() { "one that is empty" } else { "none" };
            self.problem(Problem::at(pointer, "a field `exists` or `blank`", found));
            return None;
        }
        let is_blank = exists.is_none();
        let test = exists.or(blank)?;
        Some(Node::If(Box::new(If { test, is_blank, then, other })))
    }

    fn case(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["operator", "value"])?;
        let operator = self.needed_text(fields, "operator", pointer);
        let value = fields.get("value").map(|value| {
            let node = self.text_or_directive(value, &pushed(pointer, "value"));
            (node, is_false(value))
        });
        let upper = match operator? {
            "upper" => true,
            "lower" => false,
            other => {
                let pointer = pushed(pointer, "operator");
                let problem = Problem::at(&pointer, "`lower` or `upper`", quoted(other));
                self.problem(problem.suggest(other, ["lower", "upper"]));
                return None;
            }
        };
        let (value, _) = value.filter(|(_, is_false)| !is_false)?;
        Some(Node::Case { upper, value: Box::new(value) })
    }

    fn replace(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        const NAMES: [&str; 7] =
            ["pattern", "replacement", "pattern2", "replacement2", "value", "ignorecase", "global"];
        let fields = self.config(config, pointer, &NAMES)?;
        let pattern = self.needed_text(fields, "pattern", pointer);
        let replacement = self.text(fields, "replacement", pointer).unwrap_or_default();
        let ignores_case = self.truth(fields, "ignorecase", pointer).unwrap_or(false);
        let everywhere = self.truth(fields, "global", pointer).unwrap_or(true);
        let Some(value) = fields.get("value") else {
            self.missing("value", pointer);
            return None;
        };
        let node = self.text_or_directive(value, &pushed(pointer, "value"));
        let first = self.pair(pattern?, replacement, ("pattern", "replacement"), pointer)?;
        let second = self.second_pair(fields, pointer);
        if is_false(value) {
            return None;
        }
        let replace = Replace { value: node, first, second, ignores_case, everywhere };
        Some(Node::Replace(Box::new(replace)))
    }

    /// The second pair, which counts only if both of its parts are texts.
    fn second_pair(&mut self, fields: &Map<String, Value>, pointer: &str) -> Option<Pair> {
        let pattern = fields.get("pattern2")?.as_str().filter(|text| !text.is_empty())?;
        let replacement = match fields.get("replacement2") {
            None | Some(Value::Null) => "",
            Some(value) => value.as_str()?,
        };
        self.pair(pattern, replacement, ("pattern2", "replacement2"), pointer)
    }

    fn pair(
        &mut self,
        pattern: &str,
        replacement: &str,
        names: (&str, &str),
        pointer: &str,
    ) -> Option<Pair> {
        for (text, name) in [(pattern, names.0), (replacement, names.1)] {
            if length(text) > REPLACE_CHARS {
                let expected = format!("at most {REPLACE_CHARS} characters");
                let found = format!("{}", length(text));
                self.problem(Problem::at(&pushed(pointer, name), expected, found));
                return None;
            }
        }
        Some(Pair { pattern: pattern.to_owned(), replacement: replacement.to_owned() })
    }

    fn each(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let Some([path, rest @ ..]) = config.as_array().map(Vec::as_slice) else {
            let expected = "an array of a path and perhaps the shape of its elements";
            self.problem(Problem::at(pointer, expected, kind(config)));
            return None;
        };
        let root = match path {
            Value::String(path) => Node::Path(Path::of_directive(path)),
            other => self.text_or_directive(other, &format!("{pointer}/0")),
        };
        let shape = rest.first().map(|shape| {
            let node = self.node(shape, &format!("{pointer}/1"), Rule::Checked);
            (node, shape.as_object().is_some_and(|fields| !fields.is_empty()))
        });
        let shape = shape.and_then(|(node, counts)| counts.then_some(node));
        Some(Node::Each(Box::new(Each { root, shape })))
    }

    fn merge(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["objects", "direction"])?;
        let direction = self.needed_text(fields, "direction", pointer);
        let objects = match fields.get("objects") {
            None => {
                self.missing("objects", pointer);
                return None;
            }
            Some(Value::Array(objects)) => objects.iter().enumerate().map(|(n, object)| {
                self.object_or_directive(object, &format!("{pointer}/objects/{n}"))
            }),
            Some(other) => {
                let pointer = pushed(pointer, "objects");
                self.problem(Problem::at(&pointer, "an array of objects", kind(other)));
                return None;
            }
        };
        let objects = objects.collect();
        let direction = direction?;
        if !["left", "right"].contains(&direction.to_lowercase().as_str()) {
            let pointer = pushed(pointer, "direction");
            let problem = Problem::at(&pointer, "`left` or `right`", quoted(direction));
            self.problem(problem.suggest(direction, ["left", "right"]));
        }
        Some(Node::Merge { objects, left: direction == "left" })
    }

    fn transform(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["apply", "mapping"])?;
        for name in ["apply", "mapping"] {
            if !fields.contains_key(name) {
                self.missing(name, pointer);
            }
        }
        let (apply, mapping) = (fields.get("apply")?, fields.get("mapping")?);
        let apply = self.whole(apply, &pushed(pointer, "apply"));
        let mapping = self.object_or_directive(mapping, &pushed(pointer, "mapping"));
        let pointer = pointer.to_owned();
        Some(Node::Transform(Box::new(Transform { apply, mapping, pointer })))
    }

    fn json(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["mode", "value"])?;
        let mode = self.needed_text(fields, "mode", pointer);
        let Some(value) = fields.get("value").filter(|value| !is_false(value)) else {
            let found = fields.get("value").map_or_else(|| "none".to_owned(), kind);
            self.problem(Problem::at(pointer, "a field `value`", found));
            return None;
        };
        let value = Box::new(self.node(value, &pushed(pointer, "value"), Rule::Checked));
        match mode? {
            "encode" => Some(Node::Json { encode: true, value }),
            "decode" => Some(Node::Json { encode: false, value }),
            other => {
                let pointer = pushed(pointer, "mode");
                let problem = Problem::at(&pointer, "`encode` or `decode`", quoted(other));
                self.problem(problem.suggest(other, ["encode", "decode"]));
                None
            }
        }
    }

    fn flatten(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let fields = self.config(config, pointer, &["separator", "value", "omitArrays"])?;
        let separator = self.needed_text(fields, "separator", pointer);
        let omits_arrays = fields.get("omitArrays").is_some_and(|value| !is_false(value));
        let Some(value) = fields.get("value") else {
            self.missing("value", pointer);
            return None;
        };
        let value = Box::new(self.node(value, &pushed(pointer, "value"), Rule::Checked));
        Some(Node::Flatten { value, separator: separator?.to_owned(), omits_arrays })
    }

    fn liquid(&mut self, config: &Value, pointer: &str) -> Option<Node> {
        let Some(text) = config.as_str() else {
            self.problem(Problem::at(pointer, "a string", kind(config)));
            return None;
        };
        match Liquid::compile(text) {
            Ok(liquid) => {
                let pointer = pointer.to_owned();
                Some(Node::Liquid(Box::new(Written { liquid, pointer })))
            }
            Err(problem) => {
                self.problem(problem.under(pointer));
                None
            }
        }
    }
}
