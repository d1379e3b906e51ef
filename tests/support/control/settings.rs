//! Settings that a balancer may be given, and that a model can follow.

use arbitrary::{Result, Unstructured};
use evenkeel::{Config, EndpointId, EndpointSpec};

use super::ops::{NUMBERS, SPANS, WEIGHTS, below, one_of};

/// The address of which no target can be made.
pub(crate) const NOWHERE: usize = 2;

/// The strategies; the last is the one that gives all the same.
const KINDS: [&str; 7] = [
    "kind = 'round_robin'",
    "kind = 'random'",
    "kind = 'least_request'",
    "kind = 'least_request'\nchoices = 'all'",
    "kind = 'peak_ewma'",
    "kind = 'peak_ewma'\nchoices = 3",
    "kind = 'custom'\ncustom = 'even'",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    kind: usize,
    pub(crate) max_share: Option<u8>,
    pub(crate) update: Option<Update>,
    pub(crate) specs: Option<Vec<Spec>>,
}

/// When a smaller set is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) allow_empty: bool,
    pub(crate) max_shrink_percent: usize,
    pub(crate) min_endpoints: usize,
    /// In seconds.
    pub(crate) confirm_after: u64,
}

/// An endpoint in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) number: usize,
    pub(crate) weight: u32,
    pub(crate) address: usize,
}

impl Settings {
    pub(crate) fn read(u: &mut Unstructured<'_>) -> Result<Self> {
        let kind = below(u, KINDS.len())?;
        let max_share = one_of(u, &[None, None, Some(40), Some(60), Some(100)])?;
        let update = if below(u, 4)? == 0 {
            None
        } else {
            Some(Update {
                allow_empty: below(u, 3)? == 0,
                max_shrink_percent: one_of(u, &[50, 0, 34, 100])?,
                min_endpoints: one_of(u, &[4, 0, 2])?,
                confirm_after: one_of(u, &SPANS)?.max(1),
            })
        };
        let specs = if below(u, 3)? == 0 { Some(Spec::set(u)?) } else { None };
        Ok(Self { kind, max_share, update, specs })
    }

    /// Whether the strategy gives all the same, whatever they weigh.
    pub(crate) fn is_even(&self) -> bool {
        self.kind == KINDS.len() - 1
    }

    pub(crate) fn config(&self) -> Config {
        let update = match self.update {
            None => "update = false".to_owned(),
            Some(Update { allow_empty, max_shrink_percent, min_endpoints, confirm_after }) => {
                format!(
                    "update.allow_empty = {allow_empty}\n\
                     update.max_shrink_percent = {max_shrink_percent}\n\
                     update.min_endpoints = {min_endpoints}\n\
                     update.confirm_after = '{confirm_after}s'"
                )
            }
        };
        let guard = self.max_share.map(|most| format!("max_share_percent = {most}"));
        let (guard, kind) = (guard.unwrap_or_default(), KINDS[self.kind]);
        // What failures come to has a model of its own, in tests/ejection_model.rs.
        let calm = "outlier.consecutive_failures = false";
        let text = format!("{update}\n{calm}\n[guard]\n{guard}\n[strategy]\n{kind}");
        let specs = self.specs.as_ref().map(|it| it.iter().map(Spec::words).collect());
        let config = Config::from_toml(&text).expect("the settings are valid");
        config.with_endpoints(specs).expect("no endpoint is described twice")
    }
}

impl Spec {
    pub(crate) fn list(u: &mut Unstructured<'_>) -> Result<Vec<Self>> {
        (0..below(u, NUMBERS)?).map(|_| Self::read(u)).collect()
    }

    /// Some, no two of the same endpoint.
    pub(crate) fn set(u: &mut Unstructured<'_>) -> Result<Vec<Self>> {
        let mut specs = Self::list(u)?;
        specs.sort_by_key(|spec| spec.number);
        specs.dedup_by_key(|spec| spec.number);
        Ok(specs)
    }

    pub(crate) fn read(u: &mut Unstructured<'_>) -> Result<Self> {
        let (number, weight) = (below(u, NUMBERS)?, one_of(u, &WEIGHTS)?);
        // Seldom one of which nothing can be made.
        let address = one_of(u, &[0, 0, 0, 0, 1, 1, 1, NOWHERE])?;
        Ok(Self { number, weight, address })
    }

    pub(crate) fn words(&self) -> EndpointSpec {
        let Self { number, weight, address } = self;
        EndpointSpec::new(id(*number), format!("{number}/{address}")).weight(*weight)
    }
}

pub(crate) fn id(number: usize) -> EndpointId {
    EndpointId::from(format!("e{number}"))
}
