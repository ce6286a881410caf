//! `selfsame function test`: a function with sample events, on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use clap::Args;
use selfsame_deliver::{Outbound, OutboundConfig, SystemResolver};
use selfsame_event::{Clock, SystemClock};
use selfsame_functions::{
    Call, Code, Fault, Fetch, FetchReply, FetchRequest, FetchResponse, Handler, Input, Instance,
    Item, Kind, Limits, Pool, PoolConfig, Report, Returned,
};
use serde_json::{Map, Value, json};

use super::super::say;
use super::{json as read, text};
use crate::function::Outside;

/// What a function does with sample events, as JSON: `{result, logs, requests, cpu_ms, wall_ms, memory_bytes}`.
///
/// Its requests are not sent: each is answered with status 200 and nothing, or by --replies, or for real
/// with --send.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The file with the code.
    code: PathBuf,
    /// The event, as JSON; a list of events is one batch. For a source function the request:
    /// {"body", "headers", "query"}, or the body alone.
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// What the function is told, as a JSON object.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What kind of function it is. Default: source where it has onRequest, destination otherwise.
    #[arg(long)]
    kind: Option<super::Kind>,
    /// How requests are answered, in their order: a JSON list of {"status", "headers", "body"}.
    #[arg(long, value_name = "FILE", conflicts_with = "send")]
    replies: Option<PathBuf>,
    /// Send the requests, from this machine.
    #[arg(long)]
    send: bool,
    /// With --send, also to this machine.
    #[arg(long, requires = "send")]
    loopback: bool,
}

impl Test {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let code = text(&self.code)?;
        let settings: Map<String, Value> =
            self.settings.as_deref().map(read).transpose()?.unwrap_or_default();
        let event: Value = read(&self.event)?;
        let kind = self.kind(&code)?;
        let code = Code::new(kind, &code);
        code.check(&Limits::default())?;
        let input = input(kind, event)?;
        // Requests run on it until the call has ended.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let network = Arc::new(self.network(runtime.handle().clone())?);
        let fetch: Arc<dyn Fetch> = Arc::<Network>::clone(&network);
        let config = PoolConfig { threads: 1, ..PoolConfig::default() };
        let pool = Pool::start(config, fetch, Arc::new(SystemClock::default()))?;
        let settings = Value::Object(settings).to_string().into();
        let instance = Instance { connection: "test".into(), code, settings };
        let (tell, told) = sync_channel(1);
        let call = Call { instance, input, measure: true, fetch: None };
        pool.call(call, move |report| drop(tell.send(report)));
        let report = told.recv().context("the call was lost")?;
        let sent = network.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        say(&serde_json::to_string_pretty(&shown(&report, &sent))?)?;
        Ok(if report.result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn kind(&self, code: &str) -> anyhow::Result<Kind> {
        if let Some(kind) = self.kind {
            return Ok(crate::function::kind(kind.into()));
        }
        let source = Code::new(Kind::Source, code).check(&Limits::default());
        let is_source = source.is_ok_and(|found| found.contains(&Handler::Request));
        Ok(if is_source { Kind::Source } else { Kind::Destination })
    }

    fn network(&self, runtime: tokio::runtime::Handle) -> anyhow::Result<Network> {
        let replies: Vec<Value> =
            self.replies.as_deref().map(read).transpose()?.unwrap_or_default();
        let mut answers = Vec::new();
        for reply in &replies {
            answers.push(answer(reply)?);
        }
        answers.reverse();
        let outside = self.send.then(|| {
            // It may be there already.
            drop(rustls::crypto::ring::default_provider().install_default());
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
            let outbound = Outbound::new(OutboundConfig::default(), Arc::new(SystemResolver))?;
            let allow_loopback = self.loopback;
            anyhow::Ok(Outside { outbound, clock, allow_loopback, runtime })
        });
        let outside = outside.transpose()?;
        Ok(Network { outside, answers: Mutex::new(answers), sent: Mutex::default() })
    }
}

/// Answers requests as was said, or sends them; and writes them down.
#[derive(Debug)]
struct Network {
    outside: Option<Outside>,
    /// What is answered, the next one last.
    answers: Mutex<Vec<FetchResponse>>,
    sent: Mutex<Vec<FetchRequest>>,
}

impl Fetch for Network {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        match &self.outside {
            Some(outside) => outside.fetch(request, reply),
            None => {
                let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let nothing = || FetchResponse { status: 200, ..FetchResponse::default() };
                reply.answer(Ok(next.unwrap_or_else(nothing)));
            }
        }
    }
}

fn answer(reply: &Value) -> anyhow::Result<FetchResponse> {
    let status = reply["status"].as_u64().unwrap_or(200);
    let status = u16::try_from(status).ok().filter(|status| (100..1000).contains(status));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = reply["headers"].as_object().into_iter().flatten();
    Ok(FetchResponse {
        status: status.context("the status of a reply is a number such as 200")?,
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: if reply["body"].is_null() { Vec::new() } else { text(&reply["body"]).into() },
        is_cut: false,
    })
}

/// What the file with the event says, as the function gets it.
fn input(kind: Kind, event: Value) -> anyhow::Result<Input> {
    if kind != Kind::Source {
        return Ok(match event {
            Value::Array(events) => Input::Batch(events.iter().map(Value::to_string).collect()),
            event => {
                ensure!(event.is_object(), "an event is a JSON object, and a batch a list of them");
                Input::Event(event.to_string())
            }
        });
    }
    let is_request = event.as_object().is_some_and(|event| {
        let known = |key: &String| matches!(key.as_str(), "body" | "headers" | "query");
        event.contains_key("body") && event.keys().all(known)
    });
    let (body, headers, query) = if is_request {
        (event["body"].clone(), event["headers"].clone(), event["query"].clone())
    } else {
        (event, Value::Null, Value::Null)
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = headers.as_object().into_iter().flatten();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_lowercase(), text(value))).collect();
    if headers.iter().all(|(name, _)| name != "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let query = query.as_str().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(Input::Request { url: format!("https://localhost/fn{query}"), headers, body: text(&body) })
}

fn shown(report: &Report, sent: &[FetchRequest]) -> Value {
    let requests = sent.iter().enumerate().map(|(index, request)| {
        let body = String::from_utf8_lossy(&request.body);
        let headers: Map<String, Value> =
            request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "method": request.method,
            "url": request.url,
            "headers": headers,
            "body": body,
            "status": report.requests.get(index).and_then(|request| request.status),
        })
    });
    let mut logs: Vec<_> = report
        .lines
        .iter()
        .map(|line| json!({ "level": line.level.word(), "text": line.text }))
        .collect();
    if report.lines_cut {
        logs.push(json!({ "level": "warn", "text": "more was printed than is kept" }));
    }
    json!({
        "result": result(&report.result),
        "logs": logs,
        "requests": requests.collect::<Vec<_>>(),
        "cpu_ms": millis(report.cpu),
        "wall_ms": millis(report.wall),
        "memory_bytes": report.memory_bytes,
    })
}

fn millis(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn result(result: &Result<Returned, Fault>) -> Value {
    let event = |text: &String| serde_json::from_str(text).unwrap_or(Value::Null);
    match result {
        Ok(Returned::Done) => json!({ "outcome": "done" }),
        Ok(Returned::Value(text)) => json!({ "outcome": "done", "value": event(text) }),
        Ok(Returned::Event(text)) => json!({ "outcome": "done", "event": event(text) }),
        Ok(Returned::Emitted(emitted)) => json!({
            "outcome": "done",
            "events": emitted.events.iter().map(event).collect::<Vec<Value>>(),
            "objects_left_out": emitted.objects,
        }),
        Ok(Returned::Batch(items)) => {
            let item = |item: &Item| match item {
                Item::Done => json!({ "outcome": "done" }),
                Item::Event(text) => json!({ "outcome": "done", "event": event(text) }),
                Item::Failed(fault) => failed(fault),
            };
            json!({ "outcome": "done", "batch": items.iter().map(item).collect::<Vec<_>>() })
        }
        Err(fault) => failed(fault),
    }
}

fn failed(fault: &Fault) -> Value {
    let family = match fault.kind.family() {
        selfsame_functions::Family::Filtered => "the event is not for this destination: filtered",
        selfsame_functions::Family::Refused => "a dead letter: it would come to the same again",
        selfsame_functions::Family::Retry => "tried again later",
    };
    json!({
        "outcome": fault.kind.label(),
        "becomes": family,
        "error": fault.name,
        "message": fault.message,
        "at": fault.stack.lines().map(str::trim).collect::<Vec<_>>(),
    })
}
