//! Why an endpoint is in its state, and what operators say about it.

use std::fmt;
use std::time::Duration;

use crate::balancer::recent::cut;
use crate::endpoint::Availability;
use crate::event::Rule;
use crate::outlier::{Checked, Phase, Rules};
use crate::snapshot::{Ejected, Member, Word};
use crate::units::Nanos;

/// Why an endpoint is in its state.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Reason {
    /// For programs. Serialised beside `text`, under its name in `kind`.
    #[cfg_attr(feature = "config", serde(flatten))]
    pub cause: Cause,
    /// For people; at most 1 KiB.
    pub text: String,
}

/// What an endpoint's state comes from.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "config",
    derive(serde::Serialize),
    serde(tag = "kind", rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Cause {
    /// A rule took it out for what it observed.
    Ejected {
        /// The rule. Serialised in words.
        #[cfg_attr(feature = "config", serde(serialize_with = "in_words"))]
        rule: Rule,
        /// What was observed, in the rule's [unit](Rule::unit).
        observed: f64,
        /// What it was held against, in the same unit.
        threshold: f64,
        /// Ejections that no good interval has made up for: the factor of the time.
        times: u32,
    },
    /// An operator took it out for a while.
    SetAside {
        /// Who, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// Its ejection is over, and it owes good answers.
    OnProbation {
        /// Good answers it has given since.
        good: u32,
        /// Those it owes in all: `outlier.probe_successes`.
        owed: u32,
    },
    /// Active checks have failed.
    ChecksFailed {
        /// How many in a row, when it was taken out.
        failures: u32,
        /// What came of the last of them.
        error: String,
    },
    /// It has joined where newcomers have to pass their checks first (`health.initial`), and has
    /// not yet.
    AwaitsChecks,
    /// An operator drains it.
    Drained {
        /// Whether all endpoints are, by [`Balancer::drain_all`](crate::Balancer::drain_all).
        all: bool,
        /// Who, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// An operator switched it off.
    SwitchedOff {
        /// Who, where that was said.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// It was out, and takes a growing share.
    Returning,
    /// It has joined, and takes a growing share (`slow_start.new_endpoints`).
    Joining,
    /// Its weight is 0.
    NoWeight {
        /// Who gave it that weight, if it was an operator who said so.
        by: Option<String>,
        /// Why, where that was said.
        because: Option<String>,
    },
    /// It is out, and what for is not known.
    Unknown,
}

/// What an operator says about an endpoint, for as long as it holds. `Debug` leaves out how old it is.
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Override {
    /// `weight`, `drain`, `disable` or `eject`.
    pub kind: &'static str,
    /// In words, author and reason among them; at most 1 KiB.
    pub text: String,
    /// Who said it, where that was said.
    pub by: Option<String>,
    /// Why, where that was said.
    pub because: Option<String>,
    /// How long ago it was said, where that is known. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub ago: Option<Duration>,
    /// How long it still holds, if time ends it. Serialised in seconds.
    #[cfg_attr(feature = "config", serde(serialize_with = "crate::units::seconds::span_if_any"))]
    pub left: Option<Duration>,
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Override")
            .field("kind", &self.kind)
            .field("text", &self.text)
            .field("by", &self.by)
            .field("because", &self.because)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "config")]
fn in_words<S: serde::Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(rule)
}

/// Why an endpoint is where it is, and since and until when.
#[derive(Debug, Default)]
pub(super) struct Whys {
    pub(super) reason: Option<Reason>,
    pub(super) since: Option<Nanos>,
    /// When time alone ends it.
    pub(super) until: Option<Nanos>,
}

impl Whys {
    pub(super) fn of<T>(member: &Member<T>, rules: &Rules) -> Self {
        let grounds = member.grounds();
        let ejected = grounds.and_then(|grounds| grounds.ejected.as_ref());
        let fallen = grounds.and_then(|grounds| grounds.fallen.as_ref());
        let (said, standing) = (member.said(), member.standing());
        let (cause, since, until) = match member.availability() {
            Availability::Disabled => {
                let (by, because) = parts(said.of_switch());
                (Cause::SwitchedOff { by, because }, said.of_switch().map(|word| word.at), None)
            }
            Availability::Draining => {
                let word = said.of_drain();
                let (by, because) = parts(word);
                // Only those who joined since were drained by nobody in particular.
                let all = word.is_none_or(|word| word.of_all);
                let cause = Cause::Drained { all, by, because };
                (cause, word.map(|word| word.at), said.draining_until)
            }
            Availability::Unhealthy => match (standing.checked, fallen) {
                (Checked::Awaited, _) => (Cause::AwaitsChecks, None, None),
                (_, Some(fallen)) => {
                    let (failures, error) = (fallen.failures, cut(fallen.error.to_string()));
                    (Cause::ChecksFailed { failures, error }, Some(fallen.at), None)
                }
                (_, None) => (Cause::Unknown, None, None),
            },
            Availability::Ejected => {
                let since = ejected.map(|ejected| ejected.at);
                (ejection(ejected, standing.times), since, standing.ends())
            }
            Availability::Probing => {
                let good = match standing.phase {
                    Phase::Probing { good } => good,
                    _ => 0,
                };
                let cause = Cause::OnProbation { good, owed: rules.probes_owed };
                (cause, ejected.map(|ejected| ejected.until), None)
            }
            Availability::Warming => {
                let Phase::Warming { since } = standing.phase else { return Self::default() };
                let returns = ejected.is_some() || fallen.is_some() || standing.epoch > 0;
                let cause = if returns { Cause::Returning } else { Cause::Joining };
                (cause, Some(since), Some(standing.due(rules.ramp.window)))
            }
            Availability::Available if member.weight() == 0 => {
                let (by, because) = parts(said.of_weight());
                (Cause::NoWeight { by, because }, said.of_weight().map(|word| word.at), None)
            }
            Availability::Available => return Self::default(),
        };
        let before = ejected
            .map(|it| ejection(Some(it), 1))
            .filter(|_| matches!(cause, Cause::OnProbation { .. } | Cause::Returning));
        let text = match before {
            Some(before) => format!("{cause}; it was out for this: {before}"),
            None => cause.to_string(),
        };
        let until = until.filter(|&until| until < Nanos::NEVER);
        Self { reason: Some(Reason { cause, text: cut(text) }), since, until }
    }
}

fn ejection(ejected: Option<&Ejected>, times: u32) -> Cause {
    let Some(ejected) = ejected else { return Cause::Unknown };
    let Ejected { rule, observed, threshold, author, .. } = ejected;
    if *rule == Rule::Operator {
        let (by, because) = author.parts();
        return Cause::SetAside { by, because };
    }
    let (observed, threshold) = (*observed, *threshold);
    Cause::Ejected { rule: rule.clone(), observed, threshold, times }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ejected { rule, observed, threshold, times } => {
                rule.against(*observed, *threshold).fmt(f)?;
                if *times > 1 { write!(f, ", ejected {times} times in a row") } else { Ok(()) }
            }
            Self::SetAside { by, because } => said(f, "ejected", by.as_deref(), because.as_deref()),
            Self::OnProbation { good, owed } => {
                write!(f, "its ejection is over, and it has to prove itself: {good} of {owed} ")?;
                f.write_str(if *owed == 1 { "good answer" } else { "good answers" })
            }
            Self::ChecksFailed { failures: 1, error } => write!(f, "its check failed: {error}"),
            Self::ChecksFailed { failures, error } => {
                write!(f, "{failures} failed checks in a row: {error}")
            }
            Self::AwaitsChecks => f.write_str("has joined, and has to pass its checks first"),
            Self::Drained { all, by, because } => {
                let words = if *all { "drained with all others" } else { "drained" };
                said(f, words, by.as_deref(), because.as_deref())
            }
            Self::SwitchedOff { by, because } => {
                said(f, "switched off", by.as_deref(), because.as_deref())
            }
            Self::Returning => f.write_str("is back, with a share that grows"),
            Self::Joining => f.write_str("has joined, with a share that grows"),
            Self::NoWeight { by: None, because: None } => f.write_str("its weight is 0"),
            Self::NoWeight { by, because } => {
                said(f, "its weight was set to 0", by.as_deref(), because.as_deref())
            }
            Self::Unknown => f.write_str("what for is not known"),
        }
    }
}

/// Words, with their author or that it was an operator.
fn said(
    f: &mut fmt::Formatter<'_>,
    words: &str,
    by: Option<&str>,
    because: Option<&str>,
) -> fmt::Result {
    write!(f, "{words} by {}", by.unwrap_or("an operator"))?;
    because.map_or(Ok(()), |why| write!(f, " because {why}"))
}

fn parts(word: Option<&Word>) -> (Option<String>, Option<String>) {
    word.map_or((None, None), |word| word.author.parts())
}

/// What operators say about a member at `now`.
pub(super) fn overrides<T>(member: &Member<T>, now: Nanos) -> Vec<Override> {
    let said = member.said();
    let mut found = Vec::new();
    if let Some(weight) = said.weight {
        let words = format!("weight set from {} to {weight}", member.given_weight);
        found.push(Override::new("weight", &words, said.of_weight(), None, now));
    }
    if let Some(until) = said.draining_until {
        let word = said.of_drain();
        let all = word.is_none_or(|word| word.of_all);
        let words = if all { "drained with all others" } else { "drained" };
        found.push(Override::new("drain", words, word, Some(until), now));
    }
    if said.disabled {
        found.push(Override::new("disable", "switched off", said.of_switch(), None, now));
    }
    let ejected = member.grounds().and_then(|grounds| grounds.ejected.as_ref());
    let ejected = ejected.filter(|ejected| ejected.rule == Rule::Operator);
    if let (Some(Ejected { author, at, .. }), Some(until)) = (ejected, member.standing().ends()) {
        let word = Word { author: author.clone(), at: *at, of_all: false };
        found.push(Override::new("eject", "ejected", Some(&word), Some(until), now));
    }
    found
}

impl Override {
    fn new(
        kind: &'static str,
        words: &str,
        word: Option<&Word>,
        until: Option<Nanos>,
        now: Nanos,
    ) -> Self {
        let (by, because) = parts(word);
        let text = Written { words, by: by.as_deref(), because: because.as_deref() };
        Self {
            kind,
            text: cut(text.to_string()),
            by,
            because,
            ago: word.map(|word| between(word.at, now)),
            left: until.filter(|&until| until < Nanos::NEVER).map(|until| between(now, until)),
        }
    }
}

/// See [`said`].
struct Written<'a> {
    words: &'a str,
    by: Option<&'a str>,
    because: Option<&'a str>,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        said(f, self.words, self.by, self.because)
    }
}

/// The time from one instant to a later one.
pub(super) fn between(from: Nanos, to: Nanos) -> Duration {
    Duration::from_nanos(to.0.saturating_sub(from.0))
}
