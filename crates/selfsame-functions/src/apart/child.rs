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

/// Asks the parent to send what functions ask for.
struct Relay {
    output: Output,
    waiting: Mutex<(u64, BTreeMap<u64, FetchReply>)>,
}

type Output = Arc<Mutex<Box<dyn Write + Send>>>;

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").finish_non_exhaustive()
    }
}

impl Fetch for Relay {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let id = waiting.0;
        waiting.0 += 1;
        waiting.1.insert(id, reply);
        drop(waiting);
        say(&self.output, &Up::Fetch { id, request });
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
    let relay = Arc::new(Relay { output: Arc::clone(&output), waiting: Mutex::default() });
    let fetch: Arc<dyn Fetch> = Arc::<Relay>::clone(&relay);
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
                let output = Arc::clone(&output);
                let tell = move |report| say(&output, &Up::Report { call: id, report });
                match instances.get(&instance).cloned() {
                    Some(instance) => pool.call(Call { instance, input, measure }, tell),
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
