//! An explanation as a text.

use std::fmt;
use std::time::Duration;

use crate::balancer::explain::{Barred, ExplainedEndpoint, ExplainedTier, Explanation};
use crate::decision::PickReason;
use crate::units::{EndpointId, Plain};

/// Endpoints that are listed of each kind; the rest is counted.
const LISTED: usize = 20;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}: ", Plain(&self.name), self.version, Plain(&self.strategy))?;
        match self.key {
            Some(key) => write!(f, "a request with key {key:016x}")?,
            None => f.write_str("a request without a key")?,
        }
        match &self.answer {
            Some(answer) => writeln!(f, " goes to {}", named(answer))?,
            None if self.reason.is_refusal() => f.write_str(" is refused\n")?,
            None => f.write_str(" goes where chance has it\n")?,
        }
        match &self.refusal {
            Some(refusal) => write!(f, "  why: {}", Plain(refusal))?,
            None => write!(f, "  why: {}", self.why())?,
        }
        let owner = self.owner.as_ref().filter(|owner| self.answer.as_ref() != Some(owner));
        if let Some(owner) = owner {
            write!(f, "; the key is that of {}", named(owner))?;
        }
        let preferred = self.preferred.as_ref().filter(|it| self.answer.as_ref() != Some(it));
        if let Some(preferred) = preferred {
            write!(f, "; it would rather go to {}", named(preferred))?;
        }
        f.write_str("\n")?;
        self.tiers.iter().try_for_each(|tier| writeln!(f, "  {tier}"))?;
        self.candidates(f)?;
        self.others(f)
    }
}

impl Explanation {
    fn why(&self) -> &'static str {
        match self.reason {
            PickReason::Turn => "it is next in the round",
            PickReason::Drawn => "one is drawn by weight",
            PickReason::LeastCost => "a few are drawn by weight, and the least costly is chosen",
            PickReason::Owner => "the key is its own",
            PickReason::OwnerOut => "the owner of the key must not be chosen now",
            PickReason::OwnerWarming => "the owner of the key warms up and does not take it yet",
            PickReason::OwnerExcluded => "the request excludes the owner of its key",
            PickReason::OwnerFull => "where the key belongs is as full as its bound allows",
            PickReason::Preferred => "the request prefers it",
            PickReason::Probe => "a probe of it is due",
            PickReason::Owed => "it warms up and is owed a request",
            PickReason::LastResort => "nobody else is left, so it is probed before its time",
            PickReason::Elsewhere => "the request excludes all of a tier or zone before it",
            _ => "the strategy chooses, and does not say how",
        }
    }

    fn candidates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut candidates: Vec<_> =
            self.endpoints.iter().filter(|it| it.barred.is_none()).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        candidates.sort_by(|a, b| {
            let chance = |it: &ExplainedEndpoint| it.chance.unwrap_or(it.expected_share);
            chance(b).total_cmp(&chance(a)).then_with(|| a.id.cmp(&b.id))
        });
        f.write_str(if self.estimated { "  chances, estimated:\n" } else { "  chances:\n" })?;
        candidates.iter().take(LISTED).try_for_each(|it| candidate(it, f))?;
        more(candidates.len(), f)
    }

    fn others(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = || self.endpoints.iter().filter_map(|it| Some((it, it.barred?)));
        let n = others().count();
        if n > 0 {
            f.write_str("  no candidates:\n")?;
        }
        for (endpoint, barred) in others().take(LISTED) {
            writeln!(f, "    {}: {barred}", named(&endpoint.id))?;
        }
        more(n, f)
    }
}

fn candidate(it: &ExplainedEndpoint, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match it.chance {
        Some(chance) => write!(f, "    {}: {:.1} %", named(&it.id), 100.0 * chance)?,
        None => write!(f, "    {}: unknown", named(&it.id))?,
    }
    write!(f, ", weight {}", it.weight)?;
    if it.effective_weight != f64::from(it.weight) {
        write!(f, " of which {:.2} counts", it.effective_weight)?;
    }
    write!(f, ", expected share {:.1} %", 100.0 * it.expected_share)?;
    write!(f, ", {} in flight", it.in_flight)?;
    if it.penalties > 0 {
        write!(f, ", {} recent failures", it.penalties)?;
    }
    if let Some(cost) = it.cost {
        write!(f, ", cost {cost:.3}")?;
    }
    f.write_str("\n")
}

fn more(n: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match n.saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(f, "    and {more} more"),
    }
}

fn named(id: &EndpointId) -> Plain<'_> {
    Plain(id.as_str())
}

/// `tier 1, zone eu-1a: takes 30.0 % of all requests, and this one with 100.0 %; 3 candidates`
impl fmt::Display for ExplainedTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tier {}", self.tier)?;
        if let Some(zone) = &self.zone {
            write!(f, ", zone {}", Plain(zone))?;
        }
        let (load, chance) = (100.0 * self.load, 100.0 * self.chance);
        write!(f, ": takes {load:.1} % of all requests, and this one with {chance:.1} %")?;
        write!(f, "; {} candidates", self.candidates)?;
        f.write_str(if self.panic { "; panic: health is not believed" } else { "" })
    }
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Disabled => "disabled by an operator",
            Self::Draining => "draining",
            Self::WeightZero => "its weight is zero",
            Self::Unhealthy => "its checks fail",
            Self::Ejected { remaining } => {
                let whole = Duration::from_millis(remaining.as_millis() as u64);
                return write!(f, "ejected for another {whole:?}");
            }
            Self::Probing => "its ejection is over, and it has yet to prove itself",
            Self::Excluded => "the request excludes it",
            Self::StandsBy => "its tier or zone stands by",
            Self::OtherTier => "the request is picked from another tier or zone",
        };
        f.pad(words)
    }
}
