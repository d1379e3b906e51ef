//! A real server that says whether it is well, and can be killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use evenkeel::BoxError;
use http::{StatusCode, Uri};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// A server on a free port of the loopback interface.
pub(crate) struct Server {
    pub(crate) uri: Uri,
    address: SocketAddr,
    arrived: Arc<AtomicU64>,
    is_well: Arc<AtomicBool>,
    /// A runtime of its own stands for the process: listener and connections go with it.
    process: Option<Runtime>,
    /// Bound and not listening: keeps the port from others while the server is dead.
    _port: TcpSocket,
}

impl Server {
    pub(crate) async fn start(name: &str) -> Result<Self, BoxError> {
        let port = bind(([127, 0, 0, 1], 0).into())?;
        let address = port.local_addr()?;
        println!("{name} is {address}");
        let mut server = Self {
            uri: format!("http://{address}").parse()?,
            address,
            arrived: Arc::default(),
            is_well: Arc::new(AtomicBool::new(true)),
            process: None,
            _port: port,
        };
        server.revive()?;
        Ok(server)
    }

    /// Requests that have reached it, but for checks.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Lets it say of itself whether it is well. It answers requests all the same.
    pub(crate) fn says(&self, is_well: bool) {
        self.is_well.store(is_well, Ordering::Relaxed);
    }

    /// Connections break, and new ones are refused.
    pub(crate) async fn kill(&mut self) {
        self.process.take().into_iter().for_each(Runtime::shutdown_background);
        // Until whatever could still answer is gone.
        while Arc::strong_count(&self.arrived) > 1 {
            sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn revive(&mut self) -> Result<(), BoxError> {
        let (arrived, is_well) = (Arc::clone(&self.arrived), Arc::clone(&self.is_well));
        let answer = async move || {
            arrived.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(2)).await;
        };
        let health = async move || match is_well.load(Ordering::Relaxed) {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let router = Router::new().route("/", get(answer)).route("/health", get(health));
        let socket = bind(self.address)?;
        let process = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let within = process.enter();
        let listener = socket.listen(1_024)?;
        process.spawn(async move { axum::serve(listener, router).await });
        drop(within);
        self.process = Some(process);
        Ok(())
    }
}

impl Drop for Server {
    /// A runtime that is merely dropped would wait for its tasks.
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(Runtime::shutdown_background);
    }
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
