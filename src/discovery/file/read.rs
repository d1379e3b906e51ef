//! From a path to what stands there.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::config::{Config, ConfigFile};
use crate::error::FileError;
use crate::hash;

/// What a look at the file sees: its content, as a hash, or why there is none.
pub(super) type Sight = Result<u64, FileError>;

/// The hash of a content, which stands for it.
pub(super) fn content(bytes: &[u8]) -> u64 {
    hash::bytes(bytes)
}

/// The bytes of a file, no more than a text of settings may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let unreadable = |error| FileError::unreadable(path, &error);
    // Asked before, because a pipe that nobody writes to can be opened only by waiting.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(FileError::NotAFile { path: path.to_path_buf() });
    }
    let most = Config::MAX_TOML_BYTES;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    // One more, to tell a longer file from one that just fits.
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(FileError::TooLarge { path: path.to_path_buf(), most });
    }
    Ok(bytes)
}

/// The settings that `bytes` hold for the balancer of this name, or, without a name, for the only
/// one.
pub(super) fn parse(path: &Path, name: Option<&str>, bytes: &[u8]) -> Result<Config, FileError> {
    let path_of = || path.to_path_buf();
    let text = std::str::from_utf8(bytes)
        .map_err(|error| FileError::NotText { path: path_of(), at: error.valid_up_to() })?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(FileError::Empty { path: path_of() });
    }
    let file = ConfigFile::from_toml(text)
        .map_err(|error| FileError::Invalid { path: path_of(), error })?;
    let config = match name {
        Some(name) => file.get(name),
        None => file.single(),
    };
    config.cloned().ok_or_else(|| FileError::NoSection {
        path: path_of(),
        wanted: name.map(str::to_owned),
        there: file.names().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StrategyKind;

    #[test]
    fn nothing_is_not_the_default() {
        for nothing in ["", " ", "\n\t\r\n", "\u{feff}", "\u{feff}\n"] {
            let error = parse(Path::new("lb.toml"), None, nothing.as_bytes()).unwrap_err();
            assert_eq!(error, FileError::Empty { path: "lb.toml".into() }, "{nothing:?}");
        }
        for default in ["# all as usual", "\u{feff}# all as usual\n"] {
            let config = parse(Path::new("lb.toml"), None, default.as_bytes());
            assert_eq!(config, Ok(Config::default()), "{default:?}");
        }
    }

    #[test]
    fn the_first_byte_that_is_no_text_is_named() {
        let error = parse(Path::new("lb.toml"), None, b"name = '\xff'").unwrap_err();
        assert_eq!(error, FileError::NotText { path: "lb.toml".into(), at: 8 });
        let words = "`lb.toml` is not UTF-8 from byte 8 on; settings are text in UTF-8";
        assert_eq!(error.to_string(), words);
    }

    #[test]
    fn one_of_several_is_taken_by_its_name() {
        let path = Path::new("lb.toml");
        let parse = |name, text: &str| parse(path, name, text.as_bytes());
        let several = "[balancer.cart]\n[balancer.search.strategy]\nkind = 'random'";
        let search = parse(Some("search"), several).unwrap();
        assert_eq!(search.name(), Some("search"));
        assert_eq!(search.strategy().kind(), &StrategyKind::Random);
        for wanted in [None, Some("shop")] {
            let there = vec!["cart".to_owned(), "search".to_owned()];
            let wanted_name = wanted.map(str::to_owned);
            let error = FileError::NoSection { path: path.into(), wanted: wanted_name, there };
            assert_eq!(parse(wanted, several), Err(error));
        }
        assert_eq!(parse(Some("shop"), "name = 'shop'"), parse(None, "name = 'shop'"));
        assert!(parse(Some("shop"), "name = 'cart'").is_err());
    }
}
