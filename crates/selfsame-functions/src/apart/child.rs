//! The child: a pool, and nothing else.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use selfsame_event::Clock;

use super::frame::{Down, Up, read, write};
use crate::fetch::FetchReply;
use crate::{
    Call, Code, Fault, FaultKind, Fetch, FetchRequest, Instance, Pool, PoolConfig, Report,
};

/// Requests that the parent was asked to send.
#[derive(Default)]
struct Relay {
    waiting: Mutex<(u64, BTreeMap<u64, FetchReply>)>,
}

/// Asks the parent to send what a call asks for.
struct Relayed {
    call: u64,
    output: Output,
    relay: Arc<Relay>,
}

type Output = Arc<Mutex<Box<dyn Write + Send>>>;

impl std::fmt::Debug for Relayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relayed").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Fetch for Relayed {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        let mut waiting = self.relay.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let id = waiting.0;
        waiting.0 += 1;
        waiting.1.insert(id, reply);
        drop(waiting);
        say(&self.output, &Up::Fetch { call: self.call, id, request });
    }
}

/// Tells the parent. One that is gone ends the child by the end of its input.
fn say(output: &Output, up: &Up) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    drop(write(&mut *output, up));
}

/// Serves the process that has started this one, until it ends. A thread that had to be given up ends this
/// process: its parent starts another.
pub fn serve(
    mut input: impl Read,
    output: impl Write + Send + 'static,
    config: PoolConfig,
    clock: Arc<dyn Clock>,
) -> io::Result<()> {
    let output: Output = Arc::new(Mutex::new(Box::new(output)));
    let relay = Arc::<Relay>::default();
    let relayed = |call| -> Arc<dyn Fetch> {
        let (output, relay) = (Arc::clone(&output), Arc::clone(&relay));
        Arc::new(Relayed { call, output, relay })
    };
    // Every call has its own; this one is of none.
    let fetch = relayed(u64::MAX);
    let pool = Pool::start(PoolConfig { lost: || std::process::abort(), ..config }, fetch, clock)?;
    let mut instances = BTreeMap::new();
    while let Some(down) = read::<Down>(&mut input)? {
        match down {
            Down::Instance { number, forget, connection, kind, code, settings } => {
                forget.map(|forget| instances.remove(&forget));
                let code = Code::new(kind, &code);
                let (connection, settings) = (connection.into(), settings.into());
                instances.insert(number, Instance { connection, code, settings });
            }
            Down::Call { id, instance, input, measure } => {
                let fetch = Some(relayed(id));
                let output = Arc::clone(&output);
                let tell = move |report| say(&output, &Up::Report { call: id, report });
                match instances.get(&instance).cloned() {
                    Some(instance) => pool.call(Call { instance, input, measure, fetch }, tell),
                    None => {
                        let fault = Fault::new(FaultKind::Busy, "the function is not known yet");
                        tell(Report::failed(fault));
                    }
                }
            }
            Down::Answer { id, response } => {
                let mut waiting = relay.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let reply = waiting.1.remove(&id);
                drop(waiting);
                if let Some(reply) = reply {
                    reply.answer(response);
                }
            }
        }
    }
    pool.stop();
    Ok(())
}
