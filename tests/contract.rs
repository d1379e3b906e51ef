//! The public names that programs outside of this repository compile against.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "config")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use evenkeel::{
    Availability, Balance, BalanceLayer, Balancer, BoxError, Change, Config, ConfigError, Drain,
    Endpoint, EndpointId, EndpointSpec, EndpointStatus, Event, Guard, GuardedApply, Key, Lease,
    Outcome, PickError, Preview, Problem, Revision, RollbackError, Share, Status, Target,
    UpdateError, Verdict, Version,
};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

type Inner = BoxCloneSyncService<u32, u32, BoxError>;

fn inner() -> Inner {
    BoxCloneSyncService::new(tower::service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }))
}

#[test]
fn endpoints_and_ids() {
    let id: EndpointId = "a".into();
    let same = EndpointId::from(String::from("a"));
    assert!(id == same && id <= same && id.to_string() == "a");
    let set: std::collections::HashMap<EndpointId, u8> = [(id.clone(), 1)].into();
    assert_eq!(set[&same], 1);
    let _: Endpoint<u8> = Endpoint::new(id, 7).weight(3).tier(1).zone("eu-1a").label("k", "v");
}

#[tokio::test(start_paused = true)]
async fn the_handle() {
    let balancer: Balancer<u8> = Balancer::<u8>::builder()
        .name("checkout")
        .config(Config::default())
        .endpoint(Endpoint::new("a", 1))
        .endpoints([Endpoint::new("b", 2), Endpoint::new("c", 3)])
        .seed(7)
        .strategy("leader", evenkeel::strategy::Random)
        .make(|spec: &EndpointSpec| -> Result<u8, BoxError> { Ok(spec.address.parse()?) })
        .build()
        .unwrap();
    let _: Result<Balancer<u8>, ConfigError> = Balancer::<u8>::builder().build();
    let a = EndpointId::from("a");

    let lease: Result<Lease<u8>, PickError> = balancer.pick(&Key::none());
    let lease = lease.unwrap();
    let (_target, _endpoint): (&u8, &EndpointId) = (lease.target(), lease.endpoint());
    lease.finish(Outcome::Success);
    for key in [Key::bytes(b"k"), Key::of(&("k", 1)), Key::from_hash(1), Key::none().excluding(&a)]
    {
        balancer.pick(&key).unwrap().finish(Outcome::failure());
    }
    balancer.pick(&Key::none()).unwrap().finish(Outcome::overloaded(None));
    balancer.pick(&Key::none()).unwrap().finish(Outcome::Ignore);

    let _: Result<Version, UpdateError> =
        balancer.replace([Endpoint::new("a", 1), Endpoint::new("b", 2)]);
    let _: Result<Version, UpdateError> = balancer.insert(Endpoint::new("c", 3));
    let _: Result<Version, UpdateError> = balancer.remove(&"c".into());
    let _: Result<Version, UpdateError> = balancer.replace_unchecked([Endpoint::new("a", 1)]);
    let _: Result<Version, UpdateError> = balancer.set_weight(&a, 3);
    let drain: Result<Drain, UpdateError> = balancer.drain(&a);
    drain.unwrap().await;
    let _: Result<Drain, UpdateError> = balancer.drain_for(&a, Duration::from_secs(1));
    let _: Result<Version, UpdateError> = balancer.disable(&a);
    let _: Result<Version, UpdateError> = balancer.enable(&a);

    let config: Arc<Config> = balancer.config();
    let version: Version = balancer.version();
    assert!(version.config >= 1 && version.set >= 1 && version <= version);
    println!("{version}");
    let preview: Result<Preview, ConfigError> = balancer.preview(&config);
    let Preview { shares, warnings, .. } = preview.unwrap();
    let _: (Vec<Share>, Vec<Problem>) = (shares.clone(), warnings);
    let Share { id: _, before, after, .. } = shares[0].clone();
    let _: (f64, f64) = (before, after);
    balancer.apply(Config::default()).unwrap();
    let other = Config::from_toml("[strategy]\nkind = 'random'").unwrap();
    balancer.apply(Change::new(other).by("ann").because("…")).unwrap();
    balancer.apply_if(balancer.version(), Config::default()).unwrap();
    let guarded = Change::new(Config::default()).by("ann").because("…");
    let guarded: Result<GuardedApply<u8>, ConfigError> =
        balancer.apply_guarded(guarded, Guard::default());
    fn verdict(_: &(impl Future<Output = Verdict> + Send + 'static)) {}
    verdict(&guarded.unwrap());
    let _: Result<Version, RollbackError> = balancer.rollback();
    let _: Vec<Revision> = balancer.history();

    let Status { name, version: _, panic, endpoints, .. } = balancer.status();
    assert!(name == "checkout" && !panic);
    let EndpointStatus {
        id: _,
        state,
        weight: _,
        effective_weight: _,
        expected_share: _,
        in_flight: _,
        picks: _,
        successes: _,
        failures: _,
        tier: _,
        zone: _,
        ..
    } = endpoints[0].clone();
    assert_eq!(state, Availability::Available);
    let _every = [
        Availability::Available,
        Availability::Warming,
        Availability::Probing,
        Availability::Ejected,
        Availability::Unhealthy,
        Availability::Draining,
        Availability::Disabled,
    ];
    let mut events = balancer.subscribe();
    balancer.set_weight(&a, 9).unwrap();
    let event: Option<Event> = events.recv().await;
    assert!(event.is_some());
    fn stream(_: &impl futures_util::Stream<Item = Event>) {}
    stream(&events);
    let _ = Event::Missed(3);
}

#[test]
fn settings() {
    assert_eq!(Config::from_toml("").unwrap(), Config::default());
    let error: ConfigError = Config::from_toml("[strategy]\nkind = 1").unwrap_err();
    let problems: &[Problem] = error.problems();
    let (_, _, _): (&String, evenkeel::Severity, &String) =
        (&problems[0].path, problems[0].severity, &problems[0].message);
    let _: Vec<Problem> = Config::default().warnings(3);
}

#[tokio::test(start_paused = true)]
async fn services() {
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", inner())).build().unwrap();
    let service: Balance<Inner> = balancer.service();
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 2);
    let keyed = service
        .key_by(|request: &u32| Key::of(request))
        .classify(|_: Result<&u32, &BoxError>| Outcome::Success);
    assert_eq!(keyed.oneshot(2).await.unwrap(), 3);
    let mut service = balancer.service();
    std::future::poll_fn(|cx| Service::<u32>::poll_ready(&mut service, cx)).await.unwrap();

    struct Plus(u32);
    impl Target<u32> for Plus {
        fn direct(&self, request: u32) -> Result<u32, BoxError> {
            Ok(request + self.0)
        }
    }
    let addresses = Balancer::builder().endpoint(Endpoint::new("a", Plus(10))).build().unwrap();
    let layered = BalanceLayer::new(addresses).layer(inner());
    assert_eq!(layered.oneshot(1).await.unwrap(), 12);
}
