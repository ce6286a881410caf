//! A pool, and a network that answers as a test says.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use selfsame_event::SystemClock;
use selfsame_functions::{
    Call, Code, Fetch, FetchReply, FetchRequest, FetchResponse, Input, Instance, Kind, Pool,
    PoolConfig, Report,
};

/// A network.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// What was sent.
    pub(crate) sent: Mutex<Vec<FetchRequest>>,
    /// Replies that wait, where the address ends in `/later`.
    pub(crate) later: Mutex<Vec<FetchReply>>,
}

impl Fetch for Network {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        let path = request.url.rsplit('/').next().unwrap_or_default().to_owned();
        self.sent.lock().expect("no panic").push(request);
        match path.as_str() {
            "later" => self.later.lock().expect("no panic").push(reply),
            "blocked" => reply.answer(Err("the address is not public".to_owned())),
            status => {
                let status = status.parse().unwrap_or(200);
                let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                let body = br#"{"score":7}"#.to_vec();
                reply.answer(Ok(FetchResponse { status, headers, body, is_cut: false }));
            }
        }
    }
}

/// A pool and its network.
pub(crate) struct World {
    pub(crate) pool: Pool,
    pub(crate) network: Arc<Network>,
}

impl World {
    pub(crate) fn new(config: PoolConfig) -> Self {
        let network = Arc::new(Network::default());
        let fetch: Arc<dyn Fetch> = Arc::<Network>::clone(&network);
        let pool = Pool::start(config, fetch, Arc::new(SystemClock::default())).expect("threads");
        Self { pool, network }
    }

    /// Begins a call.
    pub(crate) fn begin(&self, instance: &Instance, input: Input) -> mpsc::Receiver<Report> {
        let (tell, told) = mpsc::sync_channel(1);
        let call = Call { instance: instance.clone(), input, measure: true, fetch: None };
        self.pool.call(call, move |report| drop(tell.send(report)));
        told
    }

    /// Calls, and waits for what it comes to.
    pub(crate) fn call(&self, instance: &Instance, input: Input) -> Report {
        report(&self.begin(instance, input))
    }
}

/// Waits for what a call comes to.
pub(crate) fn report(told: &mpsc::Receiver<Report>) -> Report {
    told.recv_timeout(Duration::from_secs(30)).expect("every call ends")
}

/// A function of a connection.
pub(crate) fn instance(connection: &str, kind: Kind, code: &str) -> Instance {
    let code = Code::new(kind, code);
    Instance { connection: connection.into(), code, settings: r#"{"apiKey":"key"}"#.into() }
}

/// An event.
pub(crate) fn event(json: &str) -> Input {
    Input::Event(json.to_owned())
}
