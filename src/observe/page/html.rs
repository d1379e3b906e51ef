//! The frame of a page.

use std::time::{Duration, SystemTime};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::links::Links;
use super::rank::{Trouble, trouble_of};
use super::section::{mark, section, verdict};
use super::view::View;
use super::words::{counted, foreign, visible};
use super::{Shown, style};
use crate::balancer::Status;

/// Endpoints that are shown unasked where one balancer is.
const SHOWN_OF_ONE: usize = 100;

/// Endpoints that are shown unasked of each balancer where several are.
const SHOWN_OF_EACH: usize = 25;

/// The page of all balancers: what each is called, and what it is doing if it is still there.
pub(super) fn index(read: &[(&Shown, Option<Status>)], links: &Links, view: View) -> Markup {
    let there: Vec<_> =
        read.iter().filter_map(|(shown, status)| Some((*shown, status.as_ref()?))).collect();
    let gone = read.iter().filter(|(_, status)| status.is_none()).map(|(shown, _)| shown);
    let gone: Vec<_> = gone.collect();
    let bad = there.iter().filter(|(_, status)| trouble_of(status) == Trouble::Bad).count();
    let limit = if there.len() == 1 { SHOWN_OF_ONE } else { SHOWN_OF_EACH };
    let at = there.first().map_or_else(SystemTime::now, |(_, status)| status.at);
    let title = match bad {
        0 => "Balancers".to_owned(),
        _ => format!("{bad} in trouble – Balancers"),
    };
    frame(
        &title,
        view,
        &html! {
            header {
                h1 { "Balancers" }
                (controls(at, &links.json(), view))
                @if there.len() > 1 {
                    nav aria-label="Balancers" {
                        ul.overview {
                            @for (number, (_, status)) in there.iter().enumerate() {
                                li {
                                    (mark(trouble_of(status))) " "
                                    a href=(format!("#b{number}")) { (foreign(&status.name)) }
                                    " " span.quiet { (verdict(status)) }
                                }
                            }
                        }
                    }
                }
            }
            main {
                @for (number, (shown, status)) in there.iter().enumerate() {
                    (section(number, shown, status, links, view, limit))
                }
                @if read.is_empty() {
                    p { "No balancer is shown here." }
                }
                @if !gone.is_empty() {
                    section aria-labelledby="gone" {
                        h2 #gone { "Gone" }
                        p { "The last handle of these is gone, and so are they." }
                        ul { @for shown in gone { li { (foreign(&shown.name)) } } }
                    }
                }
            }
        },
    )
}

/// The page of one balancer.
pub(super) fn page(shown: &Shown, status: &Status, links: &Links, view: View) -> Markup {
    let title = match trouble_of(status) {
        Trouble::Bad => format!("In trouble – {}", visible(&shown.name)),
        _ => visible(&shown.name),
    };
    frame(
        &title,
        view,
        &html! {
            header {
                h1 { "Balancer" }
                p { a href=(links.index()) { "All balancers" } }
                (controls(status.at, &links.json_of(&shown.key), view))
            }
            main { (section(0, shown, status, links, view, SHOWN_OF_ONE)) }
        },
    )
}

fn frame(title: &str, view: View, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(seconds) = view.refresh {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { (title) }
                style { (PreEscaped(style::SHEET)) }
            }
            body { (body) }
        }
    }
}

fn controls(at: SystemTime, json: &str, view: View) -> Markup {
    let again = View { refresh: Some(5), ..view };
    let still = View { refresh: None, ..view };
    html! {
        p.quiet {
            "Read at " (clock(at)) ". "
            @match view.refresh {
                Some(seconds) => {
                    "Read again every " (counted(seconds as usize, "second")) ": "
                    a href=(still.query()) { "stop" } ". "
                }
                None => { a href=(again.query()) { "Read again every 5 seconds" } ". " }
            }
            a href=(json) { "As JSON" } "."
        }
    }
}

/// A time of the wall clock, to the second.
pub(super) fn clock(at: SystemTime) -> Markup {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Up to the end of the year 9999, beyond which there are no words for it.
    let since = since.min(Duration::from_secs(253_402_300_799));
    let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string();
    let words = text.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(text) { (words) } }
}
