//! What made-up shoppers do: they look around on some device, sign in or do not, and buy or do not.
//!
//! **Invariants:**
//! - a customer keeps their user id, and each of their devices its anonymous id, as real ones would;
//! - the same seed tells the same story, but for the times.

use std::collections::VecDeque;

use selfsame_event::Time;
use serde_json::{Value, json};

use super::dice::Dice;

/// Shoppers at once.
const SESSIONS: usize = 12;
const CUSTOMERS: usize = 300;
const MINUTE_MICROS: i64 = 60_000_000;
/// How long ago the customers who are always there came first, and their second device's visit.
const VISITS_AGO_MINUTES: [i64; 2] = [3 * 24 * 60, 60];
/// Of a hundred visits, how many are a customer's; the others are passers-by on new devices.
const CUSTOMER_VISITS: usize = 65;

/// Customers that are there from the start, so that there is somebody to ask about.
const KNOWN: [(&str, &str, &str); 3] =
    [("ada", "Ada", "Lovelace"), ("grace", "Grace", "Hopper"), ("alan", "Alan", "Turing")];

const FIRST: [&str; 20] = [
    "Amara", "Ben", "Chidi", "Dana", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jun", "Kaya", "Leo",
    "Mina", "Noor", "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tove",
];
const LAST: [&str; 15] = [
    "Abara", "Berg", "Costa", "Diaz", "Egede", "Fischer", "Garcia", "Holm", "Ito", "Jansen", "Kim",
    "Lopez", "Moreau", "Novak", "Okafor",
];
const COMPANIES: [(&str, &str); 4] = [
    ("acme", "Acme Outdoors"),
    ("birch-lodge", "Birch Lodge"),
    ("northpass", "North Pass Huts"),
    ("trailworks", "Trailworks"),
];
const DEVICES: [(&str, &str); 3] = [
    (
        "Laptop",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    ),
    (
        "Phone",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    ),
    ("Tablet", "Mozilla/5.0 (Android 15; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0"),
];

/// Id, stock number, name, category, price in cents: what the shop of the page sells.
const PRODUCTS: [(&str, &str, &str, &str, u32); 8] = [
    ("kettle", "LL-101", "Fell kettle", "Camp kitchen", 4_800),
    ("mug", "LL-102", "Enamel mug", "Camp kitchen", 1_400),
    ("bottle", "LL-103", "Steel bottle", "Camp kitchen", 2_600),
    ("lantern", "LL-201", "Hut lantern", "Light & warmth", 5_900),
    ("blanket", "LL-202", "Wool blanket", "Light & warmth", 9_500),
    ("hat", "LL-203", "Watch hat", "Light & warmth", 2_200),
    ("rucksack", "LL-301", "Day rucksack", "On the path", 12_900),
    ("notebook", "LL-302", "Trail notebook", "On the path", 1_200),
];

#[derive(Debug)]
struct Customer {
    user_id: String,
    first: &'static str,
    last: &'static str,
    devices: Vec<String>,
    company: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Home,
    Search,
    View(usize),
    Add(usize),
    SignIn,
    Join,
    Checkout,
    Buy,
}

#[derive(Debug)]
struct Session {
    customer: Option<usize>,
    device: usize,
    anonymous_id: String,
    signed_in: bool,
    steps: VecDeque<Step>,
    cart: Vec<usize>,
    order: String,
}

/// All the shoppers.
#[derive(Debug)]
pub(super) struct Story {
    dice: Dice,
    customers: Vec<Customer>,
    sessions: Vec<Session>,
}

impl Story {
    pub(super) fn new(seed: u64) -> Self {
        // Who there is does not depend on the seed: a kept data folder meets its customers again.
        let mut births = Dice::new(0);
        let customers = (0..CUSTOMERS).map(|number| Customer::new(number, &mut births)).collect();
        Self { dice: Dice::new(seed), customers, sessions: Vec::new() }
    }

    /// The user id of a customer who is always there.
    pub(super) fn known() -> &'static str {
        KNOWN[0].0
    }

    /// What the customers who are always there did before: each on two devices, one of which they
    /// used before they signed in.
    pub(super) fn beginning(&mut self, now: Time) -> Vec<Value> {
        let mut events = Vec::new();
        for customer in 0..KNOWN.len() {
            for (device, minutes_ago) in VISITS_AGO_MINUTES.into_iter().enumerate() {
                let mut at = now.plus_micros(-minutes_ago * MINUTE_MICROS);
                let anonymous_id = self.customers[customer].devices[device].clone();
                let steps = [Step::Home, Step::View(customer), Step::Add(customer), Step::SignIn];
                let more = [Step::Join, Step::Checkout, Step::Buy];
                let steps = steps.into_iter().chain(more.into_iter().filter(|_| device == 0));
                let order = format!("order-{}", self.dice.below(1_000_000));
                let mut session = Session {
                    customer: Some(customer),
                    device,
                    anonymous_id,
                    signed_in: false,
                    steps: steps.collect(),
                    cart: Vec::new(),
                    order,
                };
                while let Some(step) = session.steps.pop_front() {
                    events.push(self.tell(&mut session, step, at));
                    at = at.plus_micros(MINUTE_MICROS / 2);
                }
            }
        }
        events
    }

    /// The next thing that some shopper does.
    pub(super) fn next(&mut self, now: Time) -> Value {
        loop {
            let at = self.dice.below(SESSIONS);
            if at >= self.sessions.len() {
                let session = self.arrive();
                self.sessions.push(session);
                continue;
            }
            let mut session = self.sessions.swap_remove(at);
            let Some(step) = session.steps.pop_front() else { continue };
            let event = self.tell(&mut session, step, now);
            self.sessions.push(session);
            return event;
        }
    }

    fn arrive(&mut self) -> Session {
        let dice = &mut self.dice;
        let customer = dice.percent(CUSTOMER_VISITS).then(|| dice.below(self.customers.len()));
        let device = match customer {
            Some(customer) => dice.below(self.customers[customer].devices.len()),
            None => dice.below(DEVICES.len()),
        };
        let anonymous_id = match customer {
            Some(customer) => self.customers[customer].devices[device].clone(),
            None => dice.uuid(),
        };
        let mut steps = VecDeque::from([Step::Home]);
        if dice.percent(30) {
            steps.push_back(Step::Search);
        }
        let mut has_cart = false;
        for _ in 0..=dice.below(4) {
            let product = dice.below(PRODUCTS.len());
            steps.push_back(Step::View(product));
            if dice.percent(40) {
                steps.push_back(Step::Add(product));
                has_cart = true;
            }
        }
        if customer.is_some() && dice.percent(70) {
            steps.push_back(Step::SignIn);
            if dice.percent(15) {
                steps.push_back(Step::Join);
            }
            if has_cart && dice.percent(60) {
                steps.extend([Step::Checkout, Step::Buy]);
            }
        }
        let order = format!("order-{}", dice.below(1_000_000_000));
        Session { customer, device, anonymous_id, signed_in: false, steps, cart: Vec::new(), order }
    }

    /// A step as the event that an SDK would send.
    fn tell(&mut self, session: &mut Session, step: Step, now: Time) -> Value {
        let customer = session.customer.map(|customer| &self.customers[customer]);
        let track = |event: &str, properties: Value| json!({ "type": "track", "event": event, "properties": properties });
        let mut event = match step {
            Step::Home => json!({
                "type": "page", "category": "Shop", "name": "Home",
                "properties": { "path": "/demo/shop", "title": "Larch & Loam" },
            }),
            Step::Search => {
                let (_, _, name, ..) = self.dice.pick(&PRODUCTS);
                let word = name.rsplit(' ').next().unwrap_or(name);
                track("Products Searched", json!({ "query": word.to_lowercase() }))
            }
            Step::View(product) => track("Product Viewed", properties(product)),
            Step::Add(product) => {
                session.cart.push(product);
                track("Product Added", properties(product))
            }
            Step::SignIn => {
                session.signed_in = true;
                let traits = customer.map(Customer::traits);
                json!({ "type": "identify", "traits": traits })
            }
            Step::Join => {
                let company = customer.and_then(|customer| customer.company);
                let (id, name) = company.unwrap_or(COMPANIES[0]);
                json!({ "type": "group", "groupId": id, "traits": { "name": name, "plan": "trade" } })
            }
            Step::Checkout => track("Checkout Started", session.order()),
            Step::Buy => {
                let properties = session.order();
                session.cart.clear();
                track("Order Completed", properties)
            }
        };
        let user_id = customer.filter(|_| session.signed_in).map(|customer| &customer.user_id);
        if let Some(user_id) = user_id {
            event["userId"] = json!(user_id);
        }
        event["anonymousId"] = json!(session.anonymous_id);
        event["messageId"] = json!(format!("shopper-{}", self.dice.uuid()));
        event["timestamp"] = json!(now.to_string());
        event["context"] = json!({
            "library": { "name": "demo-shoppers", "version": "1" },
            "userAgent": DEVICES[session.device].1,
            "locale": "en-GB",
            "page": { "path": "/demo/shop", "title": "Larch & Loam" },
        });
        event
    }
}

impl Customer {
    fn new(number: usize, dice: &mut Dice) -> Self {
        let (user_id, first, last) = match KNOWN.get(number) {
            Some((user_id, first, last)) => ((*user_id).to_owned(), *first, *last),
            None => {
                let first = FIRST[number % FIRST.len()];
                let last = LAST[number / FIRST.len() % LAST.len()];
                (format!("{}-{}", first.to_lowercase(), last.to_lowercase()), first, last)
            }
        };
        let count = 2 + dice.below(2);
        let devices = (0..count).map(|_| dice.uuid()).collect();
        let company = dice.percent(30).then(|| *dice.pick(&COMPANIES));
        Self { user_id, first, last, devices, company }
    }

    fn traits(&self) -> Value {
        json!({
            "email": format!("{}@example.com", self.user_id),
            "name": format!("{} {}", self.first, self.last),
            "firstName": self.first,
            "lastName": self.last,
        })
    }
}

impl Session {
    fn order(&self) -> Value {
        let cents: u32 = self.cart.iter().map(|product| PRODUCTS[*product].4).sum();
        let products: Vec<Value> = self.cart.iter().map(|product| properties(*product)).collect();
        json!({
            "order_id": self.order,
            "revenue": dollars(cents),
            "currency": "USD",
            "products": products,
        })
    }
}

fn properties(product: usize) -> Value {
    let (id, sku, name, category, cents) = PRODUCTS[product];
    json!({
        "product_id": id, "sku": sku, "name": name, "category": category,
        "price": dollars(cents), "quantity": 1, "currency": "USD",
    })
}

fn dollars(cents: u32) -> f64 {
    f64::from(cents) / 100.0
}

#[cfg(test)]
mod tests;
