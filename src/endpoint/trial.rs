//! What is noted of an endpoint for the next verdict about it.

use std::num::NonZeroU64;

use once_cell::race::OnceBox;

use crate::endpoint::waiting::Waiters;
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};
use crate::units::Nanos;

/// From when on evidence counts, and the one probe that is waited for.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Requests that began before do not count for failures in a row.
    since: AtomicU64,
    /// Made when it is first needed, which it never is for most endpoints.
    seldom: OnceBox<Seldom>,
}

/// What is wanted of an endpoint beyond its share of picks, and who waits for its last request. In
/// one box: each would cost every endpoint a word.
#[derive(Debug)]
struct Seldom {
    waiters: Mutex<Waiters>,
    /// Whether the next one is to go to it, however small its share is.
    nudge: AtomicBool,
    /// The token of the probe that is waited for; 0 for none.
    probe: AtomicU64,
    /// Before this nobody may probe.
    not_before: AtomicU64,
}

/// The right to probe an ejection: the ejection's number, and when the right was taken.
///
/// Both stand in one word, so that nobody sees the time of one probe beside the number of another.
/// Two probes of one ejection are out at once only if the first was waited for too long; then they
/// differ in the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(NonZeroU64);

/// The places that the number of the ejection is moved by.
const NUMBER: u32 = 32;

/// The places of an instant in nanoseconds that a token leaves out: it tells quarters of a second.
/// The others come round after 36 years.
const TICK: u32 = 28;

impl Token {
    /// `None` for ejection 0, which nobody probes.
    fn new(epoch: u32, now: Nanos) -> Option<Self> {
        let word = u64::from(epoch) << NUMBER | u64::from(ticks(now));
        NonZeroU64::new(word).filter(|_| epoch > 0).map(Self)
    }

    /// The number of the ejection.
    pub(crate) fn epoch(self) -> u32 {
        // The upper half of the word fits.
        (self.0.get() >> NUMBER) as u32
    }

    /// Nanoseconds since the right was taken, to a quarter of a second; none while the clock is
    /// before that.
    fn age(self, now: Nanos) -> u64 {
        let passed = ticks(now).wrapping_sub(self.0.get() as u32).cast_signed();
        u64::from(passed.max(0).cast_unsigned()) << TICK
    }
}

/// The lower half of the ticks up to `now`.
fn ticks(now: Nanos) -> u32 {
    (now.0 >> TICK) as u32
}

/// How many times as long as it was waited for an endpoint is left alone after a probe that came to
/// nothing. A caller who gives up on an endpoint that never answers would else be sent there with
/// every request.
const REST: u64 = 4;

/// The longest rest, in nanoseconds.
const LONGEST_REST: u64 = 60_000_000_000;

impl Trial {
    pub(super) fn new() -> Self {
        Self { since: AtomicU64::new(0), seldom: OnceBox::new() }
    }

    pub(super) fn turn_page(&self, now: Nanos) {
        self.since.store(now.0, Ordering::Relaxed);
        self.claim_nudge();
    }

    /// Whether the failure of a request that began at `began` counts.
    #[inline]
    pub(crate) fn counts(&self, began: Nanos) -> bool {
        began.0 >= self.since.load(Ordering::Relaxed)
    }

    /// Takes the right to probe ejection `epoch`: one at a time, but that one which was waited for
    /// longer than `patience` keeps nobody from it. Nobody has it before `rested` is past the rest.
    pub(crate) fn claim_probe(
        &self,
        epoch: u32,
        now: Nanos,
        rested: Nanos,
        patience: u64,
    ) -> Option<Token> {
        let taken = self.free_for_probe(epoch, now, rested, patience)?;
        let token = Token::new(epoch, now)?;
        let probe = &self.seldom().probe;
        let exchanged =
            probe.compare_exchange(taken, token.0.get(), Ordering::AcqRel, Ordering::Relaxed);
        exchanged.is_ok().then_some(token)
    }

    /// Whether [`claim_probe`](Self::claim_probe) would give the right to probe.
    pub(crate) fn would_probe(&self, epoch: u32, now: Nanos, rested: Nanos, patience: u64) -> bool {
        epoch > 0 && self.free_for_probe(epoch, now, rested, patience).is_some()
    }

    /// The word that stands where the token of a probe would, if one may be put there.
    fn free_for_probe(&self, epoch: u32, now: Nanos, rested: Nanos, patience: u64) -> Option<u64> {
        let Some(seldom) = self.seldom.get() else { return Some(0) };
        let taken = seldom.probe.load(Ordering::Relaxed);
        let free = NonZeroU64::new(taken).map(Token).is_none_or(|token| {
            // A later ejection's is left to it: this one is known from an old snapshot.
            token.epoch() < epoch || token.epoch() == epoch && token.age(now) >= patience
        });
        let is_rested = rested.0 >= seldom.not_before.load(Ordering::Relaxed);
        (free && is_rested).then_some(taken)
    }

    /// Gives it back: the probe has decided something.
    pub(crate) fn end_probe(&self, token: Token) {
        self.free_until(token, 0);
    }

    /// Gives it back: the probe was waited for from `began` to `now`, and came to nothing.
    pub(super) fn give_up_probe(&self, token: Token, began: Nanos, now: Nanos) {
        let rest = now.0.saturating_sub(began.0).saturating_mul(REST).min(LONGEST_REST);
        self.free_until(token, now.0.saturating_add(rest));
    }

    /// Gives it back; nobody may have it again before `rested`.
    fn free_until(&self, token: Token, rested: u64) {
        if let Some(seldom) = self.seldom.get()
            && seldom.free(token)
        {
            seldom.not_before.store(rested, Ordering::Relaxed);
        }
    }

    /// Gives it back unused; says whether there was anything to give back. What somebody else has
    /// taken since is left alone.
    pub(crate) fn free_probe(&self, token: Token) -> bool {
        self.seldom.get().is_some_and(|seldom| seldom.free(token))
    }

    /// Asks for the next pick.
    pub(crate) fn nudge(&self) {
        self.seldom().nudge.store(true, Ordering::Release);
    }

    /// Whether a pick is asked for.
    pub(crate) fn is_nudged(&self) -> bool {
        self.seldom.get().is_some_and(Seldom::is_nudged)
    }

    /// Takes the pick that was asked for, if one was.
    pub(crate) fn claim_nudge(&self) -> bool {
        let seldom = self.seldom.get().filter(|seldom| seldom.is_nudged());
        seldom.is_some_and(|seldom| seldom.nudge.swap(false, Ordering::AcqRel))
    }

    /// Who waits for its last request.
    pub(super) fn waiters(&self) -> &Mutex<Waiters> {
        &self.seldom().waiters
    }

    fn seldom(&self) -> &Seldom {
        self.seldom.get_or_init(|| Box::new(Seldom::new()))
    }
}

impl Seldom {
    fn new() -> Self {
        Self {
            waiters: Mutex::new(Waiters::default()),
            nudge: AtomicBool::new(false),
            probe: AtomicU64::new(0),
            not_before: AtomicU64::new(0),
        }
    }

    fn is_nudged(&self) -> bool {
        self.nudge.load(Ordering::Relaxed)
    }

    fn free(&self, token: Token) -> bool {
        self.probe.compare_exchange(token.0.get(), 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod tests {
    use super::*;

    const PATIENCE: u64 = 30_000_000_000;

    fn at(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    fn claim(trial: &Trial, epoch: u32, now: Nanos) -> Option<Token> {
        trial.claim_probe(epoch, now, now, PATIENCE)
    }

    #[test]
    fn one_probe_at_a_time_and_a_later_ejection_is_left_alone() {
        let trial = Trial::new();
        let first = claim(&trial, 1, at(0)).unwrap();
        assert_eq!(claim(&trial, 1, at(0)), None);
        let second =
            claim(&trial, 2, at(0)).expect("the first belongs to an ejection that is over");
        trial.free_probe(first);
        assert_eq!(claim(&trial, 2, at(0)), None);
        assert_eq!(claim(&trial, 1, at(3_600)), None, "the later one's, however old");
        trial.free_probe(second);
        assert_eq!(claim(&trial, 2, at(0)).map(Token::epoch), Some(2));
        assert_eq!(claim(&trial, 0, at(0)), None, "no ejection has this number");
    }

    #[test]
    fn after_a_probe_that_came_to_nothing_it_rests() {
        let trial = Trial::new();
        let first = claim(&trial, 1, at(10)).unwrap();
        trial.give_up_probe(first, at(10), at(12));
        assert_eq!(claim(&trial, 1, at(19)), None);
        let second = claim(&trial, 1, at(20)).unwrap();
        trial.give_up_probe(second, at(20), at(120));
        assert_eq!(claim(&trial, 1, at(179)), None);
        let third = claim(&trial, 1, at(180)).unwrap();
        trial.end_probe(third);
        let fourth = claim(&trial, 2, at(180)).expect("a later ejection begins afresh");
        trial.give_up_probe(fourth, at(300), at(200));
        let last = claim(&trial, 2, at(200));
        assert!(last.is_some(), "a clock that went back is no time waited");
    }

    #[test]
    fn one_that_is_waited_for_too_long_keeps_nobody_from_it() {
        let trial = Trial::new();
        let stuck = claim(&trial, 1, at(100)).unwrap();
        for early in [0, 99, 100, 129] {
            assert_eq!(claim(&trial, 1, at(early)), None, "{early}");
        }
        let second = claim(&trial, 1, at(131)).unwrap();
        assert_eq!(claim(&trial, 1, at(150)), None, "the second is waited for as long");
        trial.give_up_probe(stuck, at(100), at(151));
        trial.end_probe(stuck);
        assert!(!trial.free_probe(stuck), "it is another's by now");
        assert_eq!(claim(&trial, 1, at(160)), None);
        assert!(trial.free_probe(second));
        assert!(claim(&trial, 1, at(160)).is_some(), "and there is no rest");
    }

    #[test]
    fn the_age_of_a_token_holds_while_its_ticks_come_round() {
        let round = 1 << (32 + TICK);
        for since in [0, round - 1, round, u64::MAX - 2 * PATIENCE] {
            let token = Token::new(7, Nanos(since)).unwrap();
            let aged = token.age(Nanos(since + PATIENCE));
            assert!(aged.abs_diff(PATIENCE) < 1 << TICK, "{since}: {aged}");
            assert_eq!(token.age(Nanos(since.saturating_sub(PATIENCE))), 0);
            assert_eq!(token.epoch(), 7);
        }
    }
}
