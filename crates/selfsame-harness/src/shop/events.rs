//! The events of the shop as its pages and apps send them.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use selfsame_event::{Clock as _, SystemClock, Time};

use super::deeds::{CATEGORIES, DEEDS, Deed};
use super::{Form, Person, Shop, Step};
use crate::generate::{CONTEXT, Supply, decimal, finish, post_head, uuid};
use crate::random::Random;

/// Of a hundred events so many were made while there was no network, and come later.
const LATE: u64 = 4;
/// How late they are at most.
const LATE_MICROS: u64 = 3 * 86_400_000_000;
const PRODUCTS: u64 = 10_000;

/// When events happen.
#[derive(Debug, Clone)]
pub(crate) enum Times {
    /// Now.
    Now,
    /// So many events, evenly from then on to the second time.
    Past { from: Time, to: Time, events: u64 },
}

/// Requests of a shop's visitors, one after the other. Each connection has its own.
#[derive(Debug)]
pub(crate) struct Visits {
    shop: Arc<Shop>,
    times: Times,
    /// How many events all connections have made in this part of the shop's life.
    made: Arc<AtomicU64>,
    batch: u64,
    random: Random,
    clock: SystemClock,
    body: Vec<u8>,
    request: Vec<u8>,
    head: Vec<u8>,
}

impl Visits {
    /// Requests for so many connections, of so many events each. `part` tells parts of the shop's
    /// life apart.
    pub(crate) fn of(
        shop: &Arc<Shop>,
        part: u64,
        times: &Times,
        (connections, batch): (u64, u64),
    ) -> Vec<Self> {
        let made = Arc::new(AtomicU64::new(0));
        let one = |index| Self {
            shop: Arc::clone(shop),
            times: times.clone(),
            made: Arc::clone(&made),
            batch,
            random: Random::part(shop.seed ^ (part << 32), index),
            clock: SystemClock::default(),
            body: Vec::new(),
            request: Vec::new(),
            head: post_head("/v1/batch"),
        };
        (0..connections).map(one).collect()
    }

    /// Writes the next event. The body of a batch is such events with commas between them.
    pub(super) fn event(&mut self, now: i64) {
        let (shop, made) = (Arc::clone(&self.shop), self.made.fetch_add(1, Ordering::Relaxed));
        let person = shop.person(shop.draw(&mut self.random));
        let step = person.step(shop.grow(person.number), self.random.next());
        let mut at = match &self.times {
            Times::Now => now,
            Times::Past { from, to, events } => {
                let span = u128::try_from(to.micros() - from.micros()).unwrap_or(0);
                let into = span * u128::from(made) / u128::from((*events).max(1));
                from.micros() + i64::try_from(into.min(span)).unwrap_or(0)
            }
        };
        if self.random.percent(LATE) {
            at -= i64::try_from(self.random.below(LATE_MICROS)).unwrap_or(0);
        }
        let number = shop.numbers.fetch_add(1, Ordering::Relaxed);
        self.body.extend_from_slice(b"{\"messageId\":\"ajs-next-");
        uuid(&mut self.body, shop.seed, number);
        self.body.extend_from_slice(b"\",\"anonymousId\":\"");
        person.device_id(&mut self.body, step.device);
        let at = Time::from_millis(at / 1_000);
        self.put(format_args!("\",\"timestamp\":\"{at}\","));
        if step.is_known {
            self.body.extend_from_slice(b"\"userId\":\"user-");
            decimal(&mut self.body, person.number, 10);
            self.body.extend_from_slice(b"\",");
        }
        self.own(person, step);
        self.body.extend_from_slice(CONTEXT);
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.body.write_fmt(text).expect("memory takes every write");
    }

    fn own(&mut self, person: Person, step: Step) {
        match step.form {
            Form::Deed => self.deed(),
            Form::Identify => {
                const PLANS: [&str; 3] = ["basic", "silver", "gold"];
                let (number, draw) = (person.number, self.random.next());
                let plan = PLANS[usize::from(draw.to_le_bytes()[0]) % PLANS.len()];
                let (year, month) = (2018 + number % 8, 1 + number % 12);
                self.put(format_args!(
                    "\"type\":\"identify\",\"traits\":{{\"email\":\"u{number}@mail.example\",\
                     \"plan\":\"{plan}\",\"member_since\":\"{year}-{month:02}-15\",\
                     \"city\":\"City {}\",\"newsletter\":{}}},",
                    number % 500,
                    draw % 2 == 0
                ));
            }
            Form::Group => {
                let company = person.company.unwrap_or(0);
                self.put(format_args!(
                    "\"type\":\"group\",\"groupId\":\"company-{company}\",\"traits\":\
                     {{\"name\":\"Company {company}\",\"employees\":{}}},",
                    1 + company % 900
                ));
            }
        }
    }

    fn deed(&mut self) {
        let mut draw = self.random.below(1_000);
        let mut chosen: (usize, &Deed) = (0, &DEEDS[0]);
        for (index, deed) in DEEDS.iter().enumerate() {
            chosen = (index, deed);
            if draw < deed.weight {
                break;
            }
            draw -= deed.weight;
        }
        let (index, deed) = chosen;
        let number = self.random.between(deed.range.0, deed.range.1);
        // Of two draws the lower: the first values are the most frequent.
        let values = deed.values.len() as u64;
        let value = self.random.below(values).min(self.random.below(values));
        let text = usize::try_from(value).ok().and_then(|at| deed.values.get(at)).unwrap_or(&"");
        let product = self.random.below(PRODUCTS).min(self.random.below(PRODUCTS));
        if index == 0 {
            self.put(format_args!("\"type\":\"page\",\"name\":\"Product\","));
        } else {
            self.put(format_args!("\"type\":\"track\",\"event\":\"{}\",", deed.name));
        }
        self.put(format_args!(
            "\"properties\":{{\"{}\":{number}.50,\"{}\":\"{text}\",\"product_id\":\"P-{product:05}\"",
            deed.number, deed.text
        ));
        match deed.name {
            "Page Viewed" => {
                self.put(format_args!(",\"path\":\"/p/{product:05}\",\"title\":\"A product\""));
            }
            "Order Completed" => {
                let category = category(product);
                self.put(format_args!(
                    ",\"order_id\":\"O-{product}-{number}\",\"currency\":\"EUR\",\"products\":\
                     [{{\"product_id\":\"P-{product:05}\",\"category\":\"{category}\",\
                     \"price\":{number}.50,\"quantity\":1}}]"
                ));
            }
            _ => {}
        }
        self.body.extend_from_slice(b"},");
    }

    /// The text of the next event, alone.
    pub(super) fn alone(&mut self, now: i64) -> &[u8] {
        self.body.clear();
        self.event(now);
        &self.body
    }
}

fn category(product: u64) -> &'static str {
    let place = usize::try_from(product).unwrap_or(0) % CATEGORIES.len();
    CATEGORIES[place]
}

impl Supply for Visits {
    fn next(&mut self) -> &[u8] {
        let now = self.clock.wall().micros();
        self.body.clear();
        self.body.extend_from_slice(b"{\"batch\":[");
        for index in 0..self.batch {
            if index > 0 {
                self.body.push(b',');
            }
            self.event(now);
        }
        self.body.extend_from_slice(b"]}");
        finish(&mut self.request, &self.head, &self.body);
        &self.request
    }
}
