//! `[alarms]`: when somebody should look at the balancer.

mod everybody_slow;

pub use self::everybody_slow::EverybodySlowConfig;

use std::ops::RangeInclusive;
use std::time::Duration;

use super::range::within;
use super::spelling::{Spell, Spelling};
use crate::error::Problem;

/// `[alarms]`: what of the balancer's own state is an alarm, and from when on.
///
/// Most rules are a time: how long something has to last before the alarm is raised. Shorter tells
/// sooner, and more often of what passes by itself; zero tells at once. Each is switched off by
/// `None`, in a file by `false`, and all together by `alarms = false`. What each means and what to
/// look at is in the guide, `docs::alarms`.
///
/// ```
/// use std::time::Duration;
/// use evenkeel::config::AlarmsConfig;
///
/// let alarms = AlarmsConfig::default()
///     .with_panic(Some(Duration::ZERO))?
///     .with_set_unchanged(Some(Duration::from_secs(300)))?
///     .with_everybody_slow(None);
/// assert_eq!(alarms.panic(), Some(Duration::ZERO));
/// # Ok::<(), evenkeel::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmsConfig {
    panic: Option<Duration>,
    cap_reached: Option<Duration>,
    floor_reached: Option<Duration>,
    ejection_suppressed: Option<Duration>,
    everybody_slow: Option<EverybodySlowConfig>,
    update_refused: Option<Duration>,
    set_unchanged: Option<Duration>,
    share_raised: Option<Duration>,
    skew: Option<Duration>,
    source_failed: Option<Duration>,
    clear_after: Duration,
    page_timeout: Duration,
}

impl Default for AlarmsConfig {
    /// All rules on but that of an old set, each with a time that lets pass what passes by itself.
    fn default() -> Self {
        Self {
            panic: Some(Duration::from_secs(5)),
            cap_reached: Some(Duration::from_mins(1)),
            floor_reached: Some(Duration::from_mins(1)),
            ejection_suppressed: Some(Duration::from_secs(30)),
            everybody_slow: Some(EverybodySlowConfig::default()),
            update_refused: Some(Duration::from_mins(2)),
            set_unchanged: None,
            share_raised: Some(Duration::from_secs(10)),
            skew: Some(Duration::ZERO),
            source_failed: Some(Duration::from_mins(1)),
            clear_after: Duration::from_mins(1),
            page_timeout: Duration::from_secs(10),
        }
    }
}

impl AlarmsConfig {
    const LASTS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);
    const SET_UNCHANGED: RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_hours(168);
    const PAGE_TIMEOUT: RangeInclusive<Duration> =
        Duration::from_millis(10)..=Duration::from_mins(10);

    /// How long health has not been believed in some tier before that is an alarm; 0s to 24h,
    /// default 5s.
    #[must_use]
    pub const fn panic(&self) -> Option<Duration> {
        self.panic
    }

    /// How long the cap on ejections, `outlier.max_ejected_percent`, has been reached before that
    /// is an alarm: nobody else can be ejected; 0s to 24h, default 1m.
    #[must_use]
    pub const fn cap_reached(&self) -> Option<Duration> {
        self.cap_reached
    }

    /// How long the floor of ejections, `outlier.min_available`, has been reached before that is
    /// an alarm: nobody else can be ejected; 0s to 24h, default 1m.
    #[must_use]
    pub const fn floor_reached(&self) -> Option<Duration> {
        self.floor_reached
    }

    /// How long detectors have spoken against an endpoint that stays before that is an alarm; 0s
    /// to 24h, default 30s.
    ///
    /// It stays because of a cap, a dry run, or `enforce_percent`; a verdict stands for two
    /// intervals, so a shorter time raises at the first.
    #[must_use]
    pub const fn ejection_suppressed(&self) -> Option<Duration> {
        self.ejection_suppressed
    }

    /// When all endpoints are slow; `None` switches the rule off.
    #[must_use]
    pub const fn everybody_slow(&self) -> Option<&EverybodySlowConfig> {
        self.everybody_slow.as_ref()
    }

    /// How long a refusal, of endpoints or of settings, has stood before it is an alarm; the next
    /// change that is accepted ends it; 0s to 24h, default 2m.
    ///
    /// More than `update.confirm_after` leaves alone who sends a smaller set and means it.
    #[must_use]
    pub const fn update_refused(&self) -> Option<Duration> {
        self.update_refused
    }

    /// How long no set of endpoints has been accepted, not even the same one again; 1s to 168h,
    /// absent by default: where endpoints are told only when they change, an old set is no sign of
    /// anything.
    #[must_use]
    pub const fn set_unchanged(&self) -> Option<Duration> {
        self.set_unchanged
    }

    /// How long an endpoint has had a share far above a fair one before that is an alarm: one that
    /// a change gave it, as the share guard tells; 0s to 24h, default 10s.
    #[must_use]
    pub const fn share_raised(&self) -> Option<Duration> {
        self.share_raised
    }

    /// How long requests have been spread otherwise than intended, as the audit tells, before that is
    /// an alarm; 0s to 24h, default 0s: the audit has waited already.
    #[must_use]
    pub const fn skew(&self) -> Option<Duration> {
        self.skew
    }

    /// How long a source of settings or endpoints has failed before that is an alarm; 0s to 24h,
    /// default 1m.
    #[must_use]
    pub const fn source_failed(&self) -> Option<Duration> {
        self.source_failed
    }

    /// How long what an alarm tells of has to be over before the alarm is cleared; 0s to 24h,
    /// default 1m. The rule of an old set waits for nothing.
    ///
    /// Longer makes one alarm of what comes and goes.
    #[must_use]
    pub const fn clear_after(&self) -> Duration {
        self.clear_after
    }

    /// How long a call of the [pager](crate::Pager) may take; 10ms to 10m, default 10s.
    #[must_use]
    pub const fn page_timeout(&self) -> Duration {
        self.page_timeout
    }

    /// Sets [how long panic lasts](Self::panic) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_panic(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.panic = lasting("alarms.panic", lasts)?;
        Ok(self)
    }

    /// Sets [how long the cap is reached](Self::cap_reached) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_cap_reached(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.cap_reached = lasting("alarms.cap_reached", lasts)?;
        Ok(self)
    }

    /// Sets [how long the floor is reached](Self::floor_reached) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_floor_reached(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.floor_reached = lasting("alarms.floor_reached", lasts)?;
        Ok(self)
    }

    /// Sets [how long ejections are suppressed](Self::ejection_suppressed) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_ejection_suppressed(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.ejection_suppressed = lasting("alarms.ejection_suppressed", lasts)?;
        Ok(self)
    }

    /// Sets when [all are slow](Self::everybody_slow); `None` switches the rule off.
    #[must_use]
    pub fn with_everybody_slow(mut self, rule: Option<EverybodySlowConfig>) -> Self {
        self.everybody_slow = rule;
        self
    }

    /// Sets [how long a refusal stands](Self::update_refused) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_update_refused(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.update_refused = lasting("alarms.update_refused", lasts)?;
        Ok(self)
    }

    /// Sets [how old a set may be](Self::set_unchanged); `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Outside 1s to 168h.
    pub fn with_set_unchanged(mut self, age: Option<Duration>) -> Result<Self, Problem> {
        let within = |age| within("alarms.set_unchanged", age, &Self::SET_UNCHANGED);
        self.set_unchanged = age.map(within).transpose()?;
        Ok(self)
    }

    /// Sets [how long a share stands](Self::share_raised) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_share_raised(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.share_raised = lasting("alarms.share_raised", lasts)?;
        Ok(self)
    }

    /// Sets [how long a skew stands](Self::skew) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_skew(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.skew = lasting("alarms.skew", lasts)?;
        Ok(self)
    }

    /// Sets [how long a source fails](Self::source_failed) before it is an alarm; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_source_failed(mut self, lasts: Option<Duration>) -> Result<Self, Problem> {
        self.source_failed = lasting("alarms.source_failed", lasts)?;
        Ok(self)
    }

    /// Sets [how long it has to be over](Self::clear_after).
    ///
    /// # Errors
    ///
    /// Above 24h.
    pub fn with_clear_after(mut self, over: Duration) -> Result<Self, Problem> {
        self.clear_after = within("alarms.clear_after", over, &Self::LASTS)?;
        Ok(self)
    }

    /// Sets [how long a call of the pager may take](Self::page_timeout).
    ///
    /// # Errors
    ///
    /// Outside 10ms to 10m.
    pub fn with_page_timeout(mut self, limit: Duration) -> Result<Self, Problem> {
        self.page_timeout = within("alarms.page_timeout", limit, &Self::PAGE_TIMEOUT)?;
        Ok(self)
    }
}

fn lasting(path: &str, lasts: Option<Duration>) -> Result<Option<Duration>, Problem> {
    lasts.map(|lasts| within(path, lasts, &AlarmsConfig::LASTS)).transpose()
}

impl Spell for AlarmsConfig {
    fn spell(&self) -> Spelling {
        Spelling::table([
            ("panic", Spelling::or_off(self.panic)),
            ("cap_reached", Spelling::or_off(self.cap_reached)),
            ("floor_reached", Spelling::or_off(self.floor_reached)),
            ("ejection_suppressed", Spelling::or_off(self.ejection_suppressed)),
            ("everybody_slow", Spelling::or_off(self.everybody_slow())),
            ("update_refused", Spelling::or_off(self.update_refused)),
            ("set_unchanged", Spelling::or_absent(self.set_unchanged)),
            ("share_raised", Spelling::or_off(self.share_raised)),
            ("skew", Spelling::or_off(self.skew)),
            ("source_failed", Spelling::or_off(self.source_failed)),
            ("clear_after", self.clear_after.into()),
            ("page_timeout", self.page_timeout.into()),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use super::{AlarmsConfig, EverybodySlowConfig};
    use crate::config::document::{Key, Keyed, duration, or_off};
    use crate::config::setting::Range;

    impl Keyed for AlarmsConfig {
        const KEYS: &'static [Key<Self>] = &[
            Key::<Self>::new(
                "panic",
                Range::Duration(Self::LASTS),
                "How long health has not been believed in some tier before that is an alarm.",
                |it, found| Ok(it.with_panic(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::new(
                "cap_reached",
                Range::Duration(Self::LASTS),
                "How long the cap on ejections, `outlier.max_ejected_percent`, has been \
                 reached before that is an alarm: nobody else can be ejected.",
                |it, found| Ok(it.with_cap_reached(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::new(
                "floor_reached",
                Range::Duration(Self::LASTS),
                "How long the floor of ejections, `outlier.min_available`, has been reached \
                 before that is an alarm: nobody else can be ejected.",
                |it, found| Ok(it.with_floor_reached(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::new(
                "ejection_suppressed",
                Range::Duration(Self::LASTS),
                "How long detectors have spoken against an endpoint that stays before that is \
                 an alarm. It stays because of a cap, a dry run, or `enforce_percent`; a \
                 verdict stands for two intervals, so a shorter time raises at the first.",
                |it, found| Ok(it.with_ejection_suppressed(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::table::<EverybodySlowConfig>(
                "everybody_slow",
                "When the answers of all endpoints together take several times as long as usual.",
                |it, section, key| section.mechanism(key, &mut it.everybody_slow),
            )
            .or_off(),
            Key::<Self>::new(
                "update_refused",
                Range::Duration(Self::LASTS),
                "How long a refusal, of endpoints or of settings, has stood before it is an \
                 alarm; the next change that is accepted ends it. More than \
                 `update.confirm_after` leaves alone who sends a smaller set and means it.",
                |it, found| Ok(it.with_update_refused(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::new(
                "set_unchanged",
                Range::Duration(Self::SET_UNCHANGED),
                "How long no set of endpoints has been accepted, not even the same one again, \
                 before that is an alarm; without it, never. A little more than the time between \
                 two sets, where they are sent over and over.",
                |it, found| Ok(it.with_set_unchanged(Some(duration(found)?))?),
            ),
            Key::<Self>::new(
                "share_raised",
                Range::Duration(Self::LASTS),
                "How long an endpoint has had a share far above a fair one before that is an \
                 alarm: one that a change gave it, as the share guard tells.",
                |it, found| Ok(it.with_share_raised(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::new(
                "skew",
                Range::Duration(Self::LASTS),
                "How long requests have been spread otherwise than intended before that is an \
                 alarm, as `[audit]` finds them.",
                |it, found| Ok(it.with_skew(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::<Self>::new(
                "source_failed",
                Range::Duration(Self::LASTS),
                "How long a source of settings or endpoints has failed before that is an \
                 alarm.",
                |it, found| Ok(it.with_source_failed(or_off(duration)(found)?)?),
            )
            .or_off(),
            Key::new(
                "clear_after",
                Range::Duration(Self::LASTS),
                "How long what an alarm tells of has to be over before it is cleared. Longer makes \
                 one alarm of what comes and goes.",
                |it, found| Ok(it.with_clear_after(duration(found)?)?),
            ),
            Key::new(
                "page_timeout",
                Range::Duration(Self::PAGE_TIMEOUT),
                "How long a call of the pager may take before it counts as failed.",
                |it, found| Ok(it.with_page_timeout(duration(found)?)?),
            ),
        ];

        fn blank() -> Self {
            Self::default()
        }
    }
}
