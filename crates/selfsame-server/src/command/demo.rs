//! `selfsame demo`: a shop, made-up shoppers, and what becomes of their events.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use toml::Value;

use super::{say, start_logging};
use crate::demo::{self, Stay};
use crate::serve::{Flavour, run as run_server};
use crate::settings::Layers;

/// How many ports beyond a taken one are tried.
const SPARE_PORTS: u16 = 50;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The data folder. Default: a temporary one that goes away.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address to listen on; loopback only. A taken port moves on to the next.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Events a second of made-up shoppers.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=5_000))]
    rate: u32,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let address: SocketAddr =
            self.listen.parse().with_context(|| format!("`{}` is not an address", self.listen))?;
        anyhow::ensure!(
            address.ip().is_loopback(),
            "`selfsame demo` serves this machine only, such as --listen 127.0.0.1:8080"
        );
        let flags = vec![("server.listen", Value::String(self.listen.clone()))];
        let settings = Layers { flags, ..Layers::default() }.load()?.settings;
        start_logging("text", "warn");
        let temporary = match self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("selfsame-demo-").tempdir()?),
        };
        let data = match (&self.data, &temporary) {
            (Some(data), _) => data.clone(),
            (None, Some(folder)) => folder.path().join("data"),
            (None, None) => anyhow::bail!("there is no data folder"),
        };
        let stay = Stay { folder: data.clone(), is_kept: temporary.is_none() };
        let this = Arc::new(demo::Demo::new(self.rate));
        let routed = Arc::clone(&this);
        let flavour = Flavour {
            names: demo::Demo::names(),
            allow_loopback: true,
            spare_ports: SPARE_PORTS,
            known_owner: Some(demo::OWNER),
            routes: Box::new(move |node, tasks| demo::router(&routed, node, tasks)),
            greet: Box::new(move |node, greeting| demo::start(&this, node, greeting, stay)),
        };
        run_server(&settings, data, flavour)?;
        if let Some(temporary) = temporary {
            temporary.close().context("the temporary data could not be removed")?;
            say("The demo has stopped, and its data is gone.")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
