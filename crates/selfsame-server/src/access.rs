//! Who asks, and from where: a program with a token, or a member with a session.
//!
//! ```text
//! Authorization: Bearer TOKEN              a token of the workspace
//! Cookie: selfsame=…                       a session; over TLS the cookie is __Host-selfsame
//! x-selfsame-console: 1                    with a session, on whatever is no GET
//! ```
//!
//! **Invariants:**
//! - a cookie counts only where the browser says that our own page asks, or says nothing; a page of
//!   another site cannot send the header;
//! - what proves a session is only ever in a cookie that scripts cannot read, never in an address.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use selfsame_collect::{CollectConfig, Peer, own_address, sender_address};
use selfsame_pipeline::workspace::Role;
use selfsame_profile_api::Entry;

use crate::control::{Permission, may};
use crate::members::{Place, SignedIn};
use crate::node::Node;
use crate::tokens::Tokens;

/// What pages of the console send with every change.
pub(crate) const CONSOLE_HEADER: &str = "x-selfsame-console";
const COOKIE_PLAIN: &str = "selfsame";
const COOKIE_TLS: &str = "__Host-selfsame";
/// What browsers say of the page that asks.
const FETCH_SITE: &str = "sec-fetch-site";

/// Tells who asks. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    node: Arc<Node>,
    tokens: Tokens,
    collect: Arc<CollectConfig>,
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub(crate) enum Who {
    /// Nobody known.
    #[default]
    Nobody,
    /// A program with the token of that id.
    Token(String, Role),
    /// A member.
    Member(Box<SignedIn>),
}

impl Who {
    /// What they are for.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Token(_, role) => Some(*role),
            Self::Member(signed_in) => Some(signed_in.member.role),
        }
    }

    /// Whether they may do that.
    pub(crate) fn may(&self, wanted: Permission) -> bool {
        self.role().map_or(wanted == Permission::Open, |role| may(role, wanted))
    }

    /// What the audit log calls them: nothing that says who a person is.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Token(id, _) => format!("token:{id}"),
            Self::Member(signed_in) => signed_in.member.id.clone(),
        }
    }
}

/// Who asks, and how their request came.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    /// The other end, as far as proxies are believed.
    pub(crate) address: Option<IpAddr>,
    /// Whether the way to the other end is TLS.
    pub(crate) secure: bool,
    /// Whether nobody on the way can read: TLS, or the same machine.
    pub(crate) private: bool,
    /// What the server was called: scheme and host.
    pub(crate) base: String,
    /// What the browser says of itself.
    pub(crate) agent: String,
    /// Whether the console's own pages sent it.
    pub(crate) console: bool,
}

impl Default for Caller {
    fn default() -> Self {
        Self {
            who: Who::Nobody,
            address: None,
            secure: false,
            private: false,
            base: String::new(),
            agent: String::new(),
            console: false,
        }
    }
}

impl Caller {
    /// Where a session of theirs begins.
    pub(crate) fn place(&self) -> Place {
        Place { address: self.address_or_none(), agent: self.agent.clone() }
    }

    /// The other end; what is not known is one address for all.
    pub(crate) fn address_or_none(&self) -> IpAddr {
        self.address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
    }
}

/// Why a session does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forged {
    /// Another site's page asks.
    Foreign,
    /// A change that our pages would have sent with the header.
    NoHeader,
}

impl Access {
    pub(crate) fn new(node: &Arc<Node>, tokens: &Tokens, collect: CollectConfig) -> Self {
        Self { node: Arc::clone(node), tokens: tokens.clone(), collect: Arc::new(collect) }
    }

    /// Who asks.
    pub(crate) fn caller(&self, parts: &Parts) -> Result<Caller, Forged> {
        let mut caller = self.arrived(parts);
        if let Some(token) = bearer(&parts.headers) {
            if let Some((id, role)) = self.tokens.of(token) {
                caller.who = Who::Token(id, role);
            }
            return Ok(caller);
        }
        // A request that has another authorization says who it is by that, and not by a cookie.
        if parts.headers.contains_key(AUTHORIZATION) {
            return Ok(caller);
        }
        let cookie = cookie(&parts.headers, cookie_name(caller.secure));
        let now = self.node.clock.wall();
        if let Some(signed_in) = cookie.and_then(|text| self.node.members.signed_in(text, now)) {
            if is_foreign(&parts.headers) {
                return Err(Forged::Foreign);
            }
            if parts.method != Method::GET && !caller.console {
                return Err(Forged::NoHeader);
            }
            caller.who = Who::Member(Box::new(signed_in));
        }
        Ok(caller)
    }

    fn arrived(&self, parts: &Parts) -> Caller {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let console = text(CONSOLE_HEADER).is_some_and(|value| value == "1");
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let agent = agent.unwrap_or_default().to_owned();
        let peer = parts.extensions.get::<Peer>();
        let Some(peer) = peer else { return Caller { agent, console, ..Caller::default() } };
        let own = own_address(&self.collect, parts, *peer);
        let secure = own.as_ref().is_some_and(|(scheme, _)| *scheme == "https");
        let address = sender_address(&self.collect, parts, *peer);
        let near = address.is_some_and(|address| address.is_loopback())
            || own.as_ref().is_some_and(|(_, host)| is_this_machine(host));
        let base = own.map(|(scheme, host)| format!("{scheme}://{host}")).unwrap_or_default();
        let who = Who::Nobody;
        Caller { who, address, secure, private: secure || near, base, agent, console }
    }

    /// Who reads profiles, by a token of either kind of authorization or by a session.
    fn entry(&self, parts: &Parts, token: Option<&str>) -> Entry {
        let who = match token {
            Some(token) => self.tokens.of(token).map(|(id, role)| Who::Token(id, role)),
            None => self.caller(parts).ok().map(|caller| caller.who),
        };
        match who {
            None | Some(Who::Nobody) => Entry::Unknown,
            Some(who) if who.may(Permission::Events) => Entry::Granted,
            Some(_) => Entry::Refused,
        }
    }
}

impl selfsame_profile_api::Tokens for Access {
    /// Tokens and members are the workspace's: each reads every space of it, or none.
    fn entry(&self, parts: &Parts, token: Option<&str>, _: Option<&str>) -> Entry {
        self.entry(parts, token)
    }
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The name of the cookie. The one over TLS cannot be set by another host, nor without TLS.
const fn cookie_name(secure: bool) -> &'static str {
    if secure { COOKIE_TLS } else { COOKIE_PLAIN }
}

/// What a cookie has.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// The header that gives a browser its session; an empty one takes it away.
pub(crate) fn set_cookie(secure: bool, value: &str) -> String {
    let name = cookie_name(secure);
    let kept = if value.is_empty() { "; Max-Age=0" } else { "" };
    let only = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{only}{kept}")
}

/// Whether the browser says that a page of another origin asks.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get(FETCH_SITE).and_then(|value| value.to_str().ok());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// Whether a browser that calls the server so is on this machine, or comes through a tunnel that ends there.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
