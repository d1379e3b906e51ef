//! Tables as text, which is how the README shows them.

use std::fmt;

/// Rows of cells: the first cell of a row to the left, the others to the right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this title and the heads of its columns.
    pub fn new(title: impl Into<String>, heads: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), rows: vec![heads.into_iter().collect()] }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widths: Vec<_> = (0..columns)
            .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        writeln!(f, "{}\n", self.title)?;
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += &match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A cell for what was not measured.
#[must_use]
pub fn or_dash<T>(figure: Option<T>, show: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|| "-".to_owned(), show)
}

/// Some nanoseconds, in a unit that suits them.
#[must_use]
pub fn nanos(nanos: f64) -> String {
    match nanos {
        ..10.0 => format!("{nanos:.2} ns"),
        ..1_000.0 => format!("{nanos:.0} ns"),
        ..1_000_000.0 => format!("{:.1} us", nanos / 1e3),
        _ => format!("{:.2} ms", nanos / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, nanos};

    #[test]
    fn columns_line_up() {
        let mut table = Table::new("title", ["name", "ns"].map(str::to_owned));
        table.row(["longer name", "1"].map(str::to_owned));
        assert_eq!(table.to_string(), "title\n\nname         ns\nlonger name   1\n");
    }

    #[test]
    fn units_follow_the_size() {
        let shown = [1.234, 56.7, 1_234.0, 1_234_567.0].map(nanos);
        assert_eq!(shown, ["1.23 ns", "57 ns", "1.2 us", "1.23 ms"]);
    }
}
