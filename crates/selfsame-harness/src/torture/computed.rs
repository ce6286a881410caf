//! What is computed while the server is killed: audiences that people enter once, that they leave by
//! time alone, that read each other, and one that is made in the midst of it; and a webhook that
//! hears of them.
//!
//! What must be true of that follows from the events alone, once all of them are acknowledged and
//! nobody's window is open any more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::ledger::Ledger;
use super::traffic::lock;
use crate::control::{Control, SINK};
use crate::profile_api::Profiles;
use crate::sink::{Sink, Told};

/// The steps of a user by which they enter, for good.
const WALKED: u64 = 10;
const FAR: u64 = 12;
const CONNECTIONS: usize = 8;
/// What a killed server may have told without writing that down: as many changes as it has in flight at once,
/// each to a user and two devices at most.
const UNWRITTEN: usize = 256 * 3;
const PATIENCE: Duration = Duration::from_secs(300);

/// Ids, whether they are audiences, what they say, and whether the webhook is told.
const DEFINED: [(&str, bool, &str, bool); 6] = [
    ("steps", false, "event('Step Taken').count()", false),
    ("amount", false, "event('Step Taken').within(1 minute).sum(property('amount'))", false),
    ("walked", true, "event('Step Taken').count() >= 10", true),
    ("lately", true, "event('Step Taken').within(2 seconds).count() >= 1", true),
    (
        "hasty",
        true,
        "event('Step Taken').where(event('Step Taken').within(parent: 1 second).count() >= 2)\
         .within(5 seconds).count() >= 1",
        false,
    ),
    ("rested", true, "trait('walked') = true AND NOT trait('lately') = true", true),
];

/// Made when half of the kills are done.
const LATER: (&str, bool, &str, bool) = ("far", true, "event('Step Taken').count() >= 12", true);

/// Makes the definitions, and connects the webhook.
pub(super) async fn define(address: SocketAddr, sink: &Sink) -> Result<()> {
    let mut control = Control::new(address);
    control.connect_sink(sink.address).await?;
    for (id, is_audience, query, is_told) in DEFINED {
        control.define(id, is_audience, query, is_told).await?;
    }
    live(&mut control, DEFINED.iter().map(|one| one.0)).await
}

/// Waits until all of them are live, so that there are changes to tell when kills come.
async fn live(control: &mut Control, ids: impl Iterator<Item = &'static str>) -> Result<()> {
    let started = Instant::now();
    for id in ids {
        while control.definition(id).await?["state"] != "live" {
            if started.elapsed() > PATIENCE {
                bail!("`{id}` is not live after {PATIENCE:?}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// Makes the one that has a history to be computed over. Kills come meanwhile.
pub(super) async fn define_later(address: SocketAddr) -> Result<()> {
    let (id, is_audience, query, is_told) = LATER;
    Control::new(address).define(id, is_audience, query, is_told).await
}

/// Waits until every definition is live, no window is open, and the webhook was told everything.
pub(super) async fn settle(address: SocketAddr) -> Result<()> {
    let (mut control, started) = (Control::new(address), Instant::now());
    loop {
        let (mut waits, mut is_told) = (Vec::new(), false);
        for id in DEFINED.iter().chain([&LATER]).map(|one| one.0) {
            let known = control.definition(id).await?;
            let is_open = matches!(id, "lately" | "hasty") && known["members"] != 0;
            if known["state"] != "live" || is_open {
                waits.push(format!(
                    "`{id}` is {} with {} members",
                    known["state"], known["members"]
                ));
            }
        }
        if waits.is_empty() {
            let status = control.get(&format!("/api/destinations/{SINK}")).await?["status"].clone();
            let count = |name: &str| status[name].as_u64().unwrap_or(0);
            let ended = count("delivered") + count("filtered") + count("dead");
            is_told = count("pending") == 0 && count("accepted") == ended;
            if count("dead") > 0 {
                bail!("{} changes became dead letters", count("dead"));
            }
            waits.push(format!("deliveries are {status}"));
        }
        if is_told {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("after {PATIENCE:?}: {}", waits.join("; "));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// What was computed and told that should not have been, and the other way round.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// Changes that were told, and calls that told one again.
    pub(super) told: u64,
    pub(super) again: u64,
    /// Changes that nobody was told of.
    pub(super) missing: Vec<String>,
    /// Changes under two ids, and ids with two contents.
    pub(super) doubled: Vec<String>,
    /// Changes that there were not.
    pub(super) foreign: Vec<String>,
    /// People whose values are not what their events come to.
    pub(super) wrong: Vec<String>,
}

impl Findings {
    pub(super) fn is_clean(&self) -> bool {
        let lists = [&self.missing, &self.doubled, &self.foreign, &self.wrong];
        self.told > 0 && lists.into_iter().all(Vec::is_empty)
    }
}

/// Judges the calls of the webhook, in the order in which they came, by the steps of each user.
///
/// A change that can be there once only has one id, with one exception: two profiles that become one may each have
/// a change that says so. A server that was killed may have told one of them without writing that down, and the next
/// one tells the other.
pub(super) fn judge(calls: &[Told], steps: &BTreeMap<String, u64>, kills: &[Instant]) -> Findings {
    let (mut findings, mut by_id) = (Findings::default(), BTreeMap::<&str, &Told>::new());
    let mut changes: BTreeMap<(&str, &str), Vec<&Told>> = BTreeMap::new();
    for told in calls {
        let Some(before) = by_id.insert(&told.message_id, told) else {
            changes.entry((&told.audience, &told.to)).or_default().push(told);
            continue;
        };
        findings.again += 1;
        // Whom a change is told may have another profile by then, but what it says stays.
        let content = |one: &Told| (one.audience.clone(), one.to.clone(), one.is_in, one.since);
        if content(before) != content(told) {
            findings.doubled.push(format!("{} says two things", told.message_id));
        }
    }
    findings.told = by_id.len() as u64;
    for (&(audience, to), told) in &changes {
        let has_taken = |least| steps.get(to).is_some_and(|steps| *steps >= least);
        let words = format!("{audience} of {to}");
        let entered = told.iter().filter(|one| one.is_in).count();
        let least = match audience {
            "far" => FAR,
            _ => WALKED,
        };
        match audience {
            "walked" | "far" | "rested" if entered > 0 && !has_taken(least) => {
                findings.foreign.push(words);
            }
            // Nobody leaves these.
            "walked" | "far" if entered < told.len() => findings.foreign.push(words),
            "walked" | "far" if entered > 1 && !is_unwritten(&by_id, told, kills) => {
                findings.doubled.push(words);
            }
            "lately" if told.last().is_some_and(|last| last.is_in) => {
                findings.missing.push(format!("the end of {words}"));
            }
            _ => {}
        }
    }
    for (user, steps) in steps {
        for (audience, least) in [("walked", WALKED), ("far", FAR), ("rested", WALKED)] {
            let told = changes.get(&(audience, user.as_str()));
            let is_in = told.and_then(|told| told.last()).is_some_and(|last| last.is_in);
            if *steps >= least && !is_in {
                findings.missing.push(format!("{audience} of {user}"));
            }
        }
    }
    findings
}

/// Whether each of these but the last was told right before a kill that the next one came behind.
fn is_unwritten(by_id: &BTreeMap<&str, &Told>, told: &[&Told], kills: &[Instant]) -> bool {
    told.windows(2).all(|pair| {
        let [first, second] = pair else { return true };
        let between = |one: &Instant, from, to| (from..to).contains(one);
        let mut kills = kills.iter().filter(|kill| between(kill, first.at, second.at));
        kills.any(|kill| {
            let since = by_id.values().filter(|one| between(&one.at, first.at, *kill));
            since.count() <= UNWRITTEN
        })
    })
}

/// The steps of each user, by their id.
pub(super) fn steps(ledger: &Mutex<Ledger>) -> BTreeMap<String, u64> {
    let model = &lock(ledger).model;
    let steps = model.expected().into_iter();
    steps.map(|(user, events)| (model.user_id(user), events.len() as u64)).collect()
}

/// Reads what every user's events come to; who has something else.
pub(super) async fn values(
    address: SocketAddr,
    steps: &Arc<BTreeMap<String, u64>>,
) -> Result<Vec<String>> {
    let next = Arc::new(AtomicU64::new(0));
    let users: Arc<Vec<String>> = Arc::new(steps.keys().cloned().collect());
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (next, users, steps) = (Arc::clone(&next), Arc::clone(&users), Arc::clone(steps));
        tasks.push(tokio::spawn(async move {
            let (mut profiles, mut wrong) = (Profiles::new(address), Vec::new());
            loop {
                let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                let Some(user) = users.get(index) else { return Ok::<_, anyhow::Error>(wrong) };
                let traits = profiles.traits(&format!("user_id:{user}")).await?;
                let steps = steps.get(user).copied().unwrap_or(0);
                let traits = traits.unwrap_or(Value::Null);
                if !is_right(&traits, steps) {
                    wrong.push(format!("{user} with {steps} steps: {traits}"));
                }
            }
        }));
    }
    let mut wrong = Vec::new();
    for task in tasks {
        wrong.extend(task.await?.context("reading values")?);
    }
    Ok(wrong)
}

/// Whether traits are those of somebody who took so many steps, all of them a while ago.
fn is_right(traits: &Value, steps: u64) -> bool {
    // Before somebody first enters, a membership is not there.
    let is_in = |id: &str| traits[id].as_bool().unwrap_or(false);
    let (has_walked, has_gone_far) = (steps >= WALKED, steps >= FAR);
    traits["steps"].as_u64() == Some(steps)
        && is_in("walked") == has_walked
        && is_in("far") == has_gone_far
        && !is_in("lately")
        && !is_in("hasty")
        && is_in("rested") == has_walked
}

#[cfg(test)]
mod tests;
