//! What must stay true of the public types: threads, lifetimes, trait objects.

use std::fmt::Debug;
use std::future::Future;

use evenkeel::outlier::{
    Detector, FailurePercentage, Latency, Observed, SuccessRate, Suspect, Sweep, Timings,
};
use evenkeel::strategy::{Candidate, Maglev, Owner, PickContext, Picker, RingHash, Strategy};
use evenkeel::{
    Alarm, AlarmKind, AlarmStatus, Balance, Balancer, Builder, Change, Classify, Config,
    ConfigError, Drain, Endpoint, EndpointId, EndpointStatus, Event, Events, Guard, GuardedApply,
    Key, Lease, Outcome, Pager, PagerFn, PickError, Problem, ResponseFuture, RollbackReason,
    Status, UpdateError, Verdict, Version,
};

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn forever<T: 'static>() {}
fn unpin<T: Unpin>() {}
fn debug<T: Debug>() {}
fn copy<T: Copy + Ord>() {}
fn value<T: Clone + PartialEq + Debug>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

macro_rules! all {
    ($check:ident: $($type:ty),+ $(,)?) => { $($check::<$type>();)+ };
}

#[test]
fn everything_crosses_threads() {
    all!(send: Balancer<u8>, Builder<u8>, Lease<u8>, Drain, Events, Event, Endpoint<u8>, Status,
        Key, Config, Change, Balance<u8>, Box<dyn Strategy>, Box<dyn Picker>, Candidate,
        Box<dyn Detector>, SuccessRate, FailurePercentage, Latency, Suspect, GuardedApply<u8>, Guard,
        Verdict, Maglev, RingHash, Owner, Alarm, AlarmStatus, Box<dyn Pager>, PagerFn<u8>);
    all!(sync: Balancer<u8>, Lease<u8>, Drain, Event, Endpoint<u8>, Status, Key, Config, Change,
        Balance<u8>, Box<dyn Strategy>, Box<dyn Picker>, Candidate, Box<dyn Detector>,
        GuardedApply<u8>, Guard, Verdict, Maglev, RingHash, Owner, Alarm, AlarmStatus, Box<dyn Pager>);
    all!(forever: Balancer<u8>, Lease<u8>, Drain, Events, Event, Balance<u8>, GuardedApply<u8>);
    all!(unpin: GuardedApply<u8>, Drain, Events);
    all!(debug: Balancer<u8>, Builder<u8>, Lease<u8>, Drain, Events, Event, Endpoint<u8>, Status,
        EndpointStatus, Key, Config, Change, Balance<u8>, Candidate, PickContext<'_>, Outcome,
        Sweep<'_>, Observed<'_>, Suspect, GuardedApply<u8>, Guard, Verdict, RollbackReason, Alarm,
        AlarmKind, AlarmStatus, PagerFn<u8>);
}

#[test]
fn values_are_values() {
    all!(value: Alarm, AlarmKind, AlarmStatus, Owner, Guard, Verdict, RollbackReason, Key, Config, Version, EndpointId, Outcome, PickError, Problem);
    copy::<Version>();
    all!(error: PickError, UpdateError, ConfigError);
}

#[cfg(feature = "file")]
#[test]
fn files_and_workers_cross_threads() {
    use evenkeel::{FileError, FileSource, Worker};

    all!(send: FileSource, Worker, FileError);
    all!(sync: FileSource, Worker, FileError);
    all!(value: FileSource, FileError);
    debug::<Worker>();
    error::<FileError>();
}

#[test]
fn probes_cross_threads_and_can_be_kept() {
    use evenkeel::{Probe, ServiceProbe, ServiceProbeError, TcpProbe, TcpProbeError};

    type Address = fn(&String) -> String;
    type Ask = fn(evenkeel::Subject<'_, Inner>) -> u8;
    type Inner = tower::util::BoxCloneSyncService<u8, u8, std::io::Error>;
    fn kept<T, P: Probe<T> + Clone + Debug + Send + Sync + 'static>() {}
    kept::<String, TcpProbe<Address>>();
    kept::<Inner, ServiceProbe<Ask>>();
    all!(error: TcpProbeError, ServiceProbeError);
    #[cfg(feature = "health-http")]
    {
        kept::<String, evenkeel::HttpProbe<Address>>();
        error::<evenkeel::HttpProbeError>();
        value::<evenkeel::StatusRange>();
    }
    #[cfg(feature = "health-grpc")]
    {
        kept::<String, evenkeel::GrpcProbe<Address>>();
        error::<evenkeel::GrpcProbeError>();
    }
}

#[cfg(feature = "affinity")]
#[test]
fn sessions_cross_threads() {
    use evenkeel::{AffinityError, InSession, SameSite, Secret, SessionAffinity, Sticky};

    type Service = Sticky<Balance<u8>>;
    all!(send: Secret, SessionAffinity, Service, InSession<u8>);
    all!(sync: Secret, SessionAffinity, Service, InSession<u8>);
    all!(unpin: SessionAffinity, Service, InSession<u8>);
    all!(debug: Secret, SessionAffinity, Service, InSession<u8>);
    all!(value: AffinityError, SameSite);
    error::<AffinityError>();
}

#[test]
fn seams_are_objects() {
    fn probing(_: &dyn evenkeel::Probe<u8>) {}
    fn object(_: &dyn Strategy, _: &dyn Picker, _: &dyn Classify<u8, String>) {}
    fn sweeping(_: &dyn Detector, _: &dyn Timings) {}
    let _ = (object, sweeping, probing);
}

#[test]
fn a_lease_outlives_the_thread_and_the_handle() {
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", 7)).build().unwrap();
    let lease = balancer.pick(&Key::none()).unwrap();
    drop(balancer);
    let target = std::thread::spawn(move || *lease.target()).join().unwrap();
    assert_eq!(target, 7);
}

#[test]
fn responses_cross_threads_where_the_service_does() {
    fn response<F: Future + Send + 'static>() {}
    type Inner = tower::util::BoxCloneSyncService<u8, u8, std::io::Error>;
    response::<ResponseFuture<Inner, u8, evenkeel::ByResult>>();
}
