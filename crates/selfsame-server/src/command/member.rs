//! `selfsame member`: who may sign in to the console.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use selfsame_pipeline::workspace::Role;
use serde_json::json;

use super::plan::send;
use super::say;
use crate::client::{Client, Remote, block_on, part};
use crate::control::{Done, MemberLink, MemberShown, Page};
use crate::printable::printable;

/// Add, list, change and remove members: who may sign in to the console.
#[derive(Debug, Args)]
pub(super) struct MemberCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a member, and print the link to choose a password with.
    Add(Add),
    /// List members.
    List(List),
    /// Say what a member is for.
    Role(SetRole),
    /// Remove a member; their sessions end.
    Remove(One),
    /// Print a link to choose a password anew; the one until now stays until it is used.
    Link(One),
}

#[derive(Debug, Args)]
struct Add {
    /// The e-mail address.
    email: String,
    /// The name. Default: the e-mail address.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the member is for.
    #[arg(long, default_value = "viewer")]
    role: RoleWord,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct List {
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct SetRole {
    /// The member: an e-mail address or an id.
    member: String,
    /// What the member is for from now on.
    role: RoleWord,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct One {
    /// The member: an e-mail address or an id.
    member: String,
    #[command(flatten)]
    remote: Remote,
}

/// A role, as the command line has it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleWord {
    /// Does everything.
    Owner,
    /// Does everything but what concerns owners.
    Admin,
    /// Configures, and sees everything.
    Editor,
    /// Sees everything, and makes audiences and computed traits.
    Analyst,
    /// Sees configuration and numbers, nothing of persons.
    Viewer,
    /// Sees everything and who did what, and takes apart who is one person.
    #[value(name = "privacy_officer", alias = "privacy-officer")]
    PrivacyOfficer,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Owner => Self::Owner,
            RoleWord::Admin => Self::Admin,
            RoleWord::Editor => Self::Editor,
            RoleWord::Analyst => Self::Analyst,
            RoleWord::Viewer => Self::Viewer,
            RoleWord::PrivacyOfficer => Self::PrivacyOfficer,
        }
    }
}

impl MemberCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match self.verb {
                Verb::Add(add) => add.run().await,
                Verb::List(list) => list.run().await,
                Verb::Role(set) => set.run().await,
                Verb::Remove(one) => one.remove().await,
                Verb::Link(one) => one.link().await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn say_link(made: &MemberLink) -> anyhow::Result<()> {
    let (id, link) = (printable(&made.member.id), printable(&made.link));
    say(&format!("member  {id}\nlink    {link}"))?;
    say(&format!("Whoever opens it first chooses the password, until {}.", printable(&made.until)))
}

/// The path of the member of an e-mail address or id.
async fn path_of(client: &Client, member: &str) -> anyhow::Result<String> {
    let page: Page<MemberShown> = client.get("/api/members").await?;
    let email = member.to_lowercase();
    let found = page.data.iter().find(|one| one.id == member || one.email == email);
    let found = found.with_context(|| format!("there is no member {member}"))?;
    Ok(format!("/api/members/{}", part(&found.id)))
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let name = self.name.as_ref().unwrap_or(&self.email);
        let new = json!({ "email": self.email, "name": name, "role": Role::from(self.role) });
        say_link(&send(&client, Method::POST, "/api/members", &new).await?)
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let page: Page<MemberShown> = client.get("/api/members").await?;
        if self.json {
            return say(&serde_json::to_string_pretty(&page)?);
        }
        let wide = page.data.iter().map(|one| one.email.chars().count()).max().unwrap_or(0);
        for one in &page.data {
            let (email, role) = (printable(&one.email), one.role.word());
            let seen = match (&one.signed_in, one.has_password) {
                (Some(time), _) => format!("signed in {}", printable(time)),
                (None, true) => "never signed in".to_owned(),
                (None, false) => "has no password yet".to_owned(),
            };
            let (id, name) = (printable(&one.id), printable(&one.name));
            say(&format!("{id}  {email:wide$}  {role:<15}  {seen}  {name}"))?;
        }
        Ok(())
    }
}

impl SetRole {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path_of(&client, &self.member).await?;
        let change = json!({ "role": Role::from(self.role) });
        let shown: MemberShown = send(&client, Method::PATCH, &path, &change).await?;
        say(&format!("{} is {} now.", printable(&shown.email), shown.role.word()))
    }
}

impl One {
    async fn remove(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path_of(&client, &self.member).await?;
        let response = client.send(client.request(Method::DELETE, &path)).await?;
        let done: Done = response.json().await?;
        say(&format!("{} {}", printable(&done.id), printable(&done.done)))
    }

    async fn link(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = path_of(&client, &self.member).await?;
        let response = client.send(client.request(Method::POST, &format!("{path}/link"))).await?;
        say_link(&response.json().await?)
    }
}
