//! What an endpoint is doing.

/// The state of an endpoint. Where several apply, the last in this order is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "config", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Availability {
    /// It takes its part.
    Available,
    /// It is coming back, with a part that grows.
    Warming,
    /// Its ejection is over and it has yet to prove itself with a single request.
    Probing,
    /// It was taken out for failing.
    Ejected,
    /// Active checks fail.
    Unhealthy,
    /// An operator lets it finish what it has; it takes nothing new.
    Draining,
    /// An operator switched it off.
    Disabled,
}
