//! Places are counted in lines and characters, as an editor does.

use crate::config::Config;

fn position(text: &str) -> Option<(usize, usize)> {
    Config::from_toml(text).unwrap_err().problems()[0].position
}

#[test]
fn columns_are_characters_not_bytes() {
    assert_eq!(position("name = 'é'\nstrategy = { kind = '…', choices = 1 }"), Some((2, 21)));
    assert_eq!(position("'ключ' = 1"), Some((1, 1)));
    assert_eq!(position("labels = 'ü' ü"), Some((1, 14)));
}

#[test]
fn carriage_returns_and_a_byte_order_mark_do_not_shift() {
    assert_eq!(position("\u{feff}nmae = 1"), Some((1, 1)));
    assert_eq!(position("name = 'a'\r\nupdate = 1\r\n"), Some((2, 10)));
}

#[test]
fn the_end_of_the_text_is_a_place() {
    assert_eq!(position("[strategy"), Some((1, 10)));
}
