use evenkeel::{Balancer, Endpoint, Outcome};
use tower::{Service, service_fn};

fn main() {
    let echo = service_fn(|n: u8| async move { Ok::<u8, std::io::Error>(n) });
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", echo)).build().unwrap();
    let mut service = balancer.service().classify(|_: &u8| Outcome::Success);
    let _ = service.call(7);
}
