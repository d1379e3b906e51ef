//! What a strategy sees of an endpoint.

use std::fmt;
use std::slice;

use crate::endpoint::{Attributes, EndpointCell};
use crate::strategy::{Cursor, Owner, Stock};
use crate::sync::Arc;
use crate::units::EndpointId;

/// An endpoint that may be chosen.
#[derive(Clone)]
pub struct Candidate {
    attributes: Attributes,
    pub(crate) cell: Arc<EndpointCell>,
    weight: u32,
}

impl Candidate {
    pub(crate) fn new(attributes: Attributes, cell: Arc<EndpointCell>, weight: u32) -> Self {
        Self { attributes, cell, weight }
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &EndpointId {
        self.cell.id()
    }

    /// Its weight, above zero.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Its tier; 0 is the most preferred.
    #[must_use]
    pub fn tier(&self) -> u32 {
        self.attributes.tier()
    }

    /// Where it runs, if that was said.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.attributes.zone().map(AsRef::as_ref)
    }

    /// The value of a label, if it has one of that name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.attributes.label(name)
    }

    /// Requests in flight at this moment.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.cell.in_flight()
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("id", self.id())
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

/// The endpoints a picker is prepared for, ordered by id.
#[derive(Clone, Copy)]
pub struct Candidates<'a> {
    list: &'a [Candidate],
    cursor: &'a Arc<Cursor>,
    owners: &'a dyn Fn() -> Vec<Owner>,
    stock: &'a Stock<'a>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(
        list: &'a [Candidate],
        cursor: &'a Arc<Cursor>,
        owners: &'a dyn Fn() -> Vec<Owner>,
        stock: &'a Stock<'a>,
    ) -> Self {
        Self { list, cursor, owners, stock }
    }

    /// The candidates. Their order is that of their ids and does not depend on the order in which
    /// they were given; a picker's index counts in this order.
    #[must_use]
    pub fn as_slice(&self) -> &'a [Candidate] {
        self.list
    }

    /// The candidates one by one.
    pub fn iter(&self) -> slice::Iter<'a, Candidate> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The candidates and all who would be candidates were they well and admitted, ordered by id: for
    /// strategies whose choice must not change for everybody when one endpoint comes or goes.
    /// Collected when this is called.
    #[must_use]
    pub fn owners(&self) -> Vec<Owner> {
        (self.owners)()
    }

    /// Where the round stands; it outlives pickers and changes of strategy.
    pub(crate) fn cursor(&self) -> &Arc<Cursor> {
        self.cursor
    }

    /// What strategies that go by keys have been going by here.
    pub(crate) fn stock(&self) -> &'a Stock<'a> {
        self.stock
    }

    pub(crate) fn weights(&self) -> impl ExactSizeIterator<Item = u32> + Clone + 'a {
        self.list.iter().map(Candidate::weight)
    }
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list).finish()
    }
}

impl<'a> IntoIterator for &Candidates<'a> {
    type Item = &'a Candidate;
    type IntoIter = slice::Iter<'a, Candidate>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
