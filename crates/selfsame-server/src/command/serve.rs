//! `selfsame serve`: the real server.

use std::process::ExitCode;
use std::sync::Arc;

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
        known_owner: None,
        routes: Box::new(|_, _| crate::console::front()),
        greet: Box::new(greet),
    };
    run_server(&settings, settings.server.data.clone(), flavour)?;
    Ok(ExitCode::SUCCESS)
}

/// Every start says where the console is, and prints the link for the first member as long as there is none;
/// the first start prints the secrets, once.
fn greet(node: &Arc<Node>, greeting: &Greeting) -> anyhow::Result<()> {
    if greeting.is_new {
        welcome(node, greeting)?;
    }
    say(&format!("The console is at {}", greeting.console))?;
    let Some(token) = &greeting.first_link else { return Ok(()) };
    say(&format!(
        "It has no member yet. This link makes the first one, once, within 24 hours:\n\
         \x20 {}welcome#{token}",
        greeting.console
    ))
}

fn welcome(node: &Arc<Node>, greeting: &Greeting) -> anyhow::Result<()> {
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
