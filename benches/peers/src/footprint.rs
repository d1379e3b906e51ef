//! What an endpoint keeps in memory, as the program `memory` says it.
//!
//! That program counts every allocation, which would make each one slower where time is measured. So
//! it is a program of its own, which `table` runs.

use crate::text::Table;

/// The bytes that an endpoint keeps, and the allocations of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// Whose.
    pub name: String,
    /// With how many endpoints.
    pub n: usize,
    /// What its id and its target keep; the rest is beyond them.
    pub given: f64,
    /// All that it keeps once it is built.
    pub built: f64,
    /// All that it keeps after a thousand requests to each endpoint.
    pub used: f64,
    /// Allocations a request, after those.
    pub allocations: f64,
}

impl Footprint {
    /// Bytes beyond id and target, when built or when used, whichever is more.
    #[must_use]
    pub fn beyond(&self) -> f64 {
        self.built.max(self.used) - self.given
    }

    /// A line that [`read`](Self::read) reads.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { name, n, given, built, used, allocations } = self;
        format!("{name}\t{n}\t{given}\t{built}\t{used}\t{allocations}")
    }

    /// Reads what [`line`](Self::line) has written.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.split('\t');
        let name = parts.next()?.to_owned();
        let n = parts.next()?.parse().ok()?;
        let mut figure = || parts.next()?.parse().ok();
        let (given, built, used) = (figure()?, figure()?, figure()?);
        Some(Self { name, n, given, built, used, allocations: figure()? })
    }
}

/// All of them as a table.
#[must_use]
pub fn table(footprints: &[Footprint]) -> Table {
    let title =
        "Bytes an endpoint keeps, and allocations a request; used: after 1,000 requests each";
    let heads = ["", "n", "id and target", "built", "used", "beyond id and target", "allocations"];
    let mut table = Table::new(title, heads.map(str::to_owned));
    for footprint in footprints {
        let bytes = |bytes: f64| format!("{bytes:.0}");
        table.row([
            footprint.name.clone(),
            footprint.n.to_string(),
            bytes(footprint.given),
            bytes(footprint.built),
            bytes(footprint.used),
            bytes(footprint.beyond()),
            format!("{:.2}", footprint.allocations),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::Footprint;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let (name, n) = ("tower:pending".to_owned(), 10);
        let footprint =
            Footprint { name, n, given: 31.5, built: 300.25, used: 310.0, allocations: 1.0 };
        assert_eq!(Footprint::read(&footprint.line()), Some(footprint.clone()));
        assert_eq!(footprint.beyond(), 278.5);
        assert_eq!(Footprint::read("no such line"), None);
    }
}
