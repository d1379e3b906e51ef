//! `TcpProbe`.

use std::io::ErrorKind;
use std::net::SocketAddr;

use evenkeel::{TcpProbe, TcpProbeError};
use tokio::net::TcpListener;

use crate::server::{once, refusing, rest};
use crate::{ask, refusal};

#[tokio::test]
async fn who_accepts_is_well_however_the_address_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    ask(&TcpProbe::new(|target: &SocketAddr| *target), address).await.unwrap();
    ask(&TcpProbe::new(|target: &String| target.clone()), address.to_string()).await.unwrap();
    let pair = TcpProbe::new(|port: &u16| ("127.0.0.1", *port));
    ask(&pair, address.port()).await.unwrap();
}

#[tokio::test]
async fn the_connection_is_closed_and_nothing_sent() {
    let (address, server) = once(async |mut stream| {
        let mut sent = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut sent).await.unwrap();
        rest(&mut stream).await;
        sent
    })
    .await;
    ask(&TcpProbe::new(|target: &String| target.clone()), address).await.unwrap();
    assert_eq!(server.await.unwrap(), b"");
}

#[tokio::test]
async fn who_refuses_is_not_and_the_error_says_so() {
    let (address, _socket) = refusing();
    let error: TcpProbeError =
        refusal(&TcpProbe::new(|target: &SocketAddr| *target), address).await;
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with("no TCP connection: Connection refused"), "{error}");
}

#[tokio::test]
async fn what_is_no_address_is_an_error() {
    for address in ["", "127.0.0.1", "127.0.0.1:port", "127.0.0.1:65536", ":::", "\0:1"] {
        let probe = TcpProbe::new(|target: &&'static str| *target);
        let error: TcpProbeError = refusal(&probe, address).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{address}: {error}");
    }
}
