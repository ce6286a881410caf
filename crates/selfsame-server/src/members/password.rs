//! Passwords: what they may be, and their hashes by Argon2id.
//!
//! The costs are the first that OWASP's Password Storage Cheat Sheet names: 19 MiB, two passes, one lane
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>). Not more than two
//! are computed at once, so that guessing costs the guesser time and the server no memory.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::chance;

/// KiB of memory, passes, lanes.
const COSTS: (u32, u32, u32) = (19_456, 2, 1);
/// Those of a password that everybody knows: there is nothing to guess.
const KNOWN: (u32, u32, u32) = (8, 1, 1);
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=200;
/// The longest password that is looked at.
const LOOKED_AT: usize = 1_024;
/// What is compared with where there is no member or no password: of nothing, with the same costs.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$hs0dZ2nVnZ9kU5bE0pGIqk0dRzBa3Yp0Z0rN1Jb1m2A";

/// Computes hashes, a few at once. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Passwords(Arc<Semaphore>);

/// Too many wait for a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// What is wrong with a password, if anything is.
pub(crate) fn wrong(password: &str, email: &str) -> Option<&'static str> {
    if !LENGTHS.contains(&password.chars().count()) {
        return Some("A password has 12 to 200 characters.");
    }
    let same = password.trim().eq_ignore_ascii_case(email);
    same.then_some("The password is the e-mail address.")
}

fn argon2((memory, passes, lanes): (u32, u32, u32)) -> Argon2<'static> {
    let params = Params::new(memory, passes, lanes, None).expect("the costs are within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hashed(password: &str, costs: (u32, u32, u32)) -> String {
    let salt = SaltString::encode_b64(&chance::bytes::<16>()).expect("16 bytes are a salt");
    let hash = argon2(costs).hash_password(password.as_bytes(), &salt);
    hash.expect("a password of any length has a hash").to_string()
}

/// The hash of a password that is printed where everybody can read it.
pub(crate) fn hash_of_known(password: &str) -> String {
    hashed(password, KNOWN)
}

impl Passwords {
    /// The hash of a password, with a salt of its own.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Busy> {
        self.compute(move || hashed(&password, COSTS)).await
    }

    /// Whether it is the password of that hash. Takes as long where there is no hash.
    pub(crate) async fn is(&self, password: String, hash: Option<String>) -> Result<bool, Busy> {
        self.compute(move || {
            let text = hash.as_deref().unwrap_or(NOBODY);
            let Ok(parsed) = PasswordHash::new(text) else { return false };
            let same = password.len() <= LOOKED_AT
                && argon2(COSTS).verify_password(password.as_bytes(), &parsed).is_ok();
            same && hash.is_some()
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let permit = Arc::clone(&self.0).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, permit).await;
        let permit = permit.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let working = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        working.await.map_err(|_| Busy)
    }
}
