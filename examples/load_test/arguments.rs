//! What is asked for.

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const USAGE: &str =
    "usage: load_test [--seconds 10..3600] [--rate 100..50000] [--retry]";

pub(crate) enum Asked {
    /// To be one of the servers; the run starts itself again with this.
    Serve {
        name: String,
        address: SocketAddr,
    },
    Run(Plan),
}

/// A run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) length: Duration,
    /// Requests a second.
    pub(crate) rate: u32,
    /// Whether an attempt that failed is made again, at another server.
    pub(crate) retries: bool,
}

/// Lines of the table.
pub(crate) const SPANS: u32 = 12;

impl Plan {
    /// The time of one line of the table.
    pub(crate) fn span(&self) -> Duration {
        self.length / SPANS
    }

    /// A time that is meant for two minutes, for a run of this length: less if that is shorter.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        time.mul_f64((self.length.as_secs_f64() / 120.0).min(1.0))
    }
}

pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut plan = Plan { length: Duration::from_mins(2), rate: 1_000, retries: false };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match &*word {
            "--serve" => {
                let (name, address) = (value()?, value()?);
                let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
                return Ok(Asked::Serve { name, address });
            }
            "--seconds" => {
                plan.length = Duration::from_secs(number(&value()?, 10, 3_600)?.into());
            }
            "--rate" => plan.rate = number(&value()?, 100, 50_000)?,
            "--retry" => plan.retries = true,
            _ => return Err(format!("{word} is not known")),
        }
    }
    Ok(Asked::Run(plan))
}

fn number(word: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = word.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{word}: a whole number from {least} to {most} is needed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(words: &str) -> Option<Plan> {
        match read(words.split_whitespace().map(str::to_owned)) {
            Ok(Asked::Run(plan)) => Some(plan),
            _ => None,
        }
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_refused() {
        assert!(plan("").is_some_and(|plan| plan.length.as_secs() == 120 && !plan.retries));
        assert!(plan("--seconds 10 --retry").is_some_and(|plan| plan.retries));
        for wrong in ["--seconds", "--seconds 9", "--seconds 1h", "--rate 99", "--fast", "120"] {
            assert!(plan(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn times_are_those_of_two_minutes_or_shorter() {
        let (half, third) = (Duration::from_secs(30), Duration::from_secs(10));
        let scaled = |words, time| plan(words).map(|plan| plan.scaled(time));
        assert_eq!(scaled("--seconds 60", half), Some(half / 2));
        assert_eq!(scaled("--seconds 600", third), Some(third));
    }
}
