//! What operators say about an endpoint, who did, and why.

use crate::event::Author;
use crate::sync::Arc;
use crate::units::Nanos;

/// What operators say about an endpoint. It lies over what discovery says.
///
/// Two are equal if they mean the same for the endpoint, whoever said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) weight: Option<u32>,
    /// Draining, and until when; [`Nanos::NEVER`] if somebody has to say so.
    pub(crate) draining_until: Option<Nanos>,
    pub(crate) disabled: bool,
    /// `None` if nobody in particular has said anything.
    words: Option<Arc<Words>>,
}

/// What was said last of each kind.
#[derive(Clone, Debug, Default)]
struct Words {
    weight: Option<Word>,
    drain: Option<Word>,
    switch: Option<Word>,
}

/// Who said something, why, and when.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) author: Author,
    pub(crate) at: Nanos,
    /// Whether it was said about all endpoints.
    pub(crate) of_all: bool,
}

impl Said {
    /// Nothing.
    pub(crate) const NOTHING: Self =
        Self { weight: None, draining_until: None, disabled: false, words: None };

    /// What is said of an endpoint that joins.
    pub(crate) fn of_newcomer(is_closed: bool) -> Self {
        Self { draining_until: is_closed.then_some(Nanos::NEVER), ..Self::NOTHING }
    }

    /// It, and another weight.
    pub(crate) fn weighing(mut self, weight: u32, word: Word) -> Self {
        self.weight = Some(weight);
        self.words().weight = Some(word);
        self
    }

    /// It, and a drain.
    pub(crate) fn draining(mut self, until: Nanos, word: Word) -> Self {
        self.draining_until = Some(until);
        self.words().drain = Some(word);
        self
    }

    /// It, and switched off.
    pub(crate) fn switched_off(mut self, word: Word) -> Self {
        self.disabled = true;
        self.words().switch = Some(word);
        self
    }

    /// What is left of it at `now`.
    pub(crate) fn at(&self, now: Nanos) -> Self {
        Self { draining_until: self.draining_until.filter(|&until| now < until), ..self.clone() }
    }

    /// Whether it lets sessions go on that the endpoint has.
    pub(crate) fn keeps_sessions(&self) -> bool {
        !self.disabled
    }

    /// Whether it lets the endpoint take something new.
    pub(crate) fn admits(&self) -> bool {
        self.draining_until.is_none() && !self.disabled
    }

    /// Who has set the weight that holds.
    pub(crate) fn of_weight(&self) -> Option<&Word> {
        self.words.as_ref()?.weight.as_ref().filter(|_| self.weight.is_some())
    }

    /// Who drains it.
    pub(crate) fn of_drain(&self) -> Option<&Word> {
        self.words.as_ref()?.drain.as_ref().filter(|_| self.draining_until.is_some())
    }

    /// Who has switched it off.
    pub(crate) fn of_switch(&self) -> Option<&Word> {
        self.words.as_ref()?.switch.as_ref().filter(|_| self.disabled)
    }

    fn words(&mut self) -> &mut Words {
        Arc::make_mut(self.words.get_or_insert_default())
    }
}

impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        let of = |said: &Self| (said.weight, said.draining_until, said.disabled);
        of(self) == of(other)
    }
}

impl Eq for Said {}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(who: &str) -> Word {
        Word { author: Author::new(who), at: Nanos(3), of_all: false }
    }

    #[test]
    fn the_same_said_by_another_is_the_same() {
        let ann = Said::default().weighing(5, by("ann"));
        assert_eq!(ann, Said::default().weighing(5, by("bob")));
        assert_ne!(ann, Said::default().weighing(6, by("ann")));
        assert_eq!(Said::default(), Said::NOTHING);
    }

    #[test]
    fn words_hold_as_long_as_what_they_are_about() {
        let said = Said::default().draining(Nanos(10), by("ann")).switched_off(by("bob"));
        let who = |word: Option<&Word>| word.and_then(|word| word.author.by().map(str::to_owned));
        assert_eq!(who(said.of_drain()).as_deref(), Some("ann"));
        let later = said.at(Nanos(10));
        assert!(later.of_drain().is_none() && later.of_weight().is_none());
        assert_eq!(who(later.of_switch()).as_deref(), Some("bob"));
    }
}
