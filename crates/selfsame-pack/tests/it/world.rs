//! The pack, and programs of it run on threads of this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use selfsame_connector::{Program, Running, Stopped};
use selfsame_destinations::{Manifest, ProgramEnd, Reply};
use selfsame_event::SystemClock;
use selfsame_functions::{Code, Kind, Pool};
use selfsame_pack::{Entry, NoFetch, Pack, Programs, worker};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pack; none where there is no Node that builds it.
pub(crate) fn pack() -> Option<&'static Pack> {
    static PACK: OnceLock<Option<Pack>> = OnceLock::new();
    let read = || {
        let bytes = std::fs::read(root().join("actions-pack/dist/pack.bin")).ok()?;
        Some(Pack::open(bytes).expect("a pack"))
    };
    let pack = PACK.get_or_init(read).as_ref();
    if pack.is_none() {
        println!("there is no actions-pack/dist/pack.bin: `make pack` builds it");
    }
    pack
}

/// Programs whose clock stands still: at `now` of the input.
const CLOCK: &str = "
const RealDate = Date;
let now = 0;
globalThis.Date = class Date extends RealDate {
  constructor(...given) { super(...(given.length ? given : [now])); }
  static now() { return now; }
};
";
const SET: &str = "
const real = globalThis.onCall;
globalThis.onCall = (call, settings) => { now = call.now; return real(call, settings); };
";

pub(crate) struct World {
    pub(crate) pack: &'static Pack,
    pub(crate) programs: Programs,
    manifests: BTreeMap<String, Manifest>,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new(pack: &'static Pack) -> Self {
        let pool = Pool::start(worker(), Arc::new(NoFetch), Arc::new(SystemClock::default()));
        let programs = Programs::new(Arc::new(pool.expect("threads")));
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let read = |entry: &Entry| {
            let manifest = pack.manifest(&entry.id);
            (
                entry.program.clone(),
                manifest.unwrap_or_else(|wrong| panic!("{}: {wrong}", entry.id)),
            )
        };
        let manifests = pack.entries().iter().map(read).collect();
        Self { pack, programs, manifests, runtime }
    }

    /// The manifest of a program.
    pub(crate) fn manifest(&self, program: &str) -> Option<&Manifest> {
        self.manifests.get(program)
    }

    /// A program with a clock that stands still.
    pub(crate) fn at_rest(&self, program: &str) -> Arc<dyn Program> {
        let code = self.pack.code(program).expect("a program");
        let text = format!("{CLOCK}{}{SET}", code.text());
        self.programs.program(program, Code::new(Kind::Program, &text))
    }

    /// Calls a program, and answers its requests in order.
    pub(crate) fn call(
        &self,
        program: &dyn Program,
        (settings, input): (&Value, String),
        mut answer: impl FnMut(Value) -> Reply,
    ) -> Result<ProgramEnd, Stopped> {
        self.runtime.block_on(async {
            let Running { mut asks, mut ends } = program.begin(&settings.to_string().into(), input);
            loop {
                tokio::select! {
                    biased;
                    Some(ask) = asks.recv() => {
                        let mut headers = Map::new();
                        for (name, value) in &ask.headers {
                            headers.insert(name.clone(), json!(value));
                        }
                        let shown = json!({
                            "method": ask.method,
                            "url": ask.url,
                            "headers": headers,
                            "text": String::from_utf8_lossy(&ask.body),
                        });
                        ask.answer.give(Ok(answer(shown)));
                    }
                    ended = &mut ends => {
                        let json = ended.expect("an end")?;
                        return Ok(serde_json::from_str(&json).expect("an end"));
                    }
                }
            }
        })
    }
}
