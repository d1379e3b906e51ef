//! Who was in trouble, and when.

use std::time::Instant;

use evenkeel::EndpointId;
use parking_lot::Mutex;

use crate::clock::now;

/// The times in which a server could not answer, by what was done to it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

#[derive(Debug)]
struct Fault {
    server: EndpointId,
    begins: Instant,
    ends: Option<Instant>,
}

impl Faults {
    /// To be said before it is done to the server.
    pub(crate) fn begin(&self, server: &EndpointId) {
        let fault = Fault { server: server.clone(), begins: now(), ends: None };
        self.0.lock().push(fault);
    }

    /// To be said when the server is well again.
    pub(crate) fn end(&self, server: &EndpointId) {
        let mut faults = self.0.lock();
        for fault in faults.iter_mut().filter(|it| it.server == *server && it.ends.is_none()) {
            fault.ends = Some(now());
        }
    }

    /// Whether this server was in trouble at some time between these two.
    pub(crate) fn meet(&self, server: &EndpointId, from: Instant, to: Instant) -> bool {
        let faults = self.0.lock();
        faults.iter().any(|it| {
            it.server == *server && it.begins <= to && it.ends.is_none_or(|ends| from <= ends)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_server_in_trouble_is_excused_and_only_meanwhile() {
        let (b, c, second) = (EndpointId::from("b"), EndpointId::from("c"), Duration::from_secs(1));
        let faults = Faults::default();
        let start = now();
        assert!(!faults.meet(&b, start, start + second), "nothing was done yet");
        faults.begin(&b);
        let begun = now();
        assert!(faults.meet(&b, start, begun), "on its way when it began");
        assert!(faults.meet(&b, begun + second, begun + 9 * second), "it has no end yet");
        assert!(!faults.meet(&c, start, begun), "another one");
        faults.end(&b);
        let later = now() + second;
        assert!(!faults.meet(&b, later, later + second), "it is over");
        assert!(faults.meet(&b, start, later), "longer than all of it");
    }
}
