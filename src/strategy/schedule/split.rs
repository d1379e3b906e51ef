//! A round too long to write down: a tree of rounded splits.
//!
//! Of its first `t` turns a node gives `⌊t · left / sum + ½⌋` to its left side and the rest to the
//! right, so whose turn it is follows from the turn's number alone. Endpoints of equal weight
//! share a leaf and take turns in it.
//!
//! Each level adds at most half a request and passes on its parent's error times its part. A node
//! is split so that its sides weigh as nearly the same as they can; then, going up from a leaf,
//! only the leaf's own part can be near one, and the others shrink the error geometrically. The
//! tests hold it to less than 2 requests from the origin and 3 in any window; the worst of their
//! 300 random sets is 1.29 and 2.56 (`cargo test --lib beyond_tables -- --nocapture`).

/// Nodes in one array, children after their parents.
#[derive(Debug)]
pub(crate) struct SplitTree {
    nodes: Box<[Node]>,
    /// Endpoints by leaf, in ascending order within one.
    members: Box<[u32]>,
    sum: u64,
}

#[derive(Debug)]
enum Node {
    Split { left_weight: u64, weight: u64, left: u32, right: u32 },
    Leaf { from: u32, len: u32 },
}

/// Endpoints of one weight: `members[from..from + len]`.
struct Class {
    total: u64,
    from: u32,
    len: u32,
}

impl SplitTree {
    /// At least one weight must be above zero.
    pub(super) fn new(weights: &[u32]) -> Self {
        let mut members: Vec<u32> =
            (0..weights.len() as u32).filter(|&index| weights[index as usize] > 0).collect();
        members.sort_by_key(|&index| (std::cmp::Reverse(weights[index as usize]), index));
        let mut classes: Vec<Class> = Vec::new();
        let mut before = None;
        for (at, &index) in (0_u32..).zip(&members) {
            let weight = weights[index as usize];
            match classes.last_mut() {
                Some(class) if before == Some(weight) => {
                    class.total += u64::from(weight);
                    class.len += 1;
                }
                _ => classes.push(Class { total: u64::from(weight), from: at, len: 1 }),
            }
            before = Some(weight);
        }
        // The heaviest classes first, so that one that outweighs the rest is split off near the
        // root.
        classes.sort_by_key(|class| (std::cmp::Reverse(class.total), class.from));
        let sum = classes.iter().map(|class| class.total).sum();
        let mut nodes = Vec::with_capacity(2 * classes.len());
        grow(&mut nodes, &classes, sum);
        Self { nodes: nodes.into(), members: members.into(), sum }
    }

    pub(super) fn at(&self, turn: u64) -> usize {
        // Every node is exact after a whole period.
        let mut turn = turn % self.sum.max(1);
        let mut node = 0;
        loop {
            match self.nodes.get(node) {
                Some(&Node::Split { left_weight, weight, left, right }) => {
                    let given = rounded(turn, left_weight, weight);
                    if rounded(turn + 1, left_weight, weight) > given {
                        turn = given;
                        node = left as usize;
                    } else {
                        turn -= given;
                        node = right as usize;
                    }
                }
                Some(&Node::Leaf { from, len }) => {
                    let at = u64::from(from) + turn % u64::from(len.max(1));
                    return self.members.get(at as usize).map_or(0, |&index| index as usize);
                }
                None => return 0,
            }
        }
    }
}

/// `⌊turns · part / whole + ½⌋`
#[inline]
fn rounded(turns: u64, part: u64, whole: u64) -> u64 {
    let exact = |turns: u64, part: u64, whole: u64| (2 * turns * part + whole) / (2 * whole);
    if turns < 1 << 31 && part < 1 << 31 {
        return exact(turns, part, whole);
    }
    let twice = 2 * u128::from(turns) * u128::from(part) + u128::from(whole);
    (twice / (2 * u128::from(whole))) as u64
}

/// Adds the tree over `classes` and says where its root is.
fn grow(nodes: &mut Vec<Node>, classes: &[Class], weight: u64) -> u32 {
    let place = nodes.len() as u32;
    if let [Class { from, len, .. }] = *classes {
        nodes.push(Node::Leaf { from, len });
        return place;
    }
    let (cut, left_weight) = halve(classes, weight);
    nodes.push(Node::Split { left_weight, weight, left: 0, right: 0 });
    let left = grow(nodes, &classes[..cut], left_weight);
    let right = grow(nodes, &classes[cut..], weight - left_weight);
    nodes[place as usize] = Node::Split { left_weight, weight, left, right };
    place
}

/// Where to cut so that both sides weigh as nearly the same as they can, and what the left side
/// then weighs. Neither side is empty.
fn halve(classes: &[Class], weight: u64) -> (usize, u64) {
    let mut left = 0;
    let mut best = (1, classes.first().map_or(0, |class| class.total));
    for (cut, class) in (1..classes.len()).zip(classes) {
        left += class.total;
        let uneven = |left: u64| (2 * u128::from(left)).abs_diff(u128::from(weight));
        if uneven(left) < uneven(best.1) {
            best = (cut, left);
        }
    }
    best
}
