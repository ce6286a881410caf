//! `selfsame alert`: what is raised, what was, and who is told.

mod channel;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::plan::send;
use super::say;
use crate::client::{Remote, block_on, part};
use crate::control::{
    AlertChannelTested, AlertShown, AlertTurn, AlertWanted, Done, Page, SilenceWanted,
};
use crate::printable::printable;

/// See what is raised, have nobody told for a while, and say who is told.
#[derive(Debug, Args)]
pub(super) struct AlertCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List alerts, those by default included, with what is raised.
    List(List),
    /// Show an alert: its condition, what is raised, and what is silent.
    Show(One),
    /// List what was raised and cleared, newest first, and what became of telling it.
    History(History),
    /// Have nobody told of an alert for a while. What is still raised then is told.
    Silence(Silence),
    /// End a silence.
    Unsilence(Unsilence),
    /// Look at an alert.
    Enable(One),
    /// Do not look at an alert.
    Disable(One),
    /// Remove an alert; one by default that was changed is as by default again.
    Remove(One),
    /// Tell a channel a test, and show what came of it.
    Test(Test),
    Channel(channel::ChannelCommand),
}

#[derive(Debug, Args)]
struct List {
    /// Only what is raised.
    #[arg(long)]
    raised: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct One {
    /// The alert.
    alert: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct History {
    /// Only of this alert.
    alert: Option<String>,
    /// How many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Silence {
    /// The alert.
    alert: String,
    /// For how long: 30m, 2h, 7d.
    #[arg(long = "for", value_name = "LENGTH", default_value = "2h")]
    length: String,
    /// Only what is about this: the id of a source or destination, SPACE/AUDIENCE. Default: everything.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Unsilence {
    /// The alert.
    alert: String,
    /// Only the silence about this. Default: all of them.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Test {
    /// The channel.
    channel: String,
    #[command(flatten)]
    remote: Remote,
}

impl AlertCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::List(list) => list.run()?,
            Verb::Show(one) => one.show()?,
            Verb::History(history) => history.run()?,
            Verb::Silence(silence) => silence.run()?,
            Verb::Unsilence(unsilence) => unsilence.run()?,
            Verb::Enable(one) => one.switch(true)?,
            Verb::Disable(one) => one.switch(false)?,
            Verb::Remove(one) => one.remove()?,
            Verb::Test(test) => return test.run(),
            Verb::Channel(channel) => return channel.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn path(alert: &str, rest: &str) -> String {
    format!("/api/alerts/{}{rest}", part(alert))
}

fn line(alert: &AlertShown, wide: usize) -> String {
    let how = match (alert.enabled, alert.raised.len()) {
        (false, _) => "off".to_owned(),
        (true, 0) => "quiet".to_owned(),
        (true, count) => format!("RAISED {count}"),
    };
    let silent = if alert.silences.is_empty() { "" } else { "  (silent)" };
    let (id, name) = (printable(&alert.id), printable(&alert.name));
    format!("{id:wide$}  {how:<9}  {:<8}  {:<7}  {name}{silent}", alert.severity, alert.origin)
}

fn raised(alert: &AlertShown) -> anyhow::Result<()> {
    for one in &alert.raised {
        let (subject, message) = (printable(&one.subject), printable(&one.message));
        say(&format!("    {subject} since {}: {message}", one.since))?;
    }
    Ok(())
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let page: Page<AlertShown> = block_on(async { client.get("/api/alerts").await })?;
        let wanted = page.data.iter().filter(|one| !self.raised || !one.raised.is_empty());
        let wide = page.data.iter().map(|one| one.id.len()).max().unwrap_or(0);
        let mut count = 0;
        for alert in wanted {
            say(&line(alert, wide))?;
            raised(alert)?;
            count += 1;
        }
        if self.raised && count == 0 {
            say("Nothing is raised.")?;
        }
        Ok(())
    }
}

fn show(alert: &AlertShown) -> anyhow::Result<()> {
    say(&line(alert, 0))?;
    say(&format!("    when {}", printable(&alert.when.to_string())))?;
    let told = match alert.channels.as_slice() {
        [] => "every channel".to_owned(),
        channels => channels.join(", "),
    };
    say(&printable(&format!(
        "    raised after {}, cleared after {}, told to {told}",
        alert.raise_after, alert.clear_after
    )))?;
    for silence in &alert.silences {
        let subject = silence.subject.as_deref().unwrap_or("everything");
        say(&format!("    silent about {} until {}", printable(subject), silence.until))?;
    }
    raised(alert)
}

impl One {
    fn show(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.alert, "");
        show(&block_on(async { client.get(&path).await })?)
    }

    fn switch(self, on: bool) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.alert, "");
        let alert: AlertShown = block_on(async {
            let there: AlertShown = client.get(&path).await?;
            let wanted = AlertWanted {
                name: Some(there.name),
                when: there.when,
                raise_after: Some(there.raise_after),
                clear_after: Some(there.clear_after),
                severity: Some(there.severity),
                channels: Some(there.channels),
                enabled: Some(on),
            };
            send(&client, Method::PUT, &path, &wanted).await
        })?;
        show(&alert)
    }

    fn remove(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path(&self.alert, "");
        let done: Done = block_on(async {
            let request = client.request(Method::DELETE, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        say(&format!("It is {}.", printable(&done.done)))
    }
}

impl History {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let mut path = format!("/api/alert-history?limit={}", self.limit);
        if let Some(alert) = &self.alert {
            path = format!("{path}&alert={}", part(alert));
        }
        let page: Page<AlertTurn> = block_on(async { client.get(&path).await })?;
        for one in &page.data {
            let (alert, subject) = (printable(&one.alert), printable(&one.subject));
            let message = printable(&one.message);
            say(&format!("{}  {:<7}  {alert}  {subject}: {message}", one.at, one.turned))?;
            for (channel, what) in &one.told {
                say(&printable(&format!("    {channel}: {what}")))?;
            }
        }
        Ok(())
    }
}

impl Silence {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let wanted = SilenceWanted { length: self.length, subject: self.subject };
        let path = path(&self.alert, "/silence");
        show(&block_on(async { send(&client, Method::PUT, &path, &wanted).await })?)
    }
}

impl Unsilence {
    fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let mut path = path(&self.alert, "/silence");
        if let Some(subject) = &self.subject {
            path = format!("{path}?subject={}", part(subject));
        }
        let alert: AlertShown = block_on(async {
            let request = client.request(Method::DELETE, &path);
            Ok(client.send(request).await?.json().await?)
        })?;
        show(&alert)
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.remote.client()?;
        let path = format!("/api/alert-channels/{}/test", part(&self.channel));
        let tested: AlertChannelTested =
            block_on(async { send(&client, Method::POST, &path, &Value::Null).await })?;
        match tested.problem {
            None => {
                say("It was told.")?;
                Ok(ExitCode::SUCCESS)
            }
            Some(why) => {
                say(&format!("It was not told: {}.", printable(&why)))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
