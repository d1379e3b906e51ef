//! What is wrong with a document, gathered while it is read.

use super::node::beneath;
use crate::error::{ConfigError, Problem};

/// How many problems are told; of what is beyond, only the number. A document of the allowed size
/// has room for millions.
pub(super) const MOST_TOLD: usize = 10_000;

/// Every problem found so far, with places in the text where there is one.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The path of the balancer that is being read; paths of problems are relative to it.
    balancer: String,
    found: Vec<Fault>,
    untold: usize,
}

#[derive(Debug)]
struct Fault {
    at: Option<usize>,
    /// Another place the message speaks of.
    earlier: Option<usize>,
    problem: Problem,
}

impl Faults {
    /// Faults found by `find` have paths within `balancer`.
    pub(super) fn of_balancer<V>(
        &mut self,
        balancer: String,
        find: impl FnOnce(&mut Self) -> V,
    ) -> V {
        let outer = std::mem::replace(&mut self.balancer, balancer);
        let value = find(self);
        self.balancer = outer;
        value
    }

    pub(super) fn add(&mut self, at: Option<usize>, problem: Problem) {
        self.add_pair(at, None, problem);
    }

    /// As [`add`](Self::add), for a problem whose words cost something; they are put together only
    /// if they will be told.
    pub(super) fn add_with(&mut self, at: Option<usize>, problem: impl FnOnce() -> Problem) {
        if self.found.len() < MOST_TOLD {
            self.add(at, problem());
        } else {
            self.untold += 1;
        }
    }

    /// A problem between two places: `at`, and `earlier`, which the message ends with.
    pub(super) fn add_pair(
        &mut self,
        at: Option<usize>,
        earlier: Option<usize>,
        mut problem: Problem,
    ) {
        if self.found.len() < MOST_TOLD {
            problem.path = beneath(&self.balancer, problem.path);
            self.found.push(Fault { at, earlier, problem });
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.found.len() + self.untold
    }

    /// `value` if nothing was wrong, else all the problems in the order of the text.
    pub(super) fn into_result<V>(mut self, value: V, text: &str) -> Result<V, ConfigError> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|fault| fault.at);
        let places = Places::new(text, self.found.iter().flat_map(|it| [it.at, it.earlier]));
        let problems = self.found.into_iter().map(|fault| {
            let mut problem = fault.problem;
            if let Some((line, column)) = places.of(fault.earlier) {
                problem.message.push_str(&format!(" (line {line}, column {column})"));
            }
            problem.position = places.of(fault.at);
            problem
        });
        let untold = (self.untold > 0)
            .then(|| Problem::error("", format!("there are {} more problems", self.untold)));
        Err(ConfigError::new(problems.chain(untold).collect()))
    }
}

/// Lines and columns of byte offsets, found in one walk through the text.
pub(super) struct Places {
    /// Sorted by offset.
    known: Vec<(usize, (usize, usize))>,
}

impl Places {
    pub(super) fn new(text: &str, offsets: impl Iterator<Item = Option<usize>>) -> Self {
        let mut offsets: Vec<usize> = offsets.flatten().collect();
        offsets.sort_unstable();
        offsets.dedup();
        let mut chars = text.char_indices().peekable();
        let (mut line, mut column) = (1, 1);
        let place_of = |offset| {
            while let Some((_, char)) = chars.next_if(|(at, char)| at + char.len_utf8() <= offset) {
                (line, column) = if char == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            (offset, (line, column))
        };
        Self { known: offsets.into_iter().map(place_of).collect() }
    }

    pub(super) fn of(&self, offset: Option<usize>) -> Option<(usize, usize)> {
        let index = self.known.binary_search_by_key(&offset?, |(offset, _)| *offset).ok()?;
        self.known.get(index).map(|(_, place)| *place)
    }
}
