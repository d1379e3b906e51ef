//! What the crate says of a change, asked of a balancer that has the endpoints of a file and
//! nothing behind them.

use std::future::ready;

use evenkeel::config::StrategyKind;
use evenkeel::strategy::Random;
use evenkeel::{
    Balancer, BoxError, Config, ConfigError, EndpointId, Percent, Preview, Severity, Share,
    Subject, probe_fn,
};

use crate::finding::{Finding, Level};
use crate::paths::Paths;
use crate::places::Place;

/// The key that judges shares.
const GUARD: &str = "guard.max_share_percent";

/// What the crate says of a change.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// In the order of the ids; `None` where they cannot be known.
    pub(crate) shares: Option<Vec<Share>>,
    pub(crate) findings: Vec<Finding>,
}

/// Judges a change of the balancer called `name` from the settings `old`, or from nothing, to
/// `new`, which stand at `paths`.
pub(crate) fn judge(
    name: Option<&str>,
    old: Option<&Config>,
    new: &Config,
    paths: &Paths<'_>,
) -> Judgement {
    let (shares, problems) = match preview(old, new) {
        Ok(Preview { shares, warnings, .. }) => (Some(shares), warnings),
        Err(error) => (None, error.problems().to_vec()),
    };
    let own = own_strategy(new).or_else(|| old.and_then(own_strategy));
    // Of a strategy that is not there, only the shares of the stand-in are known.
    let shares = shares.filter(|_| own.is_none());
    let (of_shares, others): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.path == GUARD);
    let mut findings: Vec<_> = others.iter().map(Finding::from).collect();
    for finding in &mut findings {
        finding.place = paths.place(name, &finding.path);
    }
    if let Some(shares) = &shares {
        let specs = new.endpoints().or_else(|| old.and_then(Config::endpoints)).unwrap_or_default();
        let each = of_shares.iter().zip(risen(shares, of_shares.len()));
        findings.extend(each.map(|(problem, share)| {
            let mut finding = too_much(problem.severity, share, (old, new), specs.len());
            finding.place = of_endpoint(&share.id, name, new, paths);
            let limit = paths.place(name, GUARD).filter(|_| over(new, share).is_some());
            if finding.place.is_none() {
                finding.place = limit;
            } else {
                finding.label = Some(format!("{} of the requests", percent(share.after)));
                finding.beside = limit.map(|place| (place, "the limit"));
            }
            finding
        }));
    }
    if let Some(strategy) = own {
        let message = format!(
            "strategy `{strategy}` is code of your service, which this tool does not have: \
             whether the service registers it is not checked, and no shares are computed"
        );
        let place = paths.place(name, "strategy.custom");
        findings.push(Finding::new(Level::Note, "strategy.custom", message).at(place));
    }
    for finding in &mut findings {
        finding.path = paths.full(name, &finding.path);
    }
    Judgement { shares, findings }
}

/// The name of the strategy, if it is one of the service's own.
fn own_strategy(config: &Config) -> Option<&str> {
    match config.strategy().kind() {
        StrategyKind::Custom(name) => Some(name),
        _ => None,
    }
}

fn preview(old: Option<&Config>, new: &Config) -> Result<Preview, ConfigError> {
    // The service has a probe, if its settings ask for checks; none is made here.
    let probe = probe_fn(|_: Subject<'_, ()>| ready(Ok::<_, BoxError>(())));
    let mut builder = Balancer::<()>::builder().make(|_| Ok(())).probe(probe);
    for strategy in [old, Some(new)].into_iter().flatten().filter_map(own_strategy) {
        builder = builder.strategy(strategy, Random);
    }
    // Where the old settings have no name, the service may have given it the new one.
    if let Some(name) = old.and_then(Config::name).or_else(|| new.name()) {
        builder = builder.name(name);
    }
    builder.config(old.cloned().unwrap_or_default()).build()?.preview(new)
}

/// The `count` endpoints that come to receive most, of those that receive more than before, in the
/// order of `shares`. They are the ones that are complained of, since one limit holds for all.
fn risen(shares: &[Share], count: usize) -> Vec<&Share> {
    const NOISE: f64 = 1e-9;
    let mut risen: Vec<_> =
        shares.iter().filter(|share| share.after > share.before + NOISE).collect();
    risen.sort_by(|one, other| other.after.total_cmp(&one.after));
    risen.truncate(count);
    risen.sort_by(|one, other| one.id.cmp(&other.id));
    risen
}

/// The complaint about `share`, one of those of `endpoints` endpoints, and the way out.
fn too_much(
    severity: Severity,
    share: &Share,
    (old, new): (Option<&Config>, &Config),
    endpoints: usize,
) -> Finding {
    let Share { id, before, after, .. } = share;
    let before = match before {
        0.0 => String::new(),
        before => format!("before: {}, ", percent(*before)),
    };
    let (after, fair) = (percent(*after), percent(1.0 / endpoints.max(1) as f64));
    let told = format!("`{id}` would receive {after} of the requests ({before}fair: {fair})");
    let by_old = old.and_then(|old| over(old, share));
    match (severity, over(new, share), by_old) {
        (Severity::Error, Some(most), _) => {
            let message = format!(
                "{told}, and at most {most} is allowed; even out the weights, or raise the limit"
            );
            Finding::new(Level::Error, GUARD, message)
        }
        (Severity::Error, None, Some(most)) => {
            let message = format!(
                "{told}, and the settings before allow at most {most}; even out the weights, or \
                 change the guard first, in a change of its own"
            );
            Finding::new(Level::Error, GUARD, message)
        }
        _ => {
            let message = format!(
                "{told}; even out the weights, or set guard.max_share_percent to what is meant at \
                 most"
            );
            Finding::new(Level::Warning, GUARD, message)
        }
    }
}

/// The limit that these settings have and the share is over.
fn over(config: &Config, share: &Share) -> Option<Percent> {
    let most = config.guard().max_share_percent();
    most.filter(|most| share.after > f64::from(most.get()) / 100.0)
}

/// Where the weight of the endpoint stands, or the endpoint if its weight is not said.
fn of_endpoint(
    id: &EndpointId,
    name: Option<&str>,
    new: &Config,
    paths: &Paths<'_>,
) -> Option<Place> {
    let at = new.endpoints()?.iter().position(|spec| spec.id == *id)?;
    paths.place(name, &format!("endpoints[{at}].weight"))
}

fn percent(share: f64) -> String {
    if share < 0.01 { String::from("less than 1 %") } else { format!("{:.0} %", 100.0 * share) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenkeel::ConfigFile;

    fn judged(old: Option<&str>, new: &str) -> Judgement {
        let read = |text| ConfigFile::from_toml(text).unwrap();
        let (old, file) = (old.map(read), read(new));
        let old = old.as_ref().and_then(ConfigFile::single);
        judge(None, old, file.single().unwrap(), &Paths::of(new, &file))
    }

    fn endpoints(weights: &[u32]) -> String {
        let endpoint = |(at, weight)| format!("{{id = 'e{at}', address = '', weight = {weight}}}");
        let all: Vec<_> = weights.iter().enumerate().map(endpoint).collect();
        format!("endpoints = [{}]\n", all.join(","))
    }

    #[test]
    fn complaints_are_about_the_endpoints_that_rise_above_the_limit() {
        let new = format!("{}guard.max_share_percent = 30", endpoints(&[4, 1, 4, 1]));
        let about = |old: Option<&str>| -> Vec<String> {
            let of_guard = judged(old, &new).findings.into_iter();
            of_guard.map(|it| it.message.split('`').nth(1).unwrap().to_owned()).collect()
        };
        assert_eq!(about(None), ["e0", "e2"]);
        // `e0` has more than the limit and does not rise.
        assert_eq!(about(Some(&endpoints(&[9, 1, 1, 1]))), ["e2"]);
        assert_eq!(about(Some(&endpoints(&[4, 1, 4, 1]))), [""; 0]);
    }

    #[test]
    fn a_guard_is_not_dropped_by_the_change_that_it_forbids() {
        let guarded = format!("{}guard.max_share_percent = 50", endpoints(&[1, 1, 1]));
        for guard in ["", "guard.max_share_percent = 90"] {
            let new = format!("{}{guard}", endpoints(&[8, 1, 1]));
            let findings = judged(Some(&guarded), &new).findings;
            let [finding] = findings.as_slice() else { panic!("{findings:?}") };
            assert_eq!(finding.level, Level::Error);
            let message = &finding.message;
            assert!(message.contains("the settings before allow at most 50 %"), "{message}");
        }
    }

    #[test]
    fn a_set_of_equals_is_fine_however_small_the_limit() {
        let new = format!("{}guard.max_share_percent = 1", endpoints(&[5; 3]));
        let judged = judged(None, &new);
        assert!(judged.findings.is_empty());
        assert!(judged.shares.unwrap().iter().all(|share| (share.after - 1.0 / 3.0).abs() < 1e-9));
    }

    #[test]
    fn of_a_strategy_that_is_not_there_no_shares_are_told_and_the_rest_is_judged() {
        let own = "strategy = {kind = 'custom', custom = 'leader'}\nguard.max_share_percent = 1\n";
        let (all, one) = (endpoints(&[1; 8]), endpoints(&[1]));
        let judged = judged(Some(&all), &format!("{own}{one}"));
        assert!(judged.shares.is_none());
        let levels: Vec<_> =
            judged.findings.iter().map(|it| (it.level, it.path.as_str())).collect();
        assert_eq!(levels, [(Level::Error, "endpoints"), (Level::Note, "strategy.custom")]);
    }
}
