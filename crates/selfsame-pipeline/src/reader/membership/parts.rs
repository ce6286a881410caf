//! The comparisons of a definition, each compiled by itself beside the whole, so that they read the same streams.

use std::collections::BTreeSet;

use selfsame_audience::{Numbered, Plans, Query};
use selfsame_event::Collection;
use selfsame_expr::query::{Comparison, Condition, Holder};

use super::super::SpaceRead;
use crate::workspace::{Definition, holder};

/// A definition, compiled with its comparisons.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) plans: Plans,
    /// Its comparisons, in the order in which it has them; what it is, where it is a value.
    pub(super) leaves: Vec<Leaf>,
    /// The streams that the sections of users keep for it.
    kept: BTreeSet<u32>,
}

/// A comparison or a value, by its places among the plans.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    /// Whether it holds; nothing where it is a value.
    pub(super) test: Option<usize>,
    /// What is compared, where that can be computed.
    pub(super) value: Option<usize>,
    /// Whether each user of an account is asked.
    pub(super) is_asked: bool,
    /// The streams that it reads.
    pub(super) streams: BTreeSet<u32>,
}

impl Parts {
    /// Compiles a definition. Nothing where it has no meaning any more.
    pub(super) fn of(read: &SpaceRead, definition: &Definition, query: &Query) -> Option<Self> {
        let live = read.progress(definition).and_then(|progress| progress.live.as_ref());
        let live = live.filter(|live| live.query == definition.query);
        let streams = live.map_or(&[][..], |live| live.streams.as_slice());
        let own = holder(definition.collection);
        let mut said = vec![(query.clone(), own)];
        let mut leaves = Vec::new();
        match query {
            Query::Audience(condition) => collect(condition, own, &mut said, &mut leaves),
            Query::Trait(_) => leaves.push(Leaf { value: Some(0), ..Leaf::default() }),
        }
        let numbered = said.iter().zip(0_usize..).map(|((query, holder), place)| {
            let streams = if place == 0 { streams } else { &[] };
            Numbered { query, holder: *holder, streams }
        });
        // Numbers that no section has: of streams that only a comparison by itself reads.
        let mut next = read.counts().computing.next_stream;
        let plans = Plans::numbered(&numbered.collect::<Vec<_>>(), &mut next).ok()?;
        for leaf in &mut leaves {
            let places = leaf.test.into_iter().chain(leaf.value);
            leaf.streams = places.flat_map(|place| plans.streams_of(place)).collect();
        }
        Some(Self { plans, leaves, kept: streams.iter().copied().collect() })
    }

    /// Whether the sections keep all that a place reads.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        self.plans.streams_of(place).all(|stream| self.kept.contains(&stream))
    }
}

/// Adds the comparisons of a condition.
fn collect(
    condition: &Condition,
    of: Holder,
    said: &mut Vec<(Query, Holder)>,
    leaves: &mut Vec<Leaf>,
) {
    match condition {
        Condition::And(list) | Condition::Or(list) => {
            list.iter().for_each(|one| collect(one, of, said, leaves));
        }
        Condition::Not(one) => collect(one, of, said, leaves),
        Condition::Any(one) | Condition::All(one) => {
            collect(one, holder(Collection::Users), said, leaves);
        }
        Condition::Is(Comparison { value, .. }) => {
            let mut add = |query: Query| {
                let alone = Numbered { query: &query, holder: of, streams: &[] };
                let is_sound = Plans::numbered(&[alone], &mut 0).is_ok();
                is_sound.then(|| {
                    said.push((query, of));
                    said.len() - 1
                })
            };
            let test = add(Query::Audience(condition.clone()));
            let value = add(Query::Trait(value.clone()));
            let is_asked = of == holder(Collection::Users);
            leaves.push(Leaf { test, value, is_asked, streams: BTreeSet::new() });
        }
    }
}
