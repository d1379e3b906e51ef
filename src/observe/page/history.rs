//! What happened last.

use maud::{Markup, html};

use super::html::clock;
use super::words::{foreign, span};
use crate::balancer::Happening;

/// Happenings, the latest first, or what to say if there are none.
pub(super) fn list(happenings: &[Happening], nothing: &str) -> Markup {
    html! {
        @if happenings.is_empty() {
            p.quiet { (nothing) }
        } @else {
            ol.happenings {
                @for happening in happenings {
                    li {
                        span.when { (span(happening.ago)) " ago" span.quiet { (clock(happening.at)) } }
                        span.what {
                            span class=(class(happening.kind)) { (happening.kind.replace('_', " ")) }
                            " " (foreign(&happening.text))
                            @if let Some(version) = happening.version {
                                " " span.quiet { "version " (version) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How loud a kind is.
fn class(kind: &str) -> &'static str {
    match kind {
        "ejected" | "unhealthy" | "panic" | "not_rolled_back" | "source_failed"
        | "rebuild_failed" | "check_panicked" | "detector_panicked" => "kind bad",
        "refused" | "not_ejected" | "share_raised" | "judged" | "keyless" => "kind notable",
        _ => "kind",
    }
}
