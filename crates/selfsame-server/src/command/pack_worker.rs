//! `selfsame pack-worker`: the process that runs programs of the actions pack for a server that has started it.

use std::process::ExitCode;

use selfsame_pack::worker;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    super::function_worker::work(worker())
}
