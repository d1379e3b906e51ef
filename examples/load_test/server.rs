//! The process of one server.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use evenkeel::BoxError;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::time::sleep;

/// How long a server thinks about each answer.
pub(crate) const TAKES: Duration = Duration::from_millis(5);

/// Serves until standard input ends, which it does with whoever started this, at the latest. Says
/// on standard output when it listens.
pub(crate) fn serve(name: &str, address: SocketAddr) -> Result<(), BoxError> {
    // A server that was stopped would not see the end of its input.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });

    let name = name.to_owned();
    Builder::new_current_thread().enable_all().build()?.block_on(async move {
        let listener = socket(address)?.listen(4_096)?;
        println!("{}", listener.local_addr()?);
        io::stdout().flush()?;
        let app = Router::new().fallback(async move || {
            sleep(TAKES).await;
            name
        });
        Ok(axum::serve(listener, app).await?)
    })
}

/// A socket at an address that another may be bound to as well.
pub(crate) fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
