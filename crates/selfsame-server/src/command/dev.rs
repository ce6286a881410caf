//! `selfsame dev`: a server for people's own tests, as durable as the real one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use toml::Value;

use super::{environment, say, start_logging};
use crate::bootstrap::FirstNames;
use crate::node::Node;
use crate::serve::{Flavour, Greeting, run as run_server};
use crate::settings::Layers;

/// Who may sign in to the console: known to everybody, as everything of this server is.
const OWNER: (&str, &str) = ("dev@example.com", "selfsame-dev");

#[derive(Debug, Args)]
pub(super) struct Dev {
    /// The data folder. Default: a temporary one that goes away.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address to listen on; loopback only.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// A folder of manifests of destinations, beside those of the program.
    #[arg(long, value_name = "DIR")]
    destinations: Option<PathBuf>,
}

impl Dev {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let address: SocketAddr =
            self.listen.parse().with_context(|| format!("`{}` is not an address", self.listen))?;
        anyhow::ensure!(address.ip().is_loopback(), "`selfsame dev` serves this machine only");
        let mut flags = vec![("server.listen", Value::String(self.listen.clone()))];
        let folder = self.destinations.as_ref();
        let folder = folder.map(|folder| Value::String(folder.display().to_string()));
        flags.extend(folder.map(|folder| ("deliver.destinations", folder)));
        let settings = Layers { environment: environment(), flags, file: None }.load()?.settings;
        start_logging("text", "warn");
        let temporary = match self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("selfsame-dev-").tempdir()?),
        };
        let data = match (&self.data, &temporary) {
            (Some(data), _) => data.clone(),
            (None, Some(folder)) => folder.path().join("data"),
            (None, None) => anyhow::bail!("there is no data folder"),
        };
        let flavour = Flavour {
            names: FirstNames::known("dev"),
            allow_loopback: true,
            spare_ports: 0,
            known_owner: Some(OWNER),
            routes: Box::new(|node, _| crate::dev::router(node).merge(crate::console::front())),
            greet: Box::new(greet),
        };
        run_server(&settings, data, flavour)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn greet(_: &Arc<Node>, greeting: &Greeting) -> anyhow::Result<()> {
    say(&format!(
        "selfsame dev is ready at http://{}: space, write key and API token are `dev`\n\
         The console is at {}: sign in as {} with the password {}",
        greeting.address, greeting.console, OWNER.0, OWNER.1
    ))
}
