//! `selfsame function-worker`: the process that runs functions for a server that has started it.

use std::process::ExitCode;
use std::sync::Arc;

use selfsame_event::SystemClock;
use selfsame_functions::{PoolConfig, serve};

use crate::urgency;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    work(PoolConfig::default())
}

/// Serves the process that has started this one.
pub(super) fn work(config: PoolConfig) -> anyhow::Result<ExitCode> {
    // It yields to the threads that answer requests, as the fold does.
    urgency::yield_by(urgency::FOLDING);
    #[cfg(target_os = "linux")]
    // A server that was killed leaves nothing behind, whatever runs here just now.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let clock = Arc::new(SystemClock::default());
    serve(std::io::stdin().lock(), std::io::stdout(), config, clock)?;
    Ok(ExitCode::SUCCESS)
}
