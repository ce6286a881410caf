//! Names to addresses, with every address checked on its way to the connector.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving as Handed};

use crate::address::{is_loopback, is_public};

/// An answer of a resolver, under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Turns host names into addresses.
pub trait Resolver: Send + Sync + fmt::Debug + 'static {
    /// Every address of a name. Called for each new connection: nothing is remembered above it.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The name has addresses, none of which may be dialled.
#[derive(Debug, thiserror::Error)]
#[error("no address of the host may be sent to")]
pub(crate) struct Blocked;

/// The name has no addresses.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address")]
pub(crate) struct NoAddress;

/// Whether an address may be dialled.
pub(crate) fn may_dial(address: IpAddr, allow_loopback: bool) -> bool {
    is_public(address) || (allow_loopback && is_loopback(address))
}

/// Hands the connector only what may be dialled.
#[derive(Debug)]
pub(crate) struct Guard {
    resolver: Arc<dyn Resolver>,
    allow_loopback: bool,
}

impl Guard {
    pub(crate) fn new(resolver: Arc<dyn Resolver>, allow_loopback: bool) -> Self {
        Self { resolver, allow_loopback }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Handed {
        let (resolver, allow_loopback) = (Arc::clone(&self.resolver), self.allow_loopback);
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await.map_err(|_| NoAddress)?;
            if found.is_empty() {
                return Err(NoAddress.into());
            }
            let dialled: Vec<_> = found
                .into_iter()
                .filter(|address| may_dial(*address, allow_loopback))
                .map(super::without_port)
                .collect();
            if dialled.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(dialled.into_iter()) as Addrs)
        })
    }
}
