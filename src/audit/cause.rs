//! What is behind a skew.

use crate::event::{SkewCause, SkewRule};
use crate::units::EndpointId;

/// All that is known when a skew is found. Parts are of all requests, from 0 to 1.
///
/// Whoever has better samples may fill it from those: nothing here asks where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Circumstances {
    /// What the endpoint got.
    pub(crate) realised: f64,
    /// What it should get, as things stand.
    pub(crate) expected: f64,
    /// What it should get were all well.
    pub(crate) meant: f64,
    /// The most that it may have, where the rule is that of concentration.
    pub(crate) limit: Option<f64>,
    /// Endpoints of its tier that are out, and how many there are.
    pub(crate) out: (usize, usize),
    /// Who was chosen and not ready most often, and which part of all requests went elsewhere for it.
    pub(crate) unready: Option<(EndpointId, f64)>,
    /// The part of the hottest key that goes to the endpoint.
    pub(crate) hot_key: f64,
    /// The part of sessions.
    pub(crate) sessions: f64,
    /// The part that excluded endpoints.
    pub(crate) excluding: f64,
    /// The part that its own endpoint was too full for.
    pub(crate) overflowed: f64,
    /// Whether the strategy goes by load.
    pub(crate) by_load: bool,
}

impl Circumstances {
    /// The cause that explains the most of it: half of the excess at the least. Who is left out by
    /// what was decided about endpoints comes first, then what requests bring with them.
    pub(crate) fn cause(&self, rule: SkewRule) -> SkewCause {
        let excess = (self.realised - self.expected).abs();
        let explains = |part: f64| part > 0.0 && part >= excess / 2.0;
        if let Some((endpoint, part)) = &self.unready
            && explains(*part)
        {
            return SkewCause::NeverReady { endpoint: endpoint.clone() };
        }
        match rule {
            SkewRule::KeySpace if explains(self.overflowed) => {
                return SkewCause::OthersSaturated { share: self.overflowed };
            }
            SkewRule::KeySpace => return SkewCause::UnevenKeys,
            // Only what its own schedule or draw gives was looked at.
            SkewRule::Share | SkewRule::Draw => return SkewCause::Unknown,
            SkewRule::Concentration => {}
        }
        let limit = self.limit.unwrap_or(1.0);
        let (out, of) = self.out;
        // What is intended makes up most of what is too much.
        let intends = |share: f64| share >= 0.8 * limit;
        if intends(self.meant) {
            return SkewCause::Weights;
        }
        if out > 0 && intends(self.expected) {
            return SkewCause::OthersOut { out, of };
        }
        let brought = [
            (self.hot_key, SkewCause::HotKey { share: self.hot_key }),
            (self.sessions, SkewCause::Sessions { share: self.sessions }),
            (self.excluding, SkewCause::Exclusions { share: self.excluding }),
            (self.overflowed, SkewCause::OthersSaturated { share: self.overflowed }),
        ];
        let largest = brought.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
        match largest {
            Some((part, cause)) if explains(part) => cause,
            _ if out > 0 => SkewCause::OthersOut { out, of },
            _ if self.by_load => SkewCause::Load,
            _ => SkewCause::Unknown,
        }
    }
}
