//! Scenarios from TOML.

use serde_path_to_error::Path;

use crate::config::nearest;
use crate::error::Problem;
use crate::sim::{Scenario, ScenarioError};

impl Scenario {
    /// Reads a scenario from TOML. Its keys are the fields of [`Scenario`] and of what it holds;
    /// durations are text, and settings of balancers stand under `config`, as a file of their own
    /// would have them.
    ///
    /// ```
    /// use evenkeel::sim::Scenario;
    ///
    /// let scenario = Scenario::from_toml(r#"
    /// name = "a brown-out"
    /// lasting = "30s"
    /// servers = [{ name = "a" }, { name = "b", service = { exponential = "5ms" }, workers = 2 }]
    ///
    /// [[clients]]
    /// name = "shop"
    /// config.strategy.kind = "peak_ewma"
    ///
    /// [[arrivals]]
    /// pattern.open.rate = [{ at = "0s", per_second = 50 }]
    ///
    /// [[changes]]
    /// when.at = "10s"
    /// do.fault = { server = "a", fault.brown_out.factor = 5.0 }
    /// "#)?;
    /// assert_eq!(scenario.run()?.totals.failures, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] with the first problem, its path, line and column. What is read may still
    /// be wrong in ways that [`run`](Self::run) finds, all at once.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let document = toml::Deserializer::parse(text)
            .map_err(|error| problem(text, String::new(), &error))?;
        serde_path_to_error::deserialize(document).map_err(|error| {
            let path = spelt(error.path());
            problem(text, path, error.inner()).into()
        })
    }
}

fn spelt(path: &Path) -> String {
    let path = path.to_string();
    if path == "." { String::new() } else { path }
}

fn problem(text: &str, path: String, error: &toml::de::Error) -> Problem {
    let message = match misspelt(error.message()) {
        Some(near) => format!("{}; did you mean `{near}`?", error.message()),
        None => error.message().to_owned(),
    };
    let position = error.span().and_then(|span| {
        let before = text.get(..span.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Some((line, column))
    });
    Problem { position, ..Problem::error(path, message) }
}

/// The word that was meant, where serde has listed those that there are: "unknown field `a`,
/// expected one of `b`, `c`".
fn misspelt(message: &str) -> Option<&str> {
    let mut words = message.strip_prefix("unknown ")?.split('`').skip(1).step_by(2);
    let written = words.next()?;
    nearest(written, words)
}
