//! A server as a process of its own: started, waited for, measured, killed.
//!
//! **Invariants:** a server never outlives its `Server`; its output is appended to `server.log`
//! beside its data.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::http::Connection;

/// How long a server may take until it is ready, or ended.
const PATIENCE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(2);

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Whether it is the bare server, which has no state to ask for.
    pub(crate) is_bare: bool,
}

impl Program {
    /// The bare server of this very program.
    pub(crate) fn bare() -> Result<Self> {
        let path = std::env::current_exe().context("finding this program")?;
        Ok(Self {
            path,
            arguments: vec!["bare".to_owned()],
            environment: Vec::new(),
            is_bare: true,
        })
    }

    /// The binary under test.
    pub(crate) fn real(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            arguments: vec!["dev".to_owned()],
            environment: Vec::new(),
            is_bare: false,
        }
    }

    /// That program as `tracer` runs it.
    pub(crate) fn under(&self, tracer: &[&str]) -> Self {
        let mut arguments: Vec<String> = tracer.iter().skip(1).map(|&a| a.to_owned()).collect();
        arguments.push(self.path.display().to_string());
        arguments.extend(self.arguments.iter().cloned());
        let path = tracer.first().map(PathBuf::from).unwrap_or_default();
        Self { path, arguments, environment: self.environment.clone(), is_bare: self.is_bare }
    }

    /// That program with a setting.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.environment.push((format!("SELFSAME__{name}"), value.to_string()));
        self
    }

    /// How it is called on that folder, for a reader to repeat.
    pub(crate) fn line(&self) -> String {
        let settings = self.environment.iter().map(|(name, value)| format!("{name}={value} "));
        format!(
            "{}{} {} --data DIR --listen 127.0.0.1:PORT",
            settings.collect::<String>(),
            self.path.display(),
            self.arguments.join(" ")
        )
    }

    /// Runs another command of it to its end; its answer and all it printed.
    pub(crate) fn call(&self, arguments: &[&str]) -> Result<(ExitStatus, String)> {
        let output = Command::new(&self.path).args(arguments).stdin(Stdio::null()).output()?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok((output.status, text))
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start to its first answer that it is ready.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts a server on a folder and waits until it is ready.
    pub(crate) async fn start(program: &Program, data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let address = free_address()?;
        let log = data.with_extension("log");
        let log = File::options().create(true).append(true).open(&log)?;
        let started = Instant::now();
        let child = Command::new(&program.path)
            .args(&program.arguments)
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .arg("--data")
            .arg(data)
            .arg("--listen")
            .arg(address.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", program.path.display()))?;
        let mut server = Self { child, address, ready_after: Duration::ZERO };
        server.wait_ready(started).await?;
        server.ready_after = started.elapsed();
        Ok(server)
    }

    async fn wait_ready(&mut self, started: Instant) -> Result<()> {
        let mut connection = Connection::new(self.address);
        while started.elapsed() < PATIENCE {
            if let Ok(answer) =
                connection.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await
                && answer.status == 200
            {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "the server ended before it was ready ({status}); see its .log beside the data"
                );
            }
            sleep(POLL).await;
        }
        bail!("the server was not ready after {PATIENCE:?}")
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end and waits for it.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus> {
        kill_process(self.pid()?, Signal::TERM)?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(POLL).await;
        }
        bail!("the server did not end within {PATIENCE:?}")
    }

    /// Asks the only child of a tracer to end, and waits for the tracer.
    pub(crate) async fn stop_traced(self) -> Result<ExitStatus> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        for child in children.split_whitespace() {
            let child = child.parse().ok().and_then(Pid::from_raw).context("not a process id")?;
            kill_process(child, Signal::TERM)?;
        }
        let mut traced = self;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = traced.child.try_wait()? {
                return Ok(status);
            }
            sleep(POLL).await;
        }
        bail!("the traced server did not end within {PATIENCE:?}")
    }

    /// Bytes it holds in memory now, and the most it ever held.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
        };
        let (now, peak) = (field("VmRSS:"), field("VmHWM:"));
        Ok(Memory { now: now.context("no VmRSS")?, peak: peak.context("no VmHWM")? })
    }

    /// How long it kept processors busy.
    pub(crate) fn processor(&self) -> Result<Duration> {
        processor(&self.child.id().to_string())
    }

    fn pid(&self) -> Result<Pid> {
        let id = i32::try_from(self.child.id()).ok();
        id.and_then(Pid::from_raw).context("not a process id")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

/// How long this process kept processors busy.
pub(crate) fn own_processor() -> Result<Duration> {
    processor("self")
}

/// The time of all threads of a process, those that ended included.
fn processor(process: &str) -> Result<Duration> {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program may have spaces in it. Behind it are its user and system time, the 12th and 13th.
    let (_, rest) = stat.rsplit_once(')').context("no name")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: Vec<u64> = ticks.collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 1_000 / TICKS_PER_SECOND))
}

/// An address nothing listens on at the moment.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

/// Bytes of all files below a folder.
pub(crate) fn folder_bytes(folder: &Path) -> Result<u64> {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let entry = entry?;
            // Files come and go while a server runs.
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    Ok(bytes)
}
