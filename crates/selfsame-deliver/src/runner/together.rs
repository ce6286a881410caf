//! Events that go at once: those of one profile in their order, where that is taken, and those of other profiles
//! beside them.
//!
//! ```text
//! sends      a1 a2 | b1 | c1 | d1 d2       by profile, as many as go in one request of the tool
//! looked at  s  s    s    t    s  u        the actions that want them
//!            `--------------'              s, which takes several: one call for a1 a2 b1
//!                           c1             by itself
//!                                d1 d2     by itself, one after the other
//! ```
//!
//! **Invariant:** once an event has to be tried again, those of its profile behind it are not tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::{ItemPosition, Time};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

use super::actions::is_to_be_tried_again;
use super::attempt::{Around, Ended, count_withheld};
use crate::deliverer::log_chain;
use crate::lane::{Report, Send, Taken, Try};
use crate::outcome::Outcome;
use crate::share::Share;
use crate::told::Heard;
use crate::tool::{Carried, Company, Letter, Rider, Spoken};

/// How attempts went, each with its place.
pub(super) type Reports = Vec<(ItemPosition, Report)>;
/// Where reports go of which others need not be waited for, with the task that makes them.
pub(super) type Early = mpsc::Sender<(Id, Reports)>;

/// Makes an attempt for each of these. What ended before others has been told by then; the rest is returned.
pub(super) async fn make(around: Arc<Around>, sends: Vec<Send>, early: Early) -> Reports {
    match (sends.as_slice(), &around.connection.tool) {
        ([one], _) => vec![(one.effect.at, around.make(*one).await)],
        (_, Some(tool)) => Box::pin(several(&around, &sends, tool, &early)).await,
        (all, None) => {
            let mut reports = Vec::with_capacity(all.len());
            for one in all {
                reports.push((one.effect.at, around.make(*one).await));
            }
            reports
        }
    }
}

/// An event that was looked at.
struct Seen {
    send: Send,
    looked: Looked,
}

enum Looked {
    Ended(Ended),
    Opened { letter: Box<dyn Letter>, open: Share },
}

async fn several(around: &Arc<Around>, sends: &[Send], tool: &Spoken, early: &Early) -> Reports {
    let (mut alone, mut riding) = (Vec::new(), BTreeMap::<u8, Vec<Vec<Seen>>>::new());
    for person in look(around, sends, tool).await {
        match going(&person) {
            Some((action, all)) if all == person.len() => {
                riding.entry(action).or_default().push(person);
            }
            _ => alone.push(person),
        }
    }
    if let (true, 1, Some((action, people))) = (alone.is_empty(), riding.len(), riding.pop_first())
    {
        return ride(around, action, &people).await;
    }
    let mut parts = JoinSet::new();
    for person in alone {
        let around = Arc::clone(around);
        parts.spawn(async move { in_order(&around, &person).await });
    }
    for (action, people) in riding {
        let around = Arc::clone(around);
        parts.spawn(async move { ride(&around, action, &people).await });
    }
    while let Some(part) = parts.join_next().await {
        match part {
            // Who asked has gone: nobody counts it any more.
            Ok(reports) => drop(early.send((tokio::task::id(), reports)).await),
            Err(error) => log_chain(&error, "an attempt ended without an outcome"),
        }
    }
    Vec::new()
}

/// Looks at events before anything is sent of them, by profile.
async fn look(around: &Arc<Around>, sends: &[Send], tool: &Spoken) -> Vec<Vec<Seen>> {
    let bodies = around.pages.bodies(sends.iter().map(|send| &send.effect)).await;
    let mut people: Vec<Vec<Seen>> = Vec::new();
    for (send, read) in sends.iter().zip(bodies) {
        let ended = |outcome| Looked::Ended(Ended::quiet(outcome, Vec::new()));
        let looked = match around.attempt(*send).meant(read) {
            Ok(body) => match Arc::clone(&tool.0).open_shared(&body) {
                Ok(letter) => {
                    let wanted = letter.wanted_by();
                    let open = if send.share.is_whole() { wanted } else { send.share };
                    Looked::Opened { letter, open }
                }
                Err(failure) => ended(Outcome::failed(failure)),
            },
            Err(outcome) => ended(outcome),
        };
        let seen = Seen { send: *send, looked };
        match people.last_mut() {
            Some(person) if person[0].send.leader == send.leader => person.push(seen),
            _ => people.push(vec![seen]),
        }
    }
    people
}

/// The one action that wants an event, where it takes several at once.
fn only(seen: &Seen) -> Option<(u8, Company)> {
    let Looked::Opened { letter, open, .. } = &seen.looked else { return None };
    let mut actions = open.actions();
    match (actions.next(), actions.next()) {
        (Some(action), None) => match letter.company(action) {
            Company::None => None,
            company => Some((action, company)),
        },
        _ => None,
    }
}

/// The action that the first of these go by at once, and how many they are.
fn going(person: &[Seen]) -> Option<(u8, usize)> {
    let (action, company) = only(person.first()?)?;
    let all = match company {
        Company::InOrder => {
            let same = person.iter().take_while(|seen| only(seen) == Some((action, company)));
            same.count()
        }
        Company::Others | Company::None => 1,
    };
    Some((action, all))
}

/// Events of one profile, one after the other, or as many at once as go together.
async fn in_order(around: &Arc<Around>, mut person: &[Seen]) -> Reports {
    let (mut reports, mut is_held) = (Reports::with_capacity(person.len()), false);
    while let Some(first) = person.first() {
        let (started, began) = around.now();
        let ended = match (&first.looked, going(person)) {
            _ if is_held => Ended::quiet(Outcome::Postponed, Vec::new()),
            (Looked::Ended(ended), _) => ended.clone(),
            (Looked::Opened { .. }, Some((action, all))) if all > 1 => {
                let (run, behind) = person.split_at(all);
                let carried =
                    carry(around, action, &run.iter().map(|one| (0, one)).collect::<Vec<_>>())
                        .await;
                is_held =
                    carried.iter().any(|(_, report)| holds(report.taken.as_ref(), report.outcome));
                reports.extend(carried);
                person = behind;
                continue;
            }
            (Looked::Opened { letter, .. }, _) => {
                let attempt = around.attempt(first.send);
                Box::pin(attempt.act(&[(None, &**letter)], Heard::nothing())).await
            }
        };
        is_held |= holds(ended.taken.as_ref(), ended.outcome);
        reports.push((first.send.effect.at, ended.report(started, around.took_ms(began))));
        person = &person[1..];
    }
    reports
}

/// Whether those behind it may not go.
fn holds(taken: Option<&Taken>, outcome: Outcome) -> bool {
    match taken {
        Some(taken) => taken.tries.iter().any(is_to_be_tried_again),
        None => match outcome {
            Outcome::Failed { failure, .. } => !failure.is_final(),
            Outcome::Postponed => true,
            Outcome::Delivered { .. } | Outcome::Withheld(_) => false,
        },
    }
}

/// Events of some profiles by the one action that wants them.
async fn ride(around: &Arc<Around>, action: u8, people: &[Vec<Seen>]) -> Reports {
    let seats = people.iter().enumerate();
    let seats: Vec<_> =
        seats.flat_map(|(person, seen)| seen.iter().map(move |one| (person, one))).collect();
    carry(around, action, &seats).await
}

/// Carries out an action for each of these, with whose it is.
async fn carry(around: &Arc<Around>, action: u8, seats: &[(usize, &Seen)]) -> Reports {
    let keys: Vec<String> =
        seats.iter().map(|(_, one)| around.attempt(one.send).key(action, None)).collect();
    let riders = seats.iter().zip(&keys).filter_map(|((person, one), key)| {
        let Looked::Opened { letter, .. } = &one.looked else { return None };
        Some(Rider { letter: &**letter, person: *person, job: around.job(key) })
    });
    let riders: Vec<Rider<'_>> = riders.collect();
    let moment = around.now();
    let carried = match riders.first() {
        Some(first) => first.letter.carry_all(action, &riders).await,
        None => Vec::new(),
    };
    let ((started, began), open) = (moment, Share::WHOLE.with(action));
    let took_ms = around.took_ms(began);
    let reports = seats.iter().zip(carried).map(|((_, one), Carried { outcome, note })| {
        let tries = vec![Try { action, outcome, started, took_ms, note }];
        let taken = Some(Taken { open, tries });
        let ended = Ended { outcome, note: String::new(), told: Vec::new(), taken };
        (one.send.effect.at, ended.report(started, took_ms))
    });
    reports.collect()
}

impl Ended {
    pub(super) fn report(self, started: Time, took_ms: u32) -> Report {
        let Self { outcome, note, told, taken } = self;
        count_withheld(outcome, taken.as_ref());
        Report { outcome, started, took_ms, note, told, taken }
    }
}
