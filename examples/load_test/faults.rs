//! Who was in trouble, and when.

use std::sync::Mutex;
use std::time::Instant;

use evenkeel::EndpointId;

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
        let fault = Fault { server: server.clone(), begins: Instant::now(), ends: None };
        self.0.lock().expect("nobody panics with it").push(fault);
    }

    /// To be said when the server is well again.
    pub(crate) fn end(&self, server: &EndpointId) {
        let mut faults = self.0.lock().expect("nobody panics with it");
        for fault in faults.iter_mut().filter(|it| it.server == *server && it.ends.is_none()) {
            fault.ends = Some(Instant::now());
        }
    }

    /// Whether this server was in trouble at some time between these two.
    pub(crate) fn meet(&self, server: &EndpointId, from: Instant, to: Instant) -> bool {
        let faults = self.0.lock().expect("nobody panics with it");
        faults.iter().any(|it| {
            it.server == *server && it.begins <= to && it.ends.is_none_or(|ends| from <= ends)
        })
    }
}
