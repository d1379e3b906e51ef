//! What a request's key is made of.

use crate::units::Key;

/// Reads the [`Key`] off a request. Closures implement it; see
/// [`Balance::key_by`](crate::Balance::key_by). For HTTP there are sources ready-made in `keys`
/// (feature `http`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make a key of a `{Req}`",
    note = "a key is made by a closure `Fn(&Request) -> Key`",
    note = "with the feature `http`, `keys` has sources for `http::Request`: header, cookie, path, query"
)]
pub trait KeyBy<Req> {
    /// The key of this request.
    fn key(&self, request: &Req) -> Key;
}

impl<F: Fn(&Req) -> Key, Req> KeyBy<Req> for F {
    fn key(&self, request: &Req) -> Key {
        self(request)
    }
}

/// The default: requests have no key.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKey;

impl<Req> KeyBy<Req> for NoKey {
    fn key(&self, _: &Req) -> Key {
        Key::none()
    }
}
