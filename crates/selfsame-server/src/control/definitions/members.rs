//! Members of an audience, in pages and as files.
//!
//! ```text
//! members.csv     profile_id,since[,one column for each type of identifier of the rules,identifiers]
//! members.jsonl   {"profile_id":…,"since":…[,"identifiers":[{"type":…,"value":…},…]]}
//! ```
//!
//! Of several identifiers of a type, the column has the one that was mapped last; `identifiers` has all,
//! as JSON. A file is the members of one moment, with the identifiers that they have when it is written.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use selfsame_event::{Collection, ProfileId};
use selfsame_pipeline::{Member, ProfileRef, SpaceRead};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{MemberShown, MembersShown, audience};
use crate::control::Control;
use crate::control::asked::Asked;
use crate::control::identity::{id_shown, read};
use crate::control::problem::{Code, Problem};
use crate::control::shape::{Shape, Shapes};
use crate::control::table::Answer;
use crate::lines::{BrokenOff, Rows};
use crate::node::Node;

/// How many members a page may have.
const MOST: usize = 10_000;
/// How many members are written at once.
const PIECE: usize = 500;
/// How many pieces wait for a client.
const BUFFER: usize = 4;

/// A file that is sent as it is written.
pub(crate) struct Csv(Response);

/// The same, with one object on each line.
pub(crate) struct JsonLines(Response);

impl Answer for Csv {
    const MEDIA: &'static str = "text/csv";

    fn describe(_: &mut Shapes) -> Value {
        json!({ "type": "string" })
    }

    fn answer(self, _: u16) -> Result<Response, Problem> {
        Ok(self.0)
    }
}

impl Answer for JsonLines {
    const MEDIA: &'static str = "application/x-ndjson";

    fn describe(all: &mut Shapes) -> Value {
        MemberShown::schema(all)
    }

    fn answer(self, _: u16) -> Result<Response, Problem> {
        Ok(self.0)
    }
}

/// `GET …/members`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<MembersShown, Problem> {
    let (limit, with_identifiers) = (asked.limit(100, MOST)?, flag(&asked)?);
    let after = asked.get("next").map(|next| {
        let wrong = || Problem::field("next", "`next` is what the page before ended with.");
        ProfileId::parse(next).ok_or_else(wrong)
    });
    let after = after.transpose()?;
    let (space, id) = (asked.id().to_owned(), asked.part("definition").to_owned());
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        let definition = audience(&read, &id)?;
        let page = read.members(definition, after, limit)?;
        let of = with_identifiers.then_some(definition.collection);
        let data = page.members.iter().map(|one| shown(&read, one, of));
        Ok(MembersShown {
            total: read.member_counts(definition).count,
            data: data.collect::<Result<_, _>>()?,
            next: page.next.map(|next| next.to_string()),
        })
    };
    control.scan(work).await
}

/// `GET …/members.csv`
pub(crate) async fn csv(control: Control, asked: Asked) -> Result<Csv, Problem> {
    let with_identifiers = flag(&asked)?;
    let types = if with_identifiers {
        let read = read(&control.node, asked.id())?;
        let collection = audience(&read, asked.part("definition"))?.collection;
        let of_it = read.space().rules.types.iter();
        let of_it = of_it.filter(|rule| rule.collection == collection);
        of_it.map(|rule| rule.name.clone()).collect()
    } else {
        Vec::new()
    };
    let mut head = vec!["profile_id", "since"];
    if with_identifiers {
        head.extend(types.iter().map(String::as_str));
        head.push("identifiers");
    }
    let head = row_of(&head).ok_or_else(broken)?;
    let line = move |member: &MemberShown| row(member, &types);
    export(&control, &asked, ("text/csv; charset=utf-8", "csv"), head, line).await.map(Csv)
}

/// `GET …/members.jsonl`
pub(crate) async fn json_lines(control: Control, asked: Asked) -> Result<JsonLines, Problem> {
    let line = |member: &MemberShown| {
        let mut line = serde_json::to_vec(member).ok()?;
        line.push(b'\n');
        Some(line)
    };
    let kind = ("application/x-ndjson", "jsonl");
    export(&control, &asked, kind, Vec::new(), line).await.map(JsonLines)
}

fn flag(asked: &Asked) -> Result<bool, Problem> {
    match asked.get("identifiers") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::field("identifiers", "`identifiers` is true or false.")),
    }
}

fn broken() -> Problem {
    Problem::new(Code::Internal, "The file could not be written.")
}

fn shown(
    read: &SpaceRead,
    member: &Member,
    identifiers_of: Option<Collection>,
) -> Result<MemberShown, Problem> {
    let identifiers = if let Some(collection) = identifiers_of {
        let found = read.find(collection, &ProfileRef::Id(member.profile))?;
        let ids = found.iter().flat_map(|found| {
            found.external_ids().map(|id| id_shown(id.kind, id.value)).collect::<Vec<_>>()
        });
        Some(ids.collect())
    } else {
        None
    };
    Ok(MemberShown {
        profile_id: member.profile.to_string(),
        since: member.since.to_string(),
        identifiers,
    })
}

fn row(member: &MemberShown, types: &[String]) -> Option<Vec<u8>> {
    let mut cells = vec![member.profile_id.as_str(), member.since.as_str()];
    let mut all = String::new();
    if let Some(ids) = &member.identifiers {
        let newest = |kind: &String| ids.iter().rev().find(|id| id.r#type == *kind);
        cells.extend(types.iter().map(|kind| newest(kind).map_or("", |id| id.value.as_str())));
        all = serde_json::to_string(ids).ok()?;
        cells.push(&all);
    }
    let row = row_of(&cells);
    drop(all);
    row
}

fn row_of(cells: &[&str]) -> Option<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).ok()?;
    writer.into_inner().ok()
}

type Piece = Result<Bytes, BrokenOff>;

/// A file of all members: who they are is read at once, everything else as it is sent.
async fn export(
    control: &Control,
    asked: &Asked,
    (media, ending): (&'static str, &str),
    head: Vec<u8>,
    line: impl Fn(&MemberShown) -> Option<Vec<u8>> + Send + 'static,
) -> Result<Response, Problem> {
    let with_identifiers = flag(asked)?;
    let permit = Arc::clone(&control.exports).try_acquire_owned();
    let permit =
        permit.map_err(|_| Problem::new(Code::Busy, "Too many audiences are being exported."))?;
    let (space, id) = (asked.id().to_owned(), asked.part("definition").to_owned());
    let name = format!("attachment; filename=\"{id}.{ending}\"");
    let (members, collection) = {
        let (space, id) = (space.clone(), id.clone());
        let work = move |node: &Node| {
            let read = read(node, &space)?;
            let definition = audience(&read, &id)?;
            Ok((read.all_members(definition)?, definition.collection))
        };
        control.scan(work).await?
    };
    let (sender, receiver) = mpsc::channel::<Piece>(BUFFER);
    let node = Arc::clone(&control.node);
    let write = move || {
        let _permit: OwnedSemaphorePermit = permit;
        if sender.blocking_send(Ok(head.into())).is_err() {
            return;
        }
        for members in members.chunks(PIECE) {
            let of = with_identifiers.then_some(collection);
            let piece = piece(&node, &space, members, of, &line);
            let is_broken = piece.is_err();
            // The client has gone, or is to go.
            if sender.blocking_send(piece).is_err() || is_broken {
                return;
            }
        }
    };
    drop(tokio::task::spawn_blocking(write));
    let mut response = Response::new(Body::new(Rows(receiver)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn piece(
    node: &Node,
    space: &str,
    members: &[Member],
    identifiers_of: Option<Collection>,
    line: impl Fn(&MemberShown) -> Option<Vec<u8>>,
) -> Piece {
    let read = read(node, space).map_err(|_| BrokenOff)?;
    let mut bytes = Vec::new();
    for member in members {
        let shown = shown(&read, member, identifiers_of).map_err(|_| BrokenOff)?;
        bytes.extend(line(&shown).ok_or(BrokenOff)?);
    }
    Ok(bytes.into())
}
