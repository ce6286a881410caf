//! What an account knows of its users: how many there are, and for how many each condition holds.
//!
//! The conditions under `ANY` and `ALL` are asked of each user where the user is. What the account gets
//! to know are changes: a user came or went, a condition came to hold for a user or no longer does. Which
//! it is for which user the caller keeps, a row for each (account, condition, user), so that a change that
//! comes twice is none; here are the counts that follow from these rows.

use selfsame_event::packed::{Reader, Sink, put_number};

/// For how many of an account's users which condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    users: u64,
    /// By the number of the condition; those that are not there are 0.
    holding: Vec<u64>,
}

impl Tally {
    /// How many users there are.
    pub fn users(&self) -> u64 {
        self.users
    }

    /// A user came, for whom no condition is known to hold.
    pub fn join(&mut self) {
        self.users += 1;
    }

    /// A user went; whatever held for the user has been taken back with [`Self::change`].
    pub fn leave(&mut self) {
        self.users = self.users.saturating_sub(1);
    }

    /// A condition holds for a user, or does not, where it was otherwise before. Says whether an answer
    /// of the account to this condition may be another one.
    pub fn change(&mut self, condition: usize, held: bool, holds: bool) -> bool {
        if held == holds {
            return false;
        }
        if self.holding.len() <= condition {
            self.holding.resize(condition + 1, 0);
        }
        let before = (self.any(condition), self.all(condition));
        if let Some(count) = self.holding.get_mut(condition) {
            *count = if holds { *count + 1 } else { count.saturating_sub(1) };
        }
        before != (self.any(condition), self.all(condition))
    }

    /// Whether the condition holds for one user or more.
    pub fn any(&self, condition: usize) -> bool {
        self.count(condition) > 0
    }

    /// Whether there is a user, and it holds for every one.
    pub fn all(&self, condition: usize) -> bool {
        self.users > 0 && self.count(condition) == self.users
    }

    fn count(&self, condition: usize) -> u64 {
        self.holding.get(condition).copied().unwrap_or(0)
    }

    /// Writes it: the number of users, then a count for each condition.
    pub fn put(&self, out: &mut impl Sink) {
        put_number(out, self.users);
        self.holding.iter().for_each(|count| put_number(out, *count));
    }

    /// Reads what [`Self::put`] wrote, and nothing behind it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let users = reader.number()?;
        let mut holding = Vec::new();
        while reader.left() > 0 {
            holding.push(reader.number()?);
        }
        Some(Self { users, holding })
    }
}
