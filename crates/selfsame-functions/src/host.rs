//! What the prelude can ask of the program: the whole of what code in a sandbox can reach.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};

use crate::report::{Level, Line, Request};
use crate::{FetchRequest, Limits, address, digest};

/// Most bytes that are drawn at once.
const RANDOM_BYTES: usize = 64 << 10;
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Reads base64 with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a call has asked for, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Whether a call is under way; without one, nothing can be asked for.
    pub(crate) is_calling: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) lines_cut: bool,
    line_bytes: usize,
    /// Requests to be sent, with their ids.
    pub(crate) wanted: Vec<(u32, FetchRequest)>,
    /// Every request, with its id.
    pub(crate) requests: Vec<(u32, Request)>,
    request_bytes: usize,
    /// Timers to be set, with their milliseconds.
    pub(crate) timers: Vec<(u32, u64)>,
    pub(crate) cancelled: Vec<u32>,
    timer_count: usize,
    /// Whether it went well, and what is to be told.
    pub(crate) done: Option<(bool, String)>,
}

impl Asked {
    /// Of a call that begins.
    pub(crate) fn of_a_call() -> Self {
        Self { is_calling: true, ..Self::default() }
    }

    fn line(&mut self, level: &str, mut text: String, limits: &Limits) {
        let room = limits.log_bytes.saturating_sub(self.line_bytes);
        if text.len() > room {
            self.lines_cut = true;
            text.truncate(text.floor_char_boundary(room));
        }
        if self.lines_cut && text.is_empty() {
            return;
        }
        self.line_bytes += text.len() + 1;
        self.lines.push(Line { level: Level::of(level), text });
    }

    /// A timer has been fired or cancelled.
    pub(crate) fn without_timer(&mut self) {
        self.timer_count = self.timer_count.saturating_sub(1);
    }

    fn request(
        &mut self,
        id: u32,
        request: FetchRequest,
        limits: &Limits,
    ) -> std::result::Result<(), String> {
        if !self.is_calling {
            return Err("fetch is for handlers, not for the top level of a function".to_owned());
        }
        if !METHODS.contains(&request.method.as_str()) {
            return Err(format!("there is no method {}", request.method));
        }
        if self.requests.len() >= usize::try_from(limits.requests).unwrap_or(usize::MAX) {
            return Err(format!("a call makes at most {} requests", limits.requests));
        }
        self.request_bytes += request.body.len();
        if self.request_bytes > limits.request_bytes {
            let most = limits.request_bytes;
            return Err(format!("the bodies of a call's requests have at most {most} bytes"));
        }
        let (method, url) = (request.method.clone(), request.url.clone());
        self.requests.push((id, Request { method, url, status: None }));
        self.wanted.push((id, request));
        Ok(())
    }

    fn timer(&mut self, id: u32, millis: u64, limits: &Limits) -> std::result::Result<(), String> {
        if !self.is_calling {
            return Err("timers are for handlers, not for the top level of a function".to_owned());
        }
        self.timer_count += 1;
        if self.timer_count > limits.timers {
            return Err(format!("at most {} timers wait at once", limits.timers));
        }
        self.timers.push((id, millis));
        Ok(())
    }
}

/// The bytes of a text whose characters are below 256.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

type Bytes<'js> = TypedArray<'js, u8>;

/// The object that the prelude is given.
pub(crate) fn object<'js>(
    ctx: &Ctx<'js>,
    asked: &Rc<RefCell<Asked>>,
    limits: &Rc<Limits>,
) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    calls(ctx, &host, asked, limits)?;
    texts(ctx, &host)?;
    digests(ctx, &host)?;
    Ok(host)
}

/// Lines, requests, timers, and the end of a call.
fn calls<'js>(
    ctx: &Ctx<'js>,
    host: &Object<'js>,
    asked: &Rc<RefCell<Asked>>,
    limits: &Rc<Limits>,
) -> Result<()> {
    let with = || (Rc::clone(asked), Rc::clone(limits));
    let (state, most) = with();
    let log = move |level: String, text: String| state.borrow_mut().line(&level, text, &most);
    host.set("log", Function::new(ctx.clone(), log)?)?;
    let (state, most) = with();
    let fetch = move |ctx: Ctx<'js>,
                      id: u32,
                      method: String,
                      url: String,
                      headers: String,
                      body: Option<String>,
                      is_text: bool| {
        let body = match body {
            Some(text) if is_text => text.into_bytes(),
            Some(text) => bytes(&text),
            None => Vec::new(),
        };
        let headers = serde_json::from_str(&headers).unwrap_or_default();
        let request = FetchRequest { method, url, headers, body };
        let taken = state.borrow_mut().request(id, request, &most);
        taken.map_err(|text| Exception::throw_type(&ctx, &text))
    };
    host.set("fetch", Function::new(ctx.clone(), fetch)?)?;
    let (state, most) = with();
    let timer = move |ctx: Ctx<'js>, id: u32, millis: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let taken = state.borrow_mut().timer(id, millis as u64, &most);
        taken.map_err(|text| Exception::throw_range(&ctx, &text))
    };
    host.set("timer", Function::new(ctx.clone(), timer)?)?;
    let (state, _) = with();
    let untimer = move |id: u32| {
        let mut state = state.borrow_mut();
        state.without_timer();
        state.cancelled.push(id);
    };
    host.set("untimer", Function::new(ctx.clone(), untimer)?)?;
    let (state, _) = with();
    let done = move |is_good: bool, json: String| {
        let mut state = state.borrow_mut();
        // The first end is the end.
        if state.is_calling && state.done.is_none() {
            state.done = Some((is_good, json));
        }
    };
    host.set("done", Function::new(ctx.clone(), done)?)
}

/// Texts and their bytes, and addresses.
fn texts<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let utf8 = |ctx: Ctx<'js>, text: String| Bytes::new(ctx, text.into_bytes());
    host.set("utf8", Function::new(ctx.clone(), utf8)?)?;
    let text = |text: String| String::from_utf8_lossy(&bytes(&text)).into_owned();
    host.set("text", Function::new(ctx.clone(), text)?)?;
    let base64 = |text: String| STANDARD.encode(bytes(&text));
    host.set("base64", Function::new(ctx.clone(), base64)?)?;
    let unbase64 = |ctx: Ctx<'js>, text: String| {
        let plain: String = text
            .chars()
            .filter_map(|letter| match letter {
                '-' => Some('+'),
                '_' => Some('/'),
                letter if letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/') => {
                    Some(letter)
                }
                _ => None,
            })
            .collect();
        match LENIENT.decode(plain) {
            Ok(bytes) => Bytes::new(ctx, bytes),
            Err(_) => Err(Exception::throw_syntax(&ctx, "the text is no base64")),
        }
    };
    host.set("unbase64", Function::new(ctx.clone(), unbase64)?)?;
    let url = |input: String, base: Option<String>| address::parts(&input, base.as_deref());
    host.set("url", Function::new(ctx.clone(), url)?)?;
    let with = |href: String, part: String, value: String| address::with(&href, &part, &value);
    host.set("urlWith", Function::new(ctx.clone(), with)?)
}

/// Digests and random bytes.
fn digests<'js>(ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
    let given = |ctx: &Ctx<'js>, found: Option<Vec<u8>>| match found {
        Some(found) => Bytes::new(ctx.clone(), found),
        None => Err(Exception::throw_type(ctx, "there is no such digest")),
    };
    let plain = move |ctx: Ctx<'js>, name: String, text: String| {
        given(&ctx, digest::digest(&name, &bytes(&text)))
    };
    host.set("digest", Function::new(ctx.clone(), plain)?)?;
    let keyed = move |ctx: Ctx<'js>, name: String, key: String, text: String| {
        given(&ctx, digest::keyed(&name, &bytes(&key), &bytes(&text)))
    };
    host.set("hmac", Function::new(ctx.clone(), keyed)?)?;
    let random = |ctx: Ctx<'js>, count: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let count = count as usize;
        if count > RANDOM_BYTES {
            let text = format!("at most {RANDOM_BYTES} random bytes are drawn at once");
            return Err(Exception::throw_range(&ctx, &text));
        }
        let mut bytes = vec![0; count];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Bytes::new(ctx, bytes),
            Err(_) => Err(Exception::throw_internal(&ctx, "no random bytes could be drawn")),
        }
    };
    host.set("random", Function::new(ctx.clone(), random)?)
}
