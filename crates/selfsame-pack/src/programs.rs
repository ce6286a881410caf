//! Programs, run in the engine of functions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use selfsame_connector::{Answering, Ask, Program, Running, Stopped};
use selfsame_destinations::Reply;
use selfsame_functions::{
    Apart, Call, Code, Family, Fault, FaultKind, Fetch, FetchReply, FetchRequest, FetchResponse,
    Input, Instance, Limits, Pool, PoolConfig, Report, Returned,
};
use tokio::sync::{mpsc, oneshot};

/// Sandboxes of a worker. One runs one call, so these are the calls that may wait for answers at once.
const SANDBOXES: usize = 32;

/// The heaps of a worker's sandboxes together: beyond, those go that were not used for longest.
const HEAP_BYTES: u64 = 128 << 20;
/// How long a worker may be without a sign of life. It yields to everything else on a busy machine, and whoever
/// is given up is not run again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a call of a program may use. A batch has a thousand events.
const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(2),
    wall: Duration::from_secs(120),
    memory_bytes: 32 << 20,
    stack_bytes: 256 << 10,
    output_bytes: 1 << 20,
    log_bytes: 0,
    requests: 1_000,
    request_bytes: 16 << 20,
    timers: 100,
};

/// Requests of a call that wait to be sent: as many as it may make.
const WAITING: usize = 1_000;

/// How a worker runs programs: on one thread.
pub fn worker() -> PoolConfig {
    PoolConfig {
        threads: 1,
        sandboxes: SANDBOXES,
        heap_bytes: HEAP_BYTES,
        patience: PATIENCE,
        limits: LIMITS,
        ..PoolConfig::default()
    }
}

/// What runs the engine: a process of its own, or threads of this one.
pub trait Runner: Send + Sync + fmt::Debug {
    /// Runs a call.
    fn call(&self, call: Call, done: Box<dyn FnOnce(Report) + Send>);
}

impl Runner for Apart {
    fn call(&self, call: Call, done: Box<dyn FnOnce(Report) + Send>) {
        Self::call(self, call, done);
    }
}

impl Runner for Pool {
    fn call(&self, call: Call, done: Box<dyn FnOnce(Report) + Send>) {
        Self::call(self, call, done);
    }
}

/// Runs programs.
#[derive(Debug, Clone)]
pub struct Programs(Arc<dyn Runner>);

impl Programs {
    /// Programs that are run there.
    pub fn new(runner: Arc<dyn Runner>) -> Self {
        Self(runner)
    }

    /// A program for a connection. Calls with the same settings find what earlier ones have left in memory.
    pub fn program(&self, connection: &str, code: Code) -> Arc<dyn Program> {
        let runner = Arc::clone(&self.0);
        Arc::new(OfConnection { connection: connection.into(), code, runner })
    }
}

#[derive(Debug)]
struct OfConnection {
    connection: Arc<str>,
    code: Code,
    runner: Arc<dyn Runner>,
}

impl Program for OfConnection {
    fn begin(&self, settings: &Arc<str>, input: String) -> Running {
        let (ask, asks) = mpsc::channel(WAITING);
        let (end, ends) = oneshot::channel();
        let instance = Instance {
            connection: Arc::clone(&self.connection),
            code: self.code.clone(),
            settings: Arc::clone(settings),
        };
        let fetch: Option<Arc<dyn Fetch>> = Some(Arc::new(Asking(ask)));
        let call = Call { instance, input: Input::Event(input), measure: false, fetch };
        self.runner.call(
            call,
            Box::new(move |report| {
                // Whoever began it may have gone.
                end.send(ended(report)).ok();
            }),
        );
        Running { asks, ends }
    }
}

/// Sends nothing: every call of a program has whom it asks.
#[derive(Debug)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn fetch(&self, _: FetchRequest, _: FetchReply) {}
}

/// Asks whoever began the call.
#[derive(Debug)]
struct Asking(mpsc::Sender<Ask>);

impl Fetch for Asking {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        let FetchRequest { method, url, headers, body } = request;
        let answer = Answering::new(move |answer| reply.answer(answer.map(response)));
        // One that has gone, or has too much to send, drops the reply, which says so.
        self.0.try_send(Ask { method, url, headers, body, answer }).ok();
    }
}

fn response(reply: Reply) -> FetchResponse {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    FetchResponse {
        status: reply.status,
        headers: reply.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        body: reply.body.into_bytes(),
        is_cut: false,
    }
}

fn ended(report: Report) -> Result<String, Stopped> {
    match report.result {
        Ok(Returned::Value(json)) => Ok(json),
        Ok(_) => Err(Stopped::Refused("the program returned nothing".to_owned())),
        Err(fault) => Err(stopped(&fault)),
    }
}

fn stopped(fault: &Fault) -> Stopped {
    let note = format!("{}: {}", fault.kind.label(), fault.message);
    match (fault.kind.family(), fault.kind) {
        (_, FaultKind::Busy | FaultKind::Stopping) => Stopped::Postponed,
        // Other events ended the process: this one may be good.
        (_, FaultKind::LockedOut) => Stopped::Later(note),
        (Family::Retry, _) => Stopped::Later(note),
        (Family::Refused | Family::Filtered, _) => Stopped::Refused(note),
    }
}

#[cfg(test)]
mod tests;
