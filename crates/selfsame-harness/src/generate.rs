//! Events as clients send them, written fast: texts made ahead with slots that are filled per event.
//!
//! **Invariants:** message ids never repeat within a run; a profile's number decides its ids, so a
//! reader knows them; every text is valid JSON of about 500 bytes.

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use selfsame_event::{Clock as _, SystemClock};

use crate::random::Random;

/// The write key, space and token of `selfsame dev`.
pub(crate) const KEY: &str = "dev";

/// What to send.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    /// How many profiles events are drawn from.
    pub(crate) profiles: u64,
    /// Events in a request; 1 uses the single-event routes.
    pub(crate) batch: u64,
    /// Decides what is drawn.
    pub(crate) seed: u64,
}

/// The user id of a profile.
pub(crate) fn user_id(profile: u64) -> String {
    format!("user-{profile:010}")
}

/// Every fifth profile never says who it is.
pub(crate) fn is_known(profile: u64) -> bool {
    profile % 5 != 4
}

/// What a connection sends, request after request.
pub(crate) trait Supply: Send + 'static {
    /// The next request, whole.
    fn next(&mut self) -> &[u8];
}

/// What all connections of a run share: the next number of an event.
#[derive(Debug, Default)]
pub(crate) struct Numbers(AtomicU64);

/// Writes requests, one after the other. Each connection has its own.
#[derive(Debug)]
pub(crate) struct Requests {
    mix: Mix,
    numbers: Arc<Numbers>,
    random: Random,
    clock: SystemClock,
    body: Vec<u8>,
    request: Vec<u8>,
    track_head: Vec<u8>,
    page_head: Vec<u8>,
    identify_head: Vec<u8>,
    batch_head: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Track,
    Page,
    Identify,
}

impl Requests {
    /// The requests of connection `index`.
    pub(crate) fn new(mix: &Mix, numbers: &Arc<Numbers>, index: u64) -> Self {
        Self {
            random: Random::part(mix.seed, index),
            mix: mix.clone(),
            numbers: Arc::clone(numbers),
            clock: SystemClock::default(),
            body: Vec::new(),
            request: Vec::new(),
            track_head: post_head("/v1/track"),
            page_head: post_head("/v1/page"),
            identify_head: post_head("/v1/identify"),
            batch_head: post_head("/v1/batch"),
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.body.write_fmt(text).expect("memory takes every write");
    }

    /// Writes one event: 1 of 100 identifies, 30 are pages, the rest are tracks.
    fn event(&mut self, now: &str, millis: i64) -> Form {
        let profile = self.random.below(self.mix.profiles);
        let draw = self.random.next();
        let form = match draw % 100 {
            0 => Form::Identify,
            1..31 => Form::Page,
            _ => Form::Track,
        };
        let number = self.numbers.0.fetch_add(1, Ordering::Relaxed);
        self.body.extend_from_slice(match form {
            Form::Track => b"{\"type\":\"track\",\"messageId\":\"ajs-next-",
            Form::Page => b"{\"type\":\"page\",\"messageId\":\"ajs-next-",
            Form::Identify => b"{\"type\":\"identify\",\"messageId\":\"ajs-next-",
        });
        decimal(&mut self.body, millis.unsigned_abs(), 13);
        self.body.push(b'-');
        uuid(&mut self.body, self.mix.seed, number);
        self.body.extend_from_slice(b"\",\"anonymousId\":\"");
        uuid(&mut self.body, 0xA1, profile);
        self.body.extend_from_slice(b"\",");
        if is_known(profile) {
            self.body.extend_from_slice(b"\"userId\":\"user-");
            decimal(&mut self.body, profile, 10);
            self.body.extend_from_slice(b"\",");
        }
        self.body.extend_from_slice(b"\"timestamp\":\"");
        self.body.extend_from_slice(now.as_bytes());
        self.body.extend_from_slice(b"\",");
        self.own(form, profile, draw / 100);
        self.body.extend_from_slice(CONTEXT);
        form
    }

    fn own(&mut self, form: Form, profile: u64, draw: u64) {
        match form {
            Form::Track => {
                self.body.extend_from_slice(b"\"event\":\"");
                self.body
                    .extend_from_slice(EVENTS[usize::from(draw.to_le_bytes()[0]) % 8].as_bytes());
                self.body.extend_from_slice(b"\",\"properties\":{\"sku\":\"P-");
                decimal(&mut self.body, draw % 10_000, 5);
                self.body.extend_from_slice(b"\",\"price\":");
                decimal(&mut self.body, 100 + draw % 899, 3);
                self.body.extend_from_slice(b".50,\"quantity\":");
                decimal(&mut self.body, 1 + draw % 9, 1);
                self.body.extend_from_slice(b",\"currency\":\"EUR\",\"category\":\"garden\"},");
            }
            Form::Page => {
                self.body.extend_from_slice(b"\"name\":\"Product\",\"properties\":{\"path\":\"/p/");
                decimal(&mut self.body, draw % 10_000, 5);
                self.body
                    .extend_from_slice(b"\",\"title\":\"A product of the shop\",\"search\":\"\"},");
            }
            Form::Identify => {
                self.body.extend_from_slice(b"\"traits\":{\"email\":\"u");
                decimal(&mut self.body, profile, 10);
                self.body.extend_from_slice(b"@mail.example\",\"plan\":\"pro\",\"logins\":");
                decimal(&mut self.body, 1 + draw % 9, 1);
                self.body.extend_from_slice(b",\"city\":\"Lyon\",\"newsletter\":true},");
            }
        }
    }
}

impl Supply for Requests {
    fn next(&mut self) -> &[u8] {
        self.body.clear();
        let now = self.clock.wall();
        let (text, millis) = (now.to_string(), now.millis());
        let form = if self.mix.batch == 1 {
            self.event(&text, millis)
        } else {
            self.body.extend_from_slice(b"{\"batch\":[");
            for index in 0..self.mix.batch {
                if index > 0 {
                    self.body.push(b',');
                }
                self.event(&text, millis);
            }
            self.put(format_args!("],\"sentAt\":\"{text}\"}}"));
            Form::Track
        };
        let head = match form {
            _ if self.mix.batch > 1 => &self.batch_head,
            Form::Track => &self.track_head,
            Form::Page => &self.page_head,
            Form::Identify => &self.identify_head,
        };
        finish(&mut self.request, head, &self.body);
        &self.request
    }
}

const EVENTS: [&str; 8] = [
    "Product Viewed",
    "Product Added",
    "Cart Viewed",
    "Order Completed",
    "Search Made",
    "Coupon Applied",
    "Article Read",
    "Video Watched",
];

/// The context of an event, and its end.
pub(crate) const CONTEXT: &[u8] =
    b"\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.70.0\"},\
\"locale\":\"en-GB\",\"page\":{\"path\":\"/shop\",\"url\":\"https://shop.example/shop\"},\
\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\"}}";

/// The head of a POST with the write key, up to and with the name of the length.
pub(crate) fn post_head(path: &str) -> Vec<u8> {
    let key = BASE64_STANDARD.encode(format!("{KEY}:"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {key}\r\n\
         Content-Type: application/json\r\nContent-Length: "
    )
    .into_bytes()
}

/// Puts a request together: such a head, the length, the body.
pub(crate) fn finish(request: &mut Vec<u8>, head: &[u8], body: &[u8]) {
    request.clear();
    request.extend_from_slice(head);
    write!(request, "{}\r\n\r\n", body.len()).expect("memory takes every write");
    request.extend_from_slice(body);
}

/// A number in so many digits.
pub(crate) fn decimal(out: &mut Vec<u8>, mut number: u64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
    }
}

/// A version 4 UUID of a number that differs for every number below 2^58.
pub(crate) fn uuid(out: &mut Vec<u8>, seed: u64, number: u64) {
    const LETTERS: &[u8; 16] = b"0123456789abcdef";
    let high = Random::part(seed, number).next();
    let bytes = ((u128::from(high) << 64) | u128::from(number)).to_be_bytes();
    for (index, mut byte) in bytes.into_iter().enumerate() {
        match index {
            6 => byte = 0x40 | (byte & 0x0F),
            8 => byte = 0x80 | (byte & 0x3F),
            4 | 10 => out.push(b'-'),
            _ => {}
        }
        if matches!(index, 6 | 8) {
            out.push(b'-');
        }
        out.push(LETTERS[usize::from(byte >> 4)]);
        out.push(LETTERS[usize::from(byte & 15)]);
    }
}
