//! What a pick costs.
fn main() {}
