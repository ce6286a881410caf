//! Members: the people who may sign in to the console, and their sessions.
//!
//! They are a file of the data folder ([`file`]) and no records of the log: what is written to the log stays
//! in it, and a password's hash and an e-mail address have to go when the member goes.
//!
//! **Invariants:**
//! - what is answered is on disk before: nothing is seen of a change that is not;
//! - neither a password nor what proves a session or a link is kept, only hashes;
//! - an answer to a wrong password does not say whether there is such a member, nor does how long it takes.

mod attempts;
mod content;
mod file;
mod password;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use selfsame_event::Time;
use selfsame_pipeline::workspace::Role;

pub(crate) use self::content::{Content, Link, Member, Refused, Session};
pub(crate) use self::file::{MembersError, for_backup};
pub(crate) use self::password::{Busy, wrong as wrong_password};
use self::password::{Passwords, hash_of_known};

use self::attempts::{Attempts, Counted};
use self::content::{FIRST_LINK, KNOWN, MEMBER_LINK};
use crate::bootstrap::token_hash;
use crate::chance;
use crate::vault::{Locked, Vault};

/// When what was seen of a session is written again.
const SEEN_EVERY: i64 = 600 * 1_000_000;
/// How much of what a browser says of itself is kept.
const AGENT: usize = 200;

/// The members of a data folder.
#[derive(Debug)]
pub(crate) struct Members {
    file: PathBuf,
    content: RwLock<Content>,
    /// Why the file cannot be opened.
    locked: Mutex<Option<Locked>>,
    /// Whoever changes members has it until the change is on disk.
    writing: tokio::sync::Mutex<()>,
    attempts: Mutex<Attempts>,
    pub(crate) passwords: Passwords,
}

/// Where a session begins.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
}

/// A member who has a session.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) member: Member,
}

/// What somebody chose with a link.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The e-mail address and the name of the first member; others have them.
    pub(crate) first: Option<(String, String)>,
    /// The password's hash.
    pub(crate) hash: String,
}

/// An attempt to sign in that has begun.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt(Vec<Counted>);

impl Members {
    /// The members of a data folder, as they were left.
    pub(crate) fn open(file: PathBuf, vault: &Vault) -> Result<Self, MembersError> {
        let (content, locked) = match file::read(&file, vault)? {
            Ok(content) => (content, None),
            Err(why) => (Content::default(), Some(why)),
        };
        Ok(Self {
            file,
            content: RwLock::new(content),
            locked: Mutex::new(locked),
            writing: tokio::sync::Mutex::default(),
            attempts: Mutex::default(),
            passwords: Passwords::default(),
        })
    }

    /// Why they cannot be opened, if so.
    pub(crate) fn locked(&self) -> Option<Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on without members that cannot be opened; their file stays under another name.
    pub(crate) fn put_aside(&self) -> Result<(), MembersError> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.take().is_some() {
            let failed = |source| MembersError::Io { file: self.file.clone(), source };
            std::fs::rename(&self.file, self.file.with_extension("json.locked")).map_err(failed)?;
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change, and shows it once it is on disk.
    async fn change<T>(
        &self,
        vault: &Vault,
        now: Time,
        change: impl FnOnce(&mut Content) -> Result<T, Refused> + Send,
    ) -> Result<Result<T, Refused>, MembersError> {
        let _turn = self.writing.lock().await;
        let mut next = self.read().clone();
        next.prune(now.micros());
        let done = match change(&mut next) {
            Ok(done) => done,
            Err(refused) => return Ok(Err(refused)),
        };
        let (sealed, path) = (file::sealed(&next, vault)?, self.file.clone());
        let writing = tokio::task::spawn_blocking(move || file::write(&path, &sealed));
        writing.await.unwrap_or_else(|_| Err(MembersError::stopped(&self.file)))?;
        *self.content.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(Ok(done))
    }

    /// Everybody, in the order in which they were added, each with how many sessions they have.
    pub(crate) fn all(&self, now: Time) -> Vec<(Member, usize)> {
        let content = self.read();
        let sessions = |member: &Member| {
            let own = content.sessions.iter().filter(|session| session.member == member.id);
            own.filter(|session| session.until() > now.micros()).count()
        };
        content.members.iter().map(|member| (member.clone(), sessions(member))).collect()
    }

    /// Whether there is anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.read().members.is_empty()
    }

    /// The member of an id.
    pub(crate) fn member(&self, id: &str) -> Option<Member> {
        self.read().member(id).cloned()
    }

    /// The sessions of a member.
    pub(crate) fn sessions(&self, member: &str, now: Time) -> Vec<Session> {
        let content = self.read();
        let own = content.sessions.iter().filter(|session| session.member == member);
        own.filter(|session| session.until() > now.micros()).cloned().collect()
    }

    /// Who has the session of a cookie.
    pub(crate) fn signed_in(&self, cookie: &str, now: Time) -> Option<SignedIn> {
        let content = self.read();
        let (session, member) = content.session(&token_hash(cookie), now.micros())?;
        Some(SignedIn { session: session.clone(), member: member.clone() })
    }

    /// Notes that a session is used; on disk only now and then.
    pub(crate) async fn touch(
        &self,
        vault: &Vault,
        session: &Session,
        now: Time,
    ) -> Result<(), MembersError> {
        if now.micros() - session.seen < SEEN_EVERY {
            return Ok(());
        }
        let id = session.id.clone();
        let touched = self.change(vault, now, |content| {
            content.touch(&id, now.micros());
            Ok(())
        });
        touched.await.map(|_| ())
    }

    /// Begins an attempt to sign in, or says how many seconds to wait. An account is limited whether or not
    /// it exists.
    pub(crate) fn attempt(
        &self,
        email: Option<&str>,
        address: IpAddr,
        now: u64,
    ) -> Result<Attempt, u64> {
        let mut who = vec![Counted::address(address)];
        who.extend(email.map(|email| Counted::Account(email.to_owned())));
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.begin(&who, now).map(|()| Attempt(who))
    }

    /// The attempt succeeded.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).succeeded(&attempt.0);
    }

    /// The member with that address, in lower case.
    pub(crate) fn by_email(&self, email: &str) -> Option<Member> {
        self.read().by_email(email).cloned()
    }

    /// Signs a member in: what the cookie has, and the session.
    pub(crate) async fn sign_in(
        &self,
        vault: &Vault,
        member: &str,
        place: &Place,
        before: Option<&str>,
        now: Time,
    ) -> Result<Result<(String, SignedIn), Refused>, MembersError> {
        let (cookie, session) = begun(member, place, now);
        let (id, before) = (member.to_owned(), before.map(str::to_owned));
        let begun = session.clone();
        let done = self.change(vault, now, move |content| {
            content.sign_in(begun, before.as_deref())?;
            content.member(&id).cloned().ok_or(Refused::NoMember)
        });
        Ok(done.await?.map(|member| (cookie, SignedIn { session, member })))
    }

    /// Ends a session of a member. Says whether it was there.
    pub(crate) async fn end(
        &self,
        vault: &Vault,
        member: &str,
        id: &str,
        now: Time,
    ) -> Result<bool, MembersError> {
        let done = self.change(vault, now, |content| Ok(content.end(member, id)));
        done.await.map(|done| done.unwrap_or(false))
    }

    /// Ends all sessions of a member.
    pub(crate) async fn end_all(
        &self,
        vault: &Vault,
        member: &str,
        now: Time,
    ) -> Result<Result<(), Refused>, MembersError> {
        let end = |content: &mut Content| {
            content.member(member).ok_or(Refused::NoMember)?;
            content.end_all(member, None);
            Ok(())
        };
        self.change(vault, now, end).await
    }

    /// Adds a member without a password, with the link to choose one.
    pub(crate) async fn add(
        &self,
        vault: &Vault,
        email: &str,
        name: &str,
        role: Role,
        now: Time,
    ) -> Result<Result<(Member, Offered), Refused>, MembersError> {
        let member = made(email, name, role, now);
        let (token, link) = drawn_link(Some(&member.id), MEMBER_LINK, now);
        let until = link.until;
        let done = self.change(vault, now, move |content| {
            content.add(member.clone())?;
            content.offer(link);
            Ok(member)
        });
        Ok(done.await?.map(|member| (member, Offered { token, until })))
    }

    /// Has the owner whom everybody knows, of servers for tests, until the process ends.
    pub(crate) fn add_known(&self, (email, password): (&str, &str), now: Time) {
        let known = Member {
            id: KNOWN.to_owned(),
            password: Some(hash_of_known(password)),
            ..made(email, "Known to everybody", Role::Owner, now)
        };
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been added by that address.
        if content.by_email(&known.email).is_none() {
            content.members.push(known);
        }
    }

    /// A new link: of a member, or, while there is none, for the first one.
    pub(crate) async fn offer(
        &self,
        vault: &Vault,
        member: Option<&str>,
        now: Time,
    ) -> Result<Result<(Option<Member>, Offered), Refused>, MembersError> {
        let patience = if member.is_some() { MEMBER_LINK } else { FIRST_LINK };
        let (token, link) = drawn_link(member, patience, now);
        let until = link.until;
        let done = self.change(vault, now, move |content| {
            let whose = match &link.member {
                Some(id) => Some(content.member(id).cloned().ok_or(Refused::NoMember)?),
                None => None,
            };
            content.offer(link);
            Ok(whose)
        });
        Ok(done.await?.map(|member| (member, Offered { token, until })))
    }

    /// What a link is for, and whose.
    pub(crate) fn link(&self, token: &str, now: Time) -> Option<(Link, Option<Member>)> {
        let content = self.read();
        let link = content.link(&token_hash(token), now.micros())?.clone();
        let member = link.member.as_deref().and_then(|id| content.member(id)).cloned();
        Some((link, member))
    }

    /// Uses a link: its member, or the first one, has that password and is signed in.
    pub(crate) async fn use_link(
        &self,
        vault: &Vault,
        token: &str,
        Chosen { first, hash }: Chosen,
        place: &Place,
        now: Time,
    ) -> Result<Result<(String, SignedIn), Refused>, MembersError> {
        let used = token_hash(token);
        let change = move |content: &mut Content| {
            let link = content.take_link(&used, now.micros())?;
            let id = match (link.member, first) {
                (Some(id), _) => id,
                (None, Some((email, name))) => {
                    let member = made(&email, &name, Role::Owner, now);
                    let id = member.id.clone();
                    content.add(member)?;
                    id
                }
                (None, None) => return Err(Refused::NoLink),
            };
            content.set_password(&id, hash, None)?;
            let (cookie, session) = begun(&id, place, now);
            content.sign_in(session.clone(), None)?;
            let member = content.member(&id).cloned().ok_or(Refused::NoMember)?;
            Ok((cookie, SignedIn { session, member }))
        };
        self.change(vault, now, change).await
    }

    /// Changes the name and the role of a member, as far as they are given.
    pub(crate) async fn set(
        &self,
        vault: &Vault,
        id: &str,
        (name, role): (Option<String>, Option<Role>),
        now: Time,
    ) -> Result<Result<Member, Refused>, MembersError> {
        self.change(vault, now, |content| content.change(id, name, role)).await
    }

    /// Removes a member with all of their sessions.
    pub(crate) async fn remove(
        &self,
        vault: &Vault,
        id: &str,
        now: Time,
    ) -> Result<Result<(), Refused>, MembersError> {
        self.change(vault, now, |content| content.remove(id)).await
    }

    /// Gives a member another password; of their sessions only this one stays.
    pub(crate) async fn set_password(
        &self,
        vault: &Vault,
        id: &str,
        hash: String,
        session: &str,
        now: Time,
    ) -> Result<Result<(), Refused>, MembersError> {
        let change = |content: &mut Content| content.set_password(id, hash, Some(session));
        self.change(vault, now, change).await
    }
}

/// A link that was drawn: shown once.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) token: String,
    pub(crate) until: i64,
}

fn made(email: &str, name: &str, role: Role, now: Time) -> Member {
    Member {
        id: chance::token("mem_", 16),
        email: email.to_owned(),
        name: name.to_owned(),
        role,
        password: None,
        created: now.micros(),
        signed_in: None,
    }
}

fn drawn_link(member: Option<&str>, patience: i64, now: Time) -> (String, Link) {
    let token = chance::token("sfl_", 43);
    let hash = token_hash(&token);
    let link = Link { hash, member: member.map(str::to_owned), until: now.micros() + patience };
    (token, link)
}

/// What the cookie has, and the session.
fn begun(member: &str, place: &Place, now: Time) -> (String, Session) {
    let cookie = chance::token("", 43);
    let agent = place.agent.chars().filter(|letter| !letter.is_control()).take(AGENT);
    let session = Session {
        id: chance::token("ses_", 16),
        member: member.to_owned(),
        hash: token_hash(&cookie),
        begun: now.micros(),
        seen: now.micros(),
        address: place.address.to_string(),
        agent: agent.collect(),
    };
    (cookie, session)
}

#[cfg(test)]
mod tests;
