//! Events of one profile that go at once, in order: those that follow each other and want the same action, where
//! that takes several in order. Once one of them has to be tried again, those behind it are not tried.

use std::sync::Arc;

use selfsame_event::Time;

use super::actions::is_to_be_tried_again;
use super::attempt::{self, Attempt, Ended};
use crate::connection::Connection;
use crate::deliverer::Parts;
use crate::feed::Call;
use crate::lane::{Report, Send, Taken};
use crate::outcome::Outcome;
use crate::pages::Pages;
use crate::share::Share;
use crate::told::{Heard, Told};
use crate::tool::{Job, Letter, Spoken};

type With = (Parts, Arc<Pages>, Told);

/// Makes an attempt for each of these: reports in their order.
pub(super) async fn make(with: With, connection: Arc<Connection>, sends: Vec<Send>) -> Vec<Report> {
    let (parts, pages, told) = with;
    let attempts: Vec<Attempt<'_>> = sends
        .iter()
        .map(|send| Attempt {
            parts: &parts,
            connection: &connection,
            send: *send,
            told: told.clone(),
        })
        .collect();
    match (attempts.as_slice(), &connection.tool) {
        ([one], _) => vec![attempt::make(one, &pages).await],
        (all, Some(tool)) => Box::pin(in_order(all, &pages, tool)).await,
        (all, None) => {
            let mut reports = Vec::with_capacity(all.len());
            for one in all {
                reports.push(attempt::make(one, &pages).await);
            }
            reports
        }
    }
}

/// An event that was looked at.
enum Looked {
    Ended(Ended),
    Opened { call: Call, letter: Box<dyn Letter>, open: Share },
}

async fn in_order(attempts: &[Attempt<'_>], pages: &Arc<Pages>, tool: &Spoken) -> Vec<Report> {
    let clock = &attempts[0].parts.clock;
    let (started, began) = (clock.wall(), clock.monotonic_micros());
    let mut looked = Vec::with_capacity(attempts.len());
    for one in attempts {
        looked.push(one.look(pages, tool).await);
    }
    let (mut reports, mut is_held) = (Vec::with_capacity(attempts.len()), false);
    let (mut looked, mut attempts) = (looked.as_slice(), attempts);
    while let (Some(first), Some(attempt)) = (looked.first(), attempts.first()) {
        let run = run_of(looked);
        let ended: Vec<Ended> = match first {
            _ if is_held => vec![Ended::quiet(Outcome::Postponed, Vec::new())],
            Looked::Ended(ended) => vec![ended.clone()],
            Looked::Opened { open, .. } if run.len() > 1 => {
                let action = open.actions().next().unwrap_or_default();
                carry_run(&attempts[..run.len()], &run, action).await
            }
            Looked::Opened { call, letter, .. } => {
                vec![attempt.act(&[(call, &**letter)], Heard::nothing()).await]
            }
        };
        is_held |= ended.iter().any(holds);
        let took = clock.monotonic_micros().saturating_sub(began) / 1_000;
        let took_ms = u32::try_from(took).unwrap_or(u32::MAX);
        (looked, attempts) = (&looked[ended.len()..], &attempts[ended.len()..]);
        reports.extend(ended.into_iter().map(|ended| ended.report(started, took_ms)));
    }
    reports
}

/// Whether those behind it may not go.
fn holds(ended: &Ended) -> bool {
    match &ended.taken {
        Some(taken) => taken.tries.iter().any(is_to_be_tried_again),
        None => match ended.outcome {
            Outcome::Failed { failure, .. } => !failure.is_final(),
            Outcome::Postponed => true,
            Outcome::Delivered { .. } | Outcome::Withheld(_) => false,
        },
    }
}

/// Those from the first on that want the same one action, which takes them in order.
fn run_of(looked: &[Looked]) -> Vec<&dyn Letter> {
    let mut run: Vec<&dyn Letter> = Vec::new();
    let mut all: Option<Share> = None;
    for one in looked {
        let Looked::Opened { letter, open, .. } = one else { break };
        let mut actions = open.actions();
        let is_one = match (actions.next(), actions.next()) {
            (Some(action), None) => letter.goes_in_order(action),
            _ => false,
        };
        if !is_one || all.is_some_and(|all| all != *open) {
            break;
        }
        all = Some(*open);
        run.push(&**letter);
    }
    run
}

/// Carries out the one action of each of them.
async fn carry_run(attempts: &[Attempt<'_>], run: &[&dyn Letter], action: u8) -> Vec<Ended> {
    let keys: Vec<String> = attempts.iter().map(|one| one.key(action, None)).collect();
    let jobs: Vec<Job<'_>> = attempts.iter().zip(&keys).map(|(one, key)| one.job(key)).collect();
    let moment = attempts[0].clock_now();
    let carried = match run {
        [first, behind @ ..] => first.carry_all(behind, action, &jobs).await,
        [] => Vec::new(),
    };
    let open = Share::WHOLE.with(action);
    let ended = attempts.iter().zip(carried).map(|(one, carried)| {
        let outcome = carried.outcome;
        let taken = Taken { open, tries: vec![one.tried(action, carried, moment)] };
        Ended { outcome, note: String::new(), told: Vec::new(), taken: Some(taken) }
    });
    ended.collect()
}

impl Attempt<'_> {
    /// Looks at an event before anything is sent of it.
    async fn look(&self, pages: &Arc<Pages>, tool: &Spoken) -> Looked {
        let body = match self.body(pages).await {
            Ok(body) => body,
            Err(outcome) => return Looked::Ended(Ended::quiet(outcome, Vec::new())),
        };
        let call = Call { tells: None, body: body.bytes().clone() };
        match Arc::clone(&tool.0).open_shared(&body) {
            Ok(letter) => {
                let wanted = letter.wanted_by();
                let open = if self.send.share.is_whole() { wanted } else { self.send.share };
                Looked::Opened { call, letter, open }
            }
            Err(failure) => Looked::Ended(Ended::quiet(Outcome::failed(failure), Vec::new())),
        }
    }
}

impl Ended {
    pub(super) fn report(self, started: Time, took_ms: u32) -> Report {
        let Self { outcome, note, told, taken } = self;
        attempt::count_withheld(outcome, taken.as_ref());
        Report { outcome, started, took_ms, note, told, taken }
    }
}
