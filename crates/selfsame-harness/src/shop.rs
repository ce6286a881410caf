//! A shop as it is: people who come often or seldom, without saying who they are first, on several
//! devices, and what they do; and the definitions that somebody would make of it.
//!
//! **Invariants:** the same seed gives the same people, deeds and definitions; message ids never
//! repeat within a shop; a person's number decides their ids, devices and habits.

mod deeds;
pub(crate) mod defined;
mod events;
#[cfg(test)]
mod tests;
pub(crate) mod touched;
pub(crate) mod written;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

pub(crate) use self::events::{Times, Visits};
use crate::generate::{user_id, uuid};
use crate::random::Random;

/// People by how often they come: each octave of the ranks has as many events as the next, so that
/// few have thousands and most have some (1/x, as visits of shops are).
const OCTAVES: u64 = 10;
/// Of a hundred people so many sign up some day.
const SIGN_UP: u64 = 70;

/// The people of a shop, and how far each has come.
#[derive(Debug)]
pub(crate) struct Shop {
    seed: u64,
    /// How many events each person had, up to 255.
    ages: Vec<AtomicU8>,
    /// The number of the next event.
    numbers: AtomicU64,
}

/// What of a person never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) number: u64,
    /// The event at which they say who they are; never if `None`.
    signs_up: Option<u64>,
    devices: u64,
    /// The company that they buy for.
    company: Option<u64>,
}

/// What an event of a person is, and from which device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    form: Form,
    device: u64,
    is_known: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Deed,
    Identify,
    Group,
}

impl Shop {
    pub(crate) fn new(people: u64, seed: u64) -> Self {
        let ages = (0..people.max(1)).map(|_| AtomicU8::new(0)).collect();
        Self { seed, ages, numbers: AtomicU64::new(0) }
    }

    pub(crate) fn people(&self) -> u64 {
        self.ages.len() as u64
    }

    pub(crate) fn person(&self, number: u64) -> Person {
        let mut random = Random::part(self.seed ^ 0x5E0F, number);
        let signs_up = random.percent(SIGN_UP).then(|| random.between(1, 6));
        let devices = match random.below(10) {
            _ if signs_up.is_none() => 1,
            0..6 => 1,
            6..9 => 2,
            _ => 3,
        };
        let companies = self.people() / 200 + 1;
        let buys_for_one = signs_up.is_some() && random.percent(5);
        let company = buys_for_one.then(|| random.below(companies));
        Person { number, signs_up, devices, company }
    }

    /// Draws whose event is next.
    fn draw(&self, random: &mut Random) -> u64 {
        let people = self.people();
        let first = people.div_ceil((1 << OCTAVES) - 1);
        let octave = random.below(OCTAVES);
        let (from, to) = (first * ((1 << octave) - 1), first * ((2 << octave) - 1));
        let rank = random.between(from.min(people - 1), to.min(people).max(1));
        // A step that has no divisor in common with a number that is no multiple of it.
        u64::try_from(u128::from(rank) * 2_654_435_761 % u128::from(people)).unwrap_or(0)
    }

    /// How many events a person had before this one.
    fn grow(&self, person: u64) -> u64 {
        let Some(age) = usize::try_from(person).ok().and_then(|index| self.ages.get(index)) else {
            return 0;
        };
        let before = age.load(Ordering::Relaxed);
        age.store(before.saturating_add(1), Ordering::Relaxed);
        u64::from(before)
    }

    /// Whether all devices of a person are known as theirs.
    fn is_settled(&self, person: Person) -> bool {
        let index = usize::try_from(person.number).unwrap_or(usize::MAX);
        let age = self.ages.get(index).map_or(0, |age| age.load(Ordering::Relaxed));
        person.signs_up.is_some_and(|at| u64::from(age) >= at + person.devices)
    }

    /// So many people who have signed up, or all who have, from a place on.
    pub(crate) fn customers(&self, from: u64, count: u64) -> Vec<Person> {
        let people = self.people();
        let all = (0..people).map(|index| self.person((from + index) % people));
        let customers = all.filter(|person| self.is_settled(*person));
        customers.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
    }
}

impl Person {
    pub(crate) fn user_id(self) -> String {
        user_id(self.number)
    }

    /// Appends the id of one of their devices.
    fn device_id(self, out: &mut Vec<u8>, device: u64) {
        uuid(out, 0xA1, self.number * 4 + device);
    }

    fn step(self, age: u64, draw: u64) -> Step {
        let device = draw / 100 % self.devices;
        let Some(signs_up) = self.signs_up else {
            return Step { form: Form::Deed, device, is_known: false };
        };
        let (settled, is_known) = (signs_up + self.devices, true);
        match age {
            _ if age < signs_up => Step { form: Form::Deed, device, is_known: false },
            _ if age < settled => Step { form: Form::Identify, device: age - signs_up, is_known },
            _ if age == settled && self.company.is_some() => {
                Step { form: Form::Group, device, is_known }
            }
            _ => match draw % 100 {
                0 => Step { form: Form::Identify, device, is_known },
                1..5 => Step { form: Form::Deed, device, is_known: false },
                _ => Step { form: Form::Deed, device, is_known },
            },
        }
    }
}
