//! The one fixed hash: xxHash64 with seed 0, the same in every process and on every machine.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh64::{Xxh64, xxh64};

/// Hashes bytes. Portable: any xxHash64 implementation gives the same number.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    xxh64(bytes, 0)
}

/// Hashes these parts as if they stood in a row with commas between them; `None` if all are empty.
#[cfg(feature = "http")]
pub(crate) fn listed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Option<u64> {
    let mut hasher = Xxh64::new(0);
    let (mut is_empty, mut is_first) = (true, true);
    for part in parts {
        if !std::mem::take(&mut is_first) {
            hasher.update(b",");
        }
        hasher.update(part);
        is_empty &= part.is_empty();
    }
    (!is_empty).then(|| hasher.digest())
}

/// Makes one hash of two: that of their sixteen bytes, each the lowest byte first.
#[cfg(feature = "http")]
pub(crate) fn pair(first: u64, second: u64) -> u64 {
    let mut both = [0; 16];
    let (low, high) = both.split_at_mut(8);
    low.copy_from_slice(&first.to_le_bytes());
    high.copy_from_slice(&second.to_le_bytes());
    bytes(&both)
}

/// As [`bytes`], with another seed: another number, as if it were another hash.
pub(crate) fn seeded(bytes: &[u8], seed: u64) -> u64 {
    xxh64(bytes, seed)
}

/// A hash made of two, which says nothing of either and nothing of what they make with others.
/// (The output function of SplitMix64, over their sum in the odd steps of that generator.)
#[inline]
pub(crate) fn mix(hash: u64, salt: u64) -> u64 {
    let mut z = hash.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Hashes anything that is `Hash`. Stable within one build; how a type feeds the hasher (length
/// prefixes, byte order) is the type's own affair.
pub(crate) fn value(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = Xxh64::new(0);
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Reference values of xxHash64 with seed 0, from the algorithm's own test vectors.
    #[test]
    fn agrees_with_the_reference() {
        assert_eq!(bytes(b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(bytes(b"a"), 0xD24E_C4F1_A98C_6E5B);
        assert_eq!(bytes(b"abc"), 0x44BC_2CF5_AD77_0999);
        assert_eq!(seeded(b"abc", 0), bytes(b"abc"));
        assert_ne!(seeded(b"abc", 1), bytes(b"abc"));
    }

    #[test]
    fn a_mix_depends_on_both() {
        let mixed: Vec<_> = (0..50).flat_map(|a| (0..50).map(move |b| mix(a, b))).collect();
        let mut distinct = mixed.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), mixed.len());
        let ones: u32 = mixed.iter().map(|mixed| mixed.count_ones()).sum();
        assert!((31.0..33.0).contains(&(f64::from(ones) / mixed.len() as f64)));
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_list_is_hashed_as_it_is_written() {
        let listed = |parts: &[&'static str]| listed(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(listed(&["a"]), Some(bytes(b"a")));
        assert_eq!(listed(&["a", "", "b"]), Some(bytes(b"a,,b")));
        assert_eq!((listed(&[]), listed(&["", ""])), (None, None));
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_pair_is_hashed_in_its_order() {
        assert_eq!(pair(1, 2), bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]));
        assert_ne!(pair(1, 2), pair(2, 1));
    }

    #[test]
    fn equal_values_hash_alike() {
        assert_eq!(value("cart-7"), value(&String::from("cart-7")));
        assert_ne!(value("cart-7"), value("cart-8"));
    }
}
