//! Where the lines of endpoints come from.
//!
//! They are taken from the system some at a time, are used again, and are never given back: so a request
//! that is on its way can refer to one without holding it by a count of its own, which would be two more
//! locked additions and one more cache line. What a process keeps by that is one line for each endpoint of
//! all its balancers at the time when they had the most.

use crate::endpoint::line::Line;
#[cfg(not(evenkeel_loom))]
use crate::sync::Mutex;

/// Lines that are taken from the system together: a page.
#[cfg(not(evenkeel_loom))]
const TOGETHER: usize = 64;

/// Those that no endpoint has.
#[cfg(not(evenkeel_loom))]
static FREE: Mutex<Vec<&'static Line>> = Mutex::new(Vec::new());

/// One for an endpoint of its own.
#[cfg(not(evenkeel_loom))]
pub(super) fn take() -> &'static Line {
    let mut free = FREE.lock();
    if free.is_empty() {
        let more: Box<[Line]> = (0..TOGETHER).map(|_| Line::new()).collect();
        let more: &'static [Line] = Box::leak(more);
        // The first of them first, so that endpoints that come together have neighbouring ones.
        free.extend(more.iter().rev());
    }
    // There is one: there were as many as are taken together.
    free.pop().unwrap_or_else(|| Box::leak(Box::new(Line::new())))
}

/// Its endpoint is gone, and so is every request to it.
#[cfg(not(evenkeel_loom))]
pub(super) fn give_back(line: &'static Line) {
    line.clear();
    FREE.lock().push(line);
}

/// The model checker's words belong to one run of the model.
#[cfg(evenkeel_loom)]
pub(super) fn take() -> &'static Line {
    Box::leak(Box::new(Line::new()))
}

#[cfg(evenkeel_loom)]
pub(super) fn give_back(_: &'static Line) {}
