//! The rows of a CSV file as events.

use std::io::Read;

use anyhow::Context as _;
use csv::{ByteRecord, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::lines::Row;

/// Columns that are the event's own, by both of their names.
const OWN: [(&str, &str); 8] = [
    ("userId", "user_id"),
    ("anonymousId", "anonymous_id"),
    ("groupId", "group_id"),
    ("previousId", "previous_id"),
    ("messageId", "message_id"),
    ("type", "type"),
    ("event", "event"),
    ("timestamp", "timestamp"),
];

/// Where the value of a column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Own(&'static str),
    /// Into `traits`, `properties` or `context`.
    Under(&'static str, Vec<String>),
    /// Into whichever the type of the event has.
    Free(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Boolean,
    Json,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    target: Target,
    shape: Shape,
}

impl Column {
    fn read(header: &str) -> Self {
        let header = header.trim();
        let (name, shape) = match header.rsplit_once(':') {
            Some((name, "number")) => (name, Shape::Number),
            Some((name, "boolean")) => (name, Shape::Boolean),
            Some((name, "json")) => (name, Shape::Json),
            _ => (header, Shape::Text),
        };
        let own = OWN.iter().find(|(wire, other)| name == *wire || name == *other);
        let under = ["traits", "properties", "context"].into_iter().find_map(|object| {
            let rest = name.strip_prefix(object)?.strip_prefix('.')?;
            // A trait's name may have dots; parts of the context are nested.
            let path = if object == "context" {
                rest.split('.').map(str::to_owned).collect()
            } else {
                vec![rest.to_owned()]
            };
            Some(Target::Under(object, path))
        });
        let target = match (own, under) {
            (Some((wire, _)), _) => Target::Own(wire),
            (None, Some(under)) => under,
            (None, None) => Target::Free(name.to_owned()),
        };
        Self { name: name.to_owned(), target, shape }
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        let wrong = |what: &str| format!("column `{}`: not {what}", self.name);
        match self.shape {
            Shape::Text => Ok(Value::String(text.to_owned())),
            Shape::Number => match serde_json::from_str(text.trim()) {
                Ok(Value::Number(number)) => Ok(Value::Number(number)),
                _ => Err(wrong("a number")),
            },
            Shape::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Ok(Value::Bool(true)),
                "false" | "0" | "no" => Ok(Value::Bool(false)),
                _ => Err(wrong("true or false")),
            },
            Shape::Json => serde_json::from_str(text).map_err(|_| wrong("JSON")),
        }
    }
}

/// The rows of a file.
pub(super) struct Rows<R> {
    reader: Reader<R>,
    columns: Vec<Column>,
    default: &'static str,
    record: ByteRecord,
    number: u64,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(file: R, kind: Option<&str>) -> anyhow::Result<Self> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let headers = reader.headers().context("the header cannot be read as CSV in UTF-8")?;
        let first = headers.iter().map(|header| header.trim_start_matches('\u{feff}'));
        let columns: Vec<Column> = first.map(Column::read).collect();
        let has =
            |own: &'static str| columns.iter().any(|column| column.target == Target::Own(own));
        anyhow::ensure!(
            has("userId") || has("anonymousId") || has("groupId"),
            "the header has no column userId, anonymousId or groupId, so no row could identify anybody"
        );
        let kinds = ["identify", "track", "page", "screen", "group", "alias"];
        let named = kind.and_then(|kind| kinds.into_iter().find(|known| *known == kind));
        let default = named.unwrap_or_else(|| if has("event") { "track" } else { "identify" });
        Ok(Self { reader, columns, default, record: ByteRecord::new(), number: 1 })
    }

    fn event(&self) -> Result<Vec<u8>, String> {
        let cells = self.record.len();
        if cells > self.columns.len() {
            return Err(format!("the row has {cells} cells, the header {}", self.columns.len()));
        }
        let mut values = Vec::with_capacity(cells);
        for (column, cell) in self.columns.iter().zip(self.record.iter()) {
            let text = std::str::from_utf8(cell)
                .map_err(|_| format!("column `{}`: not UTF-8", column.name))?;
            if !text.is_empty() {
                values.push((column, column.value(text)?));
            }
        }
        let kind = values.iter().find_map(|(column, value)| {
            value.as_str().filter(|_| column.target == Target::Own("type"))
        });
        let kind = kind.unwrap_or(self.default).to_owned();
        let free =
            if matches!(kind.as_str(), "identify" | "group") { "traits" } else { "properties" };
        let is_page = matches!(kind.as_str(), "page" | "screen");
        let mut event = Map::new();
        event.insert("type".to_owned(), Value::String(kind));
        for (column, value) in values {
            match &column.target {
                Target::Own(name) => {
                    event.insert((*name).to_owned(), value);
                }
                Target::Free(name) if is_page && matches!(name.as_str(), "name" | "category") => {
                    event.insert(name.clone(), value);
                }
                Target::Free(name) => put(&mut event, free, std::slice::from_ref(name), value),
                Target::Under(object, path) => put(&mut event, object, path, value),
            }
        }
        serde_json::to_vec(&event).map_err(|error| error.to_string())
    }

    fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        if !self.reader.read_byte_record(&mut self.record)? {
            return Ok(None);
        }
        self.number += 1;
        let line = self.record.position().map_or(self.number, csv::Position::line);
        let end = self.reader.position().byte();
        let (bytes, fault) = match self.event() {
            Ok(bytes) => (bytes, None),
            // Set aside as the row that it is.
            Err(fault) => {
                let cells = self.record.iter().map(String::from_utf8_lossy);
                let cells = cells.map(|cell| Value::String(cell.into_owned())).collect();
                (serde_json::to_vec(&Value::Array(cells))?, Some(fault))
            }
        };
        Ok(Some(Row { number: self.number, line, end, bytes, fault }))
    }
}

/// Puts a value at a path in an object of the event.
fn put(event: &mut Map<String, Value>, object: &str, path: &[String], value: Value) {
    let mut at = event;
    for name in std::iter::once(object).chain(path.iter().map(String::as_str).take(path.len() - 1))
    {
        let slot = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = slot else { return };
        at = inner;
    }
    if let Some(last) = path.last() {
        at.insert(last.clone(), value);
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = anyhow::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}
