//! The run as a table.

use std::time::Duration;

use evenkeel::EndpointStatus;

use crate::record::Record;
use crate::screen::grouped;

const HEAD: &str = "
phase              endpoint  speed  weight  requests    share  expected  errors      p50      p99
";

const FOOT: &str = "
expected: the share while all are equally loaded; least_request leaves it for whoever is faster
p50, p99: of the good answers
";

/// Each phase with its endpoints. Who takes no part in it is left out, unless that is new.
pub(crate) fn table(record: &Record) -> String {
    let mut text = String::from(HEAD);
    for (at, phase) in record.phases.iter().enumerate() {
        let mut title = format!("{} {}", at + 1, phase.title);
        for endpoint in &phase.status.endpoints {
            let expected = |at| record.expected(at, &endpoint.id) > 0.0;
            if expected(at) || expected(at.saturating_sub(1)) {
                text += &format!("{title:17}  {}\n", line(record, at, endpoint));
                title.clear();
            }
        }
    }
    text + FOOT
}

fn line(record: &Record, at: usize, endpoint: &EndpointStatus) -> String {
    let id = &endpoint.id;
    let server = record.servers.iter().find(|server| server.name == id.as_str());
    let speed = server.map_or_else(dash, |server| format!("{:.0?}", server.takes));
    let had = record.had(at, id);
    let times = record.times(at, id);
    format!(
        "{id:8}  {speed:>5}  {:>6}  {:>8}  {:5.1} %   {:5.1} %  {:>6}  {:>7}  {:>7}",
        endpoint.weight,
        grouped(had),
        100.0 * had as f64 / record.sent(at).max(1) as f64,
        100.0 * record.expected(at, id),
        record.failed(at, id),
        quantile(&times, 0.50),
        quantile(&times, 0.99),
    )
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
