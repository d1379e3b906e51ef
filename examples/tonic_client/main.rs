//! gRPC: tonic channels behind one `tonic` client.
//!
//! The endpoints stand in a file, and a channel is made for each of them, which connects when it
//! is first used. A gRPC server may begin its response well, stream a message, and only then fail,
//! in its trailers: with the body followed, that counts as the failure that it is. One of the three
//! servers does so, and gets little traffic.
//!
//! ```text
//! cargo run --example tonic_client --features http
//! ```

mod counter;

use std::time::Duration;

use evenkeel::{Balancer, BoxError, ByGrpcStatus, Config, EndpointSpec};
use tokio::time::timeout;
use tonic::Code;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use crate::counter::{Counter, count_to, serve};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    timeout(Duration::from_secs(60), run()).await?
}

async fn run() -> Result<(), BoxError> {
    let [ann, bob, cal] =
        [serve(Counter::Well).await?, serve(Counter::Failing).await?, serve(Counter::Well).await?];
    let settings = format!(
        r#"
        name = "counter"

        [[endpoints]]
        id = "ann"
        address = "{ann}"

        [[endpoints]]
        id = "bob"
        address = "{bob}"

        [[endpoints]]
        id = "cal"
        address = "{cal}"
        "#
    );
    let balancer =
        Balancer::builder().config(Config::from_toml(&settings)?).make(channel).build()?;

    // Generated clients take it as well: `CounterClient::new(service)`.
    let service = balancer.service().classify(ByGrpcStatus).follow_body();
    let mut client = Grpc::new(service);
    let (mut answers, mut unavailable) = (0, 0);
    for _ in 0..100 {
        match count_to(3, &mut client).await {
            Ok(numbers) if numbers == [1, 2, 3] => answers += 1,
            Ok(numbers) => return Err(format!("counted {numbers:?}").into()),
            Err(status) if status.code() == Code::Unavailable => unavailable += 1,
            Err(status) => return Err(status.into()),
        }
    }

    println!("A hundred calls, one after another:");
    let status = balancer.status();
    for it in &status.endpoints {
        println!(
            "  {}: {} picks, {} successes, {} failures",
            it.id, it.picks, it.successes, it.failures
        );
    }
    let successes: u64 = status.endpoints.iter().map(|it| it.successes).sum();
    let [ann, bob, cal] = status.endpoints.as_slice() else { return Err("three, please".into()) };
    promise("every call that ended well is a success", successes == answers)?;
    promise("what trailers say is believed over the head", bob.failures == unavailable)?;
    promise("the failing server was found out", (1..=20).contains(&bob.picks))?;
    promise("the others share the rest", ann.picks >= 20 && cal.picks >= 20)
}

/// Runs within the balancer, so it must not wait for a connection.
fn channel(spec: &EndpointSpec) -> Result<Channel, BoxError> {
    Ok(Endpoint::from_shared(spec.address.clone())?
        .connect_timeout(Duration::from_secs(1))
        .connect_lazy())
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
