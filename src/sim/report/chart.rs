//! The pictures, as SVG.

use std::error::Error;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::sim::Run;
use crate::sim::report::mark::{Mark, marks};
use crate::sim::report::series::{Step, steps};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 190;

/// Told apart also by those who do not see all colours (Okabe and Ito 2008).
const COLORS: [(u8, u8, u8); 8] = [
    (0x00, 0x72, 0xb2),
    (0xe6, 0x9f, 0x00),
    (0x00, 0x9e, 0x73),
    (0xcc, 0x79, 0xa7),
    (0x56, 0xb4, 0xe9),
    (0xd5, 0x5e, 0x00),
    (0xf0, 0xe4, 0x42),
    (0x77, 0x77, 0x77),
];

/// The colours of requests, of those that failed, and of the two latencies.
pub(super) const ALL: (u8, u8, u8) = (0xa6, 0xd8, 0xc8);
pub(super) const FAILED: (u8, u8, u8) = (0xcc, 0x33, 0x11);
pub(super) const P50: (u8, u8, u8) = (0x00, 0x72, 0xb2);
pub(super) const P99: (u8, u8, u8) = (0xe6, 0x9f, 0x00);

/// The head of a line that marks something, in pixels.
const HEAD: [(i32, i32); 3] = [(-4, -6), (4, -6), (0, 1)];

fn rgb((r, g, b): (u8, u8, u8)) -> RGBColor {
    RGBColor(r, g, b)
}

/// The colour of the server at this place.
pub(super) fn color(at: usize) -> (u8, u8, u8) {
    COLORS[at % COLORS.len()]
}

/// Why a picture came to nothing.
type Failure = Box<dyn Error>;

/// What pictures beside each other have in common.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scale {
    /// Requests of a second at most.
    rate: f64,
    /// The longest time that is drawn, in seconds.
    latency: f64,
}

/// A run, ready to be drawn.
pub(super) struct Pictures<'r> {
    run: &'r Run,
    steps: Vec<Step>,
    marks: Vec<(f64, Mark)>,
}

impl<'r> Pictures<'r> {
    pub(super) fn of(run: &'r Run) -> Self {
        Self { run, steps: steps(run), marks: marks(run) }
    }

    /// The scale that it wants, if it is alone.
    pub(super) fn scale(&self) -> Scale {
        let largest = |of: fn(&Step) -> f64| self.steps.iter().map(of).fold(0.0, f64::max);
        Scale { rate: largest(Step::rate), latency: largest(|step| step.p99) }
    }

    /// The share of each server, one upon the other.
    pub(super) fn shares(&self) -> Result<String, Failure> {
        drawn(|area| {
            let mut chart = self.axes(area, 0.0..100.0, |share| format!("{share:.0} %"))?;
            let mut below = vec![0.0; self.steps.len()];
            for server in 0..self.run.servers.len() {
                let lower = below.clone();
                for (below, step) in below.iter_mut().zip(&self.steps) {
                    *below += 100.0 * step.shares().nth(server).unwrap_or_default();
                }
                let there = edges(&self.steps, &below);
                let back = edges(&self.steps, &lower).into_iter().rev();
                let outline: Vec<_> = there.into_iter().chain(back).collect();
                chart.draw_series([Polygon::new(outline, rgb(color(server)).mix(0.85))])?;
            }
            self.mark(&mut chart, 100.0)
        })
    }

    /// Requests of a second, and those that failed.
    pub(super) fn failures(&self, scale: Scale) -> Result<String, Failure> {
        let top = ceiling(scale.rate);
        drawn(|area| {
            let mut chart = self.axes(area, 0.0..top, |rate| format!("{rate:.0}/s"))?;
            let all: Vec<_> = self.steps.iter().map(Step::rate).collect();
            let failed = |step: &Step| step.rate() * step.failed_percent() / 100.0;
            let failed: Vec<_> = self.steps.iter().map(failed).collect();
            let area = |heights: &[f64], color: RGBAColor| {
                AreaSeries::new(edges(&self.steps, heights), 0.0, color)
            };
            chart.draw_series(area(&all, rgb(ALL).into()))?;
            chart.draw_series(area(&failed, rgb(FAILED).into()))?;
            self.mark(&mut chart, top)
        })
    }

    /// How long good answers took: the half of them and 99 of a hundred.
    pub(super) fn latencies(&self, scale: Scale) -> Result<String, Failure> {
        let top = ceiling(1_000.0 * scale.latency);
        drawn(|area| {
            let mut chart = self.axes(area, 0.0..top, |ms| match top {
                2_000.0.. => format!("{} s", ms / 1_000.0),
                _ => format!("{ms} ms"),
            })?;
            // Where there were no good answers there is no line.
            for steps in self.steps.chunk_by(|a, b| (a.p99 > 0.0) == (b.p99 > 0.0)) {
                if steps.iter().all(|step| step.p99 > 0.0) {
                    let line = |of: fn(&Step) -> f64, color| {
                        let ms: Vec<_> = steps.iter().map(|step| 1_000.0 * of(step)).collect();
                        LineSeries::new(edges(steps, &ms), rgb(color).stroke_width(2))
                    };
                    chart.draw_series(line(|step| step.p99, P99))?;
                    chart.draw_series(line(|step| step.p50, P50))?;
                }
            }
            self.mark(&mut chart, top)
        })
    }

    fn axes<'a>(
        &self,
        area: &DrawingArea<SVGBackend<'a>, Shift>,
        heights: std::ops::Range<f64>,
        label: impl Fn(f64) -> String,
    ) -> Result<Chart<'a>, Failure> {
        let end = self.run.lasted.as_secs_f64().max(1.0);
        let mut chart = ChartBuilder::on(area)
            .margin_top(6)
            .margin_right(24)
            .x_label_area_size(26)
            .y_label_area_size(60)
            .build_cartesian_2d(Time { end }, heights)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(0xdd, 0xdd, 0xdd))
            .axis_style(RGBColor(0x99, 0x99, 0x99))
            .label_style(("sans-serif", 14))
            .y_labels(5)
            .x_labels(6)
            .y_label_formatter(&|y| label(*y))
            .x_label_formatter(&|x| clock(*x))
            .draw()?;
        Ok(chart)
    }

    fn mark(&self, chart: &mut Chart<'_>, top: f64) -> Result<(), Failure> {
        for &(at, mark) in &self.marks {
            let color = rgb(mark.color());
            let line = [(at, 0.0), (at, top)];
            chart.draw_series([PathElement::new(line, color.mix(0.8).stroke_width(1))])?;
            // Also where the line itself is lost in what is drawn.
            let head = [(at, top)].into_iter();
            let head = head.map(|at| EmptyElement::at(at) + Polygon::new(HEAD, color.filled()));
            chart.draw_series(head)?;
        }
        Ok(())
    }
}

type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Time, RangedCoordf64>>;

/// The axis of time, in seconds from zero.
struct Time {
    end: f64,
}

impl Ranged for Time {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        ticks(self.end)
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.end
    }
}

impl Scale {
    /// A scale for both.
    pub(super) fn and(self, other: Self) -> Self {
        Self { rate: self.rate.max(other.rate), latency: self.latency.max(other.latency) }
    }
}

fn drawn(
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, (WIDTH, HEIGHT)).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(picture)
}

/// The corners of a line that stays level within a step.
fn edges(steps: &[Step], heights: &[f64]) -> Vec<(f64, f64)> {
    let steps = steps.iter().zip(heights);
    steps.flat_map(|(step, &height)| [(step.at, height), (step.end, height)]).collect()
}

/// Where time is told: at round minutes or seconds, at most eight times.
fn ticks(end: f64) -> Vec<f64> {
    const ROUND: [f64; 16] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 21_600.0, 86_400.0,
    ];
    let apart = ROUND.into_iter().find(|apart| end / apart < 8.0).unwrap_or(end / 7.0);
    (0..8).map(|tick| apart * f64::from(tick)).take_while(|at| *at <= end).collect()
}

/// The next round number above.
fn ceiling(height: f64) -> f64 {
    let height = height.max(1.0);
    let power = 10_f64.powf(height.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= height).unwrap_or(10.0 * power)
}

/// Seconds as minutes and hours are said.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_are_round_and_above() {
        for (height, round) in [(0.0, 1.0), (1.0, 1.0), (1.1, 1.5), (49.0, 50.0), (81.0, 100.0)] {
            assert_eq!(ceiling(height), round, "{height}");
        }
    }

    #[test]
    fn ticks_are_few_and_round() {
        assert_eq!(ticks(1.0), [0.0, 1.0]);
        assert_eq!(ticks(20.0), [0.0, 5.0, 10.0, 15.0, 20.0]);
        for end in [0.5, 59.0, 2_500.0, 15_000.0, 1e9] {
            let ticks = ticks(end);
            assert!((1..=8).contains(&ticks.len()), "{end}: {ticks:?}");
            assert!(ticks.iter().all(|at| (0.0..=end).contains(at)), "{end}: {ticks:?}");
        }
    }

    #[test]
    fn times_are_said_as_on_a_clock() {
        assert_eq!([0.0, 61.0, 3_600.0, -1.0].map(clock), ["0:00", "1:01", "1:00:00", "0:00"]);
    }
}
