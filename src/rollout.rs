//! Changes of the settings that take themselves back.
//!
//! The balancer decides and acts; this is what makes it look: a future that sleeps in between.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Sleep, sleep_until};

use crate::balancer::{Applied, Balancer, Change, Guard, Look, Watch};
use crate::error::ConfigError;
use crate::event::Verdict;
use crate::units::Version;

impl<T: Send + Sync + 'static> Balancer<T> {
    /// Serves other settings from now on, as [`apply`](Self::apply) does, and takes them back if
    /// they do harm.
    ///
    /// The change is applied by the call. The future that is returned watches it for the window of
    /// the [`Guard`]: it compares what requests come to with the time before, and rolls back when
    /// a limit is broken: at once if badly, else at the end. Its [`Verdict`] names the figure, and
    /// so do an event ([`Event::Judged`](crate::Event::Judged)) and the
    /// [revision](crate::Revision). Await the future, or spawn it; nothing else watches.
    ///
    /// ```no_run
    /// # async fn example(balancer: evenkeel::Balancer<u8>) -> Result<(), evenkeel::BoxError> {
    /// use evenkeel::{Change, Config, Guard, Verdict};
    ///
    /// let settings = Config::from_toml(&std::fs::read_to_string("balancer.toml")?)?;
    /// let change = Change::new(settings).by("ann").because("quieter neighbours");
    /// match balancer.apply_guarded(change, Guard::default())?.await {
    ///     verdict @ Verdict::RolledBack { .. } => eprintln!("{verdict}"),
    ///     verdict => println!("{verdict}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # What ends the watch
    ///
    /// * **Another change** of the settings, a rollback, or a word of an operator (`set_weight`,
    ///   `drain`, `disable`, `enable`): the verdict is [`Verdict::Superseded`], and what was done
    ///   last stands. A guard never undoes what somebody else did later, and which of the two
    ///   changes did harm could no longer be told. Only the `config` part of the
    ///   [version](Version) counts: discovery and health (`eject`, too) disturb nobody, nor does a
    ///   drain whose time is over. A change that is refused, or changes nothing, ends nothing.
    /// * **Another guarded change**: the same, and should the second be taken back, so is the
    ///   first. It had not been judged yet, and what has not been judged is nothing to go back to.
    ///   The second is compared with the time before both.
    /// * **The future is dropped** before the verdict: the change is taken back at once, wherever
    ///   the drop happens.
    /// * **The balancer goes away** with its last handle: [`Verdict::Gone`], at the next look. The
    ///   future keeps no balancer alive.
    ///
    /// # What is no harm
    ///
    /// * **No traffic** in the window, or too little: there is nothing to hold against the change.
    ///   It stays, and the verdict is [`Verdict::Unproven`].
    /// * **No traffic before**: the change is held to those limits that need no comparison; see
    ///   [`Guard`].
    /// * **The settings are those that are served**: [`Verdict::Unchanged`], at once.
    ///
    /// # The way back
    ///
    /// It is a [revision](crate::Revision) like any other, by `guard`, and says why. Settings come
    /// back as they were. So does the set, if the change itself had exchanged it and discovery has
    /// sent no other since; the targets that it took out of service are kept until the verdict.
    /// Requests in flight stay where they are, and an endpoint that was ejected meanwhile comes back
    /// in its own time. If the strategy of before panics while it
    /// prepares, the change is still served, and [`Verdict::NotRolledBack`] says so. Revisions that
    /// were found bad are passed over by [`rollback`](Self::rollback), and what happened while they
    /// were served is left out of what later changes are compared with.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply): nothing is changed then, and nothing watched.
    pub fn apply_guarded(
        &self,
        change: impl Into<Change>,
        guard: Guard,
    ) -> Result<GuardedApply<T>, ConfigError> {
        Ok(GuardedApply(match self.apply_watched(change.into(), guard)? {
            Applied::Watched(watch) => State::Watching { watch, sleep: None },
            Applied::Unchanged(verdict) => State::Judged(verdict),
        }))
    }
}

/// A change that was applied and is being watched; yields the [`Verdict`].
///
/// From [`Balancer::apply_guarded`], which says what it does. It keeps neither the balancer nor a
/// task. If it is polled late, it judges late, by all that has happened until then. Polled again
/// after it was ready, it yields the same verdict.
///
/// # Panics
///
/// When polled outside of a tokio runtime with a timer.
///
/// # Cancel safety
///
/// Dropping it before it is ready takes the change back, unless somebody has changed the settings
/// since. It may be dropped anywhere, also outside of a runtime and while one shuts down, but not
/// in code that the balancer runs while it changes: a factory or a strategy.
#[must_use = "dropping it takes the change back; await it for the verdict"]
pub struct GuardedApply<T: Send + Sync + 'static>(State<T>);

enum State<T> {
    Watching {
        watch: Watch<T>,
        /// Set up by the first poll: only there is a runtime needed.
        sleep: Option<Pin<Box<Sleep>>>,
    },
    Judged(Verdict),
}

impl<T: Send + Sync + 'static> GuardedApply<T> {
    /// The version that the change was published as.
    #[must_use]
    pub fn version(&self) -> Version {
        match &self.0 {
            State::Watching { watch, .. } => watch.version(),
            State::Judged(verdict) => verdict.version(),
        }
    }
}

impl<T: Send + Sync + 'static> Future for GuardedApply<T> {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        loop {
            let (watch, sleep) = match &mut self.0 {
                State::Watching { watch, sleep } => (watch, sleep),
                State::Judged(verdict) => return Poll::Ready(verdict.clone()),
            };
            let first = || Box::pin(sleep_until(watch.first_look()));
            let sleep = sleep.get_or_insert_with(first);
            ready!(sleep.as_mut().poll(cx));
            match watch.look() {
                Look::Decided(verdict) => self.0 = State::Judged(verdict),
                Look::Again(at) => sleep.as_mut().reset(at),
            }
        }
    }
}

impl<T: Send + Sync + 'static> Drop for GuardedApply<T> {
    fn drop(&mut self) {
        if let State::Watching { watch, .. } = &self.0 {
            watch.give_up();
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for GuardedApply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match &self.0 {
            State::Watching { .. } => None,
            State::Judged(verdict) => Some(verdict),
        };
        f.debug_struct("GuardedApply")
            .field("version", &self.version())
            .field("verdict", &verdict)
            .finish()
    }
}
