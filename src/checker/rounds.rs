//! Who is asked, again and again.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::sleep_until;

use crate::balancer::Checking;
use crate::checker::ask::{Answer, ask};
use crate::endpoint::{Bound, EndpointCell, Report, Testimony};
use crate::error::BoxError;
use crate::event::Event;
use crate::health::{Finding, Plan, Schedule};
use crate::sync::Arc;
use crate::units::{EndpointId, Nanos};

/// The checks of one balancer, by the one worker who makes them.
pub(super) struct Rounds<T: Send + Sync + 'static> {
    /// Where checks are asked for.
    schedule: Option<Schedule<Known>>,
    deadline: Duration,
    tasks: JoinSet<Result<(), BoxError>>,
    under_way: HashMap<Id, UnderWay<T>>,
    /// Held while it checks, by each check as well: nobody else begins before the last is over.
    turn: Option<Arc<OwnedSemaphorePermit>>,
    /// Last, so that it is known to be over only when it is.
    checking: Checking<T>,
}

/// An endpoint, known by its cell: the id alone may be that of a stranger who came after it.
#[derive(Clone, Debug)]
struct Known(Arc<EndpointCell>);

struct UnderWay<T> {
    known: Known,
    task: AbortHandle,
    /// The target that is asked. Held weakly: only the task keeps it.
    bound: Weak<Bound<T>>,
    /// Its answer says nothing any more.
    called_off: bool,
}

type Ended = Result<(Id, Result<(), BoxError>), JoinError>;

enum Woken {
    Changed,
    Due,
    Ended(Ended),
}

impl<T: Send + Sync + 'static> Rounds<T> {
    pub(super) fn new(checking: Checking<T>) -> Self {
        Self {
            schedule: None,
            deadline: Duration::ZERO,
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            turn: None,
            checking,
        }
    }

    /// Checks when it is its turn, until the balancer is gone.
    pub(super) async fn run(mut self) {
        self.turn = self.checking.turn().await.map(Arc::new);
        if self.turn.is_none() {
            return;
        }
        let mut woken = Woken::Changed;
        loop {
            match woken {
                Woken::Changed if !self.look() => return,
                Woken::Changed | Woken::Due => self.take(None),
                Woken::Ended(first) => self.take(Some(first)),
            }
            self.ask_due();
            woken = self.woken().await;
        }
    }

    /// Sees who is there and what the settings ask for, and calls off what is in vain. `false` once
    /// the balancer is gone.
    fn look(&mut self) -> bool {
        let Self { schedule, deadline, under_way, checking, .. } = self;
        let (now, mut rng) = (checking.now(), checking.rng());
        let looked = checking.look(|config, members| {
            let Some(config) = config else {
                under_way.values_mut().for_each(UnderWay::call_off);
                schedule.iter_mut().for_each(Schedule::clear);
                return;
            };
            let mut bound = BTreeMap::new();
            if !under_way.is_empty() {
                bound.extend(members.iter().map(|member| (member.id(), &member.bound)));
            }
            for asked in under_way.values_mut() {
                let kept = bound.get(asked.known.0.id());
                if !kept.is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), asked.bound.as_ptr())) {
                    asked.call_off();
                }
            }
            *deadline = config.timeout();
            let plan = Plan::of(config);
            let schedule = schedule.get_or_insert_with(|| Schedule::new(plan));
            let members = members
                .iter()
                .map(|member| (Known(Arc::clone(&member.bound.cell)), member.standing().checked));
            schedule.sync(plan, members, now, &mut rng);
        });
        looked.is_some()
    }

    /// Asks whoever is due.
    fn ask_due(&mut self) {
        let Some(schedule) = &mut self.schedule else { return };
        for known in schedule.start_due(self.checking.now()) {
            let Some(asked) = self.checking.ask(&known.0) else {
                schedule.forget(&known);
                continue;
            };
            let bound = Arc::downgrade(&asked.bound);
            let (turn, check) = (self.turn.clone(), ask(asked, self.deadline));
            let task = self.tasks.spawn(async move {
                let _turn = turn;
                check.await
            });
            let under_way = UnderWay { known, bound, called_off: false, task };
            self.under_way.insert(under_way.task.id(), under_way);
        }
    }

    /// Waits until there is something to do.
    async fn woken(&mut self) -> Woken {
        let due = self.schedule.as_ref().map_or(Nanos::NEVER, Schedule::due);
        let due = self.checking.instant(due);
        let sleep = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        let (mut sleep, mut changed) = (pin!(sleep), pin!(self.checking.changed()));
        let tasks = &mut self.tasks;
        poll_fn(|cx| {
            // What is served comes first, so that what was called off is not listened to.
            if changed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Woken::Changed);
            }
            if let Poll::Ready(Some(ended)) = tasks.poll_join_next_with_id(cx) {
                return Poll::Ready(Woken::Ended(ended));
            }
            sleep.as_mut().poll(cx).map(|()| Woken::Due)
        })
        .await
    }

    /// Takes what has ended, `first` first, and hands in what follows from it, all at once.
    fn take(&mut self, mut first: Option<Ended>) {
        let (mut reports, mut events) = (Vec::new(), Vec::new());
        let (now, mut rng) = (self.checking.now(), self.checking.rng());
        while let Some(ended) = first.take().or_else(|| self.tasks.try_join_next_with_id()) {
            let (id, ended) = match ended {
                Ok((id, answer)) => (id, Ok(answer)),
                Err(error) => (error.id(), Err(error)),
            };
            let Some(UnderWay { known, called_off, .. }) = self.under_way.remove(&id) else {
                continue;
            };
            let answer = if called_off { Answer::None } else { Answer::of(ended) };
            let error = answer.error();
            if let Some(good) = answer.good() {
                self.checking.count(good);
            }
            let schedule = self.schedule.as_mut();
            let finding = schedule.and_then(|it| it.ended(&known, answer.good(), now, &mut rng));
            if let Answer::Panicked { message } = answer {
                events.push(Event::CheckPanicked { endpoint: known.0.id().clone(), message });
            }
            let testimony = match (finding, error) {
                (Some(Finding::Rose), _) => Testimony::Rose,
                (Some(Finding::Fell { failures }), Some(error)) => {
                    Testimony::Fell { failures, error }
                }
                _ => continue,
            };
            reports.push(Report { cell: known.0, testimony });
        }
        if !reports.is_empty() || !events.is_empty() {
            self.checking.report(reports, events);
        }
    }
}

impl<T> UnderWay<T> {
    fn call_off(&mut self) {
        self.called_off = true;
        self.task.abort();
    }
}

impl Known {
    /// As long as one is kept, no other cell has its address.
    fn key(&self) -> (&EndpointId, *const EndpointCell) {
        (self.0.id(), Arc::as_ptr(&self.0))
    }
}

impl Ord for Known {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Known {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Known {}
