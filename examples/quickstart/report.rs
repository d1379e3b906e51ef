//! The run as a table.

use std::time::Duration;

use evenkeel::{EndpointStatus, Status};

use crate::record::Record;
use crate::screen::grouped;

const HEAD: &str = "
phase             endpoint  speed  weight  requests    share  expected  errors      p50      p99
";

const FOOT: &str = "
expected: the share while all are equally loaded; least_request leaves it for whoever is faster
";

/// Each phase with its endpoints. What is expected is what the balancer announced when the phase
/// began: the share while all are equally loaded.
pub(crate) fn table(record: &Record) -> String {
    let ends = record.phases.iter().skip(1).map(|next| &next.status).chain([&record.status]);
    let mut text = String::from(HEAD);
    for (at, (phase, end)) in record.phases.iter().zip(ends).enumerate() {
        for (row, endpoint) in phase.status.endpoints.iter().enumerate() {
            let title = if row == 0 { phase.titled(at) } else { String::new() };
            text += &format!("{title:16}  {}\n", line(record, at, endpoint, end));
        }
    }
    text + FOOT
}

fn line(record: &Record, at: usize, endpoint: &EndpointStatus, end: &Status) -> String {
    let id = &endpoint.id;
    let server = record.servers.iter().find(|server| server.name == id.as_str());
    let speed = server.map_or_else(dash, |server| format!("{:.0?}", server.takes));
    let times = record.times(at, id);
    let share = times.len() as f64 / record.sent(at).max(1) as f64;
    let errors = end.endpoint(id).map_or(0, errors).saturating_sub(errors(endpoint));
    format!(
        "{id:8}  {speed:>5}  {:>6}  {:>8}  {:5.1} %   {:5.1} %  {errors:>6}  {:>7}  {:>7}",
        endpoint.weight,
        grouped(times.len() as u64),
        100.0 * share,
        100.0 * endpoint.expected_share,
        quantile(&times, 0.50),
        quantile(&times, 0.99),
    )
}

/// Answers that were held against an endpoint so far.
fn errors(endpoint: &EndpointStatus) -> u64 {
    endpoint.failures + endpoint.overloaded
}

/// Stands where there is nothing to say.
fn dash() -> String {
    "-".into()
}

/// A quantile of sorted times.
fn quantile(times: &[Duration], part: f64) -> String {
    let at = (times.len().saturating_sub(1) as f64 * part).round() as usize;
    times.get(at).map_or_else(dash, |time| format!("{:.1}ms", time.as_secs_f64() * 1_000.0))
}
