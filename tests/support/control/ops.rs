//! What may be done to a balancer, out of bytes.

use arbitrary::{Result, Unstructured};

use super::settings::{Settings, Spec};

/// Endpoints there are at most.
pub(crate) const NUMBERS: usize = 6;

pub(crate) const WEIGHTS: [u32; 8] = [1, 0, 1, 2, 3, 9, 1_000, u32::MAX];

/// Spans of time, in seconds: around those that mean something to some setting.
pub(crate) const SPANS: [u64; 10] = [1, 0, 5, 29, 60, 61, 299, 300, 301, 601];

/// Requests held at the same time.
pub(crate) const MOST_HELD: usize = 32;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A request that excludes some: a bit for each.
    Pick(usize),
    /// The end of one of the requests in flight.
    End(usize, End),
    Replace {
        set: Vec<(usize, u32)>,
        checked: bool,
    },
    Describe(Vec<Spec>),
    Insert(usize, u32),
    InsertSpec(Spec),
    Remove(usize),
    SetWeight(usize, u32),
    Drain(usize, Option<u64>),
    Disable(usize),
    Enable(usize),
    Apply(Settings),
    /// Settings by a writer who has seen the present version, or the one of so many steps ago.
    ApplyIf(Settings, usize),
    Rollback,
    History,
    Wait(u64),
}

/// How a request ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Success,
    Failure,
    Overloaded,
    Ignore,
    Drop,
}

impl Op {
    pub(crate) fn read(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match below(u, 24)? {
            0..=4 => Self::Pick(if below(u, 3)? == 0 { below(u, 1 << NUMBERS)? } else { 0 }),
            5..=7 => {
                const ENDS: [End; 5] =
                    [End::Success, End::Failure, End::Overloaded, End::Ignore, End::Drop];
                Self::End(below(u, MOST_HELD)?, one_of(u, &ENDS)?)
            }
            8 | 9 => {
                let set = Spec::list(u)?;
                let set = set.iter().map(|spec| (spec.number, spec.weight)).collect();
                Self::Replace { set, checked: below(u, 4)? > 0 }
            }
            10 => Self::Describe(Spec::list(u)?),
            11 => Self::Insert(below(u, NUMBERS)?, one_of(u, &WEIGHTS)?),
            12 => Self::InsertSpec(Spec::read(u)?),
            13 => Self::Remove(below(u, NUMBERS)?),
            14 => Self::SetWeight(below(u, NUMBERS)?, one_of(u, &WEIGHTS)?),
            15 => {
                let number = below(u, NUMBERS)?;
                let span = if below(u, 4)? == 0 { None } else { Some(one_of(u, &SPANS)?) };
                Self::Drain(number, span)
            }
            16 => Self::Disable(below(u, NUMBERS)?),
            17 => Self::Enable(below(u, NUMBERS)?),
            18 => Self::Apply(Settings::read(u)?),
            19 => Self::ApplyIf(Settings::read(u)?, below(u, 4)?),
            20 => Self::Rollback,
            21 => Self::History,
            _ => Self::Wait(one_of(u, &SPANS)?),
        })
    }
}

/// Where a run begins.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) settings: Settings,
    pub(crate) set: Vec<Spec>,
    pub(crate) seed: u8,
}

pub(crate) fn read(bytes: &[u8]) -> Result<(Beginning, Vec<Op>)> {
    let u = &mut Unstructured::new(bytes);
    let (mut settings, set, seed) = (Settings::read(u)?, Spec::set(u)?, u.arbitrary()?);
    settings.specs = None;
    // The last step may lack a few bytes.
    let ops = std::iter::from_fn(|| if u.is_empty() { None } else { Op::read(u).ok() }).collect();
    Ok((Beginning { settings, set, seed }, ops))
}

/// A number below `most`: a byte, where that is enough.
pub(crate) fn below(u: &mut Unstructured<'_>, most: usize) -> Result<usize> {
    u.int_in_range(0..=most - 1)
}

pub(crate) fn one_of<V: Copy>(u: &mut Unstructured<'_>, among: &[V]) -> Result<V> {
    u.choose(among).copied()
}
