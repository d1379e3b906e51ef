use evenkeel::{Balancer, Endpoint, Key, Outcome};
use tower::{Service, service_fn};

pub(crate) fn main() {
    let echo = service_fn(|n: u8| async move { Ok::<u8, std::io::Error>(n) });
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", echo)).build().unwrap();
    let mut service = balancer
        .service()
        .key_by(|n: &u8| Key::of(n))
        .classify(|_: Result<&u8, &std::io::Error>| Outcome::Success);
    let _ = service.call(7);
}
