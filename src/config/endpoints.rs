//! `[[endpoints]]`: the set, where the settings carry it.

use std::borrow::Cow;

use super::spelling::{Spell, Spelling};
use crate::endpoint::EndpointSpec;

impl Spell for EndpointSpec {
    fn spell(&self) -> Spelling {
        let label = |(name, value): (&String, &String)| {
            (Cow::Owned(name.clone()), Spelling::from(value.as_str()))
        };
        let labels = match self.labels.is_empty() {
            true => Spelling::Absent,
            false => Spelling::Table(self.labels.iter().map(label).collect()),
        };
        Spelling::table([
            ("id", self.id.as_str().into()),
            ("address", self.address.as_str().into()),
            ("weight", self.weight.into()),
            ("tier", self.tier.into()),
            ("zone", Spelling::or_absent(self.zone.as_deref())),
            ("labels", labels),
        ])
    }
}

#[cfg(feature = "config")]
mod reading {
    use std::collections::BTreeMap;
    use std::ops::RangeInclusive;

    use crate::config::document::{Key, Keyed, Section, text, whole};
    use crate::config::ids::Ids;
    use crate::config::setting::Range;
    use crate::endpoint::EndpointSpec;
    use crate::units::EndpointId;

    const ANY: RangeInclusive<u32> = 0..=u32::MAX;

    impl Keyed for EndpointSpec {
        const KEYS: &'static [Key<Self>] = &[
            Key::<Self>::new(
                "id",
                Range::NonEmptyText,
                "Its identity, which no other endpoint of the set has. Counters, estimates and \
                 ejections hang on it, whatever else is changed of the endpoint.",
                |mut it, found| match text(found)? {
                    id if id.is_empty() => Err(String::from("an id must not be empty").into()),
                    id => {
                        it.id = EndpointId::from(id);
                        Ok(it)
                    }
                },
            )
            .required(),
            Key::<Self>::new(
                "address",
                Range::Text,
                "Where it is, in whatever form the service makes targets from. A change of it \
                 makes the target anew.",
                |mut it, found| {
                    it.address = text(found)?;
                    Ok(it)
                },
            )
            .required(),
            Key::new(
                "weight",
                Range::whole(&ANY),
                "Its part of the traffic, relative to the weights of the others. Twice the weight \
                 is twice the requests; at 0 it finishes what it has and takes nothing new.",
                |mut it, found| {
                    it.weight = whole(found, &ANY)?;
                    Ok(it)
                },
            ),
            Key::new(
                "tier",
                Range::whole(&ANY),
                "How much it is preferred: 0 is the most preferred tier, larger ones come later.",
                |mut it, found| {
                    it.tier = whole(found, &ANY)?;
                    Ok(it)
                },
            ),
            Key::new("zone", Range::Text, "Where it runs, as in `eu-1a`.", |mut it, found| {
                it.zone = Some(text(found)?);
                Ok(it)
            }),
            Key::joint(
                "labels",
                Range::Texts,
                "Whatever else is known of it, as in `{ rack = \"r7\" }`.",
                |it, section, key| it.labels = section.part(key, labels).unwrap_or_default(),
            ),
        ];

        fn blank() -> Self {
            Self::new("", "")
        }
    }

    fn labels(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        section.each(|key, node| {
            labels.insert(String::from(key), text(node)?);
            Ok(())
        });
        labels
    }

    /// The endpoints of the file, each id once; `None` if it does not speak of them.
    pub(in crate::config) fn endpoints(
        section: &mut Section<'_, '_>,
        key: &'static str,
    ) -> Option<Vec<EndpointSpec>> {
        let mut ids = Ids::default();
        let mut places = Vec::new();
        section.tables(key, |index, spec: &EndpointSpec, section| {
            places.push(section.place_of("id"));
            if spec.id.as_str().is_empty() {
                return;
            }
            if let Err(bad) = ids.admit(index, &spec.id) {
                let earlier = bad.earlier.and_then(|earlier| *places.get(earlier)?);
                section.refuse_beside("id", earlier, bad.problem);
            }
        })
    }
}

#[cfg(feature = "config")]
pub(super) use self::reading::endpoints;
