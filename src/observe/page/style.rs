//! How the pages look.
//!
//! Colours only add to what signs and words say. In light and in dark, texts keep a contrast of 4.5 or
//! more to what they stand on, and bars one of 3.

/// The one style sheet, which stands in each page.
pub(super) const SHEET: &str = include_str!("style.css");

/// What a page may load and do: nothing but its own style sheet, which is known by its hash.
pub(super) const POLICY: &str = "default-src 'none'; \
     style-src 'sha256-MMwwslFFPn6VeFJRup+JNlsnySoAtJAKpm5iwcB3syE='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(all(test, feature = "affinity", not(evenkeel_loom)))]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_knows_the_style_sheet() {
        let source = format!(
            "'sha256-MMwwslFFPn6VeFJRup+JNlsnySoAtJAKpm5iwcB3syE={}'",
            STANDARD.encode(Sha256::digest(SHEET))
        );
        assert!(POLICY.contains(&source), "style-src has to be {source}");
    }

    #[test]
    fn the_style_sheet_loads_nothing() {
        for word in ["url(", "@import", "</", "expression"] {
            assert!(!SHEET.contains(word), "{word}");
        }
    }
}

#[cfg(all(test, not(evenkeel_loom)))]
mod contrast {
    use std::collections::BTreeMap;

    use super::SHEET;

    /// Colours, what they stand on, and the least contrast.
    const PAIRS: [(&str, &str, f64); 10] = [
        ("text", "ground", 4.5),
        ("text", "card", 4.5),
        ("quiet", "ground", 4.5),
        ("quiet", "card", 4.5),
        ("link", "ground", 4.5),
        ("bad", "bad-ground", 4.5),
        ("notable", "notable-ground", 4.5),
        ("well", "well-ground", 4.5),
        ("intended", "track", 3.0),
        ("realised", "track", 3.0),
    ];

    /// As WCAG 2 has it.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour");
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn texts_and_bars_stand_out_in_light_and_in_dark() {
        let blocks: Vec<_> = SHEET.split(":root {").skip(1).collect();
        assert_eq!(blocks.len(), 2, "light and dark");
        for block in blocks {
            let block = block.split('}').next().unwrap();
            let entries = block.split(';').filter_map(|entry| entry.trim().split_once(": "));
            let colours: BTreeMap<_, _> = entries.collect();
            for (colour, ground, least) in PAIRS {
                let of = |name: &str| luminance(colours[format!("--{name}").as_str()]);
                let (one, other) = (of(colour), of(ground));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= least, "{colour} on {ground}: {contrast:.1}");
            }
        }
    }
}
