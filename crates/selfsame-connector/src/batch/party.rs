//! Events that come at once: of several people, and in order of each.
//!
//! ```text
//! party        a1 a2 a3 | b1 | c1          a3 does not fit beside a1 and a2
//! first round  [a1 a2] [b1] [c1]           companies; they join batches
//! second       [a3]                        unless a1 or a2 has to be tried again
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use selfsame_deliver::{Carried, Job, Outcome};
use selfsame_destinations::Refusal;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Member, Room};
use crate::carry::is_to_be_tried_again;
use crate::config::Line;
use crate::connector::Connector;
use crate::credentials::Held;
use crate::meaning;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passenger<'p> {
    pub(crate) event: &'p Arc<Value>,
    /// How many bytes it was.
    pub(crate) size: usize,
    /// The same for those of one person, which follow each other.
    pub(crate) person: usize,
    pub(crate) job: Job<'p>,
}

/// Places in the party that go at once, of one person.
type Company = Vec<usize>;

impl Connector {
    /// Carries out an action for a party. Of one person none is tried behind one that has to be tried again.
    pub(crate) async fn carry_party(
        &self,
        party: &[Passenger<'_>],
        (line, room): (&Line, Room),
    ) -> Vec<Carried> {
        let mut ended: Vec<Option<Carried>> = vec![None; party.len()];
        let mut stopped = BTreeSet::new();
        let mut left: Vec<usize> = (0..party.len()).collect();
        while let Some(first) = left.first() {
            let held = match self.credentials.current(self, party[*first].job).await {
                Ok(held) => held,
                Err(carried) => {
                    // Of each person the first was tried.
                    for place in left.drain(..) {
                        if stopped.insert(party[place].person) {
                            ended[place] = Some(carried.clone());
                        }
                    }
                    break;
                }
            };
            let mut commons: BTreeMap<String, Vec<Company>> = BTreeMap::new();
            let mut behind = Vec::new();
            for person in left.chunk_by(|one, next| party[*one].person == party[*next].person) {
                let (going, waiting) = self.company(party, person, (line, room), &held, &mut ended);
                if let Some((common, company)) = going {
                    commons.entry(common).or_default().push(company);
                }
                behind.extend(waiting);
            }
            self.send_companies(party, commons, (line, room), &mut ended).await;
            for (one, carried) in party.iter().zip(&ended) {
                if carried.as_ref().is_some_and(|one| is_to_be_tried_again(one.outcome)) {
                    stopped.insert(one.person);
                }
            }
            behind.retain(|place| !stopped.contains(&party[*place].person));
            left = behind;
        }
        let postponed = || Carried::quiet(Outcome::Postponed);
        ended.into_iter().map(|carried| carried.unwrap_or_else(postponed)).collect()
    }

    /// The first of one person that go at once, with what they have in common; and those behind them. Of which
    /// nothing can be made has ended.
    fn company(
        &self,
        party: &[Passenger<'_>],
        person: &[usize],
        (line, room): (&Line, Room),
        held: &Held,
        ended: &mut [Option<Carried>],
    ) -> (Option<(String, Company)>, Vec<usize>) {
        let mut going: Option<(String, Company)> = None;
        let mut bytes = 0_usize;
        for (at, place) in person.iter().enumerate() {
            let common = match self.common(&party[*place], line, held) {
                Ok(common) => common,
                Err(_) if going.is_some() => return (going, person[at..].to_vec()),
                Err(refusal) => {
                    ended[*place] = Some(meaning::refused(&refusal, None, &held.mask));
                    continue;
                }
            };
            bytes = bytes.saturating_add(party[*place].size);
            match &mut going {
                Some((same, company))
                    if *same == common && company.len() < room.events && bytes <= room.bytes =>
                {
                    company.push(*place);
                }
                Some(_) => return (going, person[at..].to_vec()),
                None => going = Some((common, vec![*place])),
            }
        }
        (going, Vec::new())
    }

    /// What an event has to have in common with the others of its batch.
    fn common(&self, one: &Passenger<'_>, line: &Line, held: &Held) -> Result<String, Refusal> {
        let (manifest, connection) = (&*self.config.manifest, self.connection(held, one.job));
        let key = manifest.batch_key(&line.subscription, &**one.event, connection)?;
        Ok(Value::Array(key.unwrap_or_default()).to_string())
    }

    /// Puts companies into batches, sends those that it leads, and waits for all outcomes.
    async fn send_companies(
        &self,
        party: &[Passenger<'_>],
        commons: BTreeMap<String, Vec<Company>>,
        (line, room): (&Line, Room),
        ended: &mut [Option<Carried>],
    ) {
        let (outcomes, mut told) = mpsc::channel(party.len().max(1));
        let member = |place: usize| {
            let Passenger { event, size, job, .. } = party[place];
            let (event, key) = (Arc::clone(event), job.key.to_owned());
            Member { event, key, size, company: 0, place, ended: outcomes.clone() }
        };
        let mut leading: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = Vec::new();
        for (common, companies) in commons {
            let Some(job) = companies.iter().flatten().next().map(|place| party[*place].job) else {
                continue;
            };
            for place in companies.iter().flatten() {
                // Until it is told otherwise.
                ended[*place] = Some(Carried::quiet(Outcome::Postponed));
            }
            let members = companies.into_iter().map(|one| one.into_iter().map(member).collect());
            let common = (line.number, common);
            let leads = self.batches.join(&common, members.collect(), room, self.concurrency());
            for lead in leads {
                leading.push(Box::pin(async move {
                    // Full, or waited for long enough: it is the same from here on.
                    tokio::time::timeout(room.wait, lead.full.notified()).await.ok();
                    self.send_all(self.batches.take(lead.number), line, job).await;
                }));
            }
        }
        drop(outcomes);
        all(leading).await;
        // Who leads the others has them all end, or has stopped.
        while let Some((place, carried)) = told.recv().await {
            ended[place] = Some(carried);
        }
    }
}

/// Until all of them have ended.
async fn all(mut futures: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|one| one.as_mut().poll(context).is_pending());
        match futures.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}
