//! What this process holds.

/// Bytes of it that are in memory; `None` where the system does not say it in `/proc`.
pub(crate) fn resident() -> Option<u64> {
    let words = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = words.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
