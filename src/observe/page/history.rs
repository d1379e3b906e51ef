//! What happened last.

use maud::{Markup, html};

use super::html::clock;
use super::words::{foreign, percent, span};

use crate::balancer::Happening;

/// Shares that are shown of a change.
const MOVED: usize = 6;

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
                            @if let Some(class) = class(happening.kind) {
                                span class=(class) { (happening.kind.replace('_', " ")) } " "
                            }
                            (foreign(&happening.text))
                            @if let Some(version) = happening.version {
                                " " span.quiet { "version " (version) }
                            }
                            @for line in &happening.differences {
                                span.line { code { (foreign(line)) } }
                            }
                            (effect(happening))
                        }
                    }
                }
            }
        }
    }
}

/// Whose share has moved.
fn effect(happening: &Happening) -> Markup {
    let left = happening.effect.len().saturating_sub(MOVED);
    html! {
        @if !happening.effect.is_empty() {
            span.line.quiet {
                "shares, were all well: "
                @for (at, share) in happening.effect.iter().take(MOVED).enumerate() {
                    @if at > 0 { ", " }
                    (foreign(share.id.as_str())) " "
                    (percent(share.before)) " → " (percent(share.after))
                }
                @if left > 0 { " and more" }
            }
        }
    }
}

/// How loud a kind is; `None` if its words say enough.
fn class(kind: &str) -> Option<&'static str> {
    match kind {
        "published" => None,
        "ejected" | "unhealthy" | "panic" | "not_rolled_back" | "source_failed"
        | "rebuild_failed" | "check_panicked" | "detector_panicked" => Some("kind bad"),
        "refused" | "not_ejected" | "share_raised" | "judged" | "keyless" => Some("kind notable"),
        _ => Some("kind"),
    }
}
