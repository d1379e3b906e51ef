//! What a session is handed: which endpoint it belongs with, for nobody else to read or make.
//!
//! Forty bytes, as 54 characters of URL-safe base64:
//!
//! | bytes | |
//! | --- | --- |
//! | 16 | tag: HMAC-SHA256 of `evenkeel/1/endpoint` 0 *name* 0 *id*, cut |
//! | 8 | expiry: seconds since 1970, the highest byte first; all ones for never |
//! | 16 | seal: HMAC-SHA256 of `evenkeel/1/seal` 0 *name* 0 *tag* *expiry*, cut |
//!
//! The key is the SHA-256 of the secret. *name* is that of the cookie or header, so that the token
//! of one is worth nothing in another. The tag says nothing of the id to whoever has no secret, and
//! needs no nonce: it is looked up among the tags of the endpoints, which is done only once the seal
//! was found to be whole.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::service::affinity::AffinityError;
use crate::units::EndpointId;

/// Characters of a token.
pub(super) const LENGTH: usize = 54;

/// What an endpoint is called in tokens.
pub(super) type Tag = [u8; 16];

/// When a token ends, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expiry(pub(super) u64);

impl Expiry {
    pub(super) const NEVER: Self = Self(u64::MAX);
}

/// A token whose seal is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) tag: Tag,
    pub(super) expiry: Expiry,
}

/// A secret that the tokens of sessions are signed with.
///
/// At least 32 bytes that nobody can guess, from a generator meant for secrets, and the same in every
/// process that serves the same sessions. It is never shown, `Debug` included.
///
/// ```
/// use evenkeel::Secret;
///
/// # let from_your_vault = [7; 32];
/// let secret = Secret::new(from_your_vault)?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(Secret::new("hunter2").is_err());
/// # Ok::<(), evenkeel::AffinityError>(())
/// ```
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The fewest bytes a secret has.
    pub const LEAST: usize = 32;

    /// A secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`AffinityError::ShortSecret`] if there are fewer than [`LEAST`](Self::LEAST).
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, AffinityError> {
        let (secret, least) = (secret.as_ref(), Self::LEAST);
        if secret.len() < least {
            return Err(AffinityError::ShortSecret { bytes: secret.len(), least });
        }
        Ok(Self(Sha256::digest(secret).into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Makes and reads the tokens of one name under one secret.
#[derive(Clone)]
pub(super) struct Signer {
    /// Both have taken in what all of their messages begin with.
    tags: Hmac<Sha256>,
    seals: Hmac<Sha256>,
}

impl Signer {
    pub(super) fn new(secret: &Secret, name: &str) -> Self {
        let mut key = [0; 64];
        let (used, _) = key.split_at_mut(secret.0.len());
        used.copy_from_slice(&secret.0);
        let begun = |purpose: &str| {
            let mut mac = Hmac::<Sha256>::new(&key.into());
            [purpose, "\0", name, "\0"].iter().for_each(|part| mac.update(part.as_bytes()));
            mac
        };
        Self { tags: begun("evenkeel/1/endpoint"), seals: begun("evenkeel/1/seal") }
    }

    pub(super) fn tag(&self, id: &EndpointId) -> Tag {
        cut(self.tags.clone().chain_update(id.as_str()))
    }

    /// The token for an endpoint.
    pub(super) fn issue(&self, id: &EndpointId, expiry: Expiry) -> String {
        let tag = self.tag(id);
        let seal = cut(self.sealing(&tag, expiry));
        let bytes = [&tag[..], &expiry.0.to_be_bytes(), &seal].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token that `text` is, if this secret has made it.
    pub(super) fn read(&self, text: &[u8]) -> Option<Token> {
        if text.len() != LENGTH {
            return None;
        }
        // A little longer than needed: the decoder asks for whole groups of three.
        let mut bytes = [0; 42];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (&tag, rest) = bytes.get(..length)?.split_first_chunk()?;
        let (&expiry, seal) = rest.split_first_chunk()?;
        let expiry = Expiry(u64::from_be_bytes(expiry));
        let &seal: &Tag = seal.try_into().ok()?;
        // In constant time: how much of a guess is right cannot be measured.
        self.sealing(&tag, expiry).verify_truncated_left(&seal).ok()?;
        Some(Token { tag, expiry })
    }

    fn sealing(&self, tag: &Tag, expiry: Expiry) -> Hmac<Sha256> {
        self.seals.clone().chain_update(tag).chain_update(expiry.0.to_be_bytes())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

fn cut(mac: Hmac<Sha256>) -> Tag {
    let whole: [u8; 32] = mac.finalize().into_bytes().into();
    let mut tag = Tag::default();
    tag.iter_mut().zip(whole).for_each(|(tag, byte)| *tag = byte);
    tag
}
