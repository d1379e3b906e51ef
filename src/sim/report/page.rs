//! The page itself.

use std::error::Error;
use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::sim::report::chart::{self, Pictures, Scale, clock, color};
use crate::sim::report::mark::Mark;
use crate::sim::report::style::STYLE;
use crate::sim::report::{Report, Section};
use crate::sim::{Finding, Run};

/// Happenings that are listed of a run: whoever wants all of them has the data.
const LISTED: usize = 200;

/// Servers in a legend.
const NAMED: usize = 24;

/// Characters of a name or a text that are shown.
const SHOWN: usize = 200;

pub(super) fn page(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (shown(&report.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (shown(&report.title)) }
                @if report.sections.len() > 1 { (contents(report)) }
                @for (at, section) in report.sections.iter().enumerate() { (part(at, section)) }
            }
        }
    };
    page.into_string()
}

/// All sections in one table.
fn contents(report: &Report) -> Markup {
    html! {
        div.wide { table {
            thead { (heads("drill")) }
            tbody {
                @for (at, section) in report.sections.iter().enumerate() {
                    @for (label, run) in section.runs() {
                        tr {
                            td { a href={ "#s" (at) } { (shown(&section.name)) } ", " (shown(label)) }
                            (figures(run))
                        }
                    }
                }
            }
        } }
    }
}

fn heads(first: &str) -> Markup {
    html! {
        tr {
            th scope="col" { (first) }
            th.n scope="col" { "failed requests" }
            th.n scope="col" { "largest share" }
            th.n scope="col" { "detected after" }
            th.n scope="col" { "over after" }
            th.n scope="col" { "servers lost" }
            th.n scope="col" { "p99" }
        }
    }
}

fn figures(run: &Run) -> Markup {
    let percent = |part: f64| format!("{:.2} %", 100.0 * part);
    let after = |time: Option<Duration>| match time {
        Some(Duration::ZERO) => String::from("at once"),
        time => time.map_or_else(|| String::from("never"), span),
    };
    html! {
        td.n { (percent(run.failure_rate())) }
        td.n { (run.largest_share().map_or_else(String::new, |(share, _)| percent(share))) }
        td.n { (after(run.time_to_detection())) }
        td.n { (after(run.time_to_recovery())) }
        td.n { (run.servers_lost()) }
        td.n { (span(run.totals.latency.p99)) }
    }
}

fn part(at: usize, section: &Section) -> Markup {
    let pictures: Vec<_> = section.runs().map(|(_, run)| Pictures::of(run)).collect();
    let scale = pictures.iter().map(Pictures::scale).fold(Scale::default(), Scale::and);
    html! {
        section id={ "s" (at) } {
            h2 { (shown(&section.name)) }
            @if !section.story.is_empty() { p { (section.story) } }
            div.wide { table {
                thead { (heads("run")) }
                tbody {
                    @for (label, run) in section.runs() {
                        tr { th scope="row" { (shown(label)) } (figures(run)) }
                    }
                }
            } }
            @if !section.findings.is_empty() { (expected(&section.findings)) }
            @for remark in &section.remarks { p { strong { "Note: " } (remark) } }
            div.runs {
                @for ((label, run), pictures) in section.runs().zip(&pictures) {
                    div {
                        h3 { (shown(label)) small { " " (clock(run.lasted.as_secs_f64())) " simulated" } }
                        (drawn(run, pictures, scale))
                        (log(run))
                    }
                }
            }
        }
    }
}

fn expected(findings: &[Finding]) -> Markup {
    html! {
        ul {
            @for finding in findings {
                li class=(if finding.met { "good" } else { "bad" }) {
                    (if finding.met { "as expected: " } else { "not as expected: " })
                    (finding)
                }
            }
        }
    }
}

fn drawn(run: &Run, pictures: &Pictures<'_>, scale: Scale) -> Markup {
    html! {
        h4 { "Share of each server" }
        (picture("share of each server over time", pictures.shares()))
        ul.legend {
            @for (at, server) in run.servers.iter().take(NAMED).enumerate() {
                li { (key(color(at))) (shown(&server.name)) @if server.crashes > 0 { " (crashed)" } }
            }
            @if run.servers.len() > NAMED { li { "and " (run.servers.len() - NAMED) " more" } }
        }
        h4 { "Requests of a second" }
        (picture("requests and failures over time", pictures.failures(scale)))
        ul.legend {
            li { (key(chart::ALL)) "all" }
            li { (key(chart::FAILED)) "failed" }
        }
        h4 { "Latency of good answers" }
        (picture("latency over time", pictures.latencies(scale)))
        ul.legend {
            li { (key(chart::P50)) "half of them within" }
            li { (key(chart::P99)) "99 of a hundred within" }
        }
        ul.legend {
            li { "Lines across:" }
            @for mark in [Mark::Change, Mark::Alarm, Mark::Crash] {
                li { (stroke(mark.color())) (mark.word()) }
            }
        }
    }
}

fn picture(what: &str, svg: Result<String, Box<dyn Error>>) -> Markup {
    match svg {
        // No name of anybody is in there: only axes, lines and areas.
        Ok(svg) => html! { div role="img" aria-label=(what) { (PreEscaped(svg)) } },
        Err(error) => html! { p { "This picture could not be drawn: " (error) } },
    }
}

fn key((r, g, b): (u8, u8, u8)) -> Markup {
    html! { span.key style=(format!("background:rgb({r},{g},{b})")) {} }
}

fn stroke((r, g, b): (u8, u8, u8)) -> Markup {
    html! { span.stroke style=(format!("background:rgb({r},{g},{b})")) {} }
}

fn log(run: &Run) -> Markup {
    let rest = run.happenings.len().saturating_sub(LISTED);
    html! {
        details {
            summary { "What happened (" (run.happenings.len()) ")" }
            div.log { table {
                thead { tr {
                    th scope="col" { "at" } th scope="col" { "" } th scope="col" { "what" }
                } }
                tbody {
                    @for happening in run.happenings.iter().take(LISTED) {
                        @let mark = Mark::of(run, happening);
                        tr {
                            td.n { (clock(happening.at.as_secs_f64())) }
                            td { (key(mark.color())) (shown(&happening.kind)) }
                            td { (shown(&happening.text)) }
                        }
                    }
                    @if rest > 0 { tr { td {} td {} td { "and " (rest) " more" } } }
                }
            } }
        }
    }
}

/// No longer than a page can bear.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A span as people say it.
fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0..1.0 => format!("{:.0} ms", 1_000.0 * seconds),
        1.0..60.0 => format!("{seconds:.1} s"),
        _ => format!("{} min", clock(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Action, Arrivals, Change, Fault, Scenario, Server};

    fn run(name: &str) -> Run {
        Scenario::new("<b>story</b>")
            .servers([Server::new(name), Server::new("b")])
            .arrivals(Arrivals::poisson(50.0))
            .change(Change::at(Duration::from_secs(5), Action::fault("b", Fault::BlackHole)))
            .lasting(Duration::from_secs(20))
            .run()
            .unwrap()
    }

    #[test]
    fn names_are_text_whatever_they_are() {
        let hostile = "</td><script>alert('1')</script>\"&\u{202e}";
        let section = Section::new(hostile, run(hostile))
            .story(hostile)
            .remark(hostile)
            .beside(hostile, run("<svg onload=1>"));
        let page = Report::new(hostile).section(section.clone()).section(section).to_html();
        assert!(!page.contains("<script") && !page.contains("<svg onload"));
        assert!(page.contains("&lt;script&gt;"));
        // Two runs of each section, three pictures of each.
        assert_eq!(page.matches("<svg ").count(), 12);
        let outside = ["http:", "https:", "src=", "@import", "url("];
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(outside.iter().all(|it| !page.contains(it)), "it needs something from elsewhere");
    }

    #[test]
    fn a_run_in_which_nothing_happens_is_drawn_too() {
        let idle = Scenario::new("idle").server(Server::new("a")).run().unwrap();
        let page = Report::new("").section(Section::new("", idle)).to_html();
        assert_eq!(page.matches("<svg ").count(), 3);
        assert!(!page.contains("NaN") && !page.contains("could not be drawn"));
    }

    #[test]
    fn spans_are_short() {
        let of = |ms| span(Duration::from_millis(ms));
        assert_eq!([5, 1_500, 59_900, 61_000].map(of), ["5 ms", "1.5 s", "59.9 s", "1:01 min"]);
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(shown(&"é".repeat(SHOWN)).chars().count(), SHOWN);
        assert_eq!(shown(&"é".repeat(SHOWN + 1)).chars().count(), SHOWN + 1);
    }
}
