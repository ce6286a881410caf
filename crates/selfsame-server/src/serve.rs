//! Runs a server from its settings to its end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use metrics_exporter_prometheus::PrometheusBuilder;
use selfsame_collect::{Collector, Scripts};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::access::Access;
use crate::app::{App, Ready};
use crate::bootstrap::{self, FirstNames};
use crate::health::{self, Health};
use crate::intake::LogIntake;
use crate::listen::{self, Door, ListenConfig};
use crate::node::{Node, NodeConfig};
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::tls::Certificates;
use crate::tokens::Tokens;

/// Makes the routes of a flavour.
pub(crate) type Routes = Box<dyn FnOnce(&Arc<Node>, &Tasks) -> Router>;

/// Says that a server is ready, and starts what a flavour does beside serving.
pub(crate) type Greet = Box<dyn FnOnce(&Arc<Node>, &Greeting) -> anyhow::Result<()>>;

/// What a server is besides its settings.
pub(crate) struct Flavour {
    /// The names of a new workspace.
    pub(crate) names: FirstNames,
    /// Whether destinations may be on this machine.
    pub(crate) allow_loopback: bool,
    /// How many ports beyond a taken one are tried.
    pub(crate) spare_ports: u16,
    /// The e-mail address and the password of an owner whom everybody knows; a real server has none.
    pub(crate) known_owner: Option<(&'static str, &'static str)>,
    /// Routes of its own.
    pub(crate) routes: Routes,
    /// What is said and done once it is ready.
    pub(crate) greet: Greet,
}

/// What there is to say about a server that is ready.
#[derive(Debug, Clone)]
pub(crate) struct Greeting {
    pub(crate) address: SocketAddr,
    pub(crate) moved_from: Option<SocketAddr>,
    pub(crate) names: FirstNames,
    pub(crate) is_new: bool,
    pub(crate) secure: bool,
    /// Where the console is.
    pub(crate) console: String,
    /// What follows in the link that makes the first member, as long as there is none.
    pub(crate) first_link: Option<String>,
    pub(crate) tasks: Tasks,
}

/// Runs the server until it is told to stop.
pub(crate) fn run(settings: &Settings, data: PathBuf, flavour: Flavour) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("the TLS library was set up twice"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve(settings, data, flavour));
    runtime.shutdown_timeout(Duration::from_secs(2));
    result
}

async fn serve(settings: &Settings, data: PathBuf, flavour: Flavour) -> anyhow::Result<()> {
    let server = &settings.server;
    let certificates = certificates(settings)?;
    let (listener, moved_from) = bind(&server.listen, flavour.spare_ports).await?;
    let address = listener.local_addr()?;
    check_exposure(&address, certificates.is_some() || server.plain_http)?;
    let control = match server.control_listen.as_str() {
        "" => None,
        text => {
            let (listener, _) = bind(text, 0).await?;
            check_exposure(&listener.local_addr()?, certificates.is_some() || server.plain_http)?;
            Some(listener)
        }
    };
    let recorder = PrometheusBuilder::new().install_recorder()?;
    crate::measures::describe();
    let (tasks, app) = (Tasks::new(), Arc::new(App::default()));
    let has_control = control.is_some();
    let metrics_at = match &control {
        Some(listener) => listener.local_addr()?,
        None => address,
    };
    let doors = [(Some(listener), Door::Main), (control, Door::Control)];
    open_doors(doors, settings, certificates.as_ref(), &app, &tasks);
    let config = NodeConfig::of(settings, flavour.allow_loopback);
    let node = Node::start(&data, config, &tasks).await?;
    anyhow::ensure!(node.folded(node.shared.configured()).await, "the engine stopped at the start");
    let is_new = bootstrap::first_start(&node, &flavour.names).await?;
    node.unlock(settings.server.start_locked)?;
    node.functions.is_caught_up();
    node.load_configuration();
    let collector = Arc::new(Collector::new(
        settings.collect.config()?,
        Arc::clone(&node.keys),
        LogIntake(Arc::clone(&node.log)),
        Arc::clone(&node.clock),
        scripts(),
    ));
    let first_link = first_member(&node, flavour.known_owner).await?;
    let tokens = Tokens(Arc::clone(&node.shared));
    let access = Access::new(&node, &tokens, settings.collect.config()?);
    let health = Health {
        node: Arc::clone(&node),
        metrics: recorder,
        tokens: tokens.clone(),
        is_local: metrics_at.ip().is_loopback(),
    };
    let public = health::router(health.clone())
        .merge(crate::me::router(&node, settings.collect.config()?))
        .merge(crate::oauth::router(&node, &settings.collect, certificates.is_some()))
        .merge(crate::source_function::router(&node, &collector))
        .merge((flavour.routes)(&node, &tasks));
    let control = control_side(&node, &access, health, &tasks);
    let main = match has_control {
        true => public.merge(crate::console::profiles(&node, &access)),
        false => public.merge(control.clone()),
    };
    keep_up(&node, settings, &tasks);
    app.open(Ready { collector, main, control });
    let scheme = if certificates.is_some() { "https" } else { "http" };
    let greeting = Greeting {
        address,
        moved_from,
        names: flavour.names,
        is_new,
        secure: certificates.is_some(),
        console: format!("{scheme}://{}/console/", reachable(metrics_at)),
        first_link,
        tasks: tasks.clone(),
    };
    (flavour.greet)(&node, &greeting)?;
    tracing::info!(address = %address, data = %data.display(), "the server is ready");
    let result = until_stopped(&node, &tasks).await;
    tasks.stop();
    tasks.join().await;
    let stopping = Arc::clone(&node);
    tokio::task::spawn_blocking(move || stopping.stop()).await?;
    tracing::info!("the server has stopped");
    result
}

/// What answers to programs and pages that look after the server. The console reads profiles too, so they
/// are at both doors.
fn control_side(node: &Arc<Node>, access: &Access, health: Health, tasks: &Tasks) -> Router {
    health::metrics_router(health)
        .merge(crate::control::router(node, access, tasks))
        .merge(crate::console::router())
        .merge(crate::console::profiles(node, access))
}

/// Starts what goes on for as long as the server runs.
fn keep_up(node: &Arc<Node>, settings: &Settings, tasks: &Tasks) {
    let (log, engine) = (settings.log.clone(), settings.engine.clone());
    let retention = crate::retention::run(Arc::clone(node), log, engine, tasks.clone());
    tasks.spawn("retention", retention);
    let days = settings.console.audit_days;
    tasks.spawn("audit log", crate::audit::keep(Arc::clone(node), days, tasks.clone()));
    tasks.spawn("alerts", crate::alerts::run(Arc::clone(node), tasks.clone()));
}

/// Sees to it that somebody can sign in: the owner whom everybody knows, or a link that makes the first
/// member. Each start makes the link anew, and ends the one before.
async fn first_member(
    node: &Node,
    known: Option<(&'static str, &'static str)>,
) -> anyhow::Result<Option<String>> {
    let (members, now) = (&node.members, node.clock.wall());
    match known {
        Some(owner) => {
            members.add_known(owner, now);
            Ok(None)
        }
        None if !members.is_empty() => Ok(None),
        None => {
            let offered = members.offer(&node.vault, None, now).await?;
            Ok(offered.ok().map(|(_, link)| link.token))
        }
    }
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), address.port())
}

/// Begins to answer: `503` until the app is ready.
fn open_doors(
    doors: [(Option<TcpListener>, Door); 2],
    settings: &Settings,
    certificates: Option<&Arc<Certificates>>,
    app: &Arc<App>,
    tasks: &Tasks,
) {
    let config = ListenConfig {
        connections: settings.server.connections,
        header_timeout: Duration::from_secs(settings.server.header_seconds),
        certificates: certificates.map(Arc::clone),
    };
    for (listener, door) in doors {
        if let Some(listener) = listener {
            let serving =
                listen::serve(listener, door, Arc::clone(app), config.clone(), tasks.clone());
            tasks.spawn("listener", serving);
        }
    }
    if let Some(certificates) = certificates {
        tasks.spawn("certificates", Arc::clone(certificates).follow(tasks.clone()));
    }
}

async fn until_stopped(node: &Node, tasks: &Tasks) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        () = tasks.failed() => anyhow::bail!("a part of the server failed; what is accepted is safe"),
        error = node.failed() => Err(anyhow::Error::new(error)).context("the engine stopped"),
    }
}

async fn bind(text: &str, spare: u16) -> anyhow::Result<(TcpListener, Option<SocketAddr>)> {
    let wanted: SocketAddr = text.parse().with_context(|| {
        format!("`{text}` is not an address to listen on, such as 127.0.0.1:8080")
    })?;
    let mut address = wanted;
    for step in 0..=spare {
        address.set_port(wanted.port().saturating_add(step));
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok((listener, (step > 0).then_some(wanted))),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && step < spare => {}
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                anyhow::bail!(
                    "{address} is taken by another program; choose another with --listen, such as --listen {}:{}",
                    wanted.ip(),
                    wanted.port().saturating_add(1)
                );
            }
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
    unreachable!("the last port is tried or refused")
}

fn check_exposure(address: &SocketAddr, allowed: bool) -> anyhow::Result<()> {
    if address.ip().is_loopback() || allowed {
        return Ok(());
    }
    anyhow::bail!(
        "{address} can be reached from other machines, and would carry keys and personal data in the \
         clear. Give --tls-cert and --tls-key, or --plain-http if a proxy in front ends TLS"
    );
}

fn certificates(settings: &Settings) -> anyhow::Result<Option<Arc<Certificates>>> {
    let (cert, key) = (&settings.server.tls_cert, &settings.server.tls_key);
    match (cert.as_os_str().is_empty(), key.as_os_str().is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Certificates::load(cert, key).map(Some),
        _ => anyhow::bail!("--tls-cert and --tls-key go together"),
    }
}

/// The browser SDKs that were built.
fn scripts() -> Scripts {
    crate::assets::sdks()
}
