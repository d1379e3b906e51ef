//! What is previewed with some of them out is what comes of it.

use evenkeel::{Availability, Balancer, EndpointSpec, Outcome, Preview};

use crate::support::{builder, config, endpoints, id};
use crate::{EXACT, SECOND, Story, count, story, told};

/// Every endpoint has the share that was promised for the state of health.
fn kept<T: Send + Sync + 'static>(promised: &Preview, balancer: &Balancer<T>) {
    for endpoint in balancer.status().endpoints {
        let share = promised.shares.iter().find(|share| share.id == endpoint.id);
        let (after, came) = (share.map_or(0.0, |share| share.after_now), endpoint.expected_share);
        assert!((after - came).abs() < 1e-9, "{}: promised {after}, came {came}", endpoint.id);
    }
}

/// Applies `settings` and sees that it comes as it was previewed.
fn applied(story: &Story, settings: &str) {
    let settings = config(settings);
    let promised = story.balancer.preview(&settings).unwrap();
    story.balancer.apply(settings).unwrap();
    kept(&promised, &story.balancer);
}

/// The specs of these endpoints, each of weight 1.
fn specs(numbers: std::ops::Range<usize>) -> impl Iterator<Item = EndpointSpec> {
    numbers.map(|number| EndpointSpec::new(id(number), number.to_string()))
}

/// A story whose targets can be made.
fn described(more: &str, n: usize) -> Story {
    let builder = builder(&format!("{EXACT}{more}"), n, 7);
    told(builder.make(|spec| Ok(spec.address.parse()?)).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_lower_cap_and_whom_it_calls_back() {
    let story = story("", 10);
    (0..5).for_each(|number| story.fail(number, 5));
    for (percent, out) in [(40, 4), (20, 2), (0, 0)] {
        applied(&story, &format!("{EXACT}max_ejected_percent = {percent}\n"));
        assert_eq!(count(&story.balancer, &[Availability::Ejected]), out);
    }
}

#[tokio::test(start_paused = true)]
async fn the_amnesty_where_detection_is_switched_off() {
    let mut story = story("", 6);
    (0..3).for_each(|number| story.fail(number, 5));
    story.probe(0, Outcome::Success).await;
    applied(&story, "outlier = false\n[strategy]\nkind = 'round_robin'");
    assert_eq!(count(&story.balancer, &[Availability::Available]), 5);
    // Only its beginning lets anybody back.
    story.balancer.eject(&id(4), SECOND).unwrap();
    story.words();
    applied(&story, "outlier = false\n[strategy]\nkind = 'random'");
    assert_eq!(story.state(4), Availability::Ejected);
}

#[tokio::test(start_paused = true)]
async fn newcomers_and_the_share_they_begin_with() {
    for joining in [false, true] {
        let story = described(&format!("[slow_start]\nnew_endpoints = {joining}\n"), 3);
        let promised = story.balancer.preview_specs(specs(0..5)).unwrap();
        story.balancer.replace_specs(specs(0..5)).unwrap();
        kept(&promised, &story.balancer);
        let warming = count(&story.balancer, &[Availability::Warming]);
        assert_eq!(warming, if joining { 2 } else { 0 });
        let served = (*story.balancer.config()).clone();
        let more = served.with_endpoints(Some(specs(0..7).collect())).unwrap();
        let promised = story.balancer.preview(&more).unwrap();
        story.balancer.apply(more).unwrap();
        kept(&promised, &story.balancer);
        // Where all are new nobody could take what a ramp leaves.
        let promised = story.balancer.preview_specs(specs(20..27)).unwrap();
        story.balancer.replace_specs(specs(20..27)).unwrap();
        kept(&promised, &story.balancer);
        assert_eq!(count(&story.balancer, &[Availability::Warming]), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_in_time_as_what_it_was() {
    let story = described("", 6);
    (0..3).for_each(|number| story.fail(number, 5));
    story.balancer.replace(endpoints(10..16)).unwrap();
    let promised = story.balancer.preview_specs(specs(0..6)).unwrap();
    story.balancer.replace_specs(specs(0..6)).unwrap();
    kept(&promised, &story.balancer);
    assert_eq!(count(&story.balancer, &[Availability::Ejected]), 3);
}

#[tokio::test(start_paused = true)]
async fn weights_of_zero_and_whom_they_call_back() {
    let story = story("", 4);
    (0..2).for_each(|number| story.fail(number, 5));
    let promised = story.balancer.preview_weight(&id(3), 0).unwrap();
    story.balancer.set_weight(&id(3), 0).unwrap();
    kept(&promised, &story.balancer);
    assert_eq!(count(&story.balancer, &[Availability::Ejected]), 1);
}

#[tokio::test(start_paused = true)]
async fn panic_that_begins_and_ends_with_the_settings() {
    let settings = |percent: u32| {
        format!(
            "{EXACT}max_ejected_percent = 100\n[panic]\nthreshold_percent = {percent}\nexit_percent = {percent}\n"
        )
    };
    let story = told(crate::support::balancer(&settings(10), 4, 7));
    (0..2).for_each(|number| story.fail(number, 5));
    assert!(!story.balancer.status().panic);
    applied(&story, &settings(55));
    assert!(story.balancer.status().panic);
    applied(&story, &settings(20));
    assert!(!story.balancer.status().panic);
}
