//! Background tasks: none outlives the server, and none dies unseen.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

/// The tasks of one server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    stop: watch::Sender<bool>,
    failed: watch::Sender<bool>,
    running: Arc<std::sync::Mutex<Option<JoinSet<()>>>>,
    ended: Arc<Mutex<()>>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self {
            stop: watch::Sender::new(false),
            failed: watch::Sender::new(false),
            running: Arc::new(std::sync::Mutex::new(Some(JoinSet::new()))),
            ended: Arc::default(),
        }
    }

    /// Starts a task. If it fails or panics, the server stops.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let failed = self.failed.clone();
        let guarded = async move {
            let alarm = Alarm { failed, name };
            if let Err(error) = task.await {
                tracing::error!(task = name, error = %format!("{error:#}"), "a task failed");
                alarm.failed.send_replace(true);
            }
        };
        let mut running = self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(running) = running.as_mut() {
            running.spawn(guarded);
            while running.try_join_next().is_some() {}
        }
    }

    /// Tells every task to stop.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Resolves when tasks are to stop.
    pub(crate) async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as this handle does.
        drop(stop.wait_for(|stop| *stop).await);
    }

    /// Resolves when a task has failed.
    pub(crate) async fn failed(&self) {
        let mut failed = self.failed.subscribe();
        drop(failed.wait_for(|failed| *failed).await);
    }

    /// Waits for every task to end.
    pub(crate) async fn join(&self) {
        let _turn = self.ended.lock().await;
        let running = self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(mut running) = running else { return };
        while running.join_next().await.is_some() {}
    }
}

/// Dropped by every end of a task: its return, a panic, and the end of the runtime.
struct Alarm {
    failed: watch::Sender<bool>,
    name: &'static str,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.name, "a task panicked");
            self.failed.send_replace(true);
        }
    }
}
