//! What chance alone may do.
//!
//! An endpoint that fails one request in twenty fails, of a hundred, nine or none now and then.
//! Many endpoints, judged every few seconds for weeks, meet every now and then there is. So a
//! finding has to be more than chance explains, with so much room that it takes ten thousand
//! sweeps to be wrong once.

/// How often a sweep may find somebody by chance, of whatever size it is.
const FALSE_SWEEPS: f64 = 1e-4;

/// How far a share may lie above `chance`, the share to expect, by luck alone when `requests` were
/// counted for each of `judged` endpoints.
///
/// Bernstein's inequality (1924), solved for the distance: the probability that a share of `N`
/// independent events of chance `p` exceeds `p` by `t` or more is at most
/// `exp(−N·t² / (2·p·(1 − p) + 2·t / 3))`. It is a bound for every `p` and `N`, unlike the normal
/// approximation, which is wrong by orders of magnitude where failures are rare. The allowance is
/// divided among the endpoints, so that more of them do not make more false findings.
pub(super) fn margin(chance: f64, requests: f64, judged: usize) -> f64 {
    let doubt = (judged.max(1) as f64 / FALSE_SWEEPS).ln() / requests;
    let skew = doubt / 3.0;
    skew + (skew * skew + 2.0 * doubt * chance * (1.0 - chance)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of `least` events of chance `p` or more among `n`, term by term.
    fn tail(p: f64, n: u32, least: u32) -> f64 {
        let mut term = (f64::from(n) * (1.0 - p).ln()).exp();
        let mut below = 0.0;
        let mut terms = Vec::new();
        for k in 0..=n {
            terms.push(term);
            term *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
        }
        // Summed from the small end, so that nothing is lost.
        for k in (least.min(n + 1)..=n).rev() {
            below += terms[k as usize];
        }
        below
    }

    #[test]
    fn chance_exceeds_the_margin_less_often_than_it_may() {
        for judged in [1_usize, 3, 100, 10_000] {
            for n in [20_u32, 100, 500] {
                for p in [0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9] {
                    let above = p + margin(p, f64::from(n), judged);
                    let least = (above * f64::from(n)).ceil() as u32;
                    let found = tail(p, n, least) * judged as f64;
                    assert!(
                        found <= FALSE_SWEEPS,
                        "{judged} endpoints, {n} requests, {p}: {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_margin_is_worth_its_room() {
        // One request in twenty fails, ten endpoints: L = ln(10 / 1e-4) = 11.513.
        //   100 requests: L/300 = 0.0384, √(0.0384² + 2·11.513·0.0475/100) = 0.1114: 0.1498
        // 1,000 requests: L/3000 = 0.00384, √(0.00384² + 2·11.513·0.0475/1000) = 0.0333: 0.0371
        assert!((margin(0.05, 100.0, 10) - 0.1498).abs() < 1e-4);
        assert!((margin(0.05, 1_000.0, 10) - 0.0371).abs() < 1e-4);
        // Nobody ever fails: 2·L / 300.
        assert!((margin(0.0, 100.0, 10) - 0.0768).abs() < 1e-4);
    }

    #[test]
    fn the_margin_is_never_no_number() {
        assert_eq!(margin(0.5, 0.0, 0), f64::INFINITY);
        assert!(margin(0.0, u64::MAX as f64, usize::MAX) >= 0.0);
        assert!(margin(1.0, 1.0, 1).is_finite());
    }
}
