//! `selfsame serve`: the real server.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;

use super::{Common, say, start_logging};
use crate::bootstrap::FirstNames;
use crate::node::Node;
use crate::serve::{Flavour, Greeting, run as run_server};

pub(super) fn run(common: &Common) -> anyhow::Result<ExitCode> {
    let settings = common.load()?.settings;
    start_logging(&settings.server.log_format, "info");
    let flavour = Flavour {
        names: FirstNames::drawn(),
        allow_loopback: false,
        spare_ports: 0,
        routes: Box::new(|_, _| Router::new()),
        greet: Box::new(greet),
    };
    run_server(&settings, settings.server.data.clone(), flavour)?;
    Ok(ExitCode::SUCCESS)
}

/// The first start prints the secrets, once.
fn greet(node: &Arc<Node>, greeting: &Greeting) -> anyhow::Result<()> {
    if !greeting.is_new {
        return Ok(());
    }
    let Greeting { address, names, secure, .. } = greeting;
    let scheme = if *secure { "https" } else { "http" };
    let FirstNames { space, write_key, token, .. } = names;
    let base = format!("{scheme}://{address}");
    let key = node.vault.file().display();
    say(&format!(
        "A new workspace was made. Its secrets are shown this once:\n\
         \x20 write key  {write_key}\n\
         \x20 API token  {token}\n\
         What seals secrets is {key}: keep a copy of it apart from backups.\n\
         Send an event:\n\
         \x20 curl {base}/v1/identify -u {write_key}: -d '{{\"userId\":\"ada\",\"traits\":{{\"email\":\"ada@example.com\"}}}}'\n\
         Read it back:\n\
         \x20 curl -u {token}: {base}/v1/spaces/{space}/collections/users/profiles/user_id:ada/traits"
    ))
}
