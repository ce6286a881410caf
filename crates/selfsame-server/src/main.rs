//! Selfsame: a customer data platform in one program.

mod access;
mod activation;
mod alerts;
mod app;
mod assets;
mod audit;
mod backup;
mod base;
mod bootstrap;
mod catalogue;
mod chance;
mod client;
mod command;
mod computing;
mod connectors;
mod consent;
mod console;
mod control;
mod definition;
mod demo;
mod destination;
mod dev;
mod feed;
mod folder;
mod function;
mod graph_days;
mod health;
mod intake;
mod lines;
mod listen;
mod lists;
mod live;
mod manifests;
mod me;
mod measures;
mod members;
mod node;
mod oauth;
mod observed;
mod pack;
mod preview_job;
mod printable;
mod reach;
#[cfg(test)]
mod reference;
mod retention;
mod rule_job;
mod serve;
mod settings;
mod source_function;
mod tasks;
mod tls;
mod tokens;
mod urgency;
mod vault;
mod whole_file;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = command::Cli::parse();
    match command.run() {
        Ok(code) => code,
        Err(error) => {
            command::complain(&error);
            ExitCode::FAILURE
        }
    }
}
