//! The sessions of one balancer: which token means which endpoint.

use std::fmt;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::service::affinity::SessionAffinity;
use crate::service::affinity::settings::Carrier;
use crate::service::affinity::token::{Expiry, LENGTH, Signer, Tag, Token};
use crate::service::cookies;
use crate::sync::Published;
use crate::units::{EndpointId, Key};

/// Tokens of one request that are looked at: whoever sends more of them is not served faster.
const LOOKED_AT: usize = 4;

/// The endpoints that tokens may mean.
pub(super) trait Roster {
    /// A number that changes with the set.
    fn set(&self) -> u64;

    /// The endpoints, and the number of their set.
    fn endpoints(&self) -> (u64, Vec<EndpointId>);
}

/// What a request's token says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// A key that prefers the session's endpoint; [`Key::none`] for a new session.
    pub(super) key: Key,
    /// Whether a new token is due even if the session stays.
    pub(super) is_due: bool,
}

pub(super) struct Sessions {
    signer: Signer,
    earlier: Vec<Signer>,
    place: Place,
    max_age: Option<u64>,
    table: Published<Table>,
}

/// Where tokens stand, on the way in and on the way out.
enum Place {
    Cookie { name: String, attributes: String },
    Header(HeaderName),
}

impl Sessions {
    pub(super) fn new(affinity: &SessionAffinity) -> Self {
        let (signer, earlier) = affinity.signers();
        let max_age = affinity.max_age;
        let place = match &affinity.carrier {
            Carrier::Cookie { name, attributes } => {
                Place::Cookie { name: name.clone(), attributes: attributes.text(max_age) }
            }
            Carrier::Header { name } => Place::Header(name.clone()),
        };
        Self { signer, earlier, place, max_age, table: Published::new(Table::default()) }
    }

    /// What the first good token of a request says. `now` is asked only where a token expires.
    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        roster: &impl Roster,
        now: impl Fn() -> u64,
    ) -> Said {
        let read = |text: &[u8]| self.said(text, roster, &now);
        let is_token = |text: &&[u8]| text.len() == LENGTH;
        let said = match &self.place {
            Place::Cookie { name, .. } => {
                cookies::values(headers, name).filter(is_token).take(LOOKED_AT).find_map(read)
            }
            Place::Header(name) => {
                let values = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
                values.filter(is_token).take(LOOKED_AT).find_map(read)
            }
        };
        said.unwrap_or_default()
    }

    fn said(&self, text: &[u8], roster: &impl Roster, now: &impl Fn() -> u64) -> Option<Said> {
        let is_read_by = |signer: &Signer| signer.read(text);
        let signed = self.signer.read(text).map(|token| (token, true));
        let earlier = || self.earlier.iter().find_map(is_read_by).map(|token| (token, false));
        let (Token { tag, expiry }, is_current) = signed.or_else(earlier)?;
        let now = if expiry == Expiry::NEVER { 0 } else { now() };
        let left = expiry.0.checked_sub(now).filter(|&left| left > 0)?;
        let is_due = !is_current
            || match self.max_age {
                None => expiry != Expiry::NEVER,
                // One that holds for far too long is from before the time was made shorter.
                Some(max_age) => left <= max_age.div_ceil(2) || left > max_age.saturating_mul(2),
            };
        Some(Said { key: self.find(&tag, roster)?, is_due })
    }

    /// The key for the endpoint with this tag, which somebody who knows a secret has made.
    fn find(&self, tag: &Tag, roster: &impl Roster) -> Option<Key> {
        let (found, set) = self.table.read(|table| (table.find(tag), table.set));
        if found.is_some() || set == Some(roster.set()) {
            return found;
        }
        // Nobody waits for somebody else's table. Who is overtaken puts up an older one, and the
        // next who misses something in it makes it again.
        let table = self.table_of(roster);
        let found = table.find(tag);
        self.table.publish(table);
        found
    }

    fn table_of(&self, roster: &impl Roster) -> Table {
        let (set, endpoints) = roster.endpoints();
        let signers = || std::iter::once(&self.signer).chain(&self.earlier);
        let keys = endpoints.iter().map(|id| (id, Key::none().preferring(id)));
        let mut entries: Vec<_> = keys
            .flat_map(|(id, key)| signers().map(move |signer| (signer.tag(id), key.clone())))
            .collect();
        entries.sort_unstable_by_key(|&(tag, _)| tag);
        Table { set: Some(set), entries }
    }

    /// Hands the session a token for this endpoint.
    pub(super) fn issue(&self, headers: &mut HeaderMap, id: &EndpointId, now: impl Fn() -> u64) {
        let last = Expiry::NEVER.0 - 1;
        let expiry = self
            .max_age
            .map_or(Expiry::NEVER, |max_age| Expiry(now().saturating_add(max_age).min(last)));
        let token = self.signer.issue(id, expiry);
        match &self.place {
            Place::Cookie { name, attributes } => {
                // Whatever could not stand in a header was refused when the settings were made.
                if let Ok(value) = HeaderValue::try_from(format!("{name}={token}{attributes}")) {
                    headers.append(SET_COOKIE, value);
                }
            }
            Place::Header(name) => {
                if let Ok(value) = HeaderValue::try_from(token) {
                    headers.insert(name.clone(), value);
                }
            }
        }
    }
}

/// The tags of a set of endpoints, under each secret.
#[derive(Default)]
struct Table {
    /// The number of the set; `None` before there was one.
    set: Option<u64>,
    /// In the order of the tags.
    entries: Vec<(Tag, Key)>,
}

impl Table {
    fn find(&self, tag: &Tag) -> Option<Key> {
        let at = self.entries.binary_search_by_key(tag, |&(tag, _)| tag).ok()?;
        self.entries.get(at).map(|(_, key)| key.clone())
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
