//! The balancer as it is, line by line.

use std::collections::HashMap;
use std::time::Duration;

use evenkeel::{Balancer, EndpointId, EndpointStatus};
use http::Uri;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::now;

/// Prints the state of each endpoint, the part of the requests it had since the last line, and how
/// many ejections no good interval has made up for, until it is aborted.
pub(crate) fn live(balancer: Balancer<Uri>) -> JoinHandle<()> {
    let ids = balancer.status().endpoints.into_iter().map(|it| format!("{:17}", it.id.as_str()));
    println!("time   {}", ids.collect::<Vec<_>>().join("").trim_end());
    tokio::spawn(async move {
        let began = now();
        let mut had: HashMap<EndpointId, u64> = HashMap::new();
        loop {
            sleep(Duration::from_millis(500)).await;
            let endpoints = balancer.status().endpoints;
            let news = |it: &EndpointStatus| it.picks - had.get(&it.id).copied().unwrap_or(0);
            let sum = endpoints.iter().map(news).sum::<u64>().max(1);
            let cells = endpoints.iter().map(|it| {
                let state = format!("{:?}", it.state).to_lowercase();
                let times =
                    if it.ejections > 0 { format!(" {}x", it.ejections) } else { "".into() };
                let share = 100.0 * news(it) as f64 / sum as f64;
                format!("{:17}", format!("{state}{times} {share:.0}%"))
            });
            let line = cells.collect::<String>();
            println!("{:4.1}s  {}", (now() - began).as_secs_f64(), line.trim_end());
            had = endpoints.into_iter().map(|it| (it.id, it.picks)).collect();
        }
    })
}
