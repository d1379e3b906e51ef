//! `[[endpoints]]`: the set, where the file carries it.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::section::{Refused, Section};
use super::value::{small, text};
use crate::config::ids::Ids;
use crate::endpoint::EndpointSpec;
use crate::units::EndpointId;

/// The endpoints of the file; `None` if it does not speak of them, or not rightly.
pub(in crate::config) fn endpoints(section: &mut Section<'_, '_>) -> Option<Vec<EndpointSpec>> {
    let items = section.items("endpoints")?;
    let mut ids = Ids::default();
    let mut specs = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("endpoints[{index}]");
        let spec = Section::open(&path, item, section.faults(), |endpoint| {
            let id = endpoint.require("id", text).map(EndpointId::from);
            if let Ok(Err(bad)) = id.as_ref().map(|id| ids.admit(index, id)) {
                let earlier = bad.earlier.and_then(|earlier| place_of_id(items.get(earlier)?));
                endpoint.faults().add_pair(place_of_id(item), earlier, bad.problem);
            }
            read(id, endpoint)
        });
        specs.extend(spec.and_then(|spec| spec));
    }
    Some(specs)
}

fn place_of_id(endpoint: &Node<'_>) -> Option<usize> {
    let Value::Table(entries) = &endpoint.value else {
        return None;
    };
    entries.iter().find(|entry| entry.key == "id")?.node.at
}

/// What follows the id. Every key is read before one that was refused ends it.
fn read(
    id: Result<EndpointId, Refused>,
    endpoint: &mut Section<'_, '_>,
) -> Result<EndpointSpec, Refused> {
    let address = endpoint.require("address", text);
    let weight = endpoint.read("weight", small);
    let tier = endpoint.read("tier", small);
    let zone = endpoint.read("zone", text);
    let labels = endpoint.part("labels", labels);
    let mut spec = EndpointSpec::new(id?, address?);
    spec.weight = weight?.unwrap_or(spec.weight);
    spec.tier = tier?.unwrap_or(spec.tier);
    spec.zone = zone?;
    spec.labels = labels.unwrap_or_default();
    Ok(spec)
}

fn labels(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    section.each(|key, node| {
        labels.insert(String::from(key), text(node)?);
        Ok(())
    });
    labels
}
