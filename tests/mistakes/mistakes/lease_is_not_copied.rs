use evenkeel::{Balancer, Endpoint, Key, Outcome};

fn main() {
    let balancer = Balancer::builder().endpoint(Endpoint::new("a", 1)).build().unwrap();
    let lease = balancer.pick(&Key::none()).unwrap();
    lease.finish(Outcome::Success);
    lease.finish(Outcome::Success);
}
