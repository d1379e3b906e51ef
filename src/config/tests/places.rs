//! Places are counted in lines and characters, as an editor does.

use crate::config::{Config, locate};
use crate::error::Problem;

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

#[test]
fn a_problem_found_later_is_located_in_the_text() {
    let text = "\u{feff}[balancer.\"a.b\"]\r\nendpoints = [{ id = 'é', weight = 0 }]\nstrategy.choices = 3";
    for (path, position) in [
        ("balancer.\"a.b\".strategy.choices", Some((3, 20))),
        ("balancer.\"a.b\".strategy.kind", Some((3, 1))),
        ("balancer.\"a.b\".endpoints[0].weight", Some((2, 35))),
        ("balancer.\"a.b\".guard.max_share_percent", Some((1, 1))),
        ("balancer.a.strategy", Some((1, 2))),
        ("strategy", None),
        ("", None),
    ] {
        let mut problems = [Problem::warning(path, "")];
        locate(text, &mut problems);
        assert_eq!(problems[0].position, position, "{path}");
    }
    let mut known = [Problem::warning("balancer", "")];
    known[0].position = Some((7, 7));
    locate(text, &mut known);
    assert_eq!(known[0].position, Some((7, 7)));
    let mut nowhere = [Problem::warning("balancer", "")];
    locate("[balancer", &mut nowhere);
    locate(&"#".repeat(Config::MAX_TOML_BYTES + 1), &mut nowhere);
    assert_eq!(nowhere[0].position, None);
}
