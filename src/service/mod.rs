//! The data path: balancers as `tower` services.

mod balance;
mod future;
mod key;

pub use self::balance::Balance;
pub use self::future::ResponseFuture;
pub use self::key::{KeyBy, NoKey};
