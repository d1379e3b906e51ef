//! What was set out to be reached, and whether it is.

use std::fmt;

use crate::text::{Table, or_dash};

/// Where a figure has to stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// More than this.
    Above(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtMost(bound) => figure <= bound,
            Self::AtLeast(bound) => figure >= bound,
            Self::Above(bound) => figure > bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "<= {bound}"),
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::Above(bound) => write!(f, "> {bound}"),
        }
    }
}

/// Something to be reached, and the figures of this run.
#[derive(Clone, Debug)]
pub struct Target {
    what: String,
    bound: Bound,
    /// With how many endpoints, and what came out.
    figures: Vec<(usize, Option<f64>)>,
}

impl Target {
    /// Figures by number of endpoints, each of which has to keep to the bound.
    pub fn new(
        what: impl Into<String>,
        bound: Bound,
        figures: impl IntoIterator<Item = (usize, Option<f64>)>,
    ) -> Self {
        Self { what: what.into(), bound, figures: figures.into_iter().collect() }
    }

    /// Whether each figure keeps to the bound; `None` if one is missing.
    #[must_use]
    pub fn reached(&self) -> Option<bool> {
        let held = |&(_, figure): &(usize, Option<f64>)| Some(self.bound.holds(figure?));
        let held: Option<Vec<bool>> = self.figures.iter().map(held).collect();
        held.filter(|held| !held.is_empty()).map(|held| held.into_iter().all(|held| held))
    }

    fn verdict(&self) -> &'static str {
        match self.reached() {
            Some(true) => "reached",
            Some(false) => "NOT reached",
            None => "not measured",
        }
    }
}

/// All targets as a table, with a column for each number of endpoints.
#[must_use]
pub fn table(targets: &[Target]) -> Table {
    let mut sizes: Vec<_> =
        targets.iter().flat_map(|it| it.figures.iter().map(|it| it.0)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let heads = ["target".to_owned(), "bound".to_owned()].into_iter();
    let heads = heads.chain(sizes.iter().map(|n| format!("n={n}"))).chain([String::new()]);
    let mut table = Table::new("Targets, each from figures of this run", heads);
    for target in targets {
        let figure = |n: &usize| {
            let figure = target.figures.iter().find(|it| it.0 == *n).and_then(|it| it.1);
            or_dash(figure, |figure| format!("{figure:.2}"))
        };
        let cells = [target.what.clone(), target.bound.to_string()].into_iter();
        table.row(cells.chain(sizes.iter().map(figure)).chain([target.verdict().to_owned()]));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Bound, Target};

    fn reached(bound: Bound, figures: &[Option<f64>]) -> Option<bool> {
        Target::new("it", bound, figures.iter().map(|&figure| (10, figure))).reached()
    }

    #[test]
    fn one_figure_beyond_its_bound_is_enough() {
        assert_eq!(reached(Bound::AtMost(0.5), &[Some(0.5), Some(0.4)]), Some(true));
        assert_eq!(reached(Bound::AtMost(0.5), &[Some(0.4), Some(0.51)]), Some(false));
        assert_eq!(reached(Bound::AtLeast(1.4), &[Some(1.3)]), Some(false));
        assert_eq!(reached(Bound::Above(1.0), &[Some(1.0)]), Some(false));
    }

    #[test]
    fn what_is_not_measured_is_not_reached() {
        assert_eq!(reached(Bound::AtMost(0.5), &[Some(0.1), None]), None);
        assert_eq!(reached(Bound::AtMost(0.5), &[]), None);
    }
}
