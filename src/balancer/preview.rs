//! Who would get what, before anybody does.

use std::cmp::Ordering;

use crate::balancer::apply::brought;
use crate::balancer::core::{Core, Writer};
use crate::balancer::guard::{Claim, UpdateGuard};
use crate::balancer::shares::{Excess, GUARD, Limits, would_receive};
use crate::balancer::{Balancer, now};
use crate::config::{Config, UpdateConfig};
use crate::endpoint::{Attributes, EndpointSpec};
use crate::error::{ConfigError, Problem, UpdateError};
use crate::outlier::Rules;
use crate::snapshot::{
    Bounds, Chosen, Member, Outlook, Snapshot, Stand, StrategyPanicked, Thought,
};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// What a change would make of the shares.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Preview {
    /// Every endpoint there is or would be, in the order of the ids.
    pub shares: Vec<Share>,
    /// What is worth a second look: the [warnings](Config::warnings) of the settings, shares that
    /// rise far above a fair one, a set that would not be believed at once. An
    /// [error](crate::Severity::Error) stands for a change that would be refused.
    pub warnings: Vec<Problem>,
}

/// The part of requests that an endpoint gets, from 0 to 1, while all are equally loaded.
///
/// Computed by the strategies themselves: what is intended, which is what endpoints that are all
/// well would get, and what it comes to now, with those that are out and those that warm up.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Share {
    /// The endpoint.
    pub id: EndpointId,
    /// What is intended for it today; 0 if it is not there.
    pub before: f64,
    /// What would be intended for it; 0 if it would not be there.
    pub after: f64,
    /// What it gets today, health as it is.
    pub before_now: f64,
    /// What it would get, health as it is.
    pub after_now: f64,
}

impl Preview {
    pub(crate) fn new(
        before: &Outlooks<'_>,
        after: &Outlooks<'_>,
        mut warnings: Vec<Problem>,
        limits: Limits,
    ) -> Self {
        let shares: Vec<_> = Share::pairs(before, after).map(Share::from).collect();
        let takes = |share: fn(&Share) -> f64| shares.iter().any(|it| share(it) > 0.0);
        if takes(|it| it.before) && !takes(|it| it.after) {
            let message = "no endpoint would receive anything: each of them would be drained, \
                           switched off, or of weight 0";
            warnings.push(Problem::warning("endpoints", message));
        }
        let excesses = limits.excesses(&before.intended, &after.intended);
        warnings.extend(excesses.map(|Excess { rise, forbidden }| {
            let words = would_receive(&rise);
            match forbidden {
                Some(forbidden) if forbidden.allowed_next => {
                    Problem::error(GUARD, format!("{words}, and {forbidden}"))
                }
                Some(_) => Problem::error(GUARD, format!("{words}: the change would be refused")),
                None => Problem::warning(GUARD, words),
            }
        }));
        Self { shares, warnings }
    }

    fn refuse(&mut self, error: &UpdateError) {
        self.warnings.push(Problem::error("endpoints", error.to_string()));
    }
}

/// Both columns.
pub(crate) struct Outlooks<'a> {
    pub(crate) intended: Outlook<'a>,
    pub(crate) now: Outlook<'a>,
}

impl Share {
    /// The shares of every endpoint that is in one of the two, in the order of the ids.
    pub(crate) fn pairs<'o>(
        before: &'o Outlooks<'_>,
        after: &'o Outlooks<'_>,
    ) -> impl Iterator<Item = Pair<'o>> {
        let (mut old, mut new) = (before.each().peekable(), after.each().peekable());
        std::iter::from_fn(move || {
            let order = match (old.peek(), new.peek()) {
                (Some((old, ..)), Some((new, ..))) => old.cmp(new),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let old = if order.is_le() { old.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            let (id, ..) = old.or(new)?;
            let shares =
                |it: Option<(_, f64, f64)>| it.map_or((0.0, 0.0), |(_, it, now)| (it, now));
            Some(Pair { id, before: shares(old), after: shares(new) })
        })
    }
}

/// What an endpoint gets before and after a change: what is intended, and what it comes to now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    id: &'a EndpointId,
    before: (f64, f64),
    after: (f64, f64),
}

impl Pair<'_> {
    /// How much more is intended for it, or less.
    pub(crate) fn moved(&self) -> f64 {
        self.after.0 - self.before.0
    }
}

impl From<Pair<'_>> for Share {
    fn from(Pair { id, before, after }: Pair<'_>) -> Self {
        let ((before, before_now), (after, after_now)) = (before, after);
        Self { id: id.clone(), before, after, before_now, after_now }
    }
}

impl Outlooks<'_> {
    /// Each endpoint with both columns. Both are of one set, in one order, unless there is no first
    /// one, because its strategy panicked.
    fn each(&self) -> impl Iterator<Item = (&EndpointId, f64, f64)> {
        let intended = self.intended.shares.iter().map(|&(_, share)| share);
        let both = self.now.shares.iter().zip(intended.chain(std::iter::repeat(0.0)));
        both.map(|(&(id, now), intended)| (id, intended, now))
    }
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// What these settings would make of the shares, if they were applied now. Changes nothing.
    ///
    /// Settings that carry other endpoints than those served are previewed with these. Targets are
    /// not made.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the settings could not be applied whatever the shares: they bear the name
    /// of another balancer, ask for checks without a probe, or the strategy is not known, or panics.
    pub fn preview(&self, config: &Config) -> Result<Preview, ConfigError> {
        self.core.preview(config)
    }

    /// What another weight of an endpoint would make of the shares. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`UpdateError`] as [`set_weight`](Self::set_weight).
    pub fn preview_weight(&self, id: &EndpointId, weight: u32) -> Result<Preview, UpdateError> {
        let now = self.core.ground.origin.nanos(now());
        let base = self.core.projected(now);
        let unknown = || UpdateError::Unknown { id: id.clone() };
        let at = base.position(id).ok_or_else(unknown)?;
        let mut thoughts = standing(&base);
        if let Some(thought) = thoughts.get_mut(at) {
            thought.stand.weight = weight;
        }
        self.core.preview_thoughts(&base, &thoughts, now)
    }

    /// What another set would make of the shares. Changes nothing, and makes no targets.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Duplicate`], or [`UpdateError::Strategy`].
    pub fn preview_specs(
        &self,
        specs: impl IntoIterator<Item = EndpointSpec>,
    ) -> Result<Preview, UpdateError> {
        let now = self.core.ground.origin.nanos(now());
        let base = self.core.projected(now);
        let mut specs: Vec<_> = specs.into_iter().collect();
        specs.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(pair) = specs.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(UpdateError::Duplicate { id: pair[0].id.clone() });
        }
        let thoughts = self.core.thoughts(&base, &specs, &base.config, now);
        let mut preview = self.core.preview_thoughts(&base, &thoughts, now)?;
        let claim = Claim::of_thoughts(&base, &thoughts);
        self.core.doubt(&mut preview, base.config.update(), claim, now);
        Ok(preview)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn preview(&self, config: &Config) -> Result<Preview, ConfigError> {
        let now = self.ground.origin.nanos(now());
        let base = self.projected(now);
        self.is_ours(config, &base.config)?;
        self.checks.can_serve(config)?;
        let chosen = self.named.choose(config)?;
        let thoughts = match brought(config, &base.config) {
            Some(specs) => {
                let mut specs = specs.to_vec();
                specs.sort_by(|a, b| a.id.cmp(&b.id));
                self.thoughts(&base, &specs, config, now)
            }
            None => standing(&base),
        };
        let rules = Rules::of(config);
        let after = self.outlooks(&base, (&rules, config), &chosen, &thoughts, now).map_err(
            |StrategyPanicked| {
                let message = format!("strategy `{}` panicked while it prepared", chosen.name);
                ConfigError::from(Problem::error("strategy", message))
            },
        )?;
        let warnings = config.warnings(thoughts.len());
        let limits = Limits::between(&base.config, config);
        let mut preview = Preview::new(&self.standing(&base), &after, warnings, limits);
        if brought(config, &base.config).is_some_and(|specs| !specs.is_empty())
            && self.factory.is_none()
        {
            preview.refuse(&UpdateError::NoFactory);
        }
        self.doubt(&mut preview, config.update(), Claim::of_thoughts(&base, &thoughts), now);
        Ok(preview)
    }

    fn preview_thoughts(
        &self,
        base: &Snapshot<T>,
        thoughts: &[Thought],
        now: Nanos,
    ) -> Result<Preview, UpdateError> {
        let after = self
            .outlooks(base, (&base.rules, &base.config), &base.chosen, thoughts, now)
            .map_err(|_| UpdateError::Strategy { name: base.chosen.name.to_string() })?;
        let limits = Limits::between(&base.config, &base.config);
        Ok(Preview::new(&self.standing(base), &after, Vec::new(), limits))
    }

    /// What is served. Its strategy has prepared for it before.
    pub(crate) fn standing<'a>(&self, base: &'a Snapshot<T>) -> Outlooks<'a> {
        let intended = Outlook::intended(base).unwrap_or_default();
        Outlooks { intended, now: Outlook::now(base) }
    }

    /// As [`standing`](Self::standing), for what a change has done. While keys lag behind the set, what
    /// is intended is what weights say: nothing is built to be told.
    pub(crate) fn effective<'a>(&self, base: &'a Snapshot<T>, lags: bool) -> Outlooks<'a> {
        if !lags {
            return self.standing(base);
        }
        Outlooks { intended: Outlook::by_weight(base), now: Outlook::now(base) }
    }

    /// Adds what the update guard says to such a change, if it is asked for the first time.
    fn doubt(
        &self,
        preview: &mut Preview,
        update: Option<&UpdateConfig>,
        claim: Claim,
        now: Nanos,
    ) {
        let judged = UpdateGuard::default().check(update, claim, now, self.ground.origin);
        if let Err(error) = judged {
            preview.refuse(&error);
        }
    }

    fn outlooks<'a>(
        &self,
        base: &Snapshot<T>,
        (rules, config): (&Rules, &Config),
        chosen: &Chosen,
        thoughts: &'a [Thought],
        now: Nanos,
    ) -> Result<Outlooks<'a>, StrategyPanicked> {
        let bounds = Bounds {
            rules,
            panics: &base.panics,
            amnesty: rules.pardon(&base.rules),
            checks: config.health().is_some() && !self.checks.are_over(),
        };
        let cursors = &base.cursors;
        let now = Outlook::of_thoughts_now(chosen, cursors, thoughts, bounds, now)?;
        Ok(Outlooks { intended: Outlook::of_thoughts(chosen, cursors, thoughts, rules)?, now })
    }

    /// The set that `specs`, in the order of their ids, would make under these settings: what
    /// operators said stays, and so does what is remembered of who left.
    fn thoughts(
        &self,
        base: &Snapshot<T>,
        specs: &[EndpointSpec],
        config: &Config,
        now: Nanos,
    ) -> Vec<Thought> {
        let known = |spec: &EndpointSpec| base.members.get(base.position(&spec.id)?);
        let joins_others = specs.iter().any(|spec| known(spec).is_some());
        let newcomer = self.newcomer(base, config, joins_others, now);
        let thought = |writer: &Writer<T>, spec: &EndpointSpec| {
            let said = known(spec).map_or(&newcomer.said, Member::said);
            let (cell, left) = match known(spec) {
                Some(member) => (Arc::clone(&member.bound.cell), Some(member.standing())),
                None => self.cell(writer, &spec.id, now),
            };
            let standing = left.unwrap_or(newcomer.standing);
            let (weight, enabled) = (said.weight.unwrap_or(spec.weight), said.admits());
            let stand = Stand { weight, enabled, standing };
            Thought { attributes: Attributes::of(spec), cell, stand }
        };
        self.read(now, |writer| specs.iter().map(|spec| thought(writer, spec)).collect())
    }
}

/// The set as it is.
fn standing<T>(base: &Snapshot<T>) -> Vec<Thought> {
    base.members.iter().map(|member| Thought::of(member)).collect()
}
