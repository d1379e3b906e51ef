//! How the pages look.
//!
//! Colours only add to what signs and words say. They keep a contrast of at least 4.5 to what they
//! stand on, in light and in dark.

/// The one style sheet, which stands in each page.
pub(super) const SHEET: &str = include_str!("style.css");

/// What a page may load and do: nothing but its own style sheet, which is known by its hash.
pub(super) const POLICY: &str = "default-src 'none'; \
     style-src 'sha256-SSRVPCPt9/uzj2Lm1lK/SF/buSeGeZqYQUF2mwO2xS0='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(all(test, feature = "affinity", not(evenkeel_loom)))]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_knows_the_style_sheet() {
        let source = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(SHEET)));
        assert!(POLICY.contains(&source), "style-src has to be {source}");
    }

    #[test]
    fn the_style_sheet_loads_nothing() {
        for word in ["url(", "@import", "</", "expression"] {
            assert!(!SHEET.contains(word), "{word}");
        }
    }
}
