//! What a panic of code that is not ours said.

use std::any::Any;

/// The text of a panic, if it was one.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}
