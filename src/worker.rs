//! A task that belongs to somebody.

use tokio::task::JoinHandle;

/// A task that runs for a balancer in the background.
///
/// It stops when this is dropped, when the last handle of the balancer is gone, and with the
/// runtime. It does not keep the balancer alive.
#[derive(Debug)]
#[must_use = "its task stops when it is dropped; keep it, or `detach` it"]
pub struct Worker {
    /// `None` once it is detached.
    task: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `work`.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { task: Some(tokio::spawn(work)) }
    }

    /// Lets the task run on its own: until the last handle of the balancer is gone, or the runtime
    /// ends.
    pub fn detach(mut self) {
        self.task = None;
    }

    /// Stops the task, and is ready when it has stopped: from then on it changes nothing.
    ///
    /// # Cancel safety
    ///
    /// The task stops even if this is dropped before it is ready, or is never awaited; only nobody
    /// waits for it then.
    pub async fn stop(mut self) {
        if let Some(task) = &mut self.task {
            task.abort();
            // An error says that it was stopped, or that it had panicked, which was reported.
            let _ = task.await;
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
