//! A real server that takes its time, counts who comes, and has its troubles.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use evenkeel::BoxError;
use http::StatusCode;
use http::header::SERVER;
use http::uri::Authority;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// How much later a slow server answers than it should.
pub(crate) const LATE: Duration = Duration::from_millis(300);

/// A server on a free port of the loopback interface. Its answers carry its name.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: Authority,
    /// How long it thinks about each answer.
    pub(crate) takes: Duration,
    arrived: Arc<AtomicU64>,
    health: watch::Sender<Health>,
    /// A runtime of its own stands for the process: listener and connections go with it.
    process: Option<Runtime>,
    /// Bound and not listening: keeps the port from others while the server is dead.
    port: TcpSocket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// Answers 503 at once.
    Failing,
    /// Accepts and does not answer.
    Stuck,
    /// Answers well, and [`LATE`].
    Slow,
    /// Connections break, and new ones are refused.
    Dead,
}

impl Server {
    pub(crate) async fn start(name: &'static str, takes: Duration) -> Result<Self, BoxError> {
        let port = bind(([127, 0, 0, 1], 0).into())?;
        let address = port.local_addr()?.to_string().parse()?;
        let (arrived, health) = (Arc::default(), watch::Sender::new(Health::Dead));
        let mut server = Self { name, address, takes, arrived, health, process: None, port };
        server.turn(Health::Well).await?;
        Ok(server)
    }

    /// Requests that have reached it.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    pub(crate) async fn turn(&mut self, health: Health) -> Result<(), BoxError> {
        self.health.send_replace(health);
        if health == Health::Dead {
            self.kill();
            self.health.closed().await; // whatever could still answer is gone
        } else if self.process.is_none() {
            self.process = Some(self.run()?);
        }
        Ok(())
    }

    fn run(&self) -> Result<Runtime, BoxError> {
        let (name, takes) = (self.name, self.takes);
        let (arrived, health) = (Arc::clone(&self.arrived), self.health.subscribe());
        let answer = move || async move {
            arrived.fetch_add(1, Ordering::Relaxed);
            let status = think(health, takes).await;
            (status, [(SERVER, name)])
        };
        let router = Router::new().route("/", get(answer));
        let socket = bind(self.port.local_addr()?)?;
        let process = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let within = process.enter();
        let listener = socket.listen(1_024)?;
        process.spawn(async move { axum::serve(listener, router).await });
        drop(within);
        Ok(process)
    }

    fn kill(&mut self) {
        self.process.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Drop for Server {
    /// A runtime that is merely dropped would wait for its tasks.
    fn drop(&mut self) {
        self.kill();
    }
}

async fn think(mut health: watch::Receiver<Health>, takes: Duration) -> StatusCode {
    let now = *health.borrow();
    match now {
        Health::Failing => return StatusCode::SERVICE_UNAVAILABLE,
        // Ends with the trouble, or with the server.
        Health::Stuck => drop(health.wait_for(|health| *health != Health::Stuck).await),
        Health::Slow => tokio::time::sleep(LATE).await,
        Health::Well | Health::Dead => {}
    }
    tokio::time::sleep(takes).await;
    StatusCode::OK
}

/// A socket at an address that may be bound to once more.
fn bind(address: SocketAddr) -> Result<TcpSocket, BoxError> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
