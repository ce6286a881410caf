//! Signing in and out, and who one is.

use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use selfsame_event::Time;
use selfsame_pipeline::workspace::Role;
use serde_json::Value;

use super::Control;
use super::asked::{Asked, check_name};
use super::permission::granted;
use super::problem::{Acted, Code, Problem};
use super::shape::{Page, Shape, Shapes, shape};
use super::state::Done;
use super::table::Answer;
use crate::access::{Caller, Who, set_cookie};
use crate::members::{Chosen, Member, Refused, Session, SignedIn, wrong_password};

/// The longest e-mail address.
const EMAIL: usize = 254;

shape! {
    /// Who one is, and what one may do.
    pub(crate) struct SessionShown {
        /// Whether somebody known asks.
        signed_in: bool,
        /// By what: session or token; null for nobody known.
        by: Option<String>,
        /// Whether there is any member yet. The first one is made with the link that a start of the server prints.
        has_members: bool,
        /// The member, where one is signed in.
        member: Option<OwnMember>,
        /// What one is for.
        role: Option<Role>,
        /// What one may do.
        permissions: Vec<String>,
        /// The workspace's name; null for nobody known.
        workspace: Option<String>,
        /// The program's version; null for nobody known.
        version: Option<String>,
        /// When the session ends, if nothing comes any more.
        until: Option<String>,
    }

    /// The member who asks.
    pub(crate) struct OwnMember {
        /// The id.
        id: String,
        /// The e-mail address.
        email: String,
        /// The name.
        name: String,
        /// What the member is for.
        role: Role,
    }

    /// Who signs in.
    #[serde(deny_unknown_fields)]
    pub(crate) struct SignIn {
        /// The e-mail address.
        email: String,
        /// The password.
        password: String,
    }

    /// A one-time link.
    #[serde(deny_unknown_fields)]
    pub(crate) struct LinkAsked {
        /// What follows `#` in it.
        token: String,
    }

    /// What a one-time link is for.
    pub(crate) struct LinkShown {
        /// first: it makes the first member; member: its member chooses a password.
        kind: String,
        /// The member's e-mail address.
        email: Option<String>,
        /// The member's name.
        name: Option<String>,
        /// What the member is for.
        role: Role,
        /// Until when it waits.
        until: String,
    }

    /// A one-time link that is used.
    #[serde(deny_unknown_fields)]
    pub(crate) struct LinkUsed {
        /// What follows `#` in it.
        token: String,
        /// The password, 12 to 200 characters.
        password: String,
        /// The e-mail address of the first member; not for others, who have one.
        email: Option<String>,
        /// The name of the first member; not for others.
        name: Option<String>,
    }

    /// Another password.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewPassword {
        /// The one until now.
        current: String,
        /// The one from now on, 12 to 200 characters.
        password: String,
    }

    /// A session of one's own.
    pub(crate) struct OwnSession {
        /// What it is called.
        id: String,
        /// Whether it is the one that asks.
        current: bool,
        /// When it began.
        begun: String,
        /// When it was seen last, to about ten minutes.
        seen: String,
        /// When it ends, if nothing comes any more.
        until: String,
        /// Where it began.
        address: String,
        /// What the browser said of itself.
        agent: String,
    }
}

/// An answer that gives the browser a session.
pub(crate) struct Signed {
    shown: SessionShown,
    cookie: String,
    who: String,
}

/// An answer that takes it away.
pub(crate) struct SignedOut {
    done: Done,
    cookie: String,
}

impl Answer for Signed {
    fn describe(all: &mut Shapes) -> Value {
        SessionShown::schema(all)
    }

    fn answer(self, status: u16) -> Result<Response, Problem> {
        let mut response = with_cookie(self.shown.answer(status)?, &self.cookie)?;
        response.extensions_mut().insert(Acted(self.who));
        Ok(response)
    }
}

impl Answer for SignedOut {
    fn describe(all: &mut Shapes) -> Value {
        Done::schema(all)
    }

    fn answer(self, status: u16) -> Result<Response, Problem> {
        with_cookie(self.done.answer(status)?, &self.cookie)
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Result<Response, Problem> {
    let value = HeaderValue::try_from(cookie);
    let value = value.map_err(|_| Problem::new(Code::Internal, "The server failed."))?;
    response.headers_mut().insert(SET_COOKIE, value);
    Ok(response)
}

fn time(micros: i64) -> String {
    Time::from_micros(micros).to_string()
}

fn shown(control: &Control, who: &Who) -> Result<SessionShown, Problem> {
    let role = who.role();
    let permissions = role.map(granted).unwrap_or_default().iter();
    let permissions = permissions.map(|permission| permission.word().to_owned()).collect();
    let (by, member, until) = match who {
        Who::Nobody => (None, None, None),
        Who::Token(..) => (Some("token"), None, None),
        Who::Member(signed_in) => {
            let SignedIn { session, member } = &**signed_in;
            let Member { id, email, name, role, .. } = member.clone();
            let member = OwnMember { id, email, name, role };
            (Some("session"), Some(member), Some(time(session.until())))
        }
    };
    let is_known = by.is_some();
    let workspace = match is_known {
        true => Some(control.view()?.meta.workspace.name.clone()),
        false => None,
    };
    Ok(SessionShown {
        signed_in: is_known,
        by: by.map(str::to_owned),
        has_members: !control.node.members.is_empty(),
        member,
        role,
        permissions,
        workspace,
        version: is_known.then(|| env!("CARGO_PKG_VERSION").to_owned()),
        until,
    })
}

/// `GET /api/session`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<SessionShown, Problem> {
    shown(&control, &asked.caller.who)
}

/// Refuses what came in the clear, and what no page of ours sent.
fn check_way(caller: &Caller) -> Result<(), Problem> {
    if !caller.console {
        return Err(crate::access::Forged::NoHeader.into());
    }
    if !caller.private {
        let message = "A password or a one-time link is not taken over plain HTTP.";
        return Err(Problem::new(Code::NotSecure, message));
    }
    Ok(())
}

fn wait(seconds: u64) -> Problem {
    let message =
        format!("There were too many attempts. The next one may be in {seconds} seconds.");
    Problem::new(Code::TooManyAttempts, message).after(seconds)
}

/// An e-mail address as it is kept.
pub(crate) fn read_email(text: &str) -> Result<String, Problem> {
    let text = text.trim().to_lowercase();
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let fits = text.len() <= EMAIL && !text.contains(odd);
    match text.split_once('@') {
        Some((name, host)) if fits && !name.is_empty() && host.len() > 1 && !host.contains('@') => {
            Ok(text)
        }
        _ => Err(Problem::field("email", "`email` is an e-mail address.")),
    }
}

fn check_password(password: &str, email: &str) -> Result<(), Problem> {
    wrong_password(password, email).map_or(Ok(()), |why| Err(Problem::field("password", why)))
}

/// The session that the browser had before.
fn before(caller: &Caller) -> Option<&str> {
    match &caller.who {
        Who::Member(signed_in) => Some(&signed_in.session.id),
        Who::Nobody | Who::Token(..) => None,
    }
}

/// `POST /api/session`
pub(crate) async fn sign_in(
    control: Control,
    asked: Asked,
    given: SignIn,
) -> Result<Signed, Problem> {
    let caller = &asked.caller;
    check_way(caller)?;
    let (node, members) = (&control.node, &control.node.members);
    let email = given.email.trim().to_lowercase();
    let email: String = email.chars().take(EMAIL).collect();
    let ticks = node.clock.monotonic_micros();
    let attempt = members.attempt(Some(&email), caller.address_or_none(), ticks).map_err(wait)?;
    let member = members.by_email(&email);
    let hash = member.as_ref().and_then(|member| member.password.clone());
    let is_right = members.passwords.is(given.password, hash).await?;
    let Some(member) = member.as_ref().filter(|_| is_right) else {
        let who = member.as_ref().map_or("nobody", |member| member.id.as_str());
        let message = "The e-mail address or the password is wrong.";
        return Err(Problem::new(Code::WrongPassword, message).by(who));
    };
    members.succeeded(&attempt);
    let now = node.clock.wall();
    let (place, before) = (caller.place(), before(caller));
    let begun = members.sign_in(&node.vault, &member.id, &place, before, now).await?;
    let (cookie, signed_in) = begun?;
    signed(&control, caller, &cookie, signed_in)
}

fn signed(
    control: &Control,
    caller: &Caller,
    cookie: &str,
    signed_in: SignedIn,
) -> Result<Signed, Problem> {
    let who = Who::Member(Box::new(signed_in));
    let cookie = set_cookie(caller.secure, cookie);
    Ok(Signed { shown: shown(control, &who)?, cookie, who: who.name() })
}

/// `DELETE /api/session`
pub(crate) async fn sign_out(control: Control, asked: Asked) -> Result<SignedOut, Problem> {
    let cookie = set_cookie(asked.caller.secure, "");
    let id = match &asked.caller.who {
        Who::Member(signed_in) => {
            let (node, session) = (&control.node, &signed_in.session);
            let now = node.clock.wall();
            node.members.end(&node.vault, &session.member, &session.id, now).await?;
            session.id.clone()
        }
        Who::Nobody | Who::Token(..) => String::new(),
    };
    Ok(SignedOut { done: Done::new(&id, "signed out"), cookie })
}

/// `POST /api/session/link`
pub(crate) async fn link(
    control: Control,
    asked: Asked,
    given: LinkAsked,
) -> Result<LinkShown, Problem> {
    check_way(&asked.caller)?;
    let members = &control.node.members;
    let ticks = control.node.clock.monotonic_micros();
    let attempt = members.attempt(None, asked.caller.address_or_none(), ticks).map_err(wait)?;
    let found = members.link(&given.token, control.node.clock.wall());
    let (link, member) = found.ok_or_else(|| Problem::from(Refused::NoLink))?;
    members.succeeded(&attempt);
    Ok(LinkShown {
        kind: if member.is_some() { "member" } else { "first" }.to_owned(),
        email: member.as_ref().map(|member| member.email.clone()),
        name: member.as_ref().map(|member| member.name.clone()),
        role: member.as_ref().map_or(Role::Owner, |member| member.role),
        until: time(link.until),
    })
}

/// `POST /api/session/first`
pub(crate) async fn first(
    control: Control,
    asked: Asked,
    given: LinkUsed,
) -> Result<Signed, Problem> {
    let caller = &asked.caller;
    check_way(caller)?;
    let (node, members) = (&control.node, &control.node.members);
    let ticks = node.clock.monotonic_micros();
    let attempt = members.attempt(None, caller.address_or_none(), ticks).map_err(wait)?;
    let found = members.link(&given.token, node.clock.wall());
    let (_, member) = found.ok_or_else(|| Problem::from(Refused::NoLink))?;
    members.succeeded(&attempt);
    let first = match (&member, given.email, given.name) {
        (None, Some(email), Some(name)) => {
            check_name(&name)?;
            Some((read_email(&email)?, name))
        }
        (None, None, _) => return Err(Problem::field("email", "`email` is needed.")),
        (None, _, None) => return Err(Problem::field("name", "`name` is needed.")),
        (Some(_), None, None) => None,
        (Some(_), ..) => {
            let message = "A member has an e-mail address and a name already.";
            return Err(Problem::field("email", message));
        }
    };
    let email = first.as_ref().map(|(email, _)| email.as_str());
    let own = member.as_ref().map(|member| member.email.as_str());
    check_password(&given.password, email.or(own).unwrap_or_default())?;
    let hash = members.passwords.hash(given.password).await?;
    let now = node.clock.wall();
    let chosen = Chosen { first, hash };
    let place = caller.place();
    let used = members.use_link(&node.vault, &given.token, chosen, &place, now).await?;
    let (cookie, signed_in) = used?;
    signed(&control, caller, &cookie, signed_in)
}

/// The session that asks; a token has none.
fn own(asked: &Asked) -> Result<&SignedIn, Problem> {
    match &asked.caller.who {
        Who::Member(signed_in) => Ok(signed_in),
        Who::Nobody | Who::Token(..) => {
            Err(Problem::new(Code::Conflict, "Only a member who is signed in has sessions."))
        }
    }
}

/// `PUT /api/session/password`
pub(crate) async fn password(
    control: Control,
    asked: Asked,
    given: NewPassword,
) -> Result<Done, Problem> {
    let SignedIn { session, member } = own(&asked)?;
    check_way(&asked.caller)?;
    check_password(&given.password, &member.email)?;
    let (node, members) = (&control.node, &control.node.members);
    let ticks = node.clock.monotonic_micros();
    let address = asked.caller.address_or_none();
    let attempt = members.attempt(Some(&member.email), address, ticks).map_err(wait)?;
    if !members.passwords.is(given.current, member.password.clone()).await? {
        let message = "The password until now is wrong.";
        return Err(Problem::new(Code::WrongPassword, message).at("current"));
    }
    members.succeeded(&attempt);
    let hash = members.passwords.hash(given.password).await?;
    let now = node.clock.wall();
    members.set_password(&node.vault, &member.id, hash, &session.id, now).await??;
    Ok(Done::new(&member.id, "changed"))
}

/// `GET /api/session/all`
pub(crate) async fn all(control: Control, asked: Asked) -> Result<Page<OwnSession>, Problem> {
    let SignedIn { session: current, member } = own(&asked)?;
    let sessions = control.node.members.sessions(&member.id, control.node.clock.wall());
    let shown = sessions.into_iter().map(|session| {
        let until = time(session.until());
        let Session { id, begun, seen, address, agent, .. } = session;
        let (current, begun, seen) = (id == current.id, time(begun), time(seen));
        OwnSession { id, current, begun, seen, until, address, agent }
    });
    Ok(shown.collect::<Vec<_>>().into())
}

/// `DELETE /api/session/all/{id}`
pub(crate) async fn end(control: Control, asked: Asked) -> Result<Done, Problem> {
    let SignedIn { member, .. } = own(&asked)?;
    let (node, id) = (&control.node, asked.id());
    let now = node.clock.wall();
    match node.members.end(&node.vault, &member.id, id, now).await? {
        true => Ok(Done::new(id, "ended")),
        false => Err(Problem::missing("session", id)),
    }
}
