//! One connection, one request, one answer.

use std::future::poll_fn;
use std::pin::pin;

use http::{Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

use crate::checker::probes::http::HttpProbeError;
use crate::checker::probes::http::expected::Expected;

/// Sends `request` to `server` over a connection of its own, and holds the answer to what is
/// expected.
///
/// The connection is driven in here: whoever drops this closes it.
pub(super) async fn exchange(
    mut connector: HttpConnector,
    server: Uri,
    request: Request<Empty<Bytes>>,
    expected: &Expected,
) -> Result<(), HttpProbeError> {
    let no_answer = |error: hyper::Error| HttpProbeError::NoAnswer { source: error.into() };
    let connected = async {
        poll_fn(|context| connector.poll_ready(context)).await?;
        connector.call(server).await
    };
    let stream =
        connected.await.map_err(|error| HttpProbeError::Unreachable { source: error.into() })?;
    let (mut sender, connection) = http1::handshake(stream).await.map_err(no_answer)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(no_answer)?;
        expected.judge(response).await
    };
    alongside(connection, answer).await
}

/// The output of `answer`, with `connection` driven as long as that takes. What ends the connection
/// is told to whoever waits for something from it.
async fn alongside<O>(connection: impl Future, answer: impl Future<Output = O>) -> O {
    let mut connection = pin!(connection);
    let mut answer = pin!(answer);
    let mut open = true;
    poll_fn(|context| {
        if open && connection.as_mut().poll(context).is_ready() {
            open = false;
        }
        answer.as_mut().poll(context)
    })
    .await
}
