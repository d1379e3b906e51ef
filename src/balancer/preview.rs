//! Who would get what, before anybody does.

use crate::balancer::apply::brought;
use crate::balancer::core::Core;
use crate::balancer::guard::UpdateGuard;
use crate::balancer::{Balancer, now};
use crate::config::{Config, GuardConfig, UpdateConfig};
use crate::endpoint::{Attributes, EndpointCell, EndpointSpec};
use crate::error::{ConfigError, Problem, UpdateError};
use crate::snapshot::{Chosen, Outlook, Rise, Snapshot, StrategyPanicked, Thought};
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

/// The part of requests that an endpoint gets, from 0 to 1.
///
/// Computed by the strategies themselves, for endpoints that are all healthy and equally loaded.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "config", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Share {
    /// The endpoint.
    pub id: EndpointId,
    /// What it gets today; 0 if it is not there.
    pub before: f64,
    /// What it would get; 0 if it would not be there.
    pub after: f64,
}

impl Preview {
    pub(crate) fn new(
        before: &Outlook,
        after: &Outlook,
        mut warnings: Vec<Problem>,
        guard: &GuardConfig,
    ) -> Self {
        let shares = Share::pairs(before, after);
        warnings.extend(after.rises(before, limit(guard)).map(|rise| {
            let words = would_receive(&rise);
            match guard.max_share_percent() {
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

impl Share {
    /// The shares of every endpoint that is in one of the two.
    pub(crate) fn pairs(before: &Outlook, after: &Outlook) -> Vec<Self> {
        let mut ids: Vec<_> = before.shares.iter().chain(&after.shares).map(|(id, _)| id).collect();
        ids.sort();
        ids.dedup();
        let share = |id: &EndpointId| Self {
            id: id.clone(),
            before: before.share(id),
            after: after.share(id),
        };
        ids.into_iter().map(share).collect()
    }
}

/// The key that judges shares.
pub(crate) const GUARD: &str = "guard.max_share_percent";

/// The share above which a change is refused or told.
pub(crate) fn limit(guard: &GuardConfig) -> f64 {
    f64::from(guard.max_share_percent().unwrap_or(GuardConfig::TOLD).get()) / 100.0
}

pub(crate) fn would_receive(rise: &Rise) -> String {
    let percent = |share: f64| (100.0 * share).round();
    let Rise { id, before, after, fair } = rise;
    format!(
        "`{id}` would receive {} % (before: {} %, fair: {} %)",
        percent(*after),
        percent(*before),
        percent(*fair)
    )
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
    /// of another balancer, or the strategy is not known, or panics.
    pub fn preview(&self, config: &Config) -> Result<Preview, ConfigError> {
        self.core.preview(config)
    }

    /// What another weight of an endpoint would make of the shares. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`UpdateError`] as [`set_weight`](Self::set_weight).
    pub fn preview_weight(&self, id: &EndpointId, weight: u32) -> Result<Preview, UpdateError> {
        let base = self.core.projected(self.core.ground.origin.nanos(now()));
        let unknown = || UpdateError::Unknown { id: id.clone() };
        let at = base.position(id).ok_or_else(unknown)?;
        let mut thoughts = standing(&base);
        if let Some(thought) = thoughts.get_mut(at) {
            thought.weight = weight;
        }
        self.core.preview_thoughts(&base, &thoughts)
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
        let thoughts = self.core.thoughts(&base, &specs);
        let mut preview = self.core.preview_thoughts(&base, &thoughts)?;
        let sizes = (base.members.len(), thoughts.len());
        self.core.doubt(&mut preview, base.config.update(), sizes, now);
        Ok(preview)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn preview(&self, config: &Config) -> Result<Preview, ConfigError> {
        let now = self.ground.origin.nanos(now());
        let base = self.projected(now);
        self.is_ours(config, &base.config)?;
        let chosen = self.named.choose(config.strategy())?;
        let thoughts = match brought(config, &base.config) {
            Some(specs) => {
                let mut specs = specs.to_vec();
                specs.sort_by(|a, b| a.id.cmp(&b.id));
                self.thoughts(&base, &specs)
            }
            None => standing(&base),
        };
        let after = self.outlook(&chosen, &thoughts).map_err(|StrategyPanicked| {
            let message = format!("strategy `{}` panicked while it prepared", chosen.name);
            ConfigError::from(Problem::error("strategy", message))
        })?;
        let warnings = config.warnings(thoughts.len());
        let mut preview = Preview::new(&Outlook::of(&base), &after, warnings, config.guard());
        if brought(config, &base.config).is_some_and(|specs| !specs.is_empty())
            && self.factory.is_none()
        {
            preview.refuse(&UpdateError::NoFactory);
        }
        self.doubt(&mut preview, config.update(), (base.members.len(), thoughts.len()), now);
        Ok(preview)
    }

    fn preview_thoughts(
        &self,
        base: &Snapshot<T>,
        thoughts: &[Thought],
    ) -> Result<Preview, UpdateError> {
        let after = self
            .outlook(&base.chosen, thoughts)
            .map_err(|_| UpdateError::Strategy { name: base.chosen.name.to_string() })?;
        Ok(Preview::new(&Outlook::of(base), &after, Vec::new(), base.config.guard()))
    }

    /// Adds what the update guard says to such a change, if it is asked for the first time.
    fn doubt(
        &self,
        preview: &mut Preview,
        update: Option<&UpdateConfig>,
        sizes: (usize, usize),
        now: Nanos,
    ) {
        let judged = UpdateGuard::default().check(update, sizes, now, self.ground.origin);
        if let Err(error) = judged {
            preview.refuse(&error);
        }
    }

    fn outlook(&self, chosen: &Chosen, thoughts: &[Thought]) -> Result<Outlook, StrategyPanicked> {
        Outlook::of_thoughts(chosen, &self.ground, thoughts)
    }

    /// The set that `specs`, in the order of their ids, would make: what operators said stays.
    fn thoughts(&self, base: &Snapshot<T>, specs: &[EndpointSpec]) -> Vec<Thought> {
        let thought = |spec: &EndpointSpec| {
            let known = base.position(&spec.id).and_then(|at| base.members.get(at));
            let said = known.map(|member| member.said).unwrap_or_default();
            Thought {
                attributes: Arc::new(Attributes::of(spec)),
                cell: known.map_or_else(
                    || Arc::new(EndpointCell::new(spec.id.clone(), Arc::clone(&self.shared))),
                    |member| Arc::clone(&member.bound.cell),
                ),
                weight: said.weight.unwrap_or(spec.weight),
                enabled: said.admits(),
            }
        };
        specs.iter().map(thought).collect()
    }
}

/// The set as it is.
fn standing<T>(base: &Snapshot<T>) -> Vec<Thought> {
    let thought = |member: &Arc<crate::snapshot::Member<T>>| Thought {
        attributes: Arc::clone(&member.attributes),
        cell: Arc::clone(&member.bound.cell),
        weight: member.weight(),
        enabled: member.said.admits(),
    };
    base.members.iter().map(thought).collect()
}
