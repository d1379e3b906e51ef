//! Who is in the set.

use crate::balancer::Balancer;
use crate::units::EndpointId;

impl<T> Balancer<T> {
    /// The number of the set that is served, and its endpoints in the order of their ids.
    pub(crate) fn ids(&self) -> (u64, Vec<EndpointId>) {
        self.core.published.read(|snapshot| {
            let ids = snapshot.members.iter().map(|member| member.id().clone());
            (snapshot.version.set, ids.collect())
        })
    }
}
