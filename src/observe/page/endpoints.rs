//! The endpoints of a balancer, the worst first.

use maud::{Markup, html};

use super::rank::{Trouble, is_failing, trouble, worst_first};
use super::section::class;
use super::shares::Scale;
use super::view::View;
use super::words::{count, counted, foreign, percent, span};
use crate::balancer::{EndpointStatus, Status};
use crate::endpoint::Availability;

/// Labels that are shown of an endpoint at the most.
const LABELS: usize = 8;

/// At most `limit` endpoints, unless all are asked for.
///
/// On a narrow screen rows become cards. They stay a table for those who have it read to them, hence
/// the roles.
pub(super) fn table(status: &Status, view: View, limit: usize) -> Markup {
    let endpoints = worst_first(status);
    let limit = if view.all { usize::MAX } else { limit };
    let left = endpoints.len().saturating_sub(limit);
    let scale = Scale::of(status);
    html! {
        @if endpoints.is_empty() {
            p.quiet { "There are none." }
        } @else {
            table role="table" {
                thead role="rowgroup" {
                    tr role="row" {
                        @for head in ["Endpoint", "State", "Share", "Failed", "Latency", "Load"] {
                            th scope="col" role="columnheader" { (head) }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for endpoint in endpoints.iter().take(limit) { (row(endpoint, &scale)) }
                }
            }
            @if left > 0 {
                p {
                    "Not shown: " (counted(left, "endpoint")) " in no more trouble than these. "
                    a href=(View { all: true, ..view }.query()) { "Show all" } "."
                }
            }
        }
    }
}

fn row(endpoint: &EndpointStatus, scale: &Scale) -> Markup {
    html! {
        tr role="row" class=(class(trouble(endpoint))) {
            th scope="row" role="rowheader" {
                span.name { (foreign(endpoint.id.as_str())) }
                span.quiet.attributes { (attributes(endpoint)) }
            }
            td role="cell" data-label="State" { div { (state(endpoint)) } }
            td role="cell" data-label="Share" { div { (scale.bars(endpoint)) } }
            td role="cell" data-label="Failed" { div { (answers(endpoint)) } }
            td role="cell" data-label="Latency" { div { (latency(endpoint)) } }
            td role="cell" data-label="Load" { div { (load(endpoint)) } }
        }
    }
}

fn attributes(endpoint: &EndpointStatus) -> Markup {
    let left = endpoint.labels.len().saturating_sub(LABELS);
    html! {
        @if endpoint.tier > 0 { span { "tier " (endpoint.tier) } }
        @if let Some(zone) = &endpoint.zone { span { "zone " (foreign(zone)) } }
        @for (name, value) in endpoint.labels.iter().take(LABELS) {
            span { (foreign(name)) "=" (foreign(value)) }
        }
        @if left > 0 { span { "and " (counted(left, "label")) } }
    }
}

/// The state by a sign and a word, why, for how long, and what else operators say.
fn state(endpoint: &EndpointStatus) -> Markup {
    let (sign, word) = match endpoint.state {
        Availability::Available if endpoint.weight == 0 => ("○", "no weight"),
        Availability::Available if is_failing(endpoint) => ("▲", "failing"),
        Availability::Available => ("✓", "available"),
        Availability::Warming => ("◔", "warming up"),
        Availability::Probing => ("?", "on probation"),
        Availability::Ejected => ("✕", "ejected"),
        Availability::Unhealthy => ("✕", "unhealthy"),
        Availability::Draining => ("↓", "draining"),
        Availability::Disabled => ("■", "disabled"),
    };
    let told = endpoint.reason.as_ref().map(|reason| reason.text.as_str());
    let others = endpoint.overrides.iter().filter(|it| told != Some(it.text.as_str()));
    html! {
        span class=(format!("mark {}", class(trouble(endpoint)))) {
            span aria-hidden="true" { (sign) } " " (word)
        }
        @if endpoint.state_for.is_some() || endpoint.state_left.is_some() {
            " " span.quiet {
                @if let Some(past) = endpoint.state_for { "for " (span(past)) }
                @if endpoint.state_for.is_some() && endpoint.state_left.is_some() { ", " }
                @if let Some(left) = endpoint.state_left { (span(left)) " left" }
            }
        }
        @if let Some(told) = told { span.line { (foreign(told)) } }
        @for said in others {
            span.line {
                (foreign(&said.text))
                @if let Some(ago) = said.ago { span.quiet { " " (span(ago)) " ago" } }
                @if let Some(left) = said.left { span.quiet { ", " (span(left)) " left" } }
            }
        }
        @if endpoint.ejections > 1 && endpoint.state != Availability::Ejected {
            span.line.quiet { (counted(endpoint.ejections as usize, "ejection")) " not made up for" }
        }
    }
}

fn answers(endpoint: &EndpointStatus) -> Markup {
    html! {
        @match endpoint.failure_rate {
            Some(rate) => {
                span class=(if trouble(endpoint) == Trouble::Bad && rate > 0.0 { "figure loud" } else { "figure" }) {
                    (percent(rate))
                }
                span.quiet { " of " (count(endpoint.recent_answers)) }
            }
            None => { span.quiet { "no answers" } }
        }
        @if endpoint.failures + endpoint.overloaded > 0 {
            span.line.quiet {
                "ever: " (count(endpoint.failures)) " failed"
                @if endpoint.overloaded > 0 { ", " (count(endpoint.overloaded)) " overloaded" }
            }
        }
    }
}

fn latency(endpoint: &EndpointStatus) -> Markup {
    html! {
        @match endpoint.latency {
            Some(latency) => { span.figure { (span(latency)) } span.quiet { " peak average" } }
            None => { span.quiet { "not measured" } }
        }
        @if let Some(spread) = endpoint.latencies {
            span.line.quiet {
                "ever: p50 " (span(spread.p50)) ", p90 " (span(spread.p90)) ", p99 " (span(spread.p99))
            }
        }
    }
}

fn load(endpoint: &EndpointStatus) -> Markup {
    let effective = format!("{:.1}", endpoint.effective_weight);
    let effective = effective.strip_suffix(".0").unwrap_or(&effective);
    html! {
        span.figure { (count(endpoint.in_flight)) } span.quiet { " in flight" }
        span.line.quiet { (count(endpoint.picks)) " ever sent" }
        span.line.quiet {
            "weight " (endpoint.weight)
            @if *effective != endpoint.weight.to_string() { ", now counts as " (effective) }
        }
    }
}
