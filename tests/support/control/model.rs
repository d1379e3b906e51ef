//! What a balancer is, said as simply as it can be: a few maps that are copied, changed, and then
//! taken or thrown away as a whole.
//!
//! Written from the documentation, not from the code.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::{NOWHERE, Settings};
use super::state::{
    Answer, Made, Member, Nobody, Offer, Refusal, Revision, Said, Tally, Told, Version, What,
};

/// How long an endpoint that left is remembered, in seconds.
const REMEMBERED: u64 = 300;

/// Revisions that are kept.
const KEPT: usize = 64;

/// What is no difference between shares.
const NOISE: f64 = 1e-9;

/// The share from which a rise is told where none is forbidden.
const TOLD: f64 = 0.6;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) version: Version,
    pub(crate) settings: Settings,
    pub(crate) members: BTreeMap<usize, Member>,
    pub(crate) revisions: Vec<Revision>,
    /// What was counted, by the index that members and leases keep.
    pub(crate) tallies: Vec<Tally>,
    /// Tallies of endpoints that left, and until when they are kept.
    left: BTreeMap<usize, (usize, u64)>,
    /// Since when endpoints are said to be gone that were not believed to be, and when it was said
    /// last.
    missing: BTreeMap<usize, (u64, u64)>,
    /// Events that have to be told.
    pub(crate) told: Vec<Told>,
}

/// What a change has to answer for.
#[derive(Clone, Copy, Debug)]
enum Judged {
    Not,
    ByShares,
    /// But for what this endpoint has by its return.
    Returning(usize),
}

impl Model {
    pub(crate) fn new(settings: Settings, offers: &[Offer]) -> Self {
        let mut model = Self {
            now: 0,
            version: (1, 1),
            settings,
            members: BTreeMap::new(),
            revisions: Vec::new(),
            tallies: Vec::new(),
            left: BTreeMap::new(),
            missing: BTreeMap::new(),
            told: Vec::new(),
        };
        model.merge(offers, &|_, _| None).expect("the first set comes with targets");
        model.revise(None, false);
        model
    }

    // --- What there is to see --------------------------------------------------------------------

    pub(crate) fn shares(&self) -> BTreeMap<usize, f64> {
        let part = |member: &Member| match member.effective(self.now) {
            0 => 0,
            _ if self.settings.is_even() => 1,
            weight => u64::from(weight),
        };
        let sum: u64 = self.members.values().map(part).sum();
        let share = |member: &Member| part(member) as f64 / sum.max(1) as f64;
        self.members.iter().map(|(&number, member)| (number, share(member))).collect()
    }

    /// Those to whom `self` gives more than `before` did, and more than `most`.
    fn rises(&self, before: &Self, most: f64) -> Vec<usize> {
        let enabled = self.members.values().filter(|it| it.is_enabled(self.now)).count();
        let most = most.max(1.0 / enabled.max(1) as f64);
        let had = before.shares();
        let rose = |number: &usize, share: f64| {
            share > most + NOISE && share > had.get(number).unwrap_or(&0.0) + NOISE
        };
        self.shares().into_iter().filter(|(it, share)| rose(it, *share)).map(|it| it.0).collect()
    }

    /// Those whose rise from `before` is told, unless a guard forbids one: the present or the next.
    /// An endpoint that returns may get what it would have by nothing but its return.
    fn judged(&self, before: &Self, returning: Option<usize>) -> Result<Vec<usize>, Refusal> {
        let part = |percent: u8| f64::from(percent) / 100.0;
        let [served, coming] = [before, self].map(|it| it.settings.max_share.map(part));
        let mut excused = before.clone();
        if let Some(member) = returning.and_then(|number| excused.members.get_mut(&number)) {
            member.said = Said { weight: member.said.weight, ..Said::default() };
        }
        let forbidden = |most: f64| {
            let risen = self.rises(before, most);
            self.rises(&excused, most).iter().any(|number| risen.contains(number))
        };
        if [served, coming].into_iter().flatten().any(forbidden) {
            return Err(Refusal::Share);
        }
        Ok(self.rises(before, coming.unwrap_or(TOLD)))
    }

    // --- Requests --------------------------------------------------------------------------------

    /// Who may be chosen, or why nobody.
    pub(crate) fn candidates(&mut self, excluded: &[usize]) -> Result<BTreeSet<usize>, Nobody> {
        self.settle();
        let admitted = self.members.iter().filter(|(_, member)| member.effective(self.now) > 0);
        let admitted: BTreeSet<_> = admitted.map(|(&number, _)| number).collect();
        let left: BTreeSet<_> =
            admitted.iter().copied().filter(|it| !excluded.contains(it)).collect();
        let weighted = self.members.values().filter(|member| member.weight() > 0);
        let (disabled, draining): (Vec<_>, Vec<_>) = weighted.partition(|it| it.said.disabled);
        match (left.is_empty(), admitted.is_empty()) {
            (false, _) => Ok(left),
            (_, false) => Err(Nobody::AllExcluded),
            _ if self.members.is_empty() => Err(Nobody::Empty),
            _ if disabled.is_empty() && draining.is_empty() => Err(Nobody::AllWeightsZero),
            _ => Err(Nobody::NoneAvailable { draining: draining.len(), disabled: disabled.len() }),
        }
    }

    // --- Changes of the set ----------------------------------------------------------------------

    pub(crate) fn replace(&mut self, offers: &[Offer], checked: bool, made: Made<'_>) -> Answer {
        self.update(|it| {
            let distinct: BTreeSet<_> = offers.iter().map(|offer| offer.number).collect();
            if distinct.len() < offers.len() {
                return Err(Refusal::Duplicate);
            }
            if checked {
                it.believe(&it.settings.clone(), &distinct, it.weighed(offers), true)?;
            }
            let judged = if checked { Judged::ByShares } else { Judged::Not };
            it.change(judged, None, |it| {
                if it.merge(offers, made)? {
                    it.version.1 += 1;
                }
                Ok(())
            })?;
            it.missing.clear();
            Ok(())
        })
    }

    pub(crate) fn insert(&mut self, offer: &Offer, made: Made<'_>) -> Answer {
        self.update(|it| {
            it.change(Judged::ByShares, None, |it| {
                let (target, spec) = it.target(offer, made)?;
                it.join(offer, target, spec);
                it.version.1 += 1;
                Ok(())
            })
        })
    }

    pub(crate) fn remove(&mut self, number: usize) -> Answer {
        self.update(|it| {
            it.known(number)?;
            let mut others = it.members.iter().filter(|(other, _)| **other != number);
            let weighed = others.any(|(_, member)| member.weight() > 0);
            let others = it.members.keys().copied().filter(|other| *other != number).collect();
            it.believe(&it.settings.clone(), &others, weighed, false)?;
            it.change(Judged::ByShares, None, |it| {
                it.leave(number);
                it.version.1 += 1;
                it.missing.remove(&number);
                Ok(())
            })
        })
    }

    // --- What operators say ----------------------------------------------------------------------

    pub(crate) fn set_weight(&mut self, number: usize, weight: u32) -> Answer {
        self.say(number, Judged::ByShares, |said| said.weight = Some(weight))
    }

    pub(crate) fn drain(&mut self, number: usize, seconds: Option<u64>) -> Answer {
        let until = seconds.map_or(u64::MAX, |seconds| self.now + seconds);
        self.say(number, Judged::Not, |said| said.drained_until = Some(until))
    }

    pub(crate) fn disable(&mut self, number: usize) -> Answer {
        self.say(number, Judged::Not, |said| said.disabled = true)
    }

    pub(crate) fn enable(&mut self, number: usize) -> Answer {
        self.say(number, Judged::Returning(number), |said| *said = Said::default())
    }

    fn say(&mut self, number: usize, judged: Judged, words: impl Fn(&mut Said)) -> Answer {
        self.update(|it| {
            it.known(number)?;
            it.change(judged, None, |it| {
                for (_, member) in it.members.range_mut(number..=number) {
                    let before = member.said;
                    words(&mut member.said);
                    it.version.0 += u64::from(member.said != before);
                }
                Ok(())
            })
        })
    }

    // --- Settings --------------------------------------------------------------------------------

    pub(crate) fn apply(
        &mut self,
        settings: &Settings,
        seen: Option<Version>,
        made: Made<'_>,
    ) -> Answer {
        self.settle();
        if seen.is_some_and(|seen| seen.0 != self.version.0) {
            self.told.push(Told::ConfigRefused(self.version));
            return Err(Refusal::Stale);
        }
        if *settings == self.settings {
            return Ok(self.version);
        }
        let applied = self.apply_to(settings, made);
        if applied.is_err() {
            self.told.push(Told::ConfigRefused(self.version));
        }
        applied.map(|()| self.version)
    }

    fn apply_to(&mut self, settings: &Settings, made: Made<'_>) -> Result<(), Refusal> {
        let specs = settings.specs.as_ref().filter(|_| settings.specs != self.settings.specs);
        let offers: Option<Vec<Offer>> = specs.map(|specs| specs.iter().map(Offer::from).collect());
        if let Some(offers) = &offers {
            let sent = offers.iter().map(|offer| offer.number).collect();
            self.believe(settings, &sent, self.weighed(offers), true)?;
        }
        self.change(Judged::ByShares, None, |it| {
            it.settings = settings.clone();
            it.version.0 += 1;
            if let Some(offers) = &offers
                && it.merge(offers, made)?
            {
                it.version.1 += 1;
            }
            Ok(())
        })?;
        if offers.is_some() {
            self.missing.clear();
        }
        Ok(())
    }

    pub(crate) fn rollback(&mut self, made: Made<'_>) -> Answer {
        self.settle();
        let done = self.roll_back(made);
        if done.is_err() {
            self.told.push(Told::RollbackFailed(self.version));
        }
        done.map(|()| self.version)
    }

    fn roll_back(&mut self, made: Made<'_>) -> Result<(), Refusal> {
        let revision = self.previous().ok_or(Refusal::NothingBefore)?;
        let restores = Some(revision.restores.unwrap_or(revision.version));
        self.change(Judged::Not, restores, |it| {
            let specs = revision.settings.specs.as_ref();
            if let Some(specs) = specs.filter(|_| revision.settings.specs != it.settings.specs)
                && it.merge(&specs.iter().map(Offer::from).collect::<Vec<_>>(), made)?
            {
                it.version.1 += 1;
                it.missing.clear();
            }
            it.settings = revision.settings;
            it.version.0 += 1;
            let now = it.now;
            for (number, member) in &mut it.members {
                member.said = revision.said.get(number).copied().unwrap_or_default().at(now);
            }
            Ok(())
        })
    }

    /// The revision before the last change that somebody made; a rollback stands for what it
    /// restored.
    fn previous(&self) -> Option<Revision> {
        let served = self.revisions.last()?;
        let stands_for = served.restores.unwrap_or(served.version);
        let at = self.revisions.iter().position(|it| it.version == stands_for)?;
        let mut before = self.revisions[..=at].iter().rev();
        before.by_ref().find(|it| !it.lapse)?;
        before.next().cloned()
    }

    // --- What changes are made of ----------------------------------------------------------------

    /// Ends the drains whose time is over, in one step.
    pub(crate) fn settle(&mut self) {
        let now = self.now;
        let over = |member: &&mut Member| member.said.at(now) != member.said;
        let mut ended = 0;
        for member in self.members.values_mut().filter(over) {
            member.said = member.said.at(now);
            ended += 1;
        }
        if ended > 0 {
            self.version.0 += 1;
            self.revise(None, true);
            self.told.extend(vec![Told::Published(self.version); ended]);
        }
    }

    fn update(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Refusal>) -> Answer {
        self.settle();
        let done = act(self);
        if done.is_err() {
            self.told.push(Told::UpdateRefused(self.version));
        }
        done.map(|()| self.version)
    }

    /// Takes what `act` makes of a copy, all or nothing.
    fn change(
        &mut self,
        judged: Judged,
        restores: Option<Version>,
        act: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut next = self.clone();
        act(&mut next)?;
        let version = next.version;
        if version == self.version {
            return Ok(());
        }
        let rises = match judged {
            Judged::Not => Vec::new(),
            Judged::ByShares => next.judged(self, None)?,
            Judged::Returning(number) => next.judged(self, Some(number))?,
        };
        next.told.push(Told::Published(version));
        next.told.extend(rises.into_iter().map(|number| Told::Raised(version, number)));
        if version.0 != self.version.0 {
            next.revise(restores, false);
        }
        *self = next;
        Ok(())
    }

    fn revise(&mut self, restores: Option<Version>, lapse: bool) {
        let said = self.members.iter().map(|(&number, member)| (number, member.said)).collect();
        let (version, settings) = (self.version, self.settings.clone());
        self.revisions.push(Revision { version, restores, settings, said, lapse });
        let surplus = self.revisions.len().saturating_sub(KEPT);
        self.revisions.drain(..surplus);
    }

    fn known(&self, number: usize) -> Result<(), Refusal> {
        self.members.get(&number).map(drop).ok_or(Refusal::Unknown)
    }

    /// Whether any of `offers` would have a weight.
    fn weighed(&self, offers: &[Offer]) -> bool {
        let said = |number: usize| self.members.get(&number).and_then(|it| it.said.weight);
        offers.iter().any(|offer| said(offer.number).unwrap_or(offer.weight) > 0)
    }

    /// Whether this set is believed, of which somebody has a weight or nobody. All that is sent is
    /// there, if the whole set was sent.
    fn believe(
        &mut self,
        settings: &Settings,
        sent: &BTreeSet<usize>,
        weighed: bool,
        whole: bool,
    ) -> Result<(), Refusal> {
        let (Some(update), current) = (settings.update, self.members.len()) else {
            return Ok(());
        };
        if sent.is_empty() && current > 0 {
            return if update.allow_empty { Ok(()) } else { Err(Refusal::Empty) };
        }
        let weighs = self.members.values().any(|member| member.weight() > 0);
        if weighs && !weighed && !update.allow_empty {
            return Err(Refusal::AllWeightsZero);
        }
        let gone: Vec<_> = self.members.keys().copied().filter(|it| !sent.contains(it)).collect();
        if whole {
            self.missing.retain(|it, _| gone.contains(it));
        }
        let surplus = current.saturating_sub(sent.len());
        // Whether it may be, once so many are believed to be gone.
        let may = |believed: usize| {
            let rest = current.saturating_sub(believed);
            let most = rest * update.max_shrink_percent / 100;
            rest < update.min_endpoints || surplus.saturating_sub(believed) <= most
        };
        if may(0) {
            return Ok(());
        }
        let now = self.now;
        self.missing.retain(|_, &mut (_, last)| now - last <= 10 * update.confirm_after);
        for number in &gone {
            self.missing.entry(*number).or_insert((now, now)).1 = now;
        }
        let long = |it: &&usize| now - self.missing[*it].0 >= update.confirm_after;
        if may(gone.iter().filter(long).count()) { Ok(()) } else { Err(Refusal::Shrinks) }
    }

    /// Makes `offers` the set; `true` if that changes anything.
    fn merge(&mut self, offers: &[Offer], made: Made<'_>) -> Result<bool, Refusal> {
        let mut offers = offers.to_vec();
        offers.sort_by_key(|offer| offer.number);
        let sent: BTreeSet<_> = offers.iter().map(|offer| offer.number).collect();
        let gone: Vec<_> = self.members.keys().copied().filter(|it| !sent.contains(it)).collect();
        let mut changed = !gone.is_empty();
        gone.into_iter().for_each(|number| self.leave(number));
        for offer in &offers {
            let (target, spec) = match (self.members.get(&offer.number), offer.what) {
                (Some(known), What::Target(_)) => (known.target, known.spec),
                (Some(known), What::Address(address))
                    if known.spec.is_some_and(|spec| spec.1 == address) =>
                {
                    (known.target, Some((offer.weight, address)))
                }
                _ => self.target(offer, made)?,
            };
            changed |= self.members.get(&offer.number).is_none_or(|known| {
                (known.given, known.target, known.spec) != (offer.weight, target, spec)
            });
            self.join(offer, target, spec);
        }
        Ok(changed)
    }

    /// The target that an offer brings along, and its description.
    fn target(
        &self,
        offer: &Offer,
        made: Made<'_>,
    ) -> Result<(usize, Option<(u32, usize)>), Refusal> {
        match offer.what {
            What::Target(target) => Ok((target, None)),
            What::Address(NOWHERE) => Err(Refusal::Make),
            What::Address(address) => {
                let target = made(offer.number, address).expect("a target had to be made");
                Ok((target, Some((offer.weight, address))))
            }
        }
    }

    fn join(&mut self, offer: &Offer, target: usize, spec: Option<(u32, usize)>) {
        let left = self.left.remove(&offer.number).filter(|&(_, until)| self.now < until);
        let (tally, said) = match (self.members.get(&offer.number), left) {
            (Some(known), _) => (known.tally, known.said),
            (None, Some((tally, _))) => (tally, Said::default()),
            (None, None) => {
                self.tallies.push(Tally::default());
                (self.tallies.len() - 1, Said::default())
            }
        };
        self.members
            .insert(offer.number, Member { given: offer.weight, said, target, tally, spec });
    }

    fn leave(&mut self, number: usize) {
        if let Some(member) = self.members.remove(&number) {
            self.left.insert(number, (member.tally, self.now + REMEMBERED));
        }
    }
}
