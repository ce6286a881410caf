//! Whether the secrets of a data folder can be opened.

use super::Node;
use crate::vault::Purpose;

impl Node {
    /// Makes the key that seals secrets, unless there are secrets that another key has to open. Those
    /// stop the start, unless it may go on without them.
    pub(crate) fn unlock(&self, may_be_locked: bool) -> anyhow::Result<()> {
        let Some(view) = self.view() else { return Ok(()) };
        let mut locked = self.vault.locked(&view.meta.workspace);
        locked.extend(self.members.locked().map(|why| (Purpose::Members.to_string(), why)));
        if !locked.is_empty() && !may_be_locked {
            let all: Vec<_> =
                locked.iter().map(|(whose, why)| format!("the secret of {whose}: {why}")).collect();
            anyhow::bail!(
                "{}. Put the key file that these secrets were sealed with at {} (or name it with \
                 server.key_file), or start with server.start_locked = true and give new secrets",
                all.join("; "),
                self.vault.file().display()
            );
        }
        for (whose, why) in locked {
            tracing::error!(secret = %whose, error = %why, "a secret cannot be opened");
        }
        self.members.put_aside()?;
        if self.vault.is_exposed() {
            let file = self.vault.file().display();
            tracing::warn!(%file, "others than this user can read the key file");
        }
        Ok(self.vault.ensure_key()?)
    }
}
