//! What a change would do to one balancer.

use std::collections::BTreeMap;

use evenkeel::{Config, EndpointId, EndpointSpec, Share};
use serde::Serialize;

use super::pairs::Pair;
use crate::args::Order;
use crate::finding::{Finding, Level, count};
use crate::judge::judge;
use crate::paths::Paths;

/// What a change would do to one balancer.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    #[serde(rename = "balancer")]
    pub(crate) name: Option<String>,
    /// `None` if there is nothing to compare it with, as for each endpoint.
    pub(crate) presence: Option<Presence>,
    pub(crate) refused: bool,
    /// Whether the endpoints and the strategy are known.
    #[serde(skip)]
    pub(crate) shares_are_known: bool,
    /// Which settings differ, in words.
    pub(crate) differences: Vec<String>,
    pub(crate) shares: Vec<Row>,
    pub(crate) problems: Vec<Finding>,
}

/// Of a balancer or an endpoint: in which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Presence {
    Kept,
    Added,
    Removed,
    /// An endpoint that is reached elsewhere.
    Moved,
}

/// The shares of one endpoint, from 0 to 1.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) id: EndpointId,
    pub(crate) presence: Option<Presence>,
    pub(crate) before: Option<f64>,
    pub(crate) after: f64,
}

impl Row {
    pub(crate) fn change(&self) -> f64 {
        self.after - self.before.unwrap_or(0.0)
    }
}

impl Change {
    /// Of a change from the file `from`, if there is one, to the settings at `paths`.
    pub(super) fn of(pair: &Pair<'_>, from: Option<&str>, paths: &Paths<'_>, order: Order) -> Self {
        let &Pair { name, old, new } = pair;
        let mut change = Self {
            name: name.map(String::from),
            presence: from.map(|_| Presence::Kept),
            refused: false,
            shares_are_known: false,
            differences: Vec::new(),
            shares: Vec::new(),
            problems: Vec::new(),
        };
        let Some(new) = new else {
            change.presence = Some(Presence::Removed);
            return change;
        };
        if old.is_none() {
            change.presence = from.map(|_| Presence::Added);
        }
        let judged = judge(name, old, new, paths);
        change.problems = judged.findings;
        change.refused = count(&change.problems, Level::Error) > 0;
        change.differences = old.map_or_else(Vec::new, |old| differences(old, new));
        let strategy_is_known = judged.shares.is_some();
        change.shares = rows(&judged.shares.unwrap_or_default(), old, new);
        if order == Order::Change {
            change.shares.sort_by(|one, other| other.change().abs().total_cmp(&one.change().abs()));
        }
        let set_is_known = new.endpoints().or_else(|| old.and_then(Config::endpoints)).is_some();
        change.shares_are_known = strategy_is_known && set_is_known;
        if let Some(message) = about_endpoints(old, new, from).filter(|_| strategy_is_known) {
            change.problems.push(Finding::new(Level::Note, paths.full(name, "endpoints"), message));
        }
        change
    }
}

/// The settings that differ; endpoints have a table of their own.
fn differences(old: &Config, new: &Config) -> Vec<String> {
    let mut differences = old.differences(new);
    differences.retain(|difference| !difference.starts_with("endpoints:"));
    differences
}

/// What is to be known of shares where not both files list endpoints.
fn about_endpoints(old: Option<&Config>, new: &Config, from: Option<&str>) -> Option<String> {
    match (new.endpoints(), old.and_then(Config::endpoints), from) {
        (Some(_), None, Some(from)) => {
            Some(format!("are not listed in {from}, so nothing is known of the shares before"))
        }
        (Some(_), ..) => None,
        (None, Some(_), Some(from)) => Some(format!(
            "are not listed, so the set stays as it is; the shares are those of the endpoints in \
             {from}"
        )),
        _ => Some(String::from(
            "are not listed, so there are no shares to show; add the [[endpoints]] that are \
             served, or name a file that has them by --from",
        )),
    }
}

fn rows(shares: &[Share], old: Option<&Config>, new: &Config) -> Vec<Row> {
    fn by_id(specs: Option<&[EndpointSpec]>) -> BTreeMap<&EndpointId, &EndpointSpec> {
        specs.unwrap_or_default().iter().map(|spec| (&spec.id, spec)).collect()
    }
    let was = old.and_then(Config::endpoints);
    let (known, was) = (was.is_some(), by_id(was));
    let will_be = match new.endpoints() {
        None => was.clone(),
        specs => by_id(specs),
    };
    let row = |share: &Share| Row {
        id: share.id.clone(),
        presence: known.then(|| match (was.get(&share.id), will_be.get(&share.id)) {
            (_, None) => Presence::Removed,
            (None, _) => Presence::Added,
            (Some(was), Some(will_be)) if was.address != will_be.address => Presence::Moved,
            _ => Presence::Kept,
        }),
        before: known.then_some(share.before),
        after: share.after,
    };
    shares.iter().map(row).collect()
}
