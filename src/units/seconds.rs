//! Spans as seconds and wall-clock times as text: what reads a status knows neither `Duration` nor
//! when the process began.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

pub(crate) fn span<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

pub(crate) fn span_if_any<S: Serializer>(
    span: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs_f64()).serialize(serializer)
}

/// A time that no calendar has is null.
pub(crate) fn wall<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // The last second of the year 9999, beyond which the format has no words.
    let known = since.as_secs() <= 253_402_300_799;
    let text = known.then(|| humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since));
    text.map(|text| text.to_string()).serialize(serializer)
}
