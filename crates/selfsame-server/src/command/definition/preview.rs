//! `selfsame audience preview` and `selfsame trait preview`: what a definition would come to.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use selfsame_event::Collection;
use selfsame_pipeline::workspace::DefinitionKind;

use super::{EVERY, Place, of, said};
use crate::client::{Client, part};
use crate::command::plan::send;
use crate::command::say;
use crate::control::{PreviewFound, PreviewShown, PreviewWish};
use crate::printable::{brief, printable};

/// What is to be previewed. Nothing is made.
#[derive(Debug, Args)]
pub(super) struct Preview {
    /// What it says, in the query language or its JSON form; `-` reads it from standard input.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    query: Option<String>,
    /// A file with what it says.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose it is: `users` or `accounts`.
    #[arg(long, value_name = "users|accounts", default_value = "users", value_parser = of)]
    of: Collection,
    /// Of an audience: the types of identifiers of which a member has one, such as `user_id,email`.
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
    filter_by_external_ids: Vec<String>,
    /// The definition that it would replace: who would enter and leave is counted.
    #[arg(long, value_name = "ID")]
    replaces: Option<String>,
    /// An audience; the members in common are counted.
    #[arg(long, value_name = "ID")]
    overlap: Option<String>,
    /// How many members are shown.
    #[arg(long, value_name = "N", default_value_t = 10)]
    sample: u32,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Preview {
    pub(super) fn run(self, kind: DefinitionKind) -> anyhow::Result<()> {
        let query = said((kind, self.of), self.query.as_deref(), self.file.as_deref())?;
        let query = query.context("say what is to be previewed with --query or --file")?;
        let client = self.place.remote.client()?;
        let (replaces, overlap) = (self.replaces.clone(), self.overlap.clone());
        let wish = PreviewWish {
            kind,
            collection: Some(self.of),
            query,
            filter_by_external_ids: Some(self.filter_by_external_ids),
            replaces,
            overlap,
            sample: Some(self.sample),
        };
        let found = crate::client::block_on(async {
            let space =
                crate::command::profile::space(&client, self.place.space.as_deref()).await?;
            preview(&client, &space, &wish).await
        })?;
        if self.json {
            return say(&serde_json::to_string_pretty(&found)?);
        }
        lines(kind, &found).iter().try_for_each(|line| say(line))
    }
}

/// Has a definition previewed, with a bar that says how far it is.
pub(in crate::command) async fn preview(
    client: &Client,
    space: &str,
    wish: &PreviewWish,
) -> anyhow::Result<PreviewFound> {
    let path = format!("/api/spaces/{}/preview", part(space));
    let mut shown: PreviewShown = send(client, Method::POST, &path, wish).await?;
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left")?);
    while shown.state == "running" {
        bar.set_length(shown.total);
        bar.set_position(shown.done);
        bar.set_message(shown.stage.as_deref().map(printable).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(EVERY) => shown = client.get(&path).await?,
            _ = tokio::signal::ctrl_c() => {
                client.send(client.request(Method::DELETE, &path)).await?;
                bail!("stopped; nothing was made");
            }
        }
    }
    bar.finish_and_clear();
    match (shown.preview, shown.error) {
        (Some(found), _) => Ok(found),
        (None, Some(error)) => bail!("{}", printable(&error)),
        (None, None) => bail!("it was stopped"),
    }
}

fn lines(kind: DefinitionKind, found: &PreviewFound) -> Vec<String> {
    let share = if found.profiles == 0 { 0.0 } else { found.size as f64 / found.profiles as f64 };
    let what = match kind {
        DefinitionKind::Audience => "would be in it",
        DefinitionKind::ComputedTrait => "would have a value",
    };
    let (size, profiles) = (found.size, found.profiles);
    let mut lines = vec![format!("{size} of {profiles} profiles {what} ({:.1} %)", share * 100.0)];
    if let (Some(entering), Some(leaving)) = (found.entering, found.leaving) {
        lines.push(format!("  {entering} would enter and {leaving} would leave"));
    }
    if let Some(overlap) = found.overlap {
        lines.push(format!("  {overlap} of them are in the other audience"));
    }
    if found.approximate > 0 {
        lines.push(format!("  {} values are approximate", found.approximate));
    }
    let since = found.history_since.as_deref().map(printable).unwrap_or_default();
    lines.push(format!("  over {} events since {since}", found.events));
    for (name, count) in &found.identifiers {
        lines.push(format!("  {count:>10} with {}", printable(name)));
    }
    for member in &found.sample {
        let ids = member.identifiers.iter().take(2);
        let ids = ids.map(|id| format!("{}:{}", printable(&id.r#type), brief(&id.value, 40)));
        let ids = ids.collect::<Vec<_>>().join("  ");
        let value = match kind {
            DefinitionKind::Audience => String::new(),
            DefinitionKind::ComputedTrait => format!("{}  ", brief(&member.value.to_string(), 40)),
        };
        lines.push(format!("  {}  {value}{ids}", printable(&member.profile_id)));
    }
    lines
}
