//! Alarms.

use proptest::option::of;
use proptest::prelude::*;

use super::{duration, number, whole};
use crate::config::{AlarmsConfig, EverybodySlowConfig};

pub(super) fn alarms() -> impl Strategy<Value = AlarmsConfig> {
    let lasts = |key: &str| of(duration(&format!("alarms.{key}")));
    let of_health = (
        lasts("panic"),
        lasts("cap_reached"),
        lasts("floor_reached"),
        lasts("ejection_suppressed"),
        of(everybody_slow()),
    );
    let of_changes = (
        lasts("update_refused"),
        lasts("set_unchanged"),
        lasts("share_raised"),
        lasts("skew"),
        lasts("source_failed"),
    );
    let times = (duration("alarms.clear_after"), duration("alarms.page_timeout"));
    (of_health, of_changes, times).prop_map(
        |((panic, cap, floor, kept, slow), (refused, old, share, skew, source), (over, limit))| {
            AlarmsConfig::default()
                .with_everybody_slow(slow)
                .with_panic(panic)
                .and_then(|it| it.with_cap_reached(cap))
                .and_then(|it| it.with_floor_reached(floor))
                .and_then(|it| it.with_ejection_suppressed(kept))
                .and_then(|it| it.with_update_refused(refused))
                .and_then(|it| it.with_set_unchanged(old))
                .and_then(|it| it.with_share_raised(share))
                .and_then(|it| it.with_skew(skew))
                .and_then(|it| it.with_source_failed(source))
                .and_then(|it| it.with_clear_after(over))
                .and_then(|it| it.with_page_timeout(limit))
                .unwrap()
        },
    )
}

fn everybody_slow() -> impl Strategy<Value = EverybodySlowConfig> {
    let of = |key: &str| format!("alarms.everybody_slow.{key}");
    let times = (duration(&of("minimum_gap")), duration(&of("baseline")), duration(&of("after")));
    (number(&of("factor")), whole(&of("request_volume")), times).prop_map(
        |(factor, volume, (gap, baseline, after))| {
            EverybodySlowConfig::default()
                .with_factor(factor)
                .and_then(|it| it.with_request_volume(volume))
                .and_then(|it| it.with_minimum_gap(gap))
                .and_then(|it| it.with_baseline(baseline))
                .and_then(|it| it.with_after(after))
                .unwrap()
        },
    )
}
