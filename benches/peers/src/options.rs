//! What a run is told.

use std::time::Duration;

/// How long a comparison goes on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often everybody has a turn.
    pub rounds: usize,
    /// How long a turn is, at the least.
    pub slice: Duration,
}

/// The arguments of `table` and `memory`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of each race.
    pub pace: Pace,
    /// Pairs of slices, and the length of a slice, for two threads and for readers beside a writer.
    pub threads: Pace,
    /// Numbers of endpoints.
    pub sizes: Vec<usize>,
    /// What is wanted; everything if empty.
    pub sections: Vec<String>,
}

/// How [`Options`] are written.
pub const USAGE: &str = "[--quick] [--rounds N] [--slices N] [--sizes N,N,..] [SECTION ..]";

impl Options {
    /// Reads arguments.
    ///
    /// # Errors
    ///
    /// Says what is wrong with them, or that `known` has no such section.
    pub fn read(args: impl Iterator<Item = String>, known: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            pace: Pace { rounds: 100, slice: Duration::from_millis(1) },
            threads: Pace { rounds: 20, slice: Duration::from_millis(100) },
            sizes: vec![3, 10, 100, 1_000, 10_000],
            sections: Vec::new(),
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--quick" => {
                    options.pace = Pace { rounds: 5, slice: Duration::from_micros(100) };
                    options.threads = Pace { rounds: 3, slice: Duration::from_millis(10) };
                }
                "--rounds" => options.pace.rounds = number(&value()?)?,
                "--slices" => options.threads.rounds = number(&value()?)?,
                "--sizes" => {
                    options.sizes = value()?.split(',').map(number).collect::<Result<_, _>>()?;
                }
                section if known.contains(&section) => options.sections.push(arg),
                _ => return Err(format!("what is {arg}? One of {}", known.join(", "))),
            }
        }
        Ok(options)
    }

    /// Whether a section is wanted.
    #[must_use]
    pub fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }

    /// The largest number of endpoints.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(1)
    }
}

/// A number above zero.
fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{text} is not a number above zero")),
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split_whitespace().map(str::to_owned), &["pick", "memory"])
    }

    #[test]
    fn arguments_are_read_and_mistakes_named() {
        let options = read("--quick --rounds 7 --sizes 3,10 memory").expect("they are sound");
        assert_eq!((options.pace.rounds, options.largest()), (7, 10));
        assert!(options.wants("memory") && !options.wants("pick"));
        assert!(read("").expect("none is needed").wants("pick"));
        for wrong in ["--rounds", "--rounds 0", "--sizes 3,x", "nothing"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
