//! TLS: certificates from files, taken anew when the files change.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::tasks::Tasks;

/// The certificate chain and key in use.
#[derive(Debug)]
pub(crate) struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads both files.
    pub(crate) fn load(cert: &Path, key: &Path) -> anyhow::Result<Arc<Self>> {
        let config = RwLock::new(read(cert, key)?);
        Ok(Arc::new(Self { cert: cert.to_owned(), key: key.to_owned(), config }))
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }

    fn modified(&self) -> Option<(SystemTime, SystemTime)> {
        let of = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        Some((of(&self.cert)?, of(&self.key)?))
    }

    /// Takes the files anew whenever they change. A pair that does not fit is passed over.
    pub(crate) async fn follow(self: Arc<Self>, tasks: Tasks) -> anyhow::Result<()> {
        const LOOK: Duration = Duration::from_secs(2);
        let mut known = self.modified();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = tasks.stopping() => return Ok(()),
            }
            let now = self.modified();
            if now == known || now.is_none() {
                continue;
            }
            known = now;
            match read(&self.cert, &self.key) {
                Ok(config) => {
                    *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
                    tracing::info!("the certificate was loaded anew");
                }
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "the changed certificate cannot be used");
                }
            }
        }
    }
}

fn read(cert: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let open = |path: &Path| {
        File::open(path)
            .map(BufReader::new)
            .with_context(|| format!("cannot read {}", path.display()))
    };
    let chain = rustls_pemfile::certs(&mut open(cert)?)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} is not a PEM certificate chain", cert.display()))?;
    let key = rustls_pemfile::private_key(&mut open(key)?)
        .with_context(|| format!("{} is not a PEM key", key.display()))?
        .with_context(|| format!("{} has no private key", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate and the key do not fit")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
