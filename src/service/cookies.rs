//! Cookies that a request brings along.

use http::HeaderMap;
use http::header::COOKIE;

/// The values of the cookies of this name, in the order in which they were sent, byte for byte.
///
/// Whatever else the headers hold is passed over. Nothing is decoded, and nothing allocated.
pub(crate) fn values<'a>(
    headers: &'a HeaderMap,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    // HTTP/2 may send each in a header of its own (RFC 9113, section 8.2.3).
    let pairs = headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|header| header.as_bytes().split(|&byte| byte == b';'));
    pairs.filter_map(|pair| {
        let at = pair.iter().position(|&byte| byte == b'=')?;
        let (this, value) = pair.split_at_checked(at)?;
        let is_named = this.trim_ascii() == name.as_bytes();
        is_named.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found<'a>(headers: &'a HeaderMap, name: &'a str) -> Vec<&'a [u8]> {
        values(headers, name).collect()
    }

    fn of(lines: &[&[u8]]) -> HeaderMap {
        let line = |line: &&[u8]| (COOKIE, HeaderValue::from_bytes(line).unwrap());
        lines.iter().map(line).collect()
    }

    #[test]
    fn values_come_in_the_order_in_which_they_were_sent() {
        let headers = of(&[b"a=1; b=2;a=3", b" a = 4 ;ab=5; a", b"a=", b"a=\"6=7\""]);
        let wanted: [&[u8]; 5] = [b"1", b"3", b"4", b"", b"\"6=7\""];
        assert_eq!(found(&headers, "a"), wanted);
        assert_eq!(found(&headers, "b"), [b"2"]);
        assert!(found(&headers, "c").is_empty() && found(&headers, "").is_empty());
    }

    #[test]
    fn what_is_no_cookie_is_passed_over() {
        let headers = of(&[b"", b";;;=;==", b"\xff\xfe=\x80; a=\xc3\x28", b"a"]);
        assert_eq!(found(&headers, "a"), [b"\xc3\x28"]);
        assert!(found(&HeaderMap::new(), "a").is_empty());
    }
}
