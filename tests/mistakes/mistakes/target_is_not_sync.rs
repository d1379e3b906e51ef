use std::cell::Cell;

use evenkeel::Endpoint;

fn main() {
    let _ = Endpoint::new("a", Cell::new(1));
}
