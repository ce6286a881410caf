//! Who the members are, who is signed in, and which links wait to be used. Pure: time and chance come in
//! through arguments.
//!
//! **Invariants:**
//! - of a session and of a link only the hash is kept;
//! - a session is of a member who is there, and ends with their removal and with a new password;
//! - a link is used once; a newer one for the same member takes its place.

use selfsame_pipeline::workspace::Role;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

const HOUR: i64 = 3_600 * 1_000_000;
/// A session ends after so long without a request.
pub(super) const IDLE: i64 = 12 * HOUR;
/// A session ends so long after it began.
const LONGEST: i64 = 7 * 24 * HOUR;
/// Sessions of one member at once; beyond, the one that was not used for longest ends.
const SESSIONS: usize = 20;
/// How long the link waits that makes the first member.
pub(super) const FIRST_LINK: i64 = 24 * HOUR;
/// How long a link of a member waits.
pub(super) const MEMBER_LINK: i64 = 3 * 24 * HOUR;

/// The id of the owner whom everybody knows.
pub(super) const KNOWN: &str = "mem_known";

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(super) members: Vec<Member>,
    pub(super) sessions: Vec<Session>,
    pub(super) links: Vec<Link>,
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Drawn when the member is made; says nothing of the person.
    pub(crate) id: String,
    /// In lower case.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The password's hash, with its salt and costs; none until the member has chosen one.
    pub(crate) password: Option<String>,
    /// When the member was made, in microseconds.
    pub(crate) created: i64,
    /// When they signed in last.
    pub(crate) signed_in: Option<i64>,
}

/// A member who is signed in somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// What it is called where sessions are listed. Not what proves it.
    pub(crate) id: String,
    pub(crate) member: String,
    /// SHA-256 of what the cookie has, in hex.
    pub(crate) hash: String,
    pub(crate) begun: i64,
    pub(crate) seen: i64,
    /// Where it began.
    pub(crate) address: String,
    /// What browser it began in says of itself.
    pub(crate) agent: String,
}

/// A link that somebody may use once to choose a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) hash: String,
    /// Whose; none for the one that makes the first member.
    pub(crate) member: Option<String>,
    pub(crate) until: i64,
}

/// Why members were not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no such member")]
    NoMember,
    #[error("somebody has this e-mail address already")]
    Taken,
    #[error("this is the last owner; without one nobody could make another")]
    LastOwner,
    #[error("the link was used, has expired, or never was")]
    NoLink,
}

impl Session {
    /// When it ends, if nothing comes any more.
    pub(crate) fn until(&self) -> i64 {
        (self.seen + IDLE).min(self.begun + LONGEST)
    }
}

fn is(hash: &str, other: &str) -> bool {
    hash.as_bytes().ct_eq(other.as_bytes()).into()
}

impl Content {
    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    pub(super) fn by_email(&self, email: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.email == email)
    }

    fn member_mut(&mut self, id: &str) -> Result<&mut Member, Refused> {
        self.members.iter_mut().find(|member| member.id == id).ok_or(Refused::NoMember)
    }

    /// The members, and nothing of sessions and links.
    pub(super) fn members_only(self) -> Self {
        Self { members: self.members, ..Self::default() }
    }

    /// What is written: all but the owner whom everybody knows, who is there again at the next start.
    pub(super) fn kept(&self) -> Self {
        let mut kept = self.clone();
        kept.members.retain(|member| member.id != KNOWN);
        kept
    }

    /// Forgets what has ended.
    pub(super) fn prune(&mut self, now: i64) {
        self.sessions.retain(|session| session.until() > now);
        self.links.retain(|link| link.until > now);
    }

    /// The session that a cookie proves, and whose it is. Looks at every one, however early it is found.
    pub(super) fn session(&self, hash: &str, now: i64) -> Option<(&Session, &Member)> {
        let mut found = None;
        for session in &self.sessions {
            if is(&session.hash, hash) && session.until() > now {
                found = Some(session);
            }
        }
        let session = found?;
        Some((session, self.member(&session.member)?))
    }

    /// Begins a session, in place of the one that the browser had.
    pub(super) fn sign_in(
        &mut self,
        session: Session,
        before: Option<&str>,
    ) -> Result<(), Refused> {
        let member = self.member_mut(&session.member)?;
        member.signed_in = Some(session.begun);
        self.sessions.retain(|known| before != Some(known.id.as_str()));
        let own = |known: &&Session| known.member == session.member;
        while self.sessions.iter().filter(own).count() >= SESSIONS {
            let oldest = self.sessions.iter().filter(own).min_by_key(|known| known.seen);
            let Some(oldest) = oldest.map(|known| known.id.clone()) else { break };
            self.sessions.retain(|known| known.id != oldest);
        }
        self.sessions.push(session);
        Ok(())
    }

    /// Notes that a session is used.
    pub(super) fn touch(&mut self, id: &str, now: i64) {
        if let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) {
            session.seen = session.seen.max(now);
        }
    }

    /// Ends one session of a member. Says whether it was there.
    pub(super) fn end(&mut self, member: &str, id: &str) -> bool {
        let before = self.sessions.len();
        self.sessions.retain(|session| session.id != id || session.member != member);
        self.sessions.len() < before
    }

    /// Ends all sessions of a member but one.
    pub(super) fn end_all(&mut self, member: &str, but: Option<&str>) {
        let stays = |known: &Session| known.member != member || but == Some(known.id.as_str());
        self.sessions.retain(stays);
    }

    pub(super) fn add(&mut self, member: Member) -> Result<(), Refused> {
        if self.by_email(&member.email).is_some() {
            return Err(Refused::Taken);
        }
        self.members.push(member);
        Ok(())
    }

    /// Changes the name and the role of a member, as far as they are given.
    pub(super) fn change(
        &mut self,
        id: &str,
        name: Option<String>,
        role: Option<Role>,
    ) -> Result<Member, Refused> {
        if role.is_some_and(|role| role != Role::Owner) && self.is_last_owner(id) {
            return Err(Refused::LastOwner);
        }
        let member = self.member_mut(id)?;
        if let Some(name) = name {
            member.name = name;
        }
        if let Some(role) = role {
            member.role = role;
        }
        Ok(member.clone())
    }

    /// Removes a member with their sessions and links.
    pub(super) fn remove(&mut self, id: &str) -> Result<(), Refused> {
        if self.member(id).is_none() {
            return Err(Refused::NoMember);
        }
        if self.is_last_owner(id) {
            return Err(Refused::LastOwner);
        }
        self.members.retain(|member| member.id != id);
        self.end_all(id, None);
        self.links.retain(|link| link.member.as_deref() != Some(id));
        Ok(())
    }

    /// Whether the member is the only owner.
    fn is_last_owner(&self, id: &str) -> bool {
        let owners = || self.members.iter().filter(|member| member.role == Role::Owner);
        owners().count() == 1 && owners().any(|owner| owner.id == id)
    }

    /// Gives a member a password, which ends all of their sessions but one, and their links.
    pub(super) fn set_password(
        &mut self,
        id: &str,
        hash: String,
        but: Option<&str>,
    ) -> Result<(), Refused> {
        self.member_mut(id)?.password = Some(hash);
        self.end_all(id, but);
        self.links.retain(|link| link.member.as_deref() != Some(id));
        Ok(())
    }

    /// Keeps a link, in place of an earlier one for the same.
    pub(super) fn offer(&mut self, link: Link) {
        self.links.retain(|known| known.member != link.member);
        self.links.push(link);
    }

    /// The link of that hash, if it still waits. The one for the first member waits only while there is
    /// none.
    pub(super) fn link(&self, hash: &str, now: i64) -> Option<&Link> {
        let mut found = None;
        for link in &self.links {
            if is(&link.hash, hash) && link.until > now {
                found = Some(link);
            }
        }
        found.filter(|link| link.member.is_some() || self.members.is_empty())
    }

    /// Uses a link up.
    pub(super) fn take_link(&mut self, hash: &str, now: i64) -> Result<Link, Refused> {
        let link = self.link(hash, now).cloned().ok_or(Refused::NoLink)?;
        self.links.retain(|known| known.hash != link.hash);
        Ok(link)
    }
}
