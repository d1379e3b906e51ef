//! Nothing: see `tests/read_well.rs`.
