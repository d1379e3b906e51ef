//! Events of a balancer in the log.

#![cfg(all(feature = "config", feature = "testing", feature = "tracing"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::Outcome;
use parking_lot::Mutex;
use support::{balancer, id, pick_only};
use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

type Fields = BTreeMap<String, String>;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, Fields)>>>);

#[derive(Default)]
struct Reading(Fields);

impl Visit for Reading {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "evenkeel::events" {
            let mut fields = Reading::default();
            event.record(&mut fields);
            self.0.lock().push((*event.metadata().level(), fields.0));
        }
    }
}

impl Log {
    /// The lines so far, which are taken: level, kind, endpoint, version, message.
    fn lines(&self) -> Vec<(Level, String)> {
        let line = |(level, mut fields): (Level, Fields)| {
            assert_eq!(fields.remove("balancer").unwrap(), "default");
            let mut part = |name: &str| fields.remove(name).unwrap_or_else(|| "-".to_owned());
            let line = ["kind", "endpoint", "version", "message"].map(&mut part).join(" | ");
            assert_eq!(fields, Fields::new());
            (level, line)
        };
        std::mem::take(&mut *self.0.lock()).into_iter().map(line).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_event_is_a_line_with_its_level_and_its_fields() {
    let log = Log::default();
    let _logging = registry().with(log.clone()).set_default();
    let balancer = balancer("[outlier]\nbase_ejection_time = '1s'", 4, 1);
    let worker = balancer.log_events();
    let settled = || sleep(Duration::from_millis(1));

    balancer.set_weight(&id(2), 2).unwrap();
    settled().await;
    let change = "published | e002 | 2.1 | version 2.1: weight of `e002` set from 1 to 2";
    assert_eq!(log.lines(), [(Level::INFO, change.to_owned())]);

    (0..5).for_each(|_| pick_only(&balancer, &id(0)).finish(Outcome::failure()));
    settled().await;
    let ejected = "ejection | e000 | - | `e000` ejected: 5 failures in a row";
    assert_eq!(log.lines(), [(Level::WARN, ejected.to_owned())]);

    balancer.replace([]).unwrap_err();
    settled().await;
    let lines = log.lines();
    assert_eq!((lines.len(), lines[0].0), (1, Level::WARN));
    assert!(lines[0].1.starts_with("update_refused | - | 2.1 | refused, still version 2.1: "));

    sleep(Duration::from_secs(2)).await;
    drop(pick_only(&balancer, &id(1)));
    settled().await;
    let probed = "recovery | e000 | - | `e000` is probed";
    assert_eq!(log.lines(), [(Level::DEBUG, probed.to_owned())]);

    drop(balancer);
    settled().await;
    assert!(worker.is_finished(), "it ends with the balancer");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_nobody_reads_costs_nothing_and_a_stopped_one_says_nothing() {
    let balancer = balancer("", 2, 1);
    let worker = balancer.log_events();
    for weight in 1..5_000 {
        balancer.set_weight(&id(0), 1 + weight % 2).unwrap();
    }
    let log = Log::default();
    let _logging = registry().with(log.clone()).set_default();
    sleep(Duration::from_millis(1)).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1_025, "what is kept, and one line for the rest");
    assert!(lines[0].1.starts_with("missed | - | - | ") && lines[0].0 == Level::WARN);
    worker.stop().await;
    balancer.set_weight(&id(0), 7).unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(log.lines(), []);
}
