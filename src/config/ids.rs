//! The ids of a list of endpoints: present, and each once.

use std::collections::BTreeMap;

use super::excerpt::Excerpt;
use crate::error::Problem;
use crate::units::EndpointId;

/// The ids seen so far, each with its index in the list.
#[derive(Debug, Default)]
pub(super) struct Ids {
    seen: BTreeMap<EndpointId, usize>,
}

/// What is wrong with an id, and the index of the endpoint that has it already.
pub(super) struct BadId {
    pub(super) problem: Problem,
    #[cfg_attr(not(feature = "config"), allow(dead_code))] // only a text has places to point at
    pub(super) earlier: Option<usize>,
}

impl Ids {
    pub(super) fn admit(&mut self, index: usize, id: &EndpointId) -> Result<(), BadId> {
        let path = || format!("endpoints[{index}].id");
        if id.as_str().is_empty() {
            let problem = Problem::error(path(), "an id must not be empty");
            return Err(BadId { problem, earlier: None });
        }
        if let Some(&earlier) = self.seen.get(id) {
            let message =
                format!("\"{}\" is already the id of endpoints[{earlier}]", Excerpt(id.as_str()));
            let problem = Problem::error(path(), message);
            return Err(BadId { problem, earlier: Some(earlier) });
        }
        self.seen.insert(id.clone(), index);
        Ok(())
    }
}
