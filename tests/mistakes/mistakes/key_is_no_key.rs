use evenkeel::{Balancer, Endpoint};
use tower::{Service, service_fn};

fn main() {
    let echo = service_fn(|n: u8| async move { Ok::<u8, std::io::Error>(n) });
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", echo)).build().unwrap();
    let mut service = balancer.service().key_by(|n: &u8| *n);
    let _ = service.call(7);
}
