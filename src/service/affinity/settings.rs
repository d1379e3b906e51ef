//! How sessions are kept with their endpoints.

use std::fmt;
use std::time::Duration;

use http::HeaderName;

use crate::service::affinity::token::Signer;
use crate::service::affinity::{AffinityError, Secret};

/// How a session is kept with its endpoint: by a cookie, or a header, that carries the endpoint.
///
/// Given to [`Balance::sticky`](crate::Balance::sticky) or
/// [`BalanceLayer::sticky`](crate::BalanceLayer::sticky). The first answer of a session hands it a
/// token for the endpoint that gave it; requests that bring the token go to that endpoint, as far as
/// [`Key::preferring`](crate::Key::preferring) says.
///
/// ```
/// use evenkeel::{Balancer, Endpoint, Secret, SessionAffinity};
/// use std::time::Duration;
///
/// # let from_your_vault = [7; 32];
/// let affinity = SessionAffinity::cookie("shop", Secret::new(from_your_vault)?)?
///     .max_age(Duration::from_secs(3_600))?
///     .path("/shop")?;
/// # let balancer = Balancer::builder().endpoint(Endpoint::new("a", ())).build()?;
/// let service = balancer.service().sticky(affinity);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What becomes of a session
///
/// | its endpoint is | the request goes | the token is |
/// | --- | --- | --- |
/// | available or warming up | there | kept |
/// | draining | there, until the [drain](crate::Drain) is over | kept |
/// | ejected, probing or unhealthy | elsewhere, as if it had none | issued anew |
/// | disabled, or gone from the set | elsewhere, as if it had none | issued anew |
///
/// So a session moves once, and stays where it went to, also when its first endpoint is back: its
/// state has been made there by then. A token that is forged, damaged, expired or for another
/// name counts as none.
///
/// # The token
///
/// It is opaque: it does not say what the endpoint is called, nor how many there are. It is
/// tamper-evident: without the secret nobody can make one, nor change one (HMAC-SHA256). It binds
/// nobody: whoever is handed another's token is sent to the other's endpoint, and no more. It is no
/// credential, and proves nothing about who sends it.
///
/// # More than one process
///
/// Processes that have the same secrets, the same name and the same endpoint ids read each other's
/// tokens. There is no state to share, and none is lost by a restart.
///
/// # What it costs
///
/// Requests with a token are checked by one HMAC for each secret that is tried, and looked up in a
/// table; nothing is allocated. After a change of the set the table is made again, with an HMAC for
/// each endpoint and secret, by requests that bring a token for an endpoint it does not know: the
/// first one, and those that come while that is at it.
#[derive(Clone)]
pub struct SessionAffinity {
    pub(super) carrier: Carrier,
    secret: Secret,
    /// Those that are still read.
    earlier: Vec<Secret>,
    /// Seconds for which a token holds.
    pub(super) max_age: Option<u64>,
}

/// Where the token stands.
#[derive(Clone, Debug)]
pub(super) enum Carrier {
    Cookie { name: String, attributes: Attributes },
    Header { name: HeaderName },
}

/// What stands beside the value of a cookie.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    path: String,
    domain: Option<String>,
    http_only: bool,
    secure: bool,
    same_site: SameSite,
}

/// On which requests a browser sends a cookie along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Only on those that come from the same site.
    Strict,
    /// Also when somebody follows a link from another site. The default.
    #[default]
    Lax,
    /// On all of them. Browsers ask for `Secure` beside it, which is always sent then.
    None,
}

impl SessionAffinity {
    /// By a cookie of this name.
    ///
    /// It is sent with `Path=/`, `HttpOnly`, `Secure` and `SameSite=Lax`, and ends with the
    /// browser's session, unless the methods below say otherwise.
    ///
    /// # Errors
    ///
    /// [`AffinityError::Name`] if no cookie can have that name (RFC 6265, section 4.1.1).
    pub fn cookie(name: impl Into<String>, secret: Secret) -> Result<Self, AffinityError> {
        let name = name.into();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(AffinityError::Name { name });
        }
        let attributes = Attributes {
            path: "/".to_owned(),
            domain: None,
            http_only: true,
            secure: true,
            same_site: SameSite::default(),
        };
        Ok(Self::by(Carrier::Cookie { name, attributes }, secret))
    }

    /// By a header of this name, for clients that are no browsers: it stands on the response when
    /// the session is new or has moved, and the client sends it along from then on.
    ///
    /// What is said of cookies below changes nothing for headers, but for
    /// [`max_age`](Self::max_age).
    #[must_use]
    pub fn header(name: HeaderName, secret: Secret) -> Self {
        Self::by(Carrier::Header { name }, secret)
    }

    fn by(carrier: Carrier, secret: Secret) -> Self {
        Self { carrier, secret, earlier: Vec::new(), max_age: None }
    }

    /// Reads tokens of this secret as well, though it signs none with it, for exchanging secrets:
    /// first every process reads the new one, then every process signs with it and reads the old
    /// one, and once `max_age` is over nobody needs that any more. A session that brings a token of
    /// such a secret stays where it is and is handed a new token.
    ///
    /// Default: none. Each costs one more HMAC for requests whose token is not of a secret before it.
    #[must_use]
    pub fn accept(mut self, earlier: Secret) -> Self {
        self.earlier.push(earlier);
        self
    }

    /// How long a token holds: `Max-Age` of the cookie, and the balancer holds to it too.
    ///
    /// It is issued anew when half of it is over, so that it ends a session that has been idle for
    /// that long at most, and at least for half of it. Longer keeps sessions together for longer, and
    /// tokens useful to whoever got hold of one. Read by the system's clock, which the processes that
    /// share sessions should agree on within a few seconds.
    ///
    /// Default: none. The cookie then ends with the browser's session, and the token never. Whole
    /// seconds, at least one.
    ///
    /// # Errors
    ///
    /// [`AffinityError::MaxAge`] if it is less than a second.
    pub fn max_age(mut self, max_age: Duration) -> Result<Self, AffinityError> {
        if max_age.as_secs() == 0 {
            return Err(AffinityError::MaxAge { max_age });
        }
        self.max_age = Some(max_age.as_secs());
        Ok(self)
    }

    /// `Path` of the cookie: the requests it is sent along with. Default: `/`, all.
    ///
    /// # Errors
    ///
    /// [`AffinityError::Attribute`] if it does not begin with `/`, or has a semicolon or something
    /// other than printable ASCII in it.
    pub fn path(mut self, path: impl Into<String>) -> Result<Self, AffinityError> {
        let path = path.into();
        if !path.starts_with('/') || !path.bytes().all(is_attribute) {
            return Err(AffinityError::Attribute { attribute: "Path", value: path });
        }
        self.attributes(|attributes| attributes.path = path);
        Ok(self)
    }

    /// `Domain` of the cookie: with one, hosts below it get the cookie too. Default: none, only the
    /// host that has sent it.
    ///
    /// # Errors
    ///
    /// [`AffinityError::Attribute`] if it has anything but letters, digits, `-` and `.` in it.
    pub fn domain(mut self, domain: impl Into<String>) -> Result<Self, AffinityError> {
        let domain = domain.into();
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if domain.is_empty() || !domain.bytes().all(is_fine) {
            return Err(AffinityError::Attribute { attribute: "Domain", value: domain });
        }
        self.attributes(|attributes| attributes.domain = Some(domain));
        Ok(self)
    }

    /// `SameSite` of the cookie. Default: `Lax`.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.attributes(|attributes| attributes.same_site = same_site);
        self
    }

    /// Leaves `Secure` out, for sites that are reached without TLS: browsers keep no cookie with it
    /// there. Default: it is sent.
    #[must_use]
    pub fn without_secure(mut self) -> Self {
        self.attributes(|attributes| attributes.secure = false);
        self
    }

    /// Leaves `HttpOnly` out, so that scripts may read the cookie. Default: it is sent.
    #[must_use]
    pub fn without_http_only(mut self) -> Self {
        self.attributes(|attributes| attributes.http_only = false);
        self
    }

    fn attributes(&mut self, change: impl FnOnce(&mut Attributes)) {
        match &mut self.carrier {
            Carrier::Cookie { attributes, .. } => change(attributes),
            Carrier::Header { .. } => {}
        }
    }

    /// The signer of new tokens, and those that read earlier ones.
    pub(super) fn signers(&self) -> (Signer, Vec<Signer>) {
        let name = match &self.carrier {
            Carrier::Cookie { name, .. } => name,
            Carrier::Header { name } => name.as_str(),
        };
        let signer = |secret| Signer::new(secret, name);
        (signer(&self.secret), self.earlier.iter().map(signer).collect())
    }
}

impl Attributes {
    /// As they stand behind the value.
    pub(super) fn text(&self, max_age: Option<u64>) -> String {
        let Self { path, domain, http_only, secure, same_site } = self;
        let mut text = format!("; Path={path}");
        if let Some(domain) = domain {
            text = text + "; Domain=" + domain;
        }
        if let Some(seconds) = max_age {
            text = text + "; Max-Age=" + &seconds.to_string();
        }
        if *http_only {
            text += "; HttpOnly";
        }
        if *secure || *same_site == SameSite::None {
            text += "; Secure";
        }
        text + "; SameSite=" + same_site.word()
    }
}

impl SameSite {
    const fn word(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// What a name may be made of (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What the value of an attribute may be made of.
fn is_attribute(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) && byte != b';'
}

impl fmt::Debug for SessionAffinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAffinity")
            .field("carrier", &self.carrier)
            .field("secrets", &(1 + self.earlier.len()))
            .field("max_age", &self.max_age)
            .finish()
    }
}
