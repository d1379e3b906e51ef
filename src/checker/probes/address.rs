//! Where a check over HTTP goes.

use std::fmt;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

use crate::checker::probes::causes::Causes;

/// The address of a server that is spoken to without TLS. Without a scheme it means `http`; without
/// a path, `/`.
///
/// # Errors
///
/// Why it is none.
pub(super) fn plain<A>(address: A) -> Result<Uri, Unusable>
where
    A: TryInto<Uri>,
    A::Error: Into<http::Error>,
{
    let address = address.try_into().map_err(|error| {
        let error: http::Error = error.into();
        Unusable(Causes(&error).to_string())
    })?;
    let mut parts = address.into_parts();
    if parts.authority.as_ref().is_none_or(|authority| authority.host().is_empty()) {
        return Err(Unusable("it names no host".into()));
    }
    if parts.scheme.as_ref().is_some_and(|scheme| *scheme != Scheme::HTTP) {
        return Err(Unusable(
            "its scheme is not `http`, and TLS is not spoken here; `ServiceProbe` checks over \
             a client of yours"
                .into(),
        ));
    }
    parts.scheme = Some(Scheme::HTTP);
    parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|error| Unusable(error.to_string()))
}

/// Why an address cannot be used. It is not repeated: it may carry a password.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address cannot be checked: {}; write it as http://host:port", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_uris_name_a_server() {
        for (text, uri) in [
            ("a:8080", "http://a:8080/"),
            ("localhost", "http://localhost/"),
            ("[::1]:9", "http://[::1]:9/"),
            ("http://a", "http://a/"),
            ("HTTP://a:1/base?q", "http://a:1/base?q"),
        ] {
            assert_eq!(plain(text).unwrap(), uri, "{text}");
            assert_eq!(plain(text.to_owned()).unwrap(), uri, "{text}");
            assert_eq!(plain(text.parse::<Uri>().unwrap()).unwrap(), uri, "{text}");
        }
    }

    #[test]
    fn what_names_no_plain_server_is_refused_with_the_reason() {
        for (text, reason) in [
            // Where the reason is the parser's, only what is ours is looked for.
            ("", "write it as"),
            ("/healthz", "names no host"),
            ("http://", "write it as"),
            ("http:///x", "write it as"),
            ("http://:80", "names no host"),
            ("a b", "write it as"),
            ("https://me:secret@a", "TLS is not spoken here"),
            ("ftp://a", "scheme is not `http`"),
        ] {
            let refused = plain(text).unwrap_err().to_string();
            assert!(refused.contains(reason), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{text}: {refused}");
        }
    }
}
