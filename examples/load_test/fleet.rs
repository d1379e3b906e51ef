//! The servers, as whoever started them has hold of them.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use evenkeel::{BoxError, Endpoint, EndpointId};
use http::Uri;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpSocket;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::server::socket;

/// A server process. Dropped, it is killed, whatever state it is in.
pub(crate) struct Server {
    pub(crate) id: EndpointId,
    address: SocketAddr,
    process: Option<Child>,
    /// Bound and not listening: keeps the port from others while the server is dead.
    _port: TcpSocket,
}

impl Server {
    /// To be called on a thread that lives as long as the server is to: on Linux the server dies
    /// with it.
    pub(crate) async fn start(name: &str) -> Result<Self, BoxError> {
        let port = socket(([127, 0, 0, 1], 0).into())?;
        let (id, address) = (EndpointId::from(name), port.local_addr()?);
        let mut server = Self { id, address, process: None, _port: port };
        server.launch().await?;
        Ok(server)
    }

    /// Starts the process, and waits until it listens.
    pub(crate) async fn launch(&mut self) -> Result<(), BoxError> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", self.id.as_str(), &self.address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = process.stdout.take().ok_or("a server without standard output")?;
        self.process = Some(process);
        let first = spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(said).read_line(&mut line).map(|_| line)
        });
        let line = timeout(Duration::from_secs(20), first).await???;
        if line.trim().parse() == Ok(self.address) {
            return Ok(());
        }
        Err(format!("server {} did not come to listen: {line:?}", self.id).into())
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint<Uri>, BoxError> {
        Ok(Endpoint::new(&self.id, format!("http://{}", self.address).parse()?))
    }

    /// As a crash: nothing is finished, nothing is said.
    pub(crate) fn kill(&mut self) -> Result<(), BoxError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// It goes on listening, as its kernel does that, and does nothing else.
    pub(crate) fn stop(&self) -> Result<(), BoxError> {
        self.signal(Signal::STOP)
    }

    /// It goes on where it was.
    pub(crate) fn go_on(&self) -> Result<(), BoxError> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), BoxError> {
        let process = self.process.as_ref().ok_or("a signal to a server that is not there")?;
        Ok(kill_process(Pid::from_child(process), signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
