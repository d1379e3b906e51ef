//! Why an endpoint is out, for whoever asks.

use crate::error::BoxError;
use crate::event::{Author, Ejection, Event, Rule};
use crate::outlier::Standing;
use crate::snapshot::Draft;
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// What was last held against an endpoint, by its answers and by its checks. It decides nothing:
/// what an endpoint is, its standing says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grounds {
    pub(crate) ejected: Option<Ejected>,
    pub(crate) fallen: Option<Fallen>,
}

/// Why it was ejected.
#[derive(Clone, Debug)]
pub(crate) struct Ejected {
    pub(crate) rule: Rule,
    pub(crate) observed: f64,
    pub(crate) threshold: f64,
    pub(crate) author: Author,
    pub(crate) at: Nanos,
    pub(crate) until: Nanos,
}

/// Why checks keep it out.
#[derive(Clone, Debug)]
pub(crate) struct Fallen {
    pub(crate) failures: u32,
    pub(crate) error: Arc<BoxError>,
    pub(crate) at: Nanos,
}

impl<T> Draft<T> {
    /// Notes at the members what has led to the draft at `now`.
    pub(crate) fn ground(&mut self, causes: &[Event], now: Nanos) {
        for cause in causes {
            match cause {
                Event::Ejection(ejection) if ejection.enforced() => {
                    self.note(&ejection.endpoint, |grounds, standing| {
                        grounds.ejected = Some(Ejected::of(ejection, standing, now));
                    });
                }
                Event::Unhealthy { endpoint, failures, error } => {
                    self.note(endpoint, |grounds, _| {
                        let (failures, error) = (*failures, Arc::clone(error));
                        grounds.fallen = Some(Fallen { failures, error, at: now });
                    });
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, id: &EndpointId, note: impl FnOnce(&mut Grounds, Standing)) {
        let at = self.members.binary_search_by(|member| member.id().cmp(id));
        let Some(member) = at.ok().and_then(|at| self.members.get_mut(at)) else { return };
        let mut grounds = member.grounds().map_or_else(Grounds::default, |it| (**it).clone());
        note(&mut grounds, member.standing());
        member.stands_on(Some(Arc::new(grounds)));
    }
}

impl Ejected {
    fn of(ejection: &Ejection, standing: Standing, now: Nanos) -> Self {
        Self {
            rule: ejection.rule.clone(),
            observed: ejection.observed,
            threshold: ejection.threshold,
            author: Author::of(ejection.by.as_deref(), ejection.because.as_deref()),
            at: now,
            until: standing.ends().unwrap_or(now),
        }
    }
}
