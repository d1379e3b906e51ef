use std::sync::atomic::AtomicU8;

use evenkeel::Endpoint;

pub(crate) fn main() {
    let _ = Endpoint::new("a", AtomicU8::new(1));
}
