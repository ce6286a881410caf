//! Who did what, as it is listed.

use super::Control;
use super::asked::{Asked, moment};
use super::problem::Problem;
use super::shape::shape;
use crate::audit::Wanted;

/// Entries of a page, where nothing is said, and at most.
const LIMITS: (usize, usize) = (100, 1_000);

shape! {
    /// What somebody did. Reading is not listed, but for exports.
    pub(crate) struct AuditEntry {
        /// When.
        at: String,
        /// A member's id, `token:` and a token's id, or `nobody`.
        who: String,
        /// The name of the member, as long as there is one of that id.
        name: Option<String>,
        /// The operation's id in the document.
        operation: String,
        /// The path, without its query.
        target: String,
        /// From which address.
        address: Option<String>,
        /// The status of the answer.
        status: u16,
        /// done, refused (who asked may not) or failed (it could not be done).
        result: String,
        /// Why it was not done.
        code: Option<String>,
    }

    /// Entries, newest first.
    pub(crate) struct AuditFound {
        /// The entries.
        data: Vec<AuditEntry>,
        /// The cursor of the next page; null where there is none.
        next: Option<String>,
    }
}

fn result(status: u16) -> &'static str {
    match status {
        ..=399 => "done",
        401 | 403 => "refused",
        _ => "failed",
    }
}

/// `GET /api/audit`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<AuditFound, Problem> {
    let since = asked.get("since").map(|text| moment("since", text, control.node.clock.wall()));
    let before = asked.get("next").map(str::parse::<u64>).transpose();
    let before = before.map_err(|_| Problem::field("next", "`next` is that of a page before."))?;
    let wanted = Wanted {
        who: asked.get("who").map(str::to_owned),
        operation: asked.get("operation").map(str::to_owned),
        since: since.transpose()?,
        limit: asked.limit(LIMITS.0, LIMITS.1)?,
        before,
    };
    let found = control.scan(move |node| Ok(node.audit.find(&wanted)?)).await?;
    let members = control.node.members.all(control.node.clock.wall());
    let data = found.entries.into_iter().map(|(at, entry)| {
        let member = members.iter().find(|(member, _)| member.id == entry.who);
        AuditEntry {
            at: at.to_string(),
            who: entry.who,
            name: member.map(|(member, _)| member.name.clone()),
            operation: entry.operation,
            target: entry.target,
            address: entry.address,
            status: entry.status,
            result: result(entry.status).to_owned(),
            code: entry.code,
        }
    });
    Ok(AuditFound { data: data.collect(), next: found.next.map(|next| next.to_string()) })
}
