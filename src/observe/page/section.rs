//! One balancer.

use maud::{Markup, html};

use super::Shown;
use super::endpoints::table;
use super::facts::{facts, settings, tiers};
use super::history::list;
use super::links::Links;
use super::rank::{Trouble, is_failing, trouble, trouble_of};
use super::view::View;
use super::words::{counted, foreign, span, visible};
use crate::balancer::{AlarmStatus, Status};
use crate::endpoint::Availability;
use crate::event::AlarmKind;

/// A balancer with at most this many of its endpoints, unless all are asked for.
pub(super) fn section(
    number: usize,
    shown: &Shown,
    status: &Status,
    links: &Links,
    view: View,
    limit: usize,
) -> Markup {
    let id = format!("b{number}");
    let fares = trouble_of(status);
    html! {
        section.balancer aria-labelledby=(id) {
            h2 id=(id) { a href=(links.page(&shown.key)) { (foreign(&status.name)) } }
            p class=(format!("verdict {}", class(fares))) {
                (mark(fares)) " " (verdict(status))
            }
            @let notices = notices(status);
            @if !notices.is_empty() {
                ul.notices { @for notice in notices { li { (notice) } } }
            }
            (facts(status))
            (tiers(status))
            h3 { "Endpoints" }
            (table(status, view, limit))
            h3 { "Last changes" }
            (list(&status.changes, "Nothing was changed since it was built."))
            h3 { "What happened to endpoints" }
            (list(&status.happenings, "Nothing yet."))
            (settings(status))
        }
    }
}

/// What whoever looks has to know before anything else.
fn notices(status: &Status) -> Vec<String> {
    let mut notices = Vec::new();
    if status.draining_all {
        notices.push(
            "All is being drained, whoever joins as well: nobody gets anything new until somebody \
             enables all."
                .to_owned(),
        );
    }
    for skew in &status.skews {
        let message = skew.skew.to_string();
        notices.push(format!("Skew for {}: {}.", span(skew.age), visible(&message)));
    }
    let is_told = |alarm: &&AlarmStatus| matches!(alarm.kind, AlarmKind::Skew { .. });
    for alarm in status.alarms.iter().filter(|alarm| !is_told(alarm)) {
        notices.push(format!("Alarm for {}: {}.", span(alarm.lasting), visible(&alarm.message)));
    }
    for tier in status.tiers.iter().filter(|tier| tier.panic) {
        notices.push(format!(
            "Panic in tier {}: only {} of {} are well, so health is not believed and all are used.",
            tier.tier,
            tier.admitted,
            counted(tier.endpoints, "endpoint"),
        ));
    }
    notices
}

/// How the endpoints fare, in a sentence.
pub(super) fn verdict(status: &Status) -> String {
    let all = status.endpoints.len();
    if all == 0 {
        return "It has no endpoints, and refuses every request.".to_owned();
    }
    let of = |state| status.endpoints.iter().filter(|it| it.state == state).count();
    let failing =
        status.endpoints.iter().filter(|it| it.state == Availability::Available && is_failing(it));
    let mut parts = vec![
        (of(Availability::Unhealthy), "unhealthy"),
        (of(Availability::Ejected), "ejected"),
        (of(Availability::Probing), "on probation"),
        (failing.count(), "failing"),
        (of(Availability::Draining), "draining"),
        (of(Availability::Disabled), "disabled"),
        (of(Availability::Warming), "warming up"),
    ];
    parts.retain(|&(number, _)| number > 0);
    let parts: Vec<_> = parts.iter().map(|(number, what)| format!("{number} {what}")).collect();
    let nobody = status.endpoints.iter().all(|endpoint| endpoint.expected_share <= 0.0);
    let endpoints = counted(all, "endpoint");
    match (nobody, parts.is_empty()) {
        (true, true) => format!("None of {endpoints} gets requests: no weight is above zero."),
        (true, false) => format!("None of {endpoints} gets requests: {}.", parts.join(", ")),
        (false, true) if all == 1 => "Its one endpoint takes its part.".to_owned(),
        (false, true) => format!("All {endpoints} take their part."),
        (false, false) => {
            let well = status.endpoints.iter().filter(|it| trouble(it) == Trouble::None).count();
            format!("{well} of {endpoints} well; {}.", parts.join(", "))
        }
    }
}

/// How it fares, by a sign and a word.
pub(super) fn mark(trouble: Trouble) -> Markup {
    let (sign, word) = match trouble {
        Trouble::Bad => ("✕", "trouble"),
        Trouble::Notable => ("!", "note"),
        Trouble::None => ("✓", "well"),
    };
    html! {
        span class=(format!("mark {}", class(trouble))) {
            span aria-hidden="true" { (sign) } " " (word)
        }
    }
}

pub(super) fn class(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Bad => "bad",
        Trouble::Notable => "notable",
        Trouble::None => "well",
    }
}
