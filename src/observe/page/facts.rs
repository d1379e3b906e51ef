//! What there is to say of a balancer as a whole.

use maud::{Markup, html};

use super::words::{count, counted, foreign, percent, span};
use crate::balancer::Status;

/// Lines of settings that are shown at the most.
const LINES: usize = 100;

pub(super) fn facts(status: &Status) -> Markup {
    let answers: u64 = status.endpoints.iter().map(|endpoint| endpoint.recent_answers).sum();
    let bad: u64 = status.endpoints.iter().map(|endpoint| endpoint.recent_failures).sum();
    html! {
        dl.facts {
            div { dt { "Version" } dd { (status.version) } }
            div { dt { "Strategy" } dd { (foreign(&status.strategy)) } }
            div { dt { "In flight" } dd { (count(status.in_flight)) } }
            div {
                dt { "Failed, last " (span(status.recent)) }
                dd {
                    @if answers == 0 { "no answers" } @else {
                        (percent(bad as f64 / answers as f64)) " of " (count(answers))
                    }
                }
            }
            div { dt { "Set last sent" } dd { (span(status.set_age)) " ago" } }
            div { dt { "Up for" } dd { (span(status.age)) } }
        }
    }
}

/// The tiers, where there is more than one.
pub(super) fn tiers(status: &Status) -> Markup {
    html! {
        @if status.tiers.len() > 1 {
            h3 { "Tiers" }
            ul.plain {
                @for tier in &status.tiers {
                    li {
                        "Tier " (tier.tier) ": " (percent(tier.load)) " of all requests, "
                        (count(tier.admitted as u64)) " of "
                        (counted(tier.endpoints, "endpoint")) " well"
                        @if tier.panic { ", in panic" }
                    }
                }
            }
        }
    }
}

/// What the settings say.
pub(super) fn settings(status: &Status) -> Markup {
    let left = status.settings.len().saturating_sub(LINES);
    html! {
        details {
            summary { "Settings other than the defaults: " (count(status.settings.len() as u64)) }
            @if status.settings.is_empty() {
                p.quiet { "All are as they come." }
            } @else {
                ul.settings {
                    @for line in status.settings.iter().take(LINES) { li { code { (foreign(line)) } } }
                }
                @if left > 0 { p.quiet { "And " (count(left as u64)) " more." } }
            }
        }
    }
}
