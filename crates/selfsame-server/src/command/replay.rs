//! `selfsame replay`: send a destination the events of a period again, or for the first time.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;

use super::plan::send;
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{ReplayFound, ReplayLook, ReplayShown, ReplayWanted};
use crate::printable::printable;

/// How often it is looked how far a replay is.
const EVERY: Duration = Duration::from_millis(500);

/// Send a destination the events of a period again, or for the first time.
///
/// Each goes with the key that it has for ever, so that a receiver that remembers keys takes nothing
/// twice. It goes beside live events and holds none up. Audiences and computed traits are not replayed.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The destination.
    #[arg(long, value_name = "ID")]
    destination: String,
    /// From when on it was received: a time, or how long ago, such as 90m, 2h or 7d.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Until when, that moment not included. Default: now.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Which events, as FQL, such as `event = "Order Completed"`. Default: all.
    #[arg(long = "where", value_name = "FQL")]
    matching: Option<String>,
    /// How many a second at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Say how many events it would send, and show some; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until it is through.
    #[arg(long, conflicts_with = "dry_run")]
    detach: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        if self.dry_run {
            let found = block_on(self.look(&client))?;
            lines(&found).iter().try_for_each(|line| say(line))?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = block_on(self.replay(&client))?;
        for line in told(&shown) {
            say(&line)?;
        }
        let is_done = shown.dead == 0 && shown.state != "cancelled";
        Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn path(&self) -> String {
        format!("/api/destinations/{}/replays", part(&self.destination))
    }

    /// Looks through the whole period, an answer after the other.
    async fn look(&self, client: &Client) -> anyhow::Result<ReplayFound> {
        let path = format!("{}/preview", self.path());
        let mut all: Option<ReplayFound> = None;
        loop {
            let look = ReplayLook {
                from: self.from.clone(),
                to: self.to.clone(),
                r#where: self.matching.clone(),
                next: all.as_ref().and_then(|all| all.next.clone()),
            };
            let found: ReplayFound = send(client, Method::POST, &path, &look).await?;
            let all = match &mut all {
                None => all.insert(found),
                Some(all) => {
                    all.matching += found.matching;
                    for (name, count) in found.by_type {
                        *all.by_type.entry(name).or_insert(0) += count;
                    }
                    let missing = SAMPLES.saturating_sub(all.samples.len());
                    all.samples.extend(found.samples.into_iter().take(missing));
                    (all.percent, all.next) = (found.percent, found.next);
                    all
                }
            };
            if all.next.is_none() {
                return Ok(all.clone());
            }
        }
    }

    /// Begins it, and waits until it is through.
    async fn replay(&self, client: &Client) -> anyhow::Result<ReplayShown> {
        let wanted = ReplayWanted {
            from: self.from.clone(),
            to: self.to.clone(),
            r#where: self.matching.clone(),
            rate: self.rate,
        };
        let mut shown: ReplayShown = send(client, Method::POST, &self.path(), &wanted).await?;
        let path = format!("{}/{}", self.path(), shown.number);
        let bar = ProgressBar::new(100);
        bar.set_style(ProgressStyle::with_template("{wide_bar} {percent} %  {msg}")?);
        while !self.detach && (is_under_way(&shown) || shown.pending > 0) {
            bar.set_position(u64::from(shown.percent));
            bar.set_message(progress(&shown));
            tokio::select! {
                () = tokio::time::sleep(EVERY) => shown = client.get(&path).await?,
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        bar.finish_and_clear();
        Ok(shown)
    }
}

/// Events that are shown.
const SAMPLES: usize = 5;

fn is_under_way(shown: &ReplayShown) -> bool {
    !matches!(shown.state.as_str(), "finished" | "cancelled")
}

/// How far a replay is, in a few words.
fn progress(shown: &ReplayShown) -> String {
    let ReplayShown { delivered, pending, per_second, .. } = shown;
    let state = match shown.state.as_str() {
        "running" => String::new(),
        state => format!("{}, ", printable(state)),
    };
    let left = shown.seconds_left.map(|left| format!(", {} left", time(left))).unwrap_or_default();
    let failure = shown.last_failure.as_deref();
    let failure = failure.map(|word| format!(", last failure: {}", printable(word)));
    format!(
        "{state}{delivered} delivered, {pending} under way, {per_second:.0}/s{left}{}",
        failure.unwrap_or_default()
    )
}

fn time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

/// What became of a replay, and what can be done.
pub(super) fn told(shown: &ReplayShown) -> Vec<String> {
    let ReplayShown { number, accepted, delivered, filtered, dead, pending, percent, .. } = shown;
    let (destination, state) = (printable(&shown.destination), printable(&shown.state));
    let mut lines = vec![format!(
        "replay {number} of {destination}: {state}, {percent} % read, {accepted} events: \
         {delivered} delivered, {filtered} not sent any more, {dead} dead, {pending} under way"
    )];
    if is_under_way(shown) {
        lines.push(format!("  {}", progress(shown)));
        lines.push(format!(
            "  -> selfsame destination replays {destination} shows it, and \
             selfsame destination cancel-replay {destination} {number} ends it"
        ));
    }
    if *dead > 0 {
        lines.push(format!(
            "  -> selfsame destination dead-letters {destination} --replay {number}"
        ));
    }
    lines
}

fn lines(found: &ReplayFound) -> Vec<String> {
    let by_type = found.by_type.iter().map(|(name, count)| format!("{count} {}", printable(name)));
    let by_type = by_type.collect::<Vec<_>>().join(", ");
    let mut lines = vec![match found.matching {
        0 => "It would send no event.".to_owned(),
        1 => format!("It would send 1 event ({by_type})."),
        matching => format!("It would send {matching} events ({by_type})."),
    }];
    for one in &found.samples {
        let name = one.event.as_deref().map(|name| format!(" \"{}\"", printable(name)));
        let id = one.message_id.as_deref().map(printable).unwrap_or_default();
        lines.push(format!(
            "  {:<14} {}  {}{}  {id}  {}",
            one.position,
            one.received_at,
            one.r#type,
            name.unwrap_or_default(),
            one.profile_id
        ));
    }
    let is_state = |name: &&String| matches!(name.as_str(), "identify" | "group");
    if found.by_type.keys().any(|name| is_state(&name)) {
        lines.push(
            "  identify and group calls are among them: they may put older values where the \
             receiver has newer ones"
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests;
