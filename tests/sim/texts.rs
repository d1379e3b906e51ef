//! Scenarios as text.

use evenkeel::sim::{Action, Pattern, Scenario, ServiceTime, When};

use crate::{millis, seconds};

const WHOLE: &str = r#"
name = "whole"
seed = 7
lasting = "1m 30s"
interval = "500ms"
trouble_at = "10s"
detected_by = ["ejection"]
traced = true

[[servers]]
name = "a"
service = { bimodal = { fast = "5ms", slow = "500ms", slow_percent = 1.0 } }
workers = 8
queue = 100
when_full = "overloaded"
crash_at = 90
restart_after = "30s"
cold_factor = 4.0
warm_up = "1m"
notices_hang_ups = true
weight = 3
tier = 0
zone = "x"

[[servers]]
name = "b"
fault = { flapping = { fault = { grey = { factor = 2.0, error_percent = 5.0 } }, on = "1s", off = "9s" } }
listed = false

[[clients]]
name = "shop"
copies = 3
worker = false
hears_after = "2s"
[clients.config]
guard.max_share_percent = 60
[clients.config.strategy]
kind = "peak_ewma"

[[arrivals]]
pattern = { open = { rate = [{ at = "0s", per_second = 10.0 }, { at = "1m", per_second = 20.0 }], spacing = "even", burst = 2 } }
keys = { count = 10, hot_percent = 20.0 }
retries = { times = 2, after = "10ms", elsewhere = true }
patience = "3s"
from = "1s"
until = "80s"

[[arrivals]]
client = "shop"
pattern = { closed = { users = 3, think = { exponential = "1s" } } }

[[arrivals]]
pattern = { trace = ["1s", "1s", "2s"] }

[[changes]]
when = { at = "10s" }
do = { fault = { server = "a", fault = "black_hole" } }
note = "it hangs"

[[changes]]
when = { after_detection = "10s" }
client = "shop"
do = { apply = { config = { outlier = false }, guarded_for = "1m", by = "ann" } }

[[changes]]
when = { after_event = { event = "ejection" } }
do = { discover = { servers = ["a", "b"], weights = { b = 2 } } }

[[changes]]
when = { at = "50s" }
do = { rollback = {} }
"#;

#[test]
fn a_text_says_all_that_code_can() {
    let scenario = Scenario::from_toml(WHOLE).unwrap();
    assert_eq!((scenario.seed, scenario.interval), (7, millis(500)));
    assert_eq!(scenario.servers[0].service, ServiceTime::bimodal(millis(5), millis(500), 1.0));
    assert_eq!(scenario.clients[0].config.guard().max_share_percent().unwrap().get(), 60);
    assert!(matches!(&scenario.arrivals[2].pattern, Pattern::Trace(times) if times.len() == 3));
    assert_eq!(scenario.changes[1].when, When::AfterDetection(seconds(10)));
    assert!(matches!(&scenario.changes[3].action, Action::Rollback {}));
    let run = scenario.run().unwrap();
    assert!(run.totals.requests > 500, "{:?}", run.totals);
    assert!(run.happenings_of("change").any(|it| it.text == "it hangs"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_nearest_word() {
    for (text, path, said) in [
        ("name = 'x'\nlastin = '1s'", "lastin", "did you mean `lasting`?"),
        ("name = 'x'\n[[servers]]\nname = 'a'\nworker = 2", "servers[0].worker", "`workers`?"),
        ("name = 'x'\nlasting = 'soon'", "lasting", "`soon` is no duration"),
        (
            "name = 'x'\n[[changes]]\nwhen.at = '1s'\ndo.set_wait = {}",
            "changes[0].do",
            "did you mean `set_weight`?",
        ),
        (
            "name = 'x'\n[[clients]]\nname = 'c'\nconfig.strategy.kind = 'least'",
            "clients[0].config",
            "strategy.kind",
        ),
        ("name = ", "", ""),
    ] {
        let error = Scenario::from_toml(text).unwrap_err();
        let problem = &error.problems()[0];
        assert!(problem.path.starts_with(path), "{path}: {problem:?}");
        assert!(problem.message.contains(said), "{said}: {problem:?}");
        assert!(problem.position.is_some(), "{problem:?}");
    }
}

#[test]
fn a_run_can_be_written_down() {
    let run = Scenario::from_toml("name = 'x'\nlasting = '2s'").unwrap().run().unwrap();
    let json: serde_json::Value = serde_json::to_value(&run).unwrap();
    assert_eq!(json["lasted"], 2.0);
    assert_eq!(json["intervals"].as_array().unwrap().len(), 2);
}
