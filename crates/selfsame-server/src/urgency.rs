//! Which threads may wait: those that answer requests go first.
//!
//! On Linux every thread has a nice value of its own, and hands it to the threads that it starts.
//! The threads that answer requests and the one that commits to the log keep theirs; folding yields
//! to them, and upkeep (checkpoints, the store's own threads, sealing) yields to both. A nice value
//! is a weight and no ban: with all processors busy, a thread of [`FOLDING`] still gets a third, one
//! of [`UPKEEP`] a ninth, of what a thread that answers requests gets. So profiles are read as fresh
//! as before on a server that is not overloaded, and on one that is, the fold falls behind by what
//! is acknowledged meanwhile and no event is refused for it.
//!
//! Elsewhere nothing is changed: there, a nice value is the whole program's.

/// Of the thread that folds events into profiles.
pub(crate) const FOLDING: i32 = 5;
/// Of threads whose work nobody waits for.
pub(crate) const UPKEEP: i32 = 10;
/// Of threads that go over the whole history, while events come in.
pub(crate) const HISTORY: i32 = 15;

/// Gives this thread, and those that it starts, a nice value.
pub(crate) fn yield_by(nice: i32) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::warn!(error = %error, nice, "a thread could not be made less urgent");
    }
    #[cfg(not(target_os = "linux"))]
    let _nice = nice;
}

#[cfg(test)]
mod tests;
