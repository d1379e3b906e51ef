//! `docs/settings.md` is the table of settings.

use std::fs;
use std::path::Path;

use crate::config::{Range, Setting, settings};

const WRITE: &str = "EVENKEEL_WRITE";

fn table() -> String {
    let mut table =
        String::from("| key | range | default | meaning |\n| --- | --- | --- | --- |\n");
    for setting in settings() {
        table.push_str(&row(setting));
    }
    table
}

fn row(setting: &Setting) -> String {
    let code = |text: &str| format!("`{text}`");
    let mut range = match &setting.range {
        Range::OneOf(words) => words.iter().map(|it| code(it)).collect::<Vec<_>>().join(", "),
        range => range.to_string(),
    };
    if setting.can_be_off {
        range.push_str(", or `false`");
    }
    let default = match setting.default.as_str() {
        default @ ("none" | "on" | "off" | "required") => default.into(),
        default => code(default),
    };
    let cells = [code(&setting.path), range, default, setting.meaning.into()];
    format!("| {} |\n", cells.map(|it| it.replace('|', "\\|")).join(" | "))
}

#[test]
fn the_page_has_the_table_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    let page = fs::read_to_string(&path).unwrap();
    let lines = || page.split_inclusive('\n');
    if std::env::var_os(WRITE).is_some() {
        let before = lines().take_while(|line| !line.starts_with('|')).collect::<String>();
        let after = lines().skip_while(|line| !line.starts_with('|'));
        let after = after.skip_while(|line| line.starts_with('|')).collect::<String>();
        fs::write(&path, before + &table() + &after).unwrap();
        return;
    }
    let written: String = lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(
        written,
        table(),
        "docs/settings.md is not the table of the code; `{WRITE}=1 cargo test --lib settings_page` \
         writes it"
    );
}
