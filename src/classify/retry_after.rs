//! When a server wants to be asked again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

/// The time that `Retry-After` asks for: a number of seconds, or a date, which is counted from the
/// response's own `Date` so that no clock of ours takes part. What cannot be read is no wish.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wish = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = whole(wish) {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(wish).ok()?;
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Some(until.duration_since(date).unwrap_or_default())
}

/// A number of digits alone: `parse` would also take a sign.
pub(super) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after_value: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn reads_seconds_and_dates() {
        let noon = "Fri, 20 Nov 2026 12:00:00 GMT";
        let later = "Fri, 20 Nov 2026 12:02:00 GMT";
        assert_eq!(asked("120", None), Some(Duration::from_secs(120)));
        assert_eq!(asked(" 0 ", None), Some(Duration::ZERO));
        assert_eq!(asked(later, Some(noon)), Some(Duration::from_secs(120)));
        assert_eq!(asked(noon, Some(later)), Some(Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_read_is_no_wish() {
        for nonsense in ["soon", "-1", "+5", "1.5", "", "99999999999999999999"] {
            assert_eq!(asked(nonsense, None), None, "{nonsense}");
        }
        assert_eq!(asked("Fri, 20 Nov 2026 12:02:00 GMT", None), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
