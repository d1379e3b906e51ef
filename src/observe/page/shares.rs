//! Who is to get what, and who got what.

use maud::{Markup, html};

use super::words::percent;
use crate::balancer::{EndpointStatus, Status};

/// What bars are drawn against, so that the longest is as long as there is room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    longest: f64,
    /// Answers of all endpoints, lately.
    answers: u64,
}

impl Scale {
    pub(super) fn of(status: &Status) -> Self {
        let answers = status.endpoints.iter().map(|endpoint| endpoint.recent_answers).sum();
        let unscaled = Self { longest: 1.0, answers };
        let shares = status.endpoints.iter().map(|endpoint| {
            endpoint.expected_share.max(unscaled.realised(endpoint).unwrap_or_default())
        });
        let longest = shares.fold(0.0, f64::max);
        Self { longest: if longest > 0.0 { longest } else { 1.0 }, answers }
    }

    /// The part of the requests that it had lately; without the audit, of the answers.
    fn realised(&self, endpoint: &EndpointStatus) -> Option<f64> {
        let answers = self.answers;
        let answered = || (answers > 0).then(|| endpoint.recent_answers as f64 / answers as f64);
        endpoint.realised_share.or_else(answered)
    }

    /// The share that an endpoint is to get beside what it had.
    pub(super) fn bars(&self, endpoint: &EndpointStatus) -> Markup {
        html! {
            (self.bar("intended", endpoint.expected_share))
            @if let Some(realised) = self.realised(endpoint) {
                (self.bar("realised", realised))
            }
        }
    }

    fn bar(&self, what: &str, share: f64) -> Markup {
        let part = (share / self.longest).clamp(0.0, 1.0);
        // What is there is seen, however little it is.
        let width = if part > 0.0 { (100.0 * part).max(1.0) } else { 0.0 };
        html! {
            span.bar {
                span.quiet { (what) } " "
                svg aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none" {
                    rect.track width="100" height="8" {}
                    rect class=(what) width=(format!("{width:.1}")) height="8" {}
                }
                " " span.figure { (percent(share)) }
            }
        }
    }
}
