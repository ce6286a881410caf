//! What a demo does once its server is ready: a destination, customers, a welcome, then shoppers.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use selfsame_event::Collection;
use selfsame_log::LogRead;
use selfsame_pipeline::ProfileRef;
use selfsame_pipeline::workspace::{Change, Destination, Since};
use tokio::time::{Instant, MissedTickBehavior};

use super::shoppers::{self, Sender};
use super::story::Story;
use super::{Demo, NAME, tally};
use crate::assets;
use crate::chance;
use crate::command::say;
use crate::node::Node;
use crate::serve::Greeting;
use crate::vault::{Purpose, Vault};

/// The id of the destination that delivers to the demo itself.
const DESTINATION: &str = "demo-inbox";
/// How often a line says what is going on where there is no terminal.
const LINE_SECONDS: u64 = 10;

/// Where a demo's data is, and whether it stays.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    pub(crate) folder: PathBuf,
    pub(crate) is_kept: bool,
}

/// Starts what goes on beside the server.
pub(crate) fn start(
    demo: &Arc<Demo>,
    node: &Arc<Node>,
    greeting: &Greeting,
    stay: Stay,
) -> anyhow::Result<()> {
    let is_demo = node.view().is_some_and(|view| view.meta.workspace.by_key(NAME).is_some());
    anyhow::ensure!(
        is_demo,
        "{} holds another workspace than a demo's; give the demo a folder of its own with --data",
        stay.folder.display()
    );
    let (demo, node, greeting) = (Arc::clone(demo), Arc::clone(node), greeting.clone());
    let tasks = greeting.tasks.clone();
    tasks.spawn("demo", async move { run(&demo, &node, &greeting, &stay).await });
    Ok(())
}

async fn run(
    demo: &Demo,
    node: &Arc<Node>,
    greeting: &Greeting,
    stay: &Stay,
) -> anyhow::Result<()> {
    let sender = Sender::new(greeting.address)?;
    node.change(&destination(demo, greeting, &node.vault)?)
        .await
        .context("the webhook could not be set up")?;
    let mut story = Story::new(u64::from_le_bytes(chance::bytes()));
    if !is_known(node) {
        let now = node.clock.wall();
        sender.send(&story.beginning(now), now).await?;
        anyhow::ensure!(node.folded(node.log.end()).await, "the engine has stopped");
    }
    say(&welcome(demo, greeting, stay))?;
    let shopping = shoppers::shop(&sender, story, demo.rate, node, &greeting.tasks);
    let (shopped, watched) = tokio::join!(shopping, watch(demo, node, greeting));
    shopped.and(watched)
}

/// The demo's own receiver as a destination. Its address and secret are this start's.
fn destination(demo: &Demo, greeting: &Greeting, vault: &Vault) -> anyhow::Result<Change> {
    let sealed = vault.seal(Purpose::Destination(DESTINATION), &demo.inbox.secret())?;
    Ok(Change::SetDestination(Destination {
        id: DESTINATION.to_owned(),
        name: "Demo inbox".to_owned(),
        space: NAME.to_owned(),
        kind: "webhook".to_owned(),
        tool: None,
        url: format!("http://{}/demo/webhook", greeting.address),
        secrets: vec![sealed],
        events: Vec::new(),
        relaxed: false,
        enabled: true,
        since: Since::default(),
    }))
}

/// Whether the customers who are always there are there: those of a kept data folder.
fn is_known(node: &Node) -> bool {
    let known =
        ProfileRef::Identifier { kind: "user_id".to_owned(), value: Story::known().to_owned() };
    let read = node.reader().space(NAME);
    read.is_ok_and(|read| matches!(read.find(Collection::Users, &known), Ok(Some(_))))
}

/// At most 15 lines.
fn welcome(demo: &Demo, greeting: &Greeting, stay: &Stay) -> String {
    let base = format!("http://{}", greeting.address);
    let program = std::env::current_exe().ok().and_then(|path| {
        let here = std::env::current_dir().ok()?;
        let path = path.strip_prefix(here).map(PathBuf::from).unwrap_or(path);
        Some(path.display().to_string())
    });
    let program = program.unwrap_or_else(|| "selfsame".to_owned());
    let known = Story::known();
    let mut lines = Vec::new();
    if let Some(from) = greeting.moved_from {
        let (from, to) = (from.port(), greeting.address.port());
        lines.push(format!("Port {from} is taken by another program, so this is on {to}."));
    }
    if assets::shop("index.html").is_some() {
        lines.push(format!("The demo is ready. Open  {base}/demo/shop"));
    } else {
        lines.push(format!(
            "The demo is ready, without its shop (that needs Node 20 and `make web`). It is on  {base}"
        ));
    }
    let (email, password) = super::OWNER;
    lines.push(format!("Look inside:  {}  as {email}, password {password}", greeting.console));
    let shoppers = match demo.rate {
        0 => "No made-up shoppers (--rate 0) but a few who were there before.".to_owned(),
        rate => format!("Made-up shoppers send {rate} events a second beside you (--rate)."),
    };
    lines.push(shoppers);
    lines.push(format!("Ask about one of them, {known}:"));
    lines.push(format!(
        "  curl -u {NAME}: {base}/v1/spaces/{NAME}/collections/users/profiles/user_id:{known}/traits"
    ));
    lines.push(format!(
        "  {program} profile get user_id:{known} --server {base} --token {NAME} --space {NAME}"
    ));
    lines.push("Connect a site of your own:".to_owned());
    lines.push(format!("  write key {NAME}, API token {NAME}, host {base} (in any Segment SDK)"));
    if assets::shop("index.html").is_some() {
        lines.push(format!("  or in a page: <script src=\"{base}/analytics.js/v1/{NAME}/analytics.min.js\"></script>"));
    }
    lines.push(match (&stay.folder, stay.is_kept) {
        (folder, true) => format!("The data is in {} and stays there.", folder.display()),
        (folder, false) => format!(
            "The data is in {} and goes away at the end; make run DATA=dir keeps it.",
            folder.display()
        ),
    });
    lines.push("Stop with Ctrl-C.".to_owned());
    lines.join("\n")
}

/// Says what is going on: on a terminal in one line that changes, else in a line now and then.
async fn watch(demo: &Demo, node: &Node, greeting: &Greeting) -> anyhow::Result<()> {
    let is_terminal = std::io::stderr().is_terminal();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut count = 0;
    loop {
        tokio::select! {
            _ = seconds.tick() => count += 1,
            () = greeting.tasks.stopping() => {
                if is_terminal {
                    drop(std::io::stderr().lock().write_all(b"\n"));
                }
                return Ok(());
            }
        }
        let (events, profiles) = tally::counts(node);
        demo.tally.note(Instant::now(), events);
        let line = format!(
            "{events} events ({:.0} a second), {profiles} profiles, {} signed deliveries",
            demo.tally.rate(),
            demo.inbox.total()
        );
        let text = match (is_terminal, count % LINE_SECONDS) {
            (true, _) => format!("\r\x1b[2K{line}"),
            (false, 0) => format!("{line}\n"),
            (false, _) => continue,
        };
        // Nobody may be reading.
        drop(std::io::stderr().lock().write_all(text.as_bytes()));
    }
}
