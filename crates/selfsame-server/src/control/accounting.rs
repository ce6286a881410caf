//! What became of everything that a space received: what was set aside above the line, and below it what
//! each destination made of the rest.

use std::collections::BTreeMap;

use selfsame_deliver::ConnectionStatus;
use selfsame_pipeline::View;
use selfsame_pipeline::workspace::{Destination, Space};

use super::Control;
use super::asked::Asked;
use super::destinations::deliverer;
use super::problem::Problem;
use super::shape::shape;
use super::spaces::find;
use crate::destination::connection_id;

shape! {
    /// What became of everything that a space received.
    pub(crate) struct AccountingShown {
        /// The space.
        space: String,
        /// What came, and what was left out before there was anything to deliver.
        received: ReceivedShown,
        /// What each destination made of the rest.
        destinations: Vec<DestinationAccount>,
        /// Whether all of these numbers add up.
        adds_up: bool,
    }

    /// What came to a space.
    pub(crate) struct ReceivedShown {
        /// Events that came, as the sources of the space counted them.
        received: u64,
        /// Those that were there before.
        duplicates: u64,
        /// Those whose id was there before with other content.
        changed: u64,
        /// Those that were set aside.
        rejected: u64,
        /// Those that identified nobody.
        unattached: u64,
        /// Those that profiles have, which destinations are offered.
        accepted: u64,
        /// Calls that destinations are offered besides: two for each change of an audience or a computed trait that
        /// some destination is told of.
        calls: u64,
        /// Whether received = accepted + duplicates + changed + rejected + unattached.
        adds_up: bool,
    }

    /// What a destination made of what it was offered. accepted = delivered + filtered + pending + dead, and
    /// accepted = offered - before + actions + replayed, once all that was received is folded.
    pub(crate) struct DestinationAccount {
        /// The destination.
        destination: String,
        /// Its name.
        name: String,
        /// Events and calls of the space.
        offered: u64,
        /// The part of them that came before the destination began.
        before: u64,
        /// By how many its units are more, because several actions want one event.
        actions: u64,
        /// Units that its replays added.
        replayed: u64,
        /// Its units: one for each event and action that wants it; one for an event that no action wants.
        accepted: u64,
        /// Units that the receiver took.
        delivered: u64,
        /// Units that were not to be sent.
        filtered: u64,
        /// The same by reason: `type` where the destination does not want events of that type or is not told of
        /// that change, `superseded` where a newer change took its place.
        filtered_by: BTreeMap<String, u64>,
        /// Units that are not looked at yet, in flight or waiting.
        pending: u64,
        /// Dead letters, and events in dead ranges.
        dead: u64,
        /// Whether accepted = delivered + filtered + pending + dead.
        adds_up: bool,
    }
}

/// `GET /api/spaces/{id}/accounting`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<AccountingShown, Problem> {
    let view = control.view()?;
    let space = find(&view, asked.id())?;
    let destinations = view.meta.workspace.destinations.iter();
    let of_space = destinations.filter(|one| one.space == space.id);
    let received = received(&view, space);
    let offered = received.accepted + received.calls;
    let account = |one: &Destination| {
        let id = connection_id(&one.id);
        let status = deliverer(&control, &view, one)?.status().into_iter().find(|s| s.id == id)?;
        Some(account(one, &status, offered))
    };
    let destinations: Vec<_> = of_space.filter_map(account).collect();
    let adds_up = destinations.iter().all(|one| one.adds_up);
    let adds_up = adds_up && received.adds_up;
    Ok(AccountingShown { space: space.id.clone(), received, destinations, adds_up })
}

fn received(view: &View, space: &Space) -> ReceivedShown {
    let slot = usize::try_from(space.number).unwrap_or(usize::MAX);
    let counts = view.meta.spaces.get(slot).cloned().unwrap_or_default();
    let all = view.meta.workspace.sources.iter().zip(&view.meta.sources);
    let sources = || all.clone().filter(|(source, _)| source.space == space.id);
    let duplicates = sources().map(|(_, counts)| counts.duplicates).sum();
    let changed = sources().map(|(_, counts)| counts.changed).sum();
    let rejected = sources().flat_map(|(_, counts)| counts.rejected.values()).sum();
    let folded: u64 = sources().map(|(_, counts)| counts.events).sum();
    let (accepted, unattached) = (counts.events, counts.unattached);
    ReceivedShown {
        received: folded + duplicates + changed + rejected,
        duplicates,
        changed,
        rejected,
        unattached,
        accepted,
        calls: counts.deliveries() - counts.events,
        adds_up: folded == accepted + unattached,
    }
}

fn account(
    destination: &Destination,
    status: &ConnectionStatus,
    offered: u64,
) -> DestinationAccount {
    let by = status.filtered_by().filter(|(_, units)| *units > 0);
    DestinationAccount {
        destination: destination.id.clone(),
        name: destination.name.clone(),
        offered,
        before: status.before,
        actions: status.parts,
        replayed: status.replayed.accepted,
        accepted: status.accepted,
        delivered: status.delivered,
        filtered: status.filtered,
        filtered_by: by.map(|(reason, units)| (reason.to_owned(), units)).collect(),
        pending: status.pending,
        dead: status.dead,
        adds_up: status.accepted == status.accounted(),
    }
}
