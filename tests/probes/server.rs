//! Servers that answer one connection, byte by byte as a test says.

#![allow(dead_code, reason = "every kind of check uses its own part of it")]

use std::net::SocketAddr;

use evenkeel::BoxError;
use futures_util::poll;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server's address, and what it returns when it is done.
pub(crate) type Server<O> = (String, JoinHandle<O>);

/// Lets `serve` have the first connection.
pub(crate) async fn once<O, F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> Server<O>
where
    O: Send + 'static,
    F: Future<Output = O> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await
    });
    (address, task)
}

/// Reads a request, writes `answer` and closes; returns the request.
pub(crate) async fn answering(answer: impl Into<String>) -> Server<String> {
    let answer = answer.into();
    once(async move |mut stream| {
        let request = head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    })
    .await
}

/// Reads until `end` has come, says so and never answers; done when the client has closed.
pub(crate) async fn silent(end: &'static [u8]) -> (Server<()>, oneshot::Receiver<()>) {
    let (tell, asked) = oneshot::channel();
    let server = once(async move |mut stream| {
        until(&mut stream, end).await;
        tell.send(()).unwrap();
        rest(&mut stream).await;
    });
    (server.await, asked)
}

/// The head of a request.
pub(crate) async fn head(stream: &mut TcpStream) -> String {
    String::from_utf8(until(stream, b"\r\n\r\n").await).unwrap()
}

async fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.push(stream.read_u8().await.unwrap());
    }
    read
}

/// Whatever still comes before the client closes, or resets.
pub(crate) async fn rest(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// An address that refuses connections as long as the socket is kept: nobody listens, and nobody
/// else gets the port.
pub(crate) fn refusing() -> (SocketAddr, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    (socket.local_addr().unwrap(), socket)
}

/// Sees that there is no answer although the server has been `asked`, and gives up.
pub(crate) async fn give_up(
    check: impl Future<Output = Result<(), BoxError>>,
    asked: oneshot::Receiver<()>,
) {
    let mut check = Box::pin(check);
    tokio::select! {
        answer = &mut check => panic!("nobody answered, and yet: {answer:?}"),
        asked = asked => asked.unwrap(),
    }
    assert!(poll!(&mut check).is_pending());
}
