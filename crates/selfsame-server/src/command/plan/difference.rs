//! How two resources differ, field by field.

use serde_json::Value;

/// Names of environment variables are for the one who makes a resource; the server has none.
const NOT_COMPARED: [&str; 5] =
    ["write_key_env", "secret_env", "secrets_env", "settings_env", "auth_env"];

/// One field that differs.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::command) struct Field {
    pub(in crate::command) path: String,
    pub(in crate::command) old: String,
    pub(in crate::command) new: String,
}

impl Field {
    /// Whether it is this member of the resource, or in it.
    pub(in crate::command) fn is_of(&self, member: &str) -> bool {
        self.path
            .strip_prefix(member)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// The fields that differ, in the order of the old resource, then those that are new.
pub(super) fn fields(old: &Value, new: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut found);
    found
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Field>) {
    if old == new {
        return;
    }
    let members = |value: Option<&Value>| value.and_then(named_members);
    if let (Some(old), Some(new)) = (members(old), members(new)) {
        let is_list =
            matches!(old.first().or_else(|| new.first()), Some((name, _)) if name.starts_with('['));
        let join = |name: &str| match path {
            "" => name.to_owned(),
            path if is_list => format!("{path}{name}"),
            path => format!("{path}.{name}"),
        };
        let get = |of: &[(String, Value)], name: &str| {
            of.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        for (name, value) in &old {
            if !NOT_COMPARED.contains(&name.as_str()) {
                compare(&join(name), Some(value), get(&new, name).as_ref(), found);
            }
        }
        for (name, value) in &new {
            if get(&old, name).is_none() && !NOT_COMPARED.contains(&name.as_str()) {
                compare(&join(name), None, Some(value), found);
            }
        }
        return;
    }
    let text = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
    found.push(Field { path: path.to_owned(), old: text(old), new: text(new) });
}

/// The members of an object, or of a list whose elements all have a name or an id, by that.
fn named_members(value: &Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Object(members) => {
            Some(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Value::Array(elements) if !elements.is_empty() => elements
            .iter()
            .map(|element| {
                let name = element.get("name").or_else(|| element.get("id"))?.as_str()?;
                Some((format!("[{name}]"), element.clone()))
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
