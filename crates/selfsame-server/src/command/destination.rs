//! `selfsame destination`: how deliveries go, what to do about those that do not, and what would be sent.

mod accounting;
mod attempts;
mod authorize;
mod by_program;
mod catalogue;
mod choices;
mod create;
mod function;
mod render;
mod test;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::plan::send;
use super::replay::told;
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{
    CatalogueEntry, DeadCauses, DeadLetters, DeadRanges, DestinationShown, Done, Page, RangeResent,
    ReplayShown, Resent,
};
use crate::printable::printable;

/// Make destinations, show how deliveries go, resume them, and send again what they missed.
#[derive(Debug, Args)]
pub(super) struct DestinationCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a destination of the catalogue, or a webhook.
    Create(create::Create),
    Function(function::DestinationFunction),
    Accounting(accounting::Accounting),
    /// List destinations, what each does and how far it is.
    List(List),
    /// List the destinations that could be made: native ones, and those of the actions pack.
    Catalogue(catalogue::List),
    /// Send again after the receiver answered 410, refused the credentials or was too far behind; or probe one
    /// that is down.
    Resume(One),
    /// List dead letters: events that were tried for the whole span, or refused for what they are.
    DeadLetters(Letters),
    /// List dead ranges: parts of the log that were missed while the destination was too far behind.
    DeadRanges(One),
    /// Send dead letters or dead ranges again.
    Resend(Resend),
    /// Search what was tried, newest first: what was answered, and how long it took.
    Attempts(attempts::Attempts),
    /// Show the attempts of one event with their whole answers, and what would be sent now.
    Attempt(attempts::Attempt),
    /// List the newest replays, and how far each is.
    Replays(One),
    /// End a replay: what it has not sent is not sent any more.
    CancelReplay(Cancel),
    Choices(choices::Choices),
    Authorize(authorize::Authorize),
    /// Print the requests that an event would become at a destination, without sending them.
    Render(render::Render),
    /// Send one event to a destination as its manifest says, and print what was sent and answered.
    Test(test::Test),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct One {
    /// The destination.
    destination: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Letters {
    #[command(flatten)]
    one: One,
    /// Those of this replay, in place of those of live events.
    #[arg(long, value_name = "NUMBER")]
    replay: Option<u32>,
    /// Count them by cause.
    #[arg(long)]
    by_cause: bool,
}

#[derive(Debug, Args)]
struct Cancel {
    #[command(flatten)]
    one: One,
    /// The number of the replay.
    number: u32,
}

#[derive(Debug, Args)]
#[group(id = "what", required = true, multiple = false)]
struct Meant {
    /// Every dead letter.
    #[arg(long)]
    letters: bool,
    /// Dead letters whose last attempt failed for this reason.
    #[arg(long, value_name = "REASON")]
    failure: Option<String>,
    /// Dead letters of this cause, as `dead-letters --by-cause` names it.
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
    /// Dead letters at this position; may be given several times.
    #[arg(long, value_name = "POSITION")]
    position: Vec<String>,
    /// Every dead range.
    #[arg(long)]
    ranges: bool,
    /// The dead range that begins at this position.
    #[arg(long, value_name = "POSITION")]
    range: Option<String>,
}

#[derive(Debug, Args)]
struct Resend {
    /// The destination.
    destination: String,
    #[command(flatten)]
    meant: Meant,
    /// Dead letters of this replay, in place of those of live events.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["ranges", "range"])]
    replay: Option<u32>,
    /// At most so many of the cause: one, to see whether a change has mended it.
    #[arg(long, value_name = "N", requires = "cause")]
    limit: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

impl DestinationCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::List(list) => list.run()?,
            Verb::Resume(one) => one.resume()?,
            Verb::DeadLetters(letters) => letters.run()?,
            Verb::DeadRanges(one) => one.dead_ranges()?,
            Verb::Resend(resend) => resend.run()?,
            Verb::Attempts(attempts) => attempts.run()?,
            Verb::Attempt(attempt) => attempt.run()?,
            Verb::Replays(one) => one.replays()?,
            Verb::CancelReplay(cancel) => cancel.run()?,
            Verb::Accounting(accounting) => return accounting.run(),
            Verb::Render(render) => return render.run(),
            Verb::Test(test) => return test.run(),
            Verb::Create(create) => create.run()?,
            Verb::Function(function) => function.run()?,
            Verb::Catalogue(list) => list.run()?,
            Verb::Choices(choices) => choices.run()?,
            Verb::Authorize(authorize) => authorize.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let (page, catalogue): (Page<DestinationShown>, Page<CatalogueEntry>) = block_on(async {
            let page = client.get("/api/destinations").await?;
            Ok((page, client.get("/api/catalogue").await?))
        })?;
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        for one in &page.data {
            let id = printable(&one.id);
            if let Some(problem) = &one.problem {
                say(&format!("{id:wide$}  waits: {}", printable(problem)))?;
                continue;
            }
            let Some(status) = &one.status else {
                say(&format!("{id:wide$}  not begun"))?;
                continue;
            };
            let state = match &status.pause {
                Some(pause) => format!("{} ({pause})", status.state),
                None => status.state.clone(),
            };
            say(&format!(
                "{id:wide$}  {state:<16} {:>10} delivered {:>10} pending {:>8} dead  {:>3} % of its lag limit",
                status.delivered, status.pending, status.dead, status.lag_percent
            ))?;
            if let Some(daily) = &status.daily_requests {
                let until = daily.waits_until.as_ref();
                let until = until.map(|until| format!(": waits until {until}")).unwrap_or_default();
                let (used, most) = (daily.used, daily.most);
                say(&format!("{:wide$}  {used} of {most} requests of a day{until}", ""))?;
            }
            if let Some(failure) = &status.last_failure {
                say(&format!("{:wide$}  last failure: {failure}", ""))?;
            }
            if status.pause.as_deref() == Some("denied") {
                say(&format!(
                    "{:wide$}  the receiver does not take its credentials: correct its settings, or",
                    ""
                ))?;
            }
            if status.state == "paused" {
                say(&format!("{:wide$}  -> selfsame destination resume {id}", ""))?;
            }
            if status.dead_in_ranges > 0 {
                let events = status.dead_in_ranges;
                say(&format!(
                    "{:wide$}  {events} events missed -> selfsame destination dead-ranges {id}",
                    ""
                ))?;
            }
        }
        for one in &catalogue.data {
            let Some(problem) = &one.problem else { continue };
            let state =
                if !one.name.is_empty() { "that before is in force" } else { "there is none" };
            let (id, problem) = (printable(&one.id), printable(problem));
            say(&format!("the manifest `{id}` is wrong, {state}: {problem}"))?;
        }
        Ok(())
    }
}

impl One {
    fn path(&self, rest: &str) -> String {
        format!("/api/destinations/{}{rest}", part(&self.destination))
    }

    fn resume(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = self.path("/resume");
        let _done: Done = block_on(async {
            let request = client.request(Method::POST, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        say("It sends again. What it missed is sent only with `selfsame destination resend`.")
    }

    fn replays(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = self.path("/replays");
        let page: Page<ReplayShown> = block_on(async { client.get(&path).await })?;
        for line in page.data.iter().flat_map(told) {
            say(&line)?;
        }
        say(&format!("{} replays", page.data.len()))
    }

    fn dead_ranges(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = self.path("/dead-ranges");
        let ranges: DeadRanges = block_on(async { client.get(&path).await })?;
        for one in &ranges.data {
            let gone = if one.partly_gone { ", partly gone from the log" } else { "" };
            say(&format!(
                "{:<14} to {:<14} {:>10} events  since {}  beyond its {}  {}{gone}",
                one.from, one.to, one.events, one.since, one.reason, one.state
            ))?;
        }
        say(&format!("{} dead ranges, {} events", ranges.data.len(), ranges.events))
    }
}

impl Letters {
    fn run(self) -> anyhow::Result<()> {
        let client = self.one.remote.client()?;
        if self.by_cause {
            return self.causes(&client);
        }
        let (mut next, mut shown) = (None::<String>, 0_usize);
        let replay = self.replay.map(|number| format!("&replay={number}")).unwrap_or_default();
        loop {
            let from = next.as_ref().map(|next| format!("&next={}", part(next)));
            let rest = format!("/dead-letters?limit=500{replay}{}", from.unwrap_or_default());
            let path = self.one.path(&rest);
            let page: DeadLetters = block_on(async { client.get(&path).await })?;
            for one in &page.data {
                let status = one.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
                let name = one.event.as_deref().map_or(one.r#type.as_str(), |event| event);
                say(&format!(
                    "{:<14} {}  {:<10} {status:>3}  {} attempts  {}",
                    one.position,
                    one.died,
                    one.failure,
                    one.attempts,
                    printable(name)
                ))?;
            }
            shown += page.data.len();
            next = page.next;
            if next.is_none() {
                return say(&format!("{shown} dead letters"));
            }
        }
    }
}

impl Letters {
    fn causes(&self, client: &Client) -> anyhow::Result<()> {
        let replay = self.replay.map(|number| format!("?replay={number}")).unwrap_or_default();
        let path = self.one.path(&format!("/dead-letters/causes{replay}"));
        let causes: DeadCauses = block_on(async { client.get(&path).await })?;
        for one in &causes.data {
            let status = one.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            say(&format!(
                "{}  {:>8}  {:<10} {status:>3}  {}  such as {}",
                one.cause,
                one.count,
                one.failure,
                printable(&one.error),
                one.samples.join(", ")
            ))?;
        }
        say(&format!("{} dead letters of {} causes", causes.total, causes.data.len()))
    }
}

impl Cancel {
    fn run(self) -> anyhow::Result<()> {
        let client = self.one.remote.client()?;
        let path = self.one.path(&format!("/replays/{}", self.number));
        let shown: ReplayShown = block_on(async {
            let request = client.request(Method::DELETE, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        told(&shown).iter().try_for_each(|line| say(line))
    }
}

impl Resend {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let base = format!("/api/destinations/{}", part(&self.destination));
        let replay = self.replay;
        let Meant { letters, failure, cause, position, ranges, range } = self.meant;
        if ranges || range.is_some() {
            let body = if ranges { json!({ "all": true }) } else { json!({ "from": range }) };
            let path = format!("{base}/dead-ranges/resend");
            let resent: RangeResent =
                block_on(async { send(&client, Method::POST, &path, &body).await })?;
            return say(&format!(
                "{} events are read again; those that the log still has are sent, beside live ones.",
                resent.events
            ));
        }
        let body = match failure {
            Some(failure) => json!({ "failure": failure }),
            None if cause.is_some() => json!({ "cause": cause, "limit": self.limit }),
            None if letters => json!({ "all": true }),
            None => json!({ "positions": position }),
        };
        let mut body = body;
        if let Some(number) = replay {
            body["replay"] = json!(number);
        }
        let path = format!("{base}/dead-letters/resend");
        let resent: Resent = block_on(async { send(&client, Method::POST, &path, &body).await })?;
        say(&format!("{} dead letters are sent again.", resent.resent))
    }
}

/// The space of a destination.
pub(super) async fn space_of(client: &Client, destination: &str) -> anyhow::Result<String> {
    let path = format!("/api/destinations/{}", part(destination));
    let shown: DestinationShown = client.get(&path).await?;
    Ok(shown.space)
}
