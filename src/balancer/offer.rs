//! Settings from a source that keeps offering what was refused.

use crate::balancer::core::Core;
use crate::balancer::{Balancer, Change, now};
use crate::config::Config;
use crate::error::ConfigError;
use crate::event::Event;
use crate::sync::Arc;

/// What became of an offer.
#[derive(Debug)]
pub(crate) enum Offered {
    /// The settings are served.
    Taken,
    Refused(Refusal),
    /// Other settings were applied since the offer was first made: nothing was done.
    Overtaken,
}

/// A refusal, to be shown when the same settings are offered again.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The settings that are served instead.
    served: Arc<Config>,
    error: ConfigError,
}

impl<T: Send + Sync + 'static> Balancer<T> {
    /// As [`apply`](Self::apply), for settings that are offered again and again until they are
    /// taken: a refusal that was told is told again only if there is another reason by now, and
    /// settings somebody applied since the first refusal stay.
    pub(crate) fn offer(&self, change: Change, refused: Option<&Refusal>) -> Offered {
        self.core.offer(change, refused)
    }
}

impl<T: Send + Sync + 'static> Core<T> {
    fn offer(&self, change: Change, refused: Option<&Refusal>) -> Offered {
        let now = self.ground.origin.nanos(now());
        self.write(now, |writer, base| {
            if refused.is_some_and(|refused| !Arc::ptr_eq(&refused.served, &base.config)) {
                return Offered::Overtaken;
            }
            let Err(error) = self.apply_to(writer, base, change, now) else {
                return Offered::Taken;
            };
            if refused.is_none_or(|refused| refused.error != error) {
                let (version, error) = (base.version, error.clone());
                self.hub.push(Event::ConfigRefused { version, error });
            }
            Offered::Refused(Refusal { served: Arc::clone(&base.config), error })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;
    use crate::balancer::Events;
    use crate::endpoint::EndpointSpec;

    fn config(update: &str, endpoints: usize) -> Config {
        let endpoint = |n| format!("[[endpoints]]\nid = '{n}'\naddress = '{n}'\n");
        let endpoints: String = (0..endpoints).map(endpoint).collect();
        Config::from_toml(&format!("{update}\n{endpoints}")).unwrap()
    }

    fn balancer(endpoints: usize) -> (Balancer<String>, Events) {
        let make = |spec: &EndpointSpec| Ok(spec.address.clone());
        let built = Balancer::builder().config(config("", endpoints)).make(make).build();
        let balancer = built.unwrap();
        let events = balancer.subscribe();
        (balancer, events)
    }

    fn refused(offered: Offered) -> Refusal {
        match offered {
            Offered::Refused(refusal) => refusal,
            other => unreachable!("{other:?}"),
        }
    }

    fn told(events: &mut Events) -> Vec<String> {
        std::iter::from_fn(|| events.recv().now_or_never().flatten())
            .map(|event| event.to_string())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_once_and_a_set_that_is_still_offered_is_believed() {
        let (balancer, mut events) = balancer(10);
        let smaller = config("", 2);
        let mut refusal = refused(balancer.offer(smaller.clone().into(), None));
        assert_eq!(told(&mut events).len(), 1);
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(10)).await;
            refusal = refused(balancer.offer(smaller.clone().into(), Some(&refusal)));
            assert!(told(&mut events).is_empty());
        }
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(matches!(balancer.offer(smaller.into(), Some(&refusal)), Offered::Taken));
        assert_eq!(told(&mut events).len(), 1);
        assert_eq!(balancer.status().endpoints.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn another_reason_is_told() {
        let (balancer, mut events) = balancer(10);
        let smaller = config("", 2);
        let refusal = refused(balancer.offer(smaller.clone().into(), None));
        balancer.replace_specs((0..9).map(|n| EndpointSpec::new(n.to_string(), "x"))).unwrap();
        told(&mut events);
        refused(balancer.offer(smaller.into(), Some(&refusal)));
        let [told] = told(&mut events).try_into().unwrap();
        assert!(told.contains("2 of 9"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_operators_say_does_not_end_an_offer_and_other_settings_do() {
        let (balancer, mut events) = balancer(10);
        let smaller = config("", 2);
        let refusal = refused(balancer.offer(smaller.clone().into(), None));
        balancer.disable(&"9".into()).unwrap();
        balancer.set_weight(&"8".into(), 2).unwrap();
        let refusal = refused(balancer.offer(smaller.clone().into(), Some(&refusal)));
        balancer.apply(config("[update]\nmax_shrink_percent = 90", 10)).unwrap();
        told(&mut events);
        let offered = balancer.offer(smaller.into(), Some(&refusal));
        assert!(matches!(offered, Offered::Overtaken), "{offered:?}");
        assert!(told(&mut events).is_empty());
        assert_eq!(balancer.status().endpoints.len(), 10);
    }
}
