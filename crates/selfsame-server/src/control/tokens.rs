//! The tokens of the APIs. Only hashes are kept, so a token is shown when it is made and never again.

use selfsame_pipeline::workspace::{Change, Role, Token};

use super::Control;
use super::asked::{Asked, check_name, choose_id};
use super::people::check_rank;
use super::permission::granted;
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::state::Done;
use crate::bootstrap::token_hash;
use crate::chance;

shape! {
    /// A token, without itself.
    pub(crate) struct TokenShown {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
        /// Whether it is no longer accepted.
        revoked: bool,
        /// What it is for.
        role: Role,
        /// What it may do.
        permissions: Vec<String>,
    }

    /// A token to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewToken {
        /// The id; made from the name where it is not given.
        id: Option<String>,
        /// The name for people: what it is for.
        name: String,
        /// What it is for; the role of who makes it where it is not given, and never more than that.
        role: Option<Role>,
    }

    /// A token that was made.
    pub(crate) struct MadeToken {
        /// The token itself, shown this once.
        token: String,
        /// What is known of it from now on.
        made: TokenShown,
    }
}

fn shown(token: &Token) -> TokenShown {
    let permissions = granted(token.role).iter().map(|permission| permission.word().to_owned());
    TokenShown {
        id: token.id.clone(),
        name: token.name.clone(),
        revoked: token.revoked,
        role: token.role,
        permissions: permissions.collect(),
    }
}

/// `GET /api/tokens`
pub(crate) async fn list(control: Control, _: Asked) -> Result<Page<TokenShown>, Problem> {
    let view = control.view()?;
    Ok(view.meta.workspace.tokens.iter().map(shown).collect::<Vec<_>>().into())
}

/// `POST /api/tokens`
pub(crate) async fn create(
    control: Control,
    asked: Asked,
    new: NewToken,
) -> Result<MadeToken, Problem> {
    check_name(&new.name)?;
    let own = asked.caller.who.role();
    let role = new.role.or(own).ok_or_else(Problem::stranger)?;
    check_rank(&asked, role)?;
    let _turn = control.turn().await;
    let view = control.view()?;
    let tokens = &view.meta.workspace.tokens;
    let id = choose_id(new.id, &new.name, |id| tokens.iter().any(|token| token.id == id))?;
    let secret = chance::token("sfs_", 43);
    let token = Token { id, name: new.name, hash: token_hash(&secret), revoked: false, role };
    let made = shown(&token);
    control.change(&Change::AddToken(token)).await?;
    Ok(MadeToken { token: secret, made })
}

/// `DELETE /api/tokens/{id}`
pub(crate) async fn revoke(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let view = control.view()?;
    let (id, tokens) = (asked.id(), &view.meta.workspace.tokens);
    let token = tokens.iter().find(|token| token.id == id);
    let token = token.ok_or_else(|| Problem::missing("token", id))?;
    check_rank(&asked, token.role)?;
    if !token.revoked {
        let mut others = tokens.iter().filter(|other| !other.revoked && other.id != token.id);
        if token.role == Role::Owner && !others.any(|other| other.role == Role::Owner) {
            let message =
                "This is the last token of an owner; programs could not make another one.";
            return Err(Problem::new(Code::Conflict, message));
        }
        control.change(&Change::RevokeToken { id: id.to_owned() }).await?;
    }
    Ok(Done::new(id, "revoked"))
}
