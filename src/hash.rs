//! The one fixed hash: xxHash64 with seed 0, the same in every process and on every machine.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh64::{Xxh64, xxh64};

/// Hashes bytes. Portable: any xxHash64 implementation gives the same number.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    xxh64(bytes, 0)
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
    }

    #[test]
    fn equal_values_hash_alike() {
        assert_eq!(value("cart-7"), value(&String::from("cart-7")));
        assert_ne!(value("cart-7"), value("cart-8"));
    }
}
