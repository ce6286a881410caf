//! One sandbox: an engine with a heap of its own, the prelude, and a function in it.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::function::IntoArgs;
use rquickjs::{
    CatchResultExt as _, CaughtError, Context, Ctx, Function, Object, Persistent, Runtime,
    TypedArray,
};
use serde_json::Value;

use crate::call::Method;
use crate::host::{self, Asked};
use crate::meter::Meter;
use crate::{Code, Fault, FaultKind, FetchResponse, Handler, Limits};

/// What surrounds a function. In this order; each part sees the names of those before it.
const PRELUDE: &str = concat!(
    "(function (host, global) { 'use strict';\n",
    include_str!("prelude/guards.js"),
    include_str!("prelude/errors.js"),
    include_str!("prelude/console.js"),
    include_str!("prelude/bytes.js"),
    include_str!("prelude/url.js"),
    include_str!("prelude/http.js"),
    include_str!("prelude/crypto.js"),
    include_str!("prelude/lodash.js"),
    include_str!("prelude/segment.js"),
    include_str!("prelude/main.js"),
    "})",
);
/// The prelude takes as long as it takes; this is for a machine that is very busy.
const PRELUDE_CPU: std::time::Duration = std::time::Duration::from_secs(5);

type Kept = Persistent<Function<'static>>;

/// A sandbox. Whatever is kept of its heap comes before it, so that it is dropped first.
pub(crate) struct Sandbox {
    begin: Kept,
    answered: Kept,
    fired: Kept,
    context: Context,
    runtime: Runtime,
    handlers: Vec<Handler>,
    asked: Rc<RefCell<Asked>>,
    meter: Rc<Meter>,
    limits: Rc<Limits>,
}

/// How a call stands when its code has nothing more to do.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It has ended: with what the prelude hands over.
    Ended(Result<String, Fault>),
    /// It waits for answers or timers.
    Waits,
}

impl Sandbox {
    /// A sandbox with this function in it: its top level has run.
    pub(crate) fn new(code: &Code, limits: &Limits) -> Result<Self, Fault> {
        let no_room = |_| Fault::new(FaultKind::Memory, "no sandbox could be made");
        let runtime = Runtime::new().map_err(no_room)?;
        runtime.set_memory_limit(limits.memory_bytes);
        runtime.set_max_stack_size(limits.stack_bytes);
        let meter = Rc::new(Meter::default());
        let watched = Rc::clone(&meter);
        runtime.set_interrupt_handler(Some(Box::new(move || watched.check())));
        let context = Context::full(&runtime).map_err(no_room)?;
        let (asked, limits) = (Rc::default(), Rc::new(limits.clone()));
        meter.reset(PRELUDE_CPU);
        let made = context.with(|ctx| {
            let parts =
                prelude(&ctx, &asked, &limits).catch(&ctx).map_err(|error| fault(&error))?;
            meter.reset(limits.cpu);
            let handlers = load(&ctx, &parts, code).catch(&ctx).map_err(|error| match error {
                _ if meter.is_over() => too_long(&limits),
                error => fault(&error),
            })?;
            let keep = |name| {
                let found: Function<'_> =
                    parts.get(name).catch(&ctx).map_err(|error| fault(&error))?;
                Ok(Persistent::save(&ctx, found))
            };
            Ok::<_, Fault>((handlers, keep("begin")?, keep("answered")?, keep("fired")?))
        });
        let (handlers, begin, answered, fired) = made?;
        let sandbox =
            Self { begin, answered, fired, context, runtime, handlers, asked, meter, limits };
        sandbox.jobs();
        if sandbox.meter.is_over() {
            return Err(too_long(&sandbox.limits));
        }
        Ok(sandbox)
    }

    /// The handlers that the function defines.
    pub(crate) fn handlers(&self) -> &[Handler] {
        &self.handlers
    }

    /// What the call has asked for.
    pub(crate) fn asked(&self) -> &RefCell<Asked> {
        &self.asked
    }

    /// The processor time of the call.
    pub(crate) fn cpu(&self) -> std::time::Duration {
        self.meter.used()
    }

    /// The heap.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(0)
    }

    /// Begins a call.
    pub(crate) fn begin(&self, method: Method, input: &str, settings: &str) -> Turn {
        *self.asked.borrow_mut() = Asked::of_a_call();
        self.meter.reset(self.limits.cpu);
        self.turn(&self.begin, (method.name(), input, settings))
    }

    /// Goes on with the answer to a request.
    pub(crate) fn answer(&self, id: u32, answer: Result<FetchResponse, String>) -> Turn {
        self.meter.resume();
        let request = |asked: &mut Asked, status| {
            let found = asked.requests.iter_mut().find(|(known, _)| *known == id);
            if let Some((_, request)) = found {
                request.status = Some(status);
            }
        };
        match answer {
            Ok(response) => {
                request(&mut self.asked.borrow_mut(), response.status);
                let headers = serde_json::json!(response.headers).to_string();
                let (status, is_cut) = (response.status, response.is_cut);
                let bytes = self.context.with(|ctx| {
                    let bytes = TypedArray::<u8>::new(ctx.clone(), response.body).ok()?;
                    Some(Persistent::save(&ctx, bytes))
                });
                match bytes {
                    Some(bytes) => self
                        .turn(&self.answered, (id, None::<String>, status, headers, bytes, is_cut)),
                    None => Turn::Ended(Err(out_of_memory())),
                }
            }
            Err(why) => {
                self.turn(&self.answered, (id, Some(why), 0_u16, "[]", None::<String>, false))
            }
        }
    }

    /// Goes on with a timer.
    pub(crate) fn fire(&self, id: u32) -> Turn {
        self.asked.borrow_mut().without_timer();
        self.meter.resume();
        self.turn(&self.fired, (id,))
    }

    /// Ends the call, and says whether the sandbox may be used again.
    pub(crate) fn end(&self) -> bool {
        self.asked.borrow_mut().is_calling = false;
        !self.meter.is_over()
    }

    /// Calls in, and runs what follows from it.
    fn turn(&self, call: &Kept, args: impl for<'js> IntoArgs<'js>) -> Turn {
        let called = self.context.with(|ctx| {
            let call = call.clone().restore(&ctx).catch(&ctx).map_err(|error| fault(&error))?;
            call.call::<_, ()>(args).catch(&ctx).map_err(|error| fault(&error))
        });
        if called.is_ok() {
            self.jobs();
        }
        self.meter.pause();
        let done = self.asked.borrow_mut().done.take();
        match (done, called) {
            (Some((true, json)), _) if json.len() > self.limits.output_bytes => {
                let text = format!("what was returned has over {} bytes", self.limits.output_bytes);
                Turn::Ended(Err(Fault::new(FaultKind::Output, text)))
            }
            (Some((true, json)), _) => Turn::Ended(Ok(json)),
            (Some((false, json)), _) => Turn::Ended(Err(self.named(thrown(&json)))),
            (None, _) if self.meter.is_over() => Turn::Ended(Err(too_long(&self.limits))),
            (None, Err(fault)) => Turn::Ended(Err(self.named(fault))),
            (None, Ok(())) => Turn::Waits,
        }
    }

    /// Where the heap is full, errors are made of what is left: by the heap, then.
    fn named(&self, fault: Fault) -> Fault {
        if fault.kind == FaultKind::Failed && self.is_full() { out_of_memory() } else { fault }
    }

    fn is_full(&self) -> bool {
        let limit = u64::try_from(self.limits.memory_bytes).unwrap_or(u64::MAX);
        self.memory_bytes() > limit / 8 * 7
    }

    /// Why a call that waits for nothing has not ended.
    pub(crate) fn stuck(&self) -> Fault {
        if self.is_full() {
            return out_of_memory();
        }
        let text = "the handler waits for a promise that nothing will settle";
        Fault::new(FaultKind::Stuck, text)
    }

    /// Runs what promises have left to be done.
    fn jobs(&self) {
        let mut count = 0_u32;
        loop {
            // A job of the engine's own is no step of code, so that the engine would not ask.
            count = count.wrapping_add(1);
            if count.is_multiple_of(1024) && self.meter.check() {
                return;
            }
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) if self.meter.is_over() => return,
                // A job that threw has rejected its promise.
                Err(_) => {}
            }
        }
    }
}

fn prelude<'js>(
    ctx: &Ctx<'js>,
    asked: &Rc<RefCell<Asked>>,
    limits: &Rc<Limits>,
) -> rquickjs::Result<Object<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some("prelude.js".to_owned());
    let prelude: Function<'js> = ctx.eval_with_options(PRELUDE, options)?;
    prelude.call((host::object(ctx, asked, limits)?, ctx.globals()))
}

/// Runs the function's top level and hands its handlers to the prelude.
fn load<'js>(ctx: &Ctx<'js>, parts: &Object<'js>, code: &Code) -> rquickjs::Result<Vec<Handler>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some("function.js".to_owned());
    ctx.eval_with_options::<(), _>(code.text(), options)?;
    let names = Handler::ALL.iter().map(|handler| handler.name());
    // Names of `const` and `let` are no properties of the global object.
    let found: Vec<String> = names
        .map(|name| format!("{name}: typeof {name} === 'function' ? {name} : undefined"))
        .collect();
    let found: Object<'js> = ctx.eval(format!("({{{}}})", found.join(", ")))?;
    let mut handlers = Vec::new();
    for handler in Handler::ALL {
        if found.get::<_, rquickjs::Value<'js>>(handler.name())?.is_function() {
            handlers.push(*handler);
        }
    }
    let bind: Function<'js> = parts.get("bind")?;
    bind.call::<_, ()>((found,))?;
    Ok(handlers)
}

fn too_long(limits: &Limits) -> Fault {
    let text = format!("the call used more than {} ms of processor time", limits.cpu.as_millis());
    Fault::new(FaultKind::Processor, text)
}

fn out_of_memory() -> Fault {
    Fault::new(FaultKind::Memory, "the heap of the function is full")
}

/// The fault of an error, as the prelude describes it.
fn thrown(json: &str) -> Fault {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Fault::thrown(text("name"), text("message"), &text("stack"))
}

/// The fault of what was thrown without the prelude in between.
fn fault(error: &CaughtError<'_>) -> Fault {
    match error {
        CaughtError::Exception(exception) => {
            let name: String = exception.as_object().get("name").unwrap_or_default();
            let message = exception.message().unwrap_or_default();
            let stack = exception.stack().unwrap_or_default();
            let mut fault = Fault::thrown(name, message, &stack);
            if fault.name == "SyntaxError" {
                fault.kind = FaultKind::Syntax;
            }
            fault
        }
        CaughtError::Value(value) => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            let text = text.unwrap_or_else(|| format!("a value was thrown: {}", value.type_name()));
            Fault::thrown("Error".to_owned(), text, "")
        }
        CaughtError::Error(error) => Fault::new(FaultKind::Failed, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
