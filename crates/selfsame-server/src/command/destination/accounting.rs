//! `selfsame destination accounting`: what became of everything that a space received.

use std::process::ExitCode;

use clap::Args;

use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{AccountingShown, DestinationAccount, Page, ReceivedShown, SpaceShown};
use crate::printable::printable;

/// Show what became of everything: what came, and of that what each destination took, was not to get, waits
/// for or lost. Fails if the numbers do not add up.
#[derive(Debug, Args)]
pub(super) struct Accounting {
    /// The space. Default: the only one.
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Accounting {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let shown: AccountingShown = block_on(async {
            let space = match self.space {
                Some(space) => space,
                None => only_space(&client).await?,
            };
            client.get(&format!("/api/spaces/{}/accounting", part(&space))).await
        })?;
        if self.json {
            say(&serde_json::to_string_pretty(&shown)?)?;
        } else {
            lines(&shown).iter().try_for_each(|line| say(line))?;
        }
        Ok(if shown.adds_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The space of a workspace that has one.
async fn only_space(client: &Client) -> anyhow::Result<String> {
    let page: Page<SpaceShown> = client.get("/api/spaces").await?;
    match page.data.as_slice() {
        [only] => Ok(only.id.clone()),
        all => {
            let ids: Vec<_> = all.iter().map(|space| printable(&space.id)).collect();
            anyhow::bail!("there are several spaces, give one with --space: {}", ids.join(", "))
        }
    }
}

fn lines(shown: &AccountingShown) -> Vec<String> {
    let ReceivedShown {
        received,
        duplicates,
        changed,
        rejected,
        unattached,
        accepted,
        calls,
        adds_up,
    } = &shown.received;
    let mut lines = vec![
        format!("{received:>12} events received"),
        format!("{duplicates:>12} were there before"),
        format!("{changed:>12} had an id that was there before, and other content"),
        format!("{rejected:>12} were set aside"),
        format!("{unattached:>12} identified nobody"),
        "  ----------".to_owned(),
        format!("{accepted:>12} events accepted, and {calls} calls that tell of changes"),
    ];
    if !adds_up {
        lines.push("These do not add up, which is a bug.".to_owned());
    }
    shown.destinations.iter().for_each(|one| lines.extend(account(one)));
    lines
}

fn account(one: &DestinationAccount) -> Vec<String> {
    let DestinationAccount { accepted, delivered, filtered, pending, dead, .. } = one;
    let id = printable(&one.destination);
    let sign = if one.adds_up { "=" } else { "!=" };
    let mut lines = vec![
        String::new(),
        format!(
            "{id}: {accepted} accepted {sign} {delivered} delivered + {filtered} filtered + \
             {pending} pending + {dead} dead"
        ),
    ];
    let DestinationAccount { offered, before, actions, replayed, .. } = one;
    let mut parts = vec![format!("{offered} offered")];
    let named = [("-", before, "before it began"), ("+", actions, "for further actions")];
    let named = named.into_iter().chain([("+", replayed, "replayed")]);
    parts.extend(
        named
            .filter(|(_, units, _)| **units > 0)
            .map(|(sign, units, of)| format!("{sign} {units} {of}")),
    );
    lines.push(format!("  accepted: {}", parts.join(" ")));
    let by = one.filtered_by.iter().map(|(reason, units)| format!("{units} {}", printable(reason)));
    let by: Vec<_> = by.collect();
    if !by.is_empty() {
        lines.push(format!("  filtered: {}", by.join(", ")));
    }
    if !one.adds_up {
        lines.push("  These do not add up, which is a bug.".to_owned());
    }
    lines
}
