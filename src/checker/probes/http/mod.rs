//! What an HTTP server answers.

mod error;
mod exchange;
mod expected;
mod status;

pub use self::error::HttpProbeError;
pub use self::status::StatusRange;

use std::fmt;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;

use crate::checker::probes::address::{Unusable, plain};
use crate::checker::probes::causes::Causes;
use crate::checker::probes::http::exchange::exchange;
use crate::checker::probes::http::expected::Expected;
use crate::health::{Probe, ProbeFuture, Subject};

/// So much of a body is read at most, in bytes.
const MOST_BODY: usize = 64 * 1024;

const ME: HeaderValue = HeaderValue::from_static(concat!("evenkeel/", env!("CARGO_PKG_VERSION")));

/// What belongs to the connection, and would break it if it were wrong.
const OF_THE_CONNECTION: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// Well if a request over HTTP/1.1 is answered as expected.
///
/// A new connection is made for each check, and closed after it. A redirect is an answer like
/// others: it is not followed. TLS is not spoken here: over a client that does, use
/// [`ServiceProbe`](crate::ServiceProbe).
///
/// What cannot be sent, or can never come back, is refused where it is said.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use evenkeel::{Endpoint, HttpProbe, Probe, Subject};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), evenkeel::BoxError> {
/// let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let endpoint = Endpoint::new("a", server.local_addr()?.to_string());
/// let app = Router::new().route("/healthz", get(async || "all is well"));
/// tokio::spawn(async { axum::serve(server, app).await });
///
/// let probe = HttpProbe::new(|target: &String| target.clone())
///     .path("/healthz")?
///     .host("shop.example")?
///     .expect_body("well")?;
/// probe.probe(Subject::of(&endpoint)).await?;
///
/// let error = probe.path("/nowhere")?.probe(Subject::of(&endpoint)).await.unwrap_err();
/// assert_eq!(error.to_string(), "status 404, expected 200..=299");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`HttpProbeError`].
///
/// # Panics
///
/// Outside of a tokio runtime with I/O and a timer.
#[derive(Clone)]
pub struct HttpProbe<F> {
    address: F,
    method: Method,
    path: PathAndQuery,
    headers: HeaderMap,
    expected: Expected,
    connector: HttpConnector,
}

impl<F> HttpProbe<F> {
    /// Checks the address that `address` makes of a target, a [`Uri`] or a text: `host:port` or
    /// `http://host:port`. Without a port it is 80. A path may follow the second form, and goes
    /// before the one of the check.
    pub fn new<T, A>(address: F) -> Self
    where
        F: Fn(&T) -> A,
        A: TryInto<Uri>,
    {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, ME);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Self {
            address,
            method: Method::GET,
            path: PathAndQuery::from_static("/"),
            headers,
            expected: Expected::default(),
            connector: HttpConnector::new(),
        }
    }

    /// The method. Default: `GET`.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The path, with a query if one is wanted. Default: `/`.
    ///
    /// # Errors
    ///
    /// If it is no path: it begins with `/` (or is `*`), and carries neither spaces nor `#`.
    pub fn path(mut self, path: &str) -> Result<Self, HttpProbeError> {
        let refused = |reason: &str| HttpProbeError::setting("path", format!("`{path}` {reason}"));
        if !path.starts_with('/') && path != "*" {
            return Err(refused("does not begin with `/`"));
        }
        if path.contains('#') {
            return Err(refused("has a fragment, which is never sent"));
        }
        self.path = path.parse().map_err(|_| refused("is no path of a URI"))?;
        Ok(self)
    }

    /// The `Host` header. Default: host and port of the address.
    ///
    /// # Errors
    ///
    /// If it is no host, or no host and port.
    pub fn host(mut self, host: &str) -> Result<Self, HttpProbeError> {
        let refused = |_| HttpProbeError::setting("host", format!("`{host}` is no host"));
        let authority: Authority = host.parse().map_err(refused)?;
        if authority.as_str().contains('@') {
            return Err(HttpProbeError::setting("host", "a user does not belong into it"));
        }
        let value = HeaderValue::from_str(host).map_err(|error| unfit("host", &error.into()))?;
        self.headers.insert(HOST, value);
        Ok(self)
    }

    /// One more header; `user-agent` and `host` take the place of those that are sent by default.
    ///
    /// # Errors
    ///
    /// If the name or the value cannot stand in a header, or the header is one of the connection's
    /// own, such as `content-length`: the request has no body.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, HttpProbeError>
    where
        N: TryInto<HeaderName>,
        N::Error: Into<http::Error>,
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let name = name.try_into().map_err(|error| unfit("header", &error.into()))?;
        // The value is not repeated: it may be a secret.
        let value = value.try_into().map_err(|error| unfit("header", &error.into()))?;
        if OF_THE_CONNECTION.contains(&name) {
            let reason = format!("`{name}` belongs to the connection");
            return Err(HttpProbeError::setting("header", reason));
        }
        if [HOST, USER_AGENT].contains(&name) {
            self.headers.insert(name, value);
        } else {
            let full = |_| HttpProbeError::setting("header", "there are too many");
            self.headers.try_append(name, value).map_err(full)?;
        }
        Ok(self)
    }

    /// Statuses that are good answers: one (`204`), or a range (`200..=399`). Said again, it adds
    /// to those before. Default: `200..=299`.
    ///
    /// # Errors
    ///
    /// If no status is in the range; they go from 100 to 999.
    pub fn expect_status(
        mut self,
        statuses: impl Into<StatusRange>,
    ) -> Result<Self, HttpProbeError> {
        let statuses = statuses.into();
        if !statuses.can_be() {
            let reason = format!("none is in {statuses}; they go from 100 to 999");
            return Err(HttpProbeError::setting("status", reason));
        }
        self.expected.statuses.push(statuses);
        Ok(self)
    }

    /// A text that the body of a good answer contains. Said again, the last counts. Default: the
    /// body is not read.
    ///
    /// It is looked for in the first 64 KiB. What comes after the text is not read, so that it
    /// makes no difference whether the body ends well, or at all. The answer to a `HEAD` has no
    /// body.
    ///
    /// # Errors
    ///
    /// If the text is empty, and so in every body, or longer than what is read.
    pub fn expect_body(mut self, text: impl Into<String>) -> Result<Self, HttpProbeError> {
        let text = text.into();
        if text.is_empty() || text.len() > MOST_BODY {
            let reason = format!("a text has 1 to {MOST_BODY} bytes, not {}", text.len());
            return Err(HttpProbeError::setting("body", reason));
        }
        self.expected.text = Some(text);
        Ok(self)
    }

    fn request(&self, server: &Uri) -> Result<Request<Empty<Bytes>>, HttpProbeError> {
        let unusable = |reason: String| HttpProbeError::Address { reason };
        let mut request = Request::new(Empty::new());
        request.method_mut().clone_from(&self.method);
        request.headers_mut().clone_from(&self.headers);
        if let Some(authority) = server.authority()
            && !self.headers.contains_key(HOST)
        {
            let text = authority.as_str();
            let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
            let host = HeaderValue::from_str(host).map_err(|error| unusable(error.to_string()))?;
            request.headers_mut().insert(HOST, host);
        }
        let prefix = server.path().trim_end_matches('/');
        *request.uri_mut() = if prefix.is_empty() || self.path == "*" {
            self.path.clone().into()
        } else {
            let path = format!("{prefix}{}", self.path);
            path.parse().map_err(|error: http::uri::InvalidUri| unusable(error.to_string()))?
        };
        Ok(request)
    }

    async fn check<A>(&self, address: A) -> Result<(), HttpProbeError>
    where
        A: TryInto<Uri>,
        A::Error: Into<http::Error>,
    {
        let server =
            plain(address).map_err(|Unusable(reason)| HttpProbeError::Address { reason })?;
        let request = self.request(&server)?;
        exchange(self.connector.clone(), server, request, &self.expected).await
    }
}

impl<T, F, A> Probe<T> for HttpProbe<F>
where
    F: Fn(&T) -> A + Send + Sync + 'static,
    A: TryInto<Uri> + Send + 'static,
    A::Error: Into<http::Error>,
{
    fn probe<'a>(&'a self, subject: Subject<'a, T>) -> ProbeFuture<'a> {
        let address = (self.address)(subject.target());
        Box::pin(async move { Ok(self.check(address).await?) })
    }
}

/// Header values are left out: they may be secrets.
impl<F> fmt::Debug for HttpProbe<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProbe")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

fn unfit(part: &'static str, error: &http::Error) -> HttpProbeError {
    HttpProbeError::setting(part, Causes(error).to_string())
}
