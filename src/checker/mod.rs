//! The task that does what time brings about where no request comes to do it.

mod probes;

#[cfg(feature = "health-grpc")]
pub use self::probes::{GrpcProbe, GrpcProbeError};
#[cfg(feature = "health-http")]
pub use self::probes::{HttpProbe, HttpProbeError, StatusRange};
pub use self::probes::{ServiceProbe, ServiceProbeError, TcpProbe, TcpProbeError};

use tokio::time::timeout_at;

use crate::balancer::Balancer;
use crate::worker::Worker;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Starts a task that settles what is due when no request does: an ejection that ends, a share
    /// that grows, a sweep.
    ///
    /// A balancer is right without it: whatever is due is settled by the next pick, before it
    /// chooses. With it, events come in time though no request does, and hardly ever does a
    /// request pay for a sweep. It does nothing else, does not keep the balancer alive, and ends
    /// when the returned [`Worker`] is dropped or the last handle of the balancer is gone.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn start(&self) -> Worker {
        Worker::spawn(self.run())
    }

    /// What [`start`](Self::start) runs, for those who have a task of their own for it.
    ///
    /// # Cancel safety
    ///
    /// Dropping it at any point loses nothing: picks settle what it would have.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<T> {
        let tending = self.tend();
        async move {
            while let Some(due) = tending.settle() {
                // Elapsed: the time has come. Else something may have become due earlier.
                let _ = timeout_at(due, tending.changed()).await;
            }
        }
    }
}
