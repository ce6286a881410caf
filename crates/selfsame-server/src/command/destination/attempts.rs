//! `selfsame destination attempts` and `attempt`: what was tried, and what was answered.

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::client::{Client, Remote, block_on, part};
use crate::command::say;
use crate::control::{AttemptFound, AttemptsFound, RequestsShown};
use crate::printable::printable;

/// How attempts ended.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Delivered,
    Failed,
    Withheld,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
        }
    }
}

/// Which attempts; newest first. All of what is given has to hold.
#[derive(Debug, Args)]
pub(super) struct Attempts {
    /// The destination.
    destination: String,
    /// Those that ended so.
    #[arg(long)]
    status: Option<Status>,
    /// Those of events of a profile: its id, or an identifier such as `user_id:42`.
    #[arg(long, value_name = "ID")]
    profile: Option<String>,
    /// Those of the events of this message id.
    #[arg(long, value_name = "ID", conflicts_with = "position")]
    message: Option<String>,
    /// Those of the event at this position.
    #[arg(long, value_name = "POSITION")]
    position: Option<String>,
    /// Those that began then or later: a time, or how long ago, such as 90m, 2h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those of this replay; 0: of live events.
    #[arg(long, value_name = "NUMBER")]
    replay: Option<u32>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    remote: Remote,
}

/// The attempts of one event with their whole answers, and the requests that it would be sent by now.
#[derive(Debug, Args)]
pub(super) struct Attempt {
    /// The destination.
    destination: String,
    /// The event's position, as `attempts` and `dead-letters` show it.
    position: String,
    /// Show the requests by what the destination was told when the last attempt began, in place of now.
    #[arg(long)]
    as_sent: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Deserialize)]
struct Traced {
    data: Vec<TracedEvent>,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TracedEvent {
    event: Placed,
}

#[derive(Debug, Deserialize)]
struct Placed {
    position: String,
}

impl Attempts {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let found = block_on(async {
            let places = match &self.message {
                Some(id) => places(&client, id).await?,
                None => self.position.clone().into_iter().collect(),
            };
            let mut found = None;
            for place in places.iter().map(Some).chain(places.is_empty().then_some(None)) {
                self.search(&client, place, &mut found).await?;
            }
            anyhow::Ok(found)
        })?;
        let Some(found) = found else { return say("no attempts are kept") };
        for one in &found.data {
            say(&line(one))?;
        }
        say(&reach(&found))
    }

    /// Adds what is found of an event, or of all, to what was found before.
    async fn search(
        &self,
        client: &Client,
        position: Option<&String>,
        all: &mut Option<AttemptsFound>,
    ) -> anyhow::Result<()> {
        let mut path = format!("/api/destinations/{}/attempts?", part(&self.destination));
        let replay = self.replay.map(|number| number.to_string());
        let status = self.status.map(|status| status.word().to_owned());
        let given = [
            ("status", &status),
            ("profile", &self.profile),
            ("since", &self.since),
            ("replay", &replay),
            ("position", &position.cloned()),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                path.push_str(&format!("{name}={}&", part(value)));
            }
        }
        let mut next = String::new();
        loop {
            let missing = self.limit - all.as_ref().map_or(0, |all| all.data.len());
            if missing == 0 {
                return Ok(());
            }
            let page = format!("{path}limit={}{next}", missing.min(500));
            let found: AttemptsFound = client.get(&page).await?;
            next = match &found.next {
                Some(place) => format!("&next={}", part(place)),
                None => String::new(),
            };
            match all {
                None => *all = Some(found),
                Some(all) => all.data.extend(found.data),
            }
            if next.is_empty() {
                return Ok(());
            }
        }
    }
}

/// Where the events of a message id are.
async fn places(client: &Client, id: &str) -> anyhow::Result<Vec<String>> {
    let path = format!("/api/trace?message_id={}", part(id));
    let mut before = String::new();
    loop {
        let traced: Traced = client.get(&format!("{path}{before}")).await?;
        match traced.next {
            Some(next) if traced.data.is_empty() => before = format!("&before={}", part(&next)),
            _ if traced.data.is_empty() => {
                bail!("no event of the log has the messageId {}", printable(id))
            }
            _ => return Ok(traced.data.into_iter().map(|one| one.event.position).collect()),
        }
    }
}

impl Attempt {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let base = format!("/api/destinations/{}/attempts", part(&self.destination));
        let position = part(&self.position);
        let (found, rendered) = block_on(async {
            let path = format!("{base}?position={position}&answers=true&limit=500");
            let found: AttemptsFound = client.get(&path).await?;
            let last =
                found.data.first().map(|one| part(&one.attempt.started)).filter(|_| self.as_sent);
            let at = last.map(|at| format!("?at={at}")).unwrap_or_default();
            let path = format!("{base}/{position}/requests{at}");
            let rendered: RequestsShown = client.get(&path).await?;
            Ok((found, rendered))
        })?;
        for one in &found.data {
            say(&line(one))?;
        }
        say(&reach(&found))?;
        let set_up = rendered.set_up.as_ref();
        let since = set_up.map(|since| format!(" (set up so on {since})")).unwrap_or_default();
        let (nothing, something) = match self.as_sent {
            true => ("Nothing was to be sent", "It was to be sent as"),
            false => ("Nothing would be sent now", "It would be sent by now as"),
        };
        for one in &rendered.refused {
            let (mapping, why) = (printable(&one.mapping), printable(&one.why));
            say(&format!("{mapping} can send nothing of it: {why}"))?;
        }
        if rendered.requests.is_empty() {
            return say(&format!("{nothing}{since}."));
        }
        say(&format!("{something}{since}:"))?;
        for request in &rendered.requests {
            if let Some(mapping) = &request.mapping {
                let more = if request.has_more { ", and more by what is answered" } else { "" };
                say(&format!("  {}{more}:", printable(mapping)))?;
            }
            say(&format!("  {} {}", request.method, printable(&request.url)))?;
            for (name, value) in &request.headers {
                say(&format!("  {name}: {}", printable(value)))?;
            }
            say(&format!("  {}", printable(request.body.get())))?;
        }
        Ok(())
    }
}

fn line(one: &AttemptFound) -> String {
    let attempt = &one.attempt;
    let status = attempt.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let replay = attempt.replay.map(|number| format!("  by replay {number}")).unwrap_or_default();
    let note = match attempt.note.is_empty() {
        true => String::new(),
        false => format!("  {}", printable(&attempt.note)),
    };
    format!(
        "{:<14} {}  {:<3} {:<10} {status:>3}  {} ms{replay}{note}",
        one.position, attempt.started, attempt.number, attempt.outcome, attempt.took_ms
    )
}

/// How far back what is kept reaches.
fn reach(found: &AttemptsFound) -> String {
    let count = found.data.len();
    let more = if found.next.is_some() { ", there are more" } else { "" };
    match &found.reaches_back_to {
        None => "no attempts are kept".to_owned(),
        Some(time) if found.older_removed => {
            format!("{count} attempts{more}; those since {time} are kept, older ones were removed")
        }
        Some(time) => format!("{count} attempts{more}; all since {time} are kept"),
    }
}
