//! The identifiers that a page follows: `?ids=anonymous_id:AAA,user_id:BBB`.

use percent_encoding::percent_decode_str;
use selfsame_pipeline::ProfileRef;

const MOST: usize = 20;

/// Identifiers, those of devices first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ids(Vec<(String, String)>);

impl Ids {
    /// Reads the query as it came: values are percent-encoded one by one, so that they may have
    /// commas.
    pub(super) fn read(query: Option<&str>) -> Result<Self, &'static str> {
        let parts = query.unwrap_or_default().split('&');
        let text = parts.filter_map(|part| part.strip_prefix("ids=")).next();
        let text = text.ok_or("`ids` is missing, such as ?ids=user_id:ada")?;
        let mut ids = Vec::new();
        for one in text.split(',').filter(|one| !one.is_empty()) {
            let one = percent_decode_str(one).decode_utf8().map_err(|_| "`ids` is not UTF-8")?;
            let (kind, value) = one.split_once(':').ok_or("an id is written type:value")?;
            ids.push((kind.to_owned(), value.to_owned()));
        }
        if ids.is_empty() || ids.len() > MOST {
            return Err("`ids` has 1 to 20 ids");
        }
        // The profile of the device is preferred where it is not the user's yet.
        ids.sort_by_key(|(kind, _)| kind != "anonymous_id");
        Ok(Self(ids))
    }

    /// What to look for, in order.
    pub(super) fn references(&self) -> impl Iterator<Item = ProfileRef> {
        let reference = |(kind, value): &(String, String)| ProfileRef::Identifier {
            kind: kind.clone(),
            value: value.clone(),
        };
        self.0.iter().map(reference)
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, kind: &str, value: Option<&str>) -> bool {
        value.is_some_and(|value| self.0.iter().any(|(k, v)| k == kind && v == value))
    }
}

#[cfg(test)]
mod tests;
