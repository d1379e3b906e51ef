//! Virtual time: nanoseconds since the start, and durations as text.

use std::time::Duration;

/// A virtual instant, or a length of virtual time, in nanoseconds.
pub(super) type Time = u64;

/// One millisecond, the grain of tokio's timers.
pub(super) const MILLISECOND: Time = 1_000_000;

pub(super) fn time(span: Duration) -> Time {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) const fn span(time: Time) -> Duration {
    Duration::from_nanos(time)
}

/// A number of nanoseconds that may be no number, or too large for one.
pub(super) fn rounded(nanos: f64) -> Time {
    // Saturates at both ends, and what is no number is zero.
    nanos.round() as Time
}

/// Durations as seconds, for those who draw pictures.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::Serializer;

    pub(in crate::sim) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(span.as_secs_f64())
    }
}

/// As [`seconds`], where there may be none.
pub(super) mod seconds_or_none {
    use std::time::Duration;

    use serde::Serializer;

    pub(in crate::sim) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.serialize_some(&span.as_secs_f64()),
            None => serializer.serialize_none(),
        }
    }
}

/// A duration as text: `"250ms"`, `"1h 30m"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text(pub(super) Duration);

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(|error| {
            let message =
                format!("`{text}` is no duration: {error}; write it as \"250ms\" or \"10s\"");
            serde::de::Error::custom(message)
        })
    }
}

/// Reads durations that are text.
pub(super) mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    use super::Text;

    pub(in crate::sim) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        Text::deserialize(deserializer).map(|text| text.0)
    }
}

/// As [`text`], where there may be none.
pub(super) mod text_or_none {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    use super::Text;

    pub(in crate::sim) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<Text>::deserialize(deserializer).map(|text| text.map(|text| text.0))
    }
}

/// As [`text`], a list.
pub(super) mod texts {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    use super::Text;

    pub(in crate::sim) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Duration>, D::Error> {
        let texts = Vec::<Text>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(|text| text.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_and_the_ends_are_times() {
        assert_eq!(rounded(f64::NAN), 0);
        assert_eq!(rounded(-1.0), 0);
        assert_eq!(rounded(f64::INFINITY), Time::MAX);
        assert_eq!(rounded(2.5), 3);
        assert_eq!(time(Duration::MAX), Time::MAX);
    }
}
