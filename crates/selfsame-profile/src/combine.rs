//! A profile read as one: the sections whose anchors identity has joined.
//!
//! **Invariant** (law 3): for any division of a profile's events over its sections, the combined view
//! is the same; a union of profiles is commutative, associative and idempotent, since of one anchor
//! on both sides the section that was folded further stands for both. Nothing here is stored: a view
//! borrows from its sections.

use std::cmp::Ordering;

use selfsame_event::{IdentifierKey, Raw};
use smallvec::SmallVec;

use crate::links::{self, Link};
use crate::rules::Limits;
use crate::section::Section;
use crate::stamp::Stamp;
use crate::traits::{self, Trait};

/// The sections of a profile, each anchor once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections<'a>(Vec<(IdentifierKey, &'a Section)>);

impl<'a> Sections<'a> {
    /// Adds a section. Where the anchor is there already, the one folded further stays.
    pub fn insert(&mut self, anchor: IdentifierKey, section: &'a Section) {
        match self.0.binary_search_by(|(old, _)| old.cmp(&anchor)) {
            Ok(at) if is_further(section, self.0[at].1) => self.0[at].1 = section,
            Ok(_) => {}
            Err(at) => self.0.insert(at, (anchor, section)),
        }
    }

    /// The sections of both.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.extend(other.0.iter().copied());
        self
    }

    /// The sections, by anchor.
    pub fn iter(&self) -> impl Iterator<Item = (IdentifierKey, &'a Section)> {
        self.0.iter().copied()
    }

    /// All of them as one profile.
    pub fn combine(&self, limits: &Limits) -> ProfileView<'a> {
        let sections: SmallVec<[&Section; 3]> = self.iter().map(|(_, section)| section).collect();
        combine(&sections, limits)
    }
}

impl<'a> Extend<(IdentifierKey, &'a Section)> for Sections<'a> {
    fn extend<I: IntoIterator<Item = (IdentifierKey, &'a Section)>>(&mut self, sections: I) {
        sections.into_iter().for_each(|(anchor, section)| self.insert(anchor, section));
    }
}

impl<'a> FromIterator<(IdentifierKey, &'a Section)> for Sections<'a> {
    fn from_iter<I: IntoIterator<Item = (IdentifierKey, &'a Section)>>(sections: I) -> Self {
        let mut all = Self::default();
        all.extend(sections);
        all
    }
}

fn is_further(one: &Section, two: &Section) -> bool {
    let reach = |section: &Section| (section.folded_to(), section.events());
    if std::ptr::eq(one, two) {
        return false;
    }
    // Of one log, sections that reach as far are equal. Of two, some rule must decide.
    reach(one).cmp(&reach(two)).then_with(|| one.canonical().cmp(&two.canonical())).is_gt()
}

/// One profile, as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileView<'a> {
    /// How many events it has.
    pub events: u64,
    /// The earliest event.
    pub first: Option<Stamp<'a>>,
    /// The latest event.
    pub last: Option<Stamp<'a>>,
    /// Every trait by key; one that was removed has no value.
    pub registers: Vec<Trait<'a>>,
    /// Links to the other ends of group calls, by anchor. Anchors that identity has joined are here
    /// side by side.
    pub links: Vec<Link>,
}

impl<'a> ProfileView<'a> {
    /// The traits that have a value, by key.
    pub fn traits(&self) -> impl Iterator<Item = &Trait<'a>> {
        self.registers.iter().filter(|register| register.value.is_some())
    }

    /// A trait that has a value.
    pub fn trait_of(&self, key: &str) -> Option<&Trait<'a>> {
        let at = self.registers.binary_search_by(|register| register.key.cmp(key)).ok()?;
        self.registers.get(at).filter(|register| register.value.is_some())
    }
}

/// Sections of different anchors as one profile.
pub fn combine<'a>(sections: &[&'a Section], limits: &Limits) -> ProfileView<'a> {
    let registers = sections.iter().flat_map(|section| section.traits()).collect();
    let registers = joined(registers, sections.len(), limits.traits);
    let mut all_links = links::List::new();
    for link in sections.iter().flat_map(|section| section.links()) {
        links::add(&mut all_links, link, limits.links);
    }
    ProfileView {
        events: sections.iter().map(|section| section.events()).sum(),
        first: sections.iter().filter_map(|section| section.first()).min(),
        last: sections.iter().filter_map(|section| section.last()).max(),
        registers,
        links: all_links.into_vec(),
    }
}

/// The registers of so many sections as those of one: of each key the latest, and no more than the limit.
pub(crate) fn joined<'a>(
    mut registers: Vec<Trait<'a>>,
    sections: usize,
    most: usize,
) -> Vec<Trait<'a>> {
    if sections > 1 {
        registers.sort_by(|a, b| a.key.cmp(b.key).then_with(|| later(b, a)));
        registers.dedup_by(|later, first| later.key == first.key);
    }
    if registers.len() > most {
        let last_kept = traits::last_kept(registers.iter().map(|row| row.key), most);
        registers.retain(|row| most > 0 && traits::key_rank(row.key) <= last_kept);
    }
    registers
}

/// Which of two registers of one key was set later.
pub(crate) fn later<'a>(one: &Trait<'a>, other: &Trait<'a>) -> Ordering {
    let value = |register: &Trait<'a>| register.value.map(Raw::text);
    one.stamp.cmp(&other.stamp).then_with(|| value(one).cmp(&value(other)))
}
