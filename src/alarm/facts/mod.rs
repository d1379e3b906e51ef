//! What the writer notes as it happens, and what of it still stands.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::alarm::tempo::Tempo;
use crate::config::AlarmsConfig;
use crate::event::{AlarmKind, Ejection, Skew};
use crate::stats::Latencies;
use crate::units::{EndpointId, Nanos, nanos};

/// Sources whose failures are remembered at most.
#[cfg(any(feature = "file", test))]
const SOURCES: usize = 64;

/// What cannot be read off the state that is served.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The last time that somebody stayed whom a detector spoke against, and until when that stands.
    suppressed: Option<(AlarmKind, Nanos)>,
    refused_set: Option<String>,
    refused_config: Option<String>,
    /// When a set was accepted last.
    set_at: Nanos,
    /// Who has been raised far above a fair share: the share and the fair one.
    shares: Vec<(EndpointId, f64, f64)>,
    /// What the audit has told longest of what still stands.
    skew: Option<Skew>,
    sources: BTreeMap<String, String>,
    tempo: Tempo,
}

impl Facts {
    /// A detector spoke against an endpoint, and it stays. That stands for two intervals, for
    /// detectors say it again.
    pub(crate) fn kept(&mut self, ejection: Option<Ejection>, interval: u64, now: Nanos) {
        let Some(Ejection { endpoint, rule, decision, .. }) = ejection else { return };
        let until = Nanos(now.0.saturating_add(interval.saturating_mul(2)));
        self.suppressed = Some((AlarmKind::EjectionSuppressed { endpoint, rule, decision }, until));
    }

    /// Forgets who was kept if he is gone or out by now.
    pub(crate) fn keep_suppressed(&mut self, stays: impl FnOnce(&EndpointId) -> bool) {
        let stays = |(kind, _): &mut (AlarmKind, Nanos)| matches!(kind, AlarmKind::EjectionSuppressed { endpoint, .. } if stays(endpoint));
        if self.suppressed.as_mut().is_some_and(|it| !stays(it)) {
            self.suppressed = None;
        }
    }

    pub(crate) fn set_refused(&mut self, reason: String) {
        self.refused_set = Some(reason);
    }

    /// A set was accepted, be it the same again.
    pub(crate) fn set_accepted(&mut self) {
        self.refused_set = None;
    }

    /// When a set was accepted last.
    pub(crate) fn set_is_from(&mut self, at: Nanos) {
        self.set_at = at;
    }

    pub(crate) fn config_refused(&mut self, reason: String) {
        self.refused_config = Some(reason);
    }

    pub(crate) fn config_accepted(&mut self) {
        self.refused_config = None;
    }

    pub(crate) fn has_shares(&self) -> bool {
        !self.shares.is_empty()
    }

    /// What each of those who were raised gets now; those stay who still have `much`.
    pub(crate) fn keep_shares(&mut self, mut much: impl FnMut(&EndpointId) -> Option<(f64, f64)>) {
        self.shares.retain_mut(|(id, share, fair)| {
            let now = much(id);
            (*share, *fair) = now.unwrap_or((*share, *fair));
            now.is_some()
        });
    }

    pub(crate) fn share_raised(&mut self, id: EndpointId, share: f64, fair: f64) {
        self.shares.retain(|(known, ..)| *known != id);
        self.shares.push((id, share, fair));
    }

    /// What the audit says now.
    pub(crate) fn audited(&mut self, skew: Option<Skew>) {
        self.skew = skew;
    }

    /// A source has failed. Of very many, some are not remembered.
    #[cfg(any(feature = "file", test))]
    pub(crate) fn source_failed(&mut self, source: &str, reason: String) {
        if self.sources.len() < SOURCES || self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), reason);
        }
    }

    /// It is well again, or nobody asks it any more.
    #[cfg(any(feature = "file", test))]
    pub(crate) fn source_recovered(&mut self, source: &str) {
        self.sources.remove(source);
    }

    /// What the answers of all endpoints have come to by now.
    pub(crate) fn answered(&mut self, all: &Latencies, config: Option<&AlarmsConfig>, now: Nanos) {
        match config.and_then(AlarmsConfig::everybody_slow) {
            Some(rule) => self.tempo.note(all, rule, now),
            // Nothing is usual until it is asked for again.
            None => self.tempo = Tempo::default(),
        }
    }

    /// What stands at `now`.
    pub(crate) fn seen(&self, config: &AlarmsConfig, now: Nanos) -> Vec<AlarmKind> {
        let suppressed = self.suppressed.as_ref().filter(|(_, until)| now < *until);
        let suppressed = suppressed.map(|(kind, _)| kind.clone());
        let refused = |reason: &Option<String>| reason.clone();
        let largest = self.shares.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let age = Duration::from_nanos(now.0.saturating_sub(self.set_at.0));
        let is_old = config.set_unchanged().is_some_and(|most| age >= most);
        let seen = [
            suppressed,
            self.tempo.slow(),
            refused(&self.refused_set).map(|reason| AlarmKind::UpdateRefused { reason }),
            refused(&self.refused_config).map(|reason| AlarmKind::ConfigRefused { reason }),
            is_old.then_some(AlarmKind::SetUnchanged { age }),
            largest.map(|(id, share, fair)| AlarmKind::ShareRaised {
                endpoint: id.clone(),
                share: *share,
                fair: *fair,
            }),
            self.skew.clone().map(|skew| AlarmKind::Skew { skew }),
            self.sources.first_key_value().map(|(source, reason)| AlarmKind::SourceFailed {
                source: source.clone(),
                reason: reason.clone(),
            }),
        ];
        seen.into_iter().flatten().collect()
    }

    /// When time alone changes what stands after `now`.
    pub(crate) fn due(&self, config: Option<&AlarmsConfig>, now: Nanos) -> Nanos {
        let suppressed = self.suppressed.as_ref().map(|(_, until)| *until);
        let old = config.and_then(AlarmsConfig::set_unchanged);
        let old = old.map(|most| Nanos(self.set_at.0.saturating_add(nanos(most))));
        let due = suppressed.into_iter().chain(old).filter(|at| *at > now);
        due.min().unwrap_or(Nanos::NEVER)
    }
}

#[cfg(test)]
mod tests;
