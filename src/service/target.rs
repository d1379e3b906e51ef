//! Targets that are addresses: they write themselves into the request.

use crate::error::BoxError;

/// An address that a request can be directed to.
///
/// For one inner client and many addresses, with [`BalanceLayer`](crate::BalanceLayer).
/// With the feature `http`, `http::Uri` implements it for `http::Request`; for other request types
/// it takes a few lines:
///
/// ```
/// use evenkeel::{BoxError, Target};
///
/// struct Mail {
///     to: String,
/// }
///
/// struct Mailbox(String);
///
/// impl Target<Mail> for Mailbox {
///     fn direct(&self, mut mail: Mail) -> Result<Mail, BoxError> {
///         mail.to.clone_from(&self.0);
///         Ok(mail)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot direct a `{Req}`",
    note = "the targets of a `BalanceLayer` write the chosen address into the request by `Target::direct`",
    note = "with the feature `http`, `http::Uri` directs `http::Request`"
)]
pub trait Target<Req> {
    /// The request, directed to this address.
    ///
    /// # Errors
    ///
    /// Whatever makes that impossible. The request is then not sent, and the endpoint not judged.
    fn direct(&self, request: Req) -> Result<Req, BoxError>;
}

#[cfg(feature = "http")]
pub use self::of_http::{DirectError, PreserveHost};

#[cfg(feature = "http")]
mod of_http {
    use std::error::Error;
    use std::fmt;

    use http::header::HOST;
    use http::uri::{Authority, PathAndQuery, Scheme};
    use http::{HeaderValue, Request, Uri, Version};

    use super::Target;
    use crate::error::BoxError;

    /// Writes scheme, authority and path prefix of the address into the request, and its authority
    /// into `Host`.
    ///
    /// An address without a scheme means `http`. Its path, if it has one, goes before the
    /// request's; a query of its own is left out. For HTTP/2 and 3 the authority stands in the
    /// request's own pseudo-header, and a `Host` that is there is taken out. Use [`PreserveHost`]
    /// where servers are told apart by the name that the caller used.
    ///
    /// Over `https` the name in the address is what the client puts into SNI and checks the
    /// certificate against. An endpoint whose address is an IP while its certificate names a host
    /// needs a connector of its own: give each endpoint its own client, and use
    /// [`Balancer::service`](crate::Balancer::service).
    ///
    /// ```
    /// use evenkeel::Target;
    /// use http::{Request, Uri};
    ///
    /// let address = Uri::from_static("https://10.0.0.1:8443/api");
    /// let request = Request::get("/carts/7?full=1").body(()).unwrap();
    /// let request = address.direct(request)?;
    /// assert_eq!(request.uri(), "https://10.0.0.1:8443/api/carts/7?full=1");
    /// assert_eq!(request.headers()["host"], "10.0.0.1:8443");
    /// # Ok::<(), evenkeel::BoxError>(())
    /// ```
    impl<B> Target<Request<B>> for Uri {
        fn direct(&self, mut request: Request<B>) -> Result<Request<B>, BoxError> {
            let authority = rewrite(self, &mut request)?;
            if matches!(request.version(), Version::HTTP_2 | Version::HTTP_3) {
                request.headers_mut().remove(HOST);
            } else {
                let host = without_userinfo(&authority);
                request.headers_mut().insert(HOST, HeaderValue::from_str(host)?);
            }
            Ok(request)
        }
    }

    /// An address that leaves the `Host` of requests as it is.
    ///
    /// A request without one gets the name that its own URI carries, if it carries one.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PreserveHost(pub Uri);

    impl<B> Target<Request<B>> for PreserveHost {
        fn direct(&self, mut request: Request<B>) -> Result<Request<B>, BoxError> {
            if !request.headers().contains_key(HOST)
                && let Some(authority) = request.uri().authority().cloned()
            {
                let host = HeaderValue::from_str(without_userinfo(&authority))?;
                request.headers_mut().insert(HOST, host);
            }
            rewrite(&self.0, &mut request)?;
            Ok(request)
        }
    }

    /// The address of an endpoint is not one that a request can be sent to.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DirectError {
        address: Uri,
    }

    impl fmt::Display for DirectError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the address `{}` names no host; write it as http://host:port", self.address)
        }
    }

    impl Error for DirectError {}

    fn rewrite<B>(address: &Uri, request: &mut Request<B>) -> Result<Authority, BoxError> {
        let missing = || DirectError { address: address.clone() };
        let authority = address.authority().ok_or_else(missing)?.clone();
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(address.scheme().cloned().unwrap_or(Scheme::HTTP));
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(joined(address.path(), parts.path_and_query)?);
        *request.uri_mut() = Uri::from_parts(parts)?;
        Ok(authority)
    }

    fn joined(prefix: &str, path: Option<PathAndQuery>) -> Result<PathAndQuery, BoxError> {
        let prefix = prefix.trim_end_matches('/');
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        // `*` asks of the server as a whole (RFC 9110, section 7.1).
        if prefix.is_empty() || path.as_str() == "*" {
            return Ok(path);
        }
        Ok(format!("{prefix}{path}").parse()?)
    }

    fn without_userinfo(authority: &Authority) -> &str {
        let text = authority.as_str();
        text.rsplit_once('@').map_or(text, |(_, host)| host)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn directed(address: &str, request: Request<()>) -> Request<()> {
            address.parse::<Uri>().unwrap().direct(request).unwrap()
        }

        fn get(uri: &str) -> Request<()> {
            Request::get(uri).body(()).unwrap()
        }

        #[test]
        fn scheme_authority_and_prefix_are_written() {
            for (address, asked, sent) in [
                ("http://a:80", "/x?y=1", "http://a:80/x?y=1"),
                ("a:8080", "/x", "http://a:8080/x"),
                ("https://a", "http://old/x", "https://a/x"),
                ("http://a/", "/", "http://a/"),
                ("http://a/api/", "/x", "http://a/api/x"),
                ("http://a/api?ignored", "/?q", "http://a/api/?q"),
                ("http://[::1]:9", "/x", "http://[::1]:9/x"),
                ("http://me:secret@a", "/x", "http://me:secret@a/x"),
            ] {
                assert_eq!(directed(address, get(asked)).uri(), sent, "{address} {asked}");
            }
        }

        #[test]
        fn a_request_to_the_server_as_a_whole_keeps_its_asterisk() {
            let request = Request::options("*").body(()).unwrap();
            let sent = directed("http://a/api", request);
            assert_eq!(sent.uri().path(), "*");
            assert_eq!(sent.uri().authority().unwrap(), "a");
        }

        #[test]
        fn host_follows_the_address_or_is_preserved() {
            let asked = || Request::get("/").header(HOST, "shop.example").body(()).unwrap();
            let host = |request: &Request<()>| request.headers().get(HOST).cloned();
            assert_eq!(host(&directed("http://me@a:81", asked())).unwrap(), "a:81");
            let preserve = PreserveHost("http://a:81".parse().unwrap());
            assert_eq!(host(&preserve.direct(asked()).unwrap()).unwrap(), "shop.example");
            let absolute = preserve.direct(get("http://shop.example/x")).unwrap();
            assert_eq!(host(&absolute).unwrap(), "shop.example");
            assert_eq!(absolute.uri(), "http://a:81/x");
        }

        #[test]
        fn later_versions_carry_the_name_in_the_uri() {
            let asked = Request::get("/").version(Version::HTTP_2).header(HOST, "b").body(());
            assert!(!directed("http://a", asked.unwrap()).headers().contains_key(HOST));
        }

        #[test]
        fn an_address_without_a_host_is_refused() {
            let error = "/path".parse::<Uri>().unwrap().direct(get("/")).unwrap_err();
            assert!(error.is::<DirectError>(), "{error}");
        }
    }
}
