//! Measures and tortures the real binary from outside.
//!
//! It speaks to the server as a client does, over HTTP on loopback addresses, and to its process as
//! an operator does: it starts it, kills it, reads what the system says of it. It links none of the
//! server's code but the words of `selfsame-event`, so that nothing it finds right is right by its
//! own doing. For development only, not shipped.

mod accounting;
mod backlog;
mod bare;
mod child;
mod control;
mod definitions;
mod deliveries;
mod fleet;
mod generate;
mod histogram;
mod http;
mod identity;
mod listen;
mod load;
mod print;
mod profile_api;
mod random;
mod read;
mod scrape;
mod shop;
mod sink;
mod soak;
mod table;
mod torture;
mod trace_sync;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Measures and tortures the real binary from outside.
#[derive(Debug, Parser)]
#[command(name = "selfsame-harness", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the least a collector can do: append, sync, answer.
    Bare(bare::Bare),
    /// Send events to a server on a loopback address and measure its answers.
    Load(load::command::Load),
    /// Measure the binary beside the bare server and print one table.
    Table(table::Table),
    /// Kill the binary again and again, and check that every acknowledged event counts once.
    Torture(torture::Torture),
    /// Check with strace that no answer leaves before its event is synced.
    TraceSync(trace_sync::TraceSync),
    /// Undo merges, try rules out and publish them, and measure what that takes.
    Identity(identity::Identity),
    /// Compute traits and audiences of a realistic shop, and measure what that takes.
    Definitions(definitions::Definitions),
    /// Write a realistic shop to files, which `cargo bench --bench shop` of the pipeline folds.
    Shop(shop::written::Written),
    /// Measure deliveries a second to receivers on this machine.
    Deliveries(deliveries::Deliveries),
    /// Deliver to hundreds of receivers, some dead, slow or failing, and see what the others notice.
    Fleet(fleet::Fleet),
    /// Hold half of the highest load for minutes and watch the memory.
    Soak(soak::Soak),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print::problem(&error);
            ExitCode::from(2)
        }
    }
}

/// Whether what was asked held. When this program is asked to end, its servers and folders end first.
fn run(command: Command) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = asked(command) => outcome,
            _ = terminated.recv() => bail!("asked to end"),
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                bail!("interrupted")
            }
        }
    })
}

async fn asked(command: Command) -> Result<bool> {
    match command {
        Command::Bare(bare) => bare.run().await.map(|()| true),
        Command::Load(load) => load.run().await,
        Command::Table(table) => table.run().await,
        Command::Torture(torture) => torture.run().await,
        Command::TraceSync(trace) => trace.run().await,
        Command::Identity(identity) => identity.run().await,
        Command::Definitions(definitions) => definitions.run().await,
        Command::Shop(shop) => shop.run().map(|()| true),
        Command::Deliveries(deliveries) => deliveries.run().await,
        Command::Fleet(fleet) => fleet.run().await,
        Command::Soak(soak) => soak.run().await,
    }
}
