//! Members: the people who may sign in to the console.
//!
//! **Invariant:** nobody gives another, or takes from them, more than they have themselves; only an owner
//! makes, changes and removes owners.

use selfsame_event::Time;
use selfsame_pipeline::workspace::Role;

use super::Control;
use super::asked::{Asked, check_name};
use super::permission::covers;
use super::problem::{Code, Problem};
use super::session::read_email;
use super::shape::{Page, shape};
use super::state::Done;
use crate::members::{Member, Offered};

/// How many members there may be.
const MOST: usize = 1_000;

shape! {
    /// A member.
    pub(crate) struct MemberShown {
        /// The id.
        id: String,
        /// The e-mail address.
        email: String,
        /// The name.
        name: String,
        /// What the member is for.
        role: Role,
        /// Whether a password was chosen.
        has_password: bool,
        /// When the member was added.
        created: String,
        /// When the member signed in last.
        signed_in: Option<String>,
        /// In how many places the member is signed in.
        sessions: u64,
    }

    /// A member to be added.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewMember {
        /// The e-mail address.
        email: String,
        /// The name.
        name: String,
        /// What the member is for.
        role: Role,
    }

    /// What is to change; what is not given stays.
    #[serde(deny_unknown_fields)]
    pub(crate) struct MemberChange {
        /// The name.
        name: Option<String>,
        /// What the member is for.
        role: Option<Role>,
    }

    /// A link to choose a password.
    pub(crate) struct MemberLink {
        /// Whose.
        member: MemberShown,
        /// The link, shown this once. Whoever has it first chooses the password.
        link: String,
        /// Until when it waits.
        until: String,
    }
}

fn shown((member, sessions): (Member, usize)) -> MemberShown {
    let time = |micros| Time::from_micros(micros).to_string();
    MemberShown {
        id: member.id,
        email: member.email,
        name: member.name,
        role: member.role,
        has_password: member.password.is_some(),
        created: time(member.created),
        signed_in: member.signed_in.map(time),
        sessions: u64::try_from(sessions).unwrap_or(u64::MAX),
    }
}

/// Refuses what concerns a role that is above that of who asks.
pub(crate) fn check_rank(asked: &Asked, role: Role) -> Result<(), Problem> {
    if asked.caller.who.role().is_some_and(|own| covers(own, role)) {
        return Ok(());
    }
    let message = match role {
        Role::Owner => "Only an owner makes, changes and removes owners.".to_owned(),
        role => format!("Only who may do as much makes, changes and removes a {}.", role.word()),
    };
    Err(Problem::new(Code::Forbidden, message))
}

fn find(control: &Control, asked: &Asked) -> Result<Member, Problem> {
    let member = control.node.members.member(asked.id());
    let member = member.ok_or_else(|| Problem::missing("member", asked.id()))?;
    check_rank(asked, member.role)?;
    Ok(member)
}

/// `GET /api/members`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<MemberShown>, Problem> {
    let all = control.node.members.all(control.node.clock.wall());
    Ok(all.into_iter().map(shown).collect::<Vec<_>>().into())
}

fn linked(asked: &Asked, member: Member, offered: &Offered) -> MemberLink {
    MemberLink {
        member: shown((member, 0)),
        link: format!("{}/console/welcome#{}", asked.caller.base, offered.token),
        until: Time::from_micros(offered.until).to_string(),
    }
}

/// `POST /api/members`
pub(crate) async fn add(
    control: Control,
    asked: Asked,
    new: NewMember,
) -> Result<MemberLink, Problem> {
    check_name(&new.name)?;
    let email = read_email(&new.email)?;
    check_rank(&asked, new.role)?;
    let node = &control.node;
    let now = node.clock.wall();
    if node.members.all(now).len() >= MOST {
        return Err(Problem::new(Code::Conflict, format!("There are {MOST} members already.")));
    }
    let added = node.members.add(&node.vault, &email, &new.name, new.role, now).await?;
    let (member, offered) = added?;
    Ok(linked(&asked, member, &offered))
}

/// `PATCH /api/members/{id}`
pub(crate) async fn update(
    control: Control,
    asked: Asked,
    change: MemberChange,
) -> Result<MemberShown, Problem> {
    find(&control, &asked)?;
    if let Some(name) = &change.name {
        check_name(name)?;
    }
    if let Some(role) = change.role {
        check_rank(&asked, role)?;
    }
    let node = &control.node;
    let now = node.clock.wall();
    let wanted = (change.name, change.role);
    let member = node.members.set(&node.vault, asked.id(), wanted, now).await??;
    let sessions = node.members.sessions(&member.id, now).len();
    Ok(shown((member, sessions)))
}

/// `DELETE /api/members/{id}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    find(&control, &asked)?;
    let node = &control.node;
    node.members.remove(&node.vault, asked.id(), node.clock.wall()).await??;
    Ok(Done::new(asked.id(), "removed"))
}

/// `POST /api/members/{id}/link`
pub(crate) async fn link(control: Control, asked: Asked) -> Result<MemberLink, Problem> {
    let member = find(&control, &asked)?;
    let node = &control.node;
    let offered = node.members.offer(&node.vault, Some(&member.id), node.clock.wall()).await?;
    let (_, offered) = offered?;
    Ok(linked(&asked, member, &offered))
}

/// `DELETE /api/members/{id}/sessions`
pub(crate) async fn end_sessions(control: Control, asked: Asked) -> Result<Done, Problem> {
    find(&control, &asked)?;
    let node = &control.node;
    node.members.end_all(&node.vault, asked.id(), node.clock.wall()).await??;
    Ok(Done::new(asked.id(), "signed out"))
}
