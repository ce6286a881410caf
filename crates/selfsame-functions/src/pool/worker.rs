//! A thread of the pool: its sandboxes, and the calls under way in them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use selfsame_event::Clock;

use super::mailbox::{Answer, Job, Mailbox};
use super::{Done, PoolConfig};
use crate::call::Method;
use crate::fetch::FetchReply;
use crate::report::returned;
use crate::sandbox::{Sandbox, Turn};
use crate::{Call, Fault, FaultKind, Fetch, Input, Instance, Kind, Limits, Report};

/// After so many calls the heap of a sandbox is looked at.
const LOOKS: u32 = 512;

/// What a thread has.
pub(crate) struct Worker {
    mailbox: Arc<Mailbox>,
    /// Its number among those that this mailbox has had.
    thread: u32,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    sandboxes: usize,
    heap_bytes: u64,
    /// Sandboxes that wait for a call, the one that was used last at the end.
    idle: VecDeque<Warm>,
    active: BTreeMap<u64, Active>,
    next: u64,
}

/// A sandbox, and whose it is.
struct Warm {
    instance: Instance,
    sandbox: Sandbox,
    calls: u32,
    /// The heap at the last look.
    bytes: u64,
}

/// A call under way.
struct Active {
    warm: Warm,
    call: Call,
    method: Method,
    done: Done,
    began: u64,
    /// When timers are due, in microseconds of the clock.
    timers: BTreeMap<(u64, u32), ()>,
    /// Requests that were sent and not answered.
    waiting: u32,
}

impl Worker {
    pub(crate) fn new(
        config: &PoolConfig,
        (mailbox, thread): (Arc<Mailbox>, u32),
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            mailbox,
            thread,
            fetch,
            clock,
            limits: config.limits.clone(),
            sandboxes: config.sandboxes.max(1),
            heap_bytes: config.heap_bytes,
            idle: VecDeque::new(),
            active: BTreeMap::new(),
            next: 0,
        }
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        loop {
            let has_room = self.active.len() < self.sandboxes;
            let found = self.mailbox.take(self.thread, self.patience(), has_room);
            if found.is_over {
                break;
            }
            for Answer { call, request, response } in found.answers {
                if let Some(mut active) = self.active.remove(&call) {
                    active.waiting = active.waiting.saturating_sub(1);
                    self.enter(call, &active.call.instance);
                    let turn = active.warm.sandbox.answer(request, response);
                    self.settle(call, active, turn);
                }
            }
            if let Some(job) = found.job {
                self.begin(job);
            }
            self.pass_time();
        }
        // Whoever waits is told so by what is dropped here.
        self.active.clear();
    }

    /// How long there is nothing to do, if nothing comes.
    fn patience(&self) -> Option<Duration> {
        let next = self.active.values().map(|active| {
            let timer = active.timers.first_key_value().map(|((due, _), ())| *due);
            timer.unwrap_or(u64::MAX).min(self.deadline(active))
        });
        let now = self.clock.monotonic_micros();
        next.min().map(|due| Duration::from_micros(due.saturating_sub(now)))
    }

    fn deadline(&self, active: &Active) -> u64 {
        active.began.saturating_add(u64::try_from(self.limits.wall.as_micros()).unwrap_or(u64::MAX))
    }

    fn begin(&mut self, job: Job) {
        let Job { call, done } = job;
        let began = self.clock.monotonic_micros();
        let method = match (call.instance.code.kind(), &call.input) {
            (Kind::Source, Input::Request { .. }) => Method::Request,
            (Kind::Insert, Input::Event(_)) => Method::Change,
            (Kind::Insert, Input::Batch(_)) => Method::ChangeBatch,
            (Kind::Destination, Input::Event(_)) => Method::Deliver,
            (Kind::Destination, Input::Batch(_)) => Method::DeliverBatch,
            (Kind::Program, Input::Event(_)) => Method::Program,
            (kind, _) => {
                let text = format!("a {} function is not called with this", kind.word());
                done.tell(Report::failed(Fault::new(FaultKind::Failed, text)));
                return;
            }
        };
        let id = self.next;
        self.next += 1;
        self.mailbox.begin(id, &done);
        self.enter(id, &call.instance);
        let warm = match self.warm(&call.instance) {
            Ok(warm) => warm,
            Err(fault) => {
                self.leave(id);
                done.tell(Report::failed(fault));
                return;
            }
        };
        let turn = warm.sandbox.begin(method, &call.input.json(), &call.instance.settings);
        let timers = BTreeMap::new();
        self.settle(id, Active { warm, call, method, done, began, timers, waiting: 0 }, turn);
    }

    fn enter(&self, call: u64, instance: &Instance) {
        let now = self.clock.monotonic_micros();
        // One that was given up finds that out when it asks for more.
        self.mailbox.enter(self.thread, call, instance, now);
    }

    /// A call has ended.
    fn leave(&self, call: u64) {
        self.mailbox.leave(self.thread);
        self.mailbox.end(call);
    }

    /// A sandbox for a call: a warm one, or a new one in place of that which was not used for longest.
    fn warm(&mut self, instance: &Instance) -> Result<Warm, Fault> {
        let found = self.idle.iter().rposition(|warm| warm.instance.shares(instance));
        if let Some(warm) = found.and_then(|at| self.idle.remove(at)) {
            return Ok(warm);
        }
        let is_full = |worker: &Self| {
            let count = worker.idle.len() + worker.active.len();
            count >= worker.sandboxes || worker.held() > worker.heap_bytes
        };
        while !self.idle.is_empty() && is_full(self) {
            self.idle.pop_front();
        }
        let sandbox = Sandbox::new(&instance.code, &self.limits)?;
        let bytes = sandbox.memory_bytes();
        Ok(Warm { instance: instance.clone(), sandbox, calls: 0, bytes })
    }

    /// The heaps of all sandboxes, as they were at the last look at each.
    fn held(&self) -> u64 {
        let active = self.active.values().map(|active| active.warm.bytes);
        self.idle.iter().map(|warm| warm.bytes).chain(active).sum()
    }

    /// Sends what the call asked for, or ends it.
    fn settle(&mut self, id: u64, mut active: Active, turn: Turn) {
        let is_counted = self.mailbox.leave(self.thread);
        let result = match turn {
            Turn::Ended(result) => result,
            Turn::Waits if !is_counted => return,
            Turn::Waits => {
                self.send(id, &mut active);
                let waits = active.waiting > 0 || !active.timers.is_empty();
                if waits && self.clock.monotonic_micros() < self.deadline(&active) {
                    self.active.insert(id, active);
                    return;
                }
                Err(if waits { self.too_slow() } else { active.warm.sandbox.stuck() })
            }
        };
        self.end(id, active, result);
    }

    fn too_slow(&self) -> Fault {
        let text = format!("the call took longer than {} ms", self.limits.wall.as_millis());
        Fault::new(FaultKind::Timeout, text)
    }

    fn send(&self, id: u64, active: &mut Active) {
        let mut asked = active.warm.sandbox.asked().borrow_mut();
        let now = self.clock.monotonic_micros();
        for (timer, millis) in asked.timers.drain(..) {
            active.timers.insert((now.saturating_add(millis.saturating_mul(1_000)), timer), ());
        }
        for cancelled in asked.cancelled.drain(..) {
            active.timers.retain(|(_, timer), ()| *timer != cancelled);
        }
        for (request, wanted) in asked.wanted.drain(..) {
            active.waiting += 1;
            let mailbox = Arc::clone(&self.mailbox);
            let reply = FetchReply::new(move |response| {
                mailbox.answer(Answer { call: id, request, response });
            });
            active.call.fetch.as_ref().unwrap_or(&self.fetch).fetch(wanted, reply);
        }
    }

    /// Fires the timers that are due, and ends the calls whose time is up.
    fn pass_time(&mut self) {
        let now = self.clock.monotonic_micros();
        let due = |active: &Active| {
            active.timers.first_key_value().is_some_and(|((due, _), ())| *due <= now)
        };
        let ids: Vec<u64> = self
            .active
            .iter()
            .filter(|(_, active)| due(active) || self.deadline(active) <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(mut active) = self.active.remove(&id) else { continue };
            if self.deadline(&active) <= now {
                let fault = self.too_slow();
                self.end(id, active, Err(fault));
            } else if let Some(((_, timer), ())) = active.timers.pop_first() {
                self.enter(id, &active.call.instance);
                let turn = active.warm.sandbox.fire(timer);
                self.settle(id, active, turn);
            }
        }
    }

    /// Tells what the call came to, and keeps the sandbox if it is as good as before.
    fn end(&mut self, id: u64, active: Active, result: Result<String, Fault>) {
        let Active { mut warm, call, method, done, began, .. } = active;
        let result = result.and_then(|json| returned(method, &json, call.input.count()));
        let memory_bytes = call.measure.then(|| warm.sandbox.memory_bytes());
        let is_whole = warm.sandbox.end();
        let asked = std::mem::take(&mut *warm.sandbox.asked().borrow_mut());
        let broken = matches!(
            &result,
            Err(Fault {
                kind: FaultKind::Timeout
                    | FaultKind::Processor
                    | FaultKind::Memory
                    | FaultKind::Output
                    | FaultKind::Stuck,
                ..
            })
        );
        let wall = self.clock.monotonic_micros().saturating_sub(began);
        let report = Report {
            result,
            lines: asked.lines,
            lines_cut: asked.lines_cut,
            requests: asked.requests.into_iter().map(|(_, request)| request).collect(),
            cpu: warm.sandbox.cpu(),
            wall: Duration::from_micros(wall),
            memory_bytes,
        };
        if is_whole && !broken && self.is_lean(&mut warm) {
            self.idle.push_back(warm);
        }
        self.mailbox.end(id);
        done.tell(report);
    }

    /// Whether the sandbox has room for more calls. A function that keeps ever more would fill its heap.
    fn is_lean(&self, warm: &mut Warm) -> bool {
        warm.calls += 1;
        // The first call may load what it needs.
        if warm.calls == 1 || warm.calls.is_multiple_of(LOOKS) {
            warm.bytes = warm.sandbox.memory_bytes();
        }
        warm.bytes < u64::try_from(self.limits.memory_bytes / 2).unwrap_or(u64::MAX)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Also where the thread ends by a panic, nobody is kept waiting.
        self.mailbox.close(self.thread);
    }
}
