//! Definitions of a shop: 10 names of events, and for each of them 15, 30 or 50 definitions, a third of
//! them computed traits. Every event touches all that name it. Expected on one core: an event that 15
//! definitions name is folded in well under 3 us, one that none names in under 100 ns.
//!
//! Before the times, what is kept of somebody is printed, in bytes of a section.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use selfsame_audience::{Event, Plans, Query, Traits, When};
use selfsame_event::{Context, EventType, Raw, RecordId, Time};
use selfsame_expr::query;

const NAMES: usize = 10;
const MINUTE: i64 = 60_000_000;

const TRAITS: [&str; 10] = [
    "event('N').count()",
    "event('N').sum(property('price'))",
    "event('N').within(30 days).avg(property('price'))",
    "event('N').last(property('category'))",
    "event('N').mode(property('category'))",
    "event('N').max(property('price'))",
    "event('N').unique(property('category'))",
    "event('N').within(7 days).count()",
    "event('N').expires_after(30 minutes).sum(property('price'))",
    "event('N').first(context('page.path'))",
];

const AUDIENCES: [&str; 20] = [
    "event('N').within(7 days).count() >= 1",
    "event('N').count() = 0",
    "event('N').where(property('price') > 100).within(30 days).count() >= 1",
    "event('N').where(property('category') = 'shoes').count() >= 2",
    "event('N').where(event('M').within(parent: 1 hour).count() >= 1).within(7 days).count() >= 1",
    "event('N').within(30 days).sum(property('price')) > 500",
    "event('N').within(30 days).count() >= 3 AND trait('score') > 10",
    "event('N').where(event('M').within(parent: 1 day).count() = 0).between(1 day, 30 days).count() >= 1",
    "event('N').this(month, 'Europe/Berlin').count() >= 5",
    "event('N').where(property('category') = 'hats').within(7 days).count() >= 1",
    "event('N').where(property('category').one_of('shoes', 'hats') AND property('price') > 50).count() > 2",
    "event('N').last(property('category')) = 'shoes'",
    "event('N').sources({exclude: ['server']}).count() >= 10",
    "event('N').between(7 days, 30 days).count() >= 1",
    "event('N').where(context('page.path').contains('sale')).within(1 day).count() >= 1",
    "event('N').previous(week).count() = 0 AND event('N').this(week).count() > 0",
    "event('N').where(property('price') >= trait('mean')).within(30 days).count() >= 1",
    "event('N').where(property('coupon').exists()).count() > 0",
    "event('N').avg(property('price')) > 80",
    "event('N').where(property('category') = 'coats').within(90 days).count() >= 4",
];

fn main() {
    for definitions in [150, 300, 500] {
        for events in [5, 20, 200] {
            let shop = Shop::new(definitions);
            let bytes = shop.folded(events).len();
            #[expect(clippy::print_stdout, reason = "a benchmark is read at the terminal")]
            {
                println!("{definitions} definitions, {events} events: {bytes} bytes");
            }
        }
    }
    divan::main();
}

struct Shop {
    plans: Plans,
    definitions: usize,
}

struct Known;

impl Traits for Known {
    fn get(&self, key: &str) -> Option<Raw<'_>> {
        match key {
            "score" => Some(Raw::trusted("12")),
            "mean" => Some(Raw::trusted("60")),
            _ => None,
        }
    }
}

impl Shop {
    fn new(definitions: usize) -> Self {
        let each = definitions / NAMES;
        let mut queries = Vec::new();
        for number in 0..NAMES {
            let named = |text: &str, turn: usize| {
                // Those beyond the list are the same with another window.
                let text = text
                    .replace("'N'", &format!("'Event {number}'"))
                    .replace("'M'", &format!("'Event {}'", (number + 1) % NAMES));
                let days = ["7 days", "14 days", "21 days"][turn % 3];
                text.replace("within(7 days)", &format!("within({days})"))
            };
            for nth in 0..each / 3 {
                let text = named(TRAITS[nth % TRAITS.len()], nth / TRAITS.len());
                queries.push(Query::Trait(query::scalar(&text).expect("a value")));
            }
            for nth in 0..each - each / 3 {
                let text = named(AUDIENCES[nth % AUDIENCES.len()], nth / AUDIENCES.len());
                queries.push(Query::Audience(query::condition(&text).expect("a condition")));
            }
        }
        assert_eq!(queries.len(), definitions);
        Self { plans: Plans::compile(&queries).expect("they compile"), definitions }
    }

    /// The row of somebody after so many events.
    fn folded(&self, events: usize) -> Vec<u8> {
        let mut row = Vec::new();
        for number in 0..events {
            self.fold(&mut row, number, &format!("Event {}", number % NAMES));
        }
        row
    }

    fn fold(&self, row: &mut Vec<u8>, number: usize, name: &str) {
        let text = properties(number);
        if let Some(written) = self.plans.fold(row, &event(number, name, &text), at(number)) {
            *row = written;
        }
    }
}

fn at(number: usize) -> Time {
    let start = Time::from_micros(1_800_000_000_000_000);
    start.plus_micros(i64::try_from(number).expect("few") * 97 * MINUTE)
}

fn properties(number: usize) -> String {
    let category = ["shoes", "hats", "coats", "socks", "bags"][number * 7 % 5];
    let price = number * 37 % 150;
    format!(
        r#"{{"order_id":"o-{number}","product_id":"p-{}","category":"{category}","price":{price}.9,"quantity":1}}"#,
        number * 31 % 1_000
    )
}

fn event<'a>(number: usize, name: &'a str, properties: &'a str) -> Event<'a> {
    let [.., low] = number.to_be_bytes();
    Event {
        kind: EventType::Track,
        name: Some(name),
        when: When::new(at(number), RecordId([low; 16]), 0),
        source: "web",
        properties: Some(Raw::trusted(properties)),
        context: Context {
            own: Some(Raw::trusted(r#"{"page":{"path":"/sale/shoes","title":"Sale"}}"#)),
            shared: None,
        },
    }
}

/// The 21st event of somebody.
#[divan::bench(args = [150, 300, 500])]
fn fold(bencher: Bencher<'_, '_>, definitions: usize) {
    let shop = Shop::new(definitions);
    let (row, text) = (shop.folded(20), properties(20));
    let event = event(20, "Event 0", &text);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| shop.plans.fold(black_box(&row), black_box(&event), at(20)));
}

/// The 201st.
#[divan::bench(args = [150, 300, 500])]
fn fold_of_a_busy_person(bencher: Bencher<'_, '_>, definitions: usize) {
    let shop = Shop::new(definitions);
    let (row, text) = (shop.folded(200), properties(200));
    let event = event(200, "Event 0", &text);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| shop.plans.fold(black_box(&row), black_box(&event), at(200)));
}

#[divan::bench]
fn fold_what_no_definition_names(bencher: Bencher<'_, '_>) {
    let shop = Shop::new(300);
    let (row, text) = (shop.folded(20), properties(20));
    let event = event(20, "Something Else", &text);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| shop.plans.fold(black_box(&row), black_box(&event), at(20)));
}

/// All definitions of somebody with 20 events, and the 21st arrived.
#[divan::bench(args = [150, 300, 500])]
fn evaluate_all(bencher: Bencher<'_, '_>, definitions: usize) {
    let shop = Shop::new(definitions);
    let row = shop.folded(21);
    bencher.counter(ItemsCount::new(definitions)).bench_local(|| {
        let rows = [row.as_slice()];
        let profile = shop.plans.profile(black_box(&rows), at(21));
        for definition in 0..shop.definitions {
            black_box(profile.evaluate(definition, &Known));
        }
    });
}

/// Those that name one event, which are a tenth of all.
#[divan::bench(args = [150, 300, 500])]
fn evaluate_those_of_an_event(bencher: Bencher<'_, '_>, definitions: usize) {
    let shop = Shop::new(definitions);
    let row = shop.folded(21);
    let touched = definitions / NAMES;
    bencher.counter(ItemsCount::new(touched)).bench_local(|| {
        let rows = [row.as_slice()];
        let profile = shop.plans.profile(black_box(&rows), at(21));
        for definition in 0..touched {
            black_box(profile.evaluate(definition, &Known));
        }
    });
}
