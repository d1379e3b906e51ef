//! Spans and figures through OpenTelemetry: `tracing-opentelemetry` takes the spans of requests, a small
//! recorder behind the `metrics` facade takes the figures.
//!
//! One of three endpoints fails whatever it is asked. A request that fails is tried once more
//! elsewhere, so some of them have two spans. Exporters that keep all in memory stand where OTLP
//! would.
//!
//! ```text
//! cargo run --example opentelemetry --features config,metrics,tracing
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use evenkeel::{Balancer, BoxError, Config, Endpoint, EndpointError, Key, Metrics, find_cause};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use parking_lot::Mutex;
use tower::{ServiceExt, service_fn};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("shop"));
    let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
    tracing_subscriber::registry().with(layer).init();

    let figures = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(figures.clone()).build();

    let answer = |works: bool| {
        service_fn(move |_: Request| async move {
            if works { Ok("hello") } else { Err(std::io::Error::other("no")) }
        })
    };
    // In turn, so that whoever fails is asked again; the default strategy would hardly do so.
    let balancer = Balancer::builder()
        .name("checkout")
        .config(Config::from_toml("[strategy]\nkind = 'round_robin'")?)
        .endpoint(Endpoint::new("ann", answer(true)))
        .endpoint(Endpoint::new("bob", answer(false)))
        .endpoint(Endpoint::new("cal", answer(true)))
        .build()?;
    let mut metrics = Metrics::new(&balancer).recorder(OpenTelemetry::new(meters.meter("shop")));

    let service = balancer.service().key_by(|request: &Request| request.key.clone());
    let order = async || {
        let first = match service.clone().oneshot(Request { key: Key::none() }).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(failed) = find_cause::<EndpointError>(&*first) else { return Err(first) };
        let elsewhere = Key::none().excluding(failed.endpoint());
        service.clone().oneshot(Request { key: elsewhere }).await
    };
    let mut answered = 0;
    for _ in 0..30 {
        answered += usize::from(order().instrument(tracing::info_span!("order")).await.is_ok());
    }
    metrics.record();
    tracers.force_flush()?;
    meters.force_flush()?;

    let all = spans.get_finished_spans()?;
    let spans: Vec<_> = all.iter().filter(|span| span.name == "evenkeel").collect();
    let attributes = |at: usize| {
        let pairs = spans[at].attributes.iter();
        pairs.map(|it| (it.key.to_string(), it.value.to_string())).collect::<BTreeMap<_, _>>()
    };
    let retries = (0..spans.len()).filter(|at| attributes(*at)["attempt"] == "2");
    let retries: Vec<_> = retries.collect();
    println!(
        "{} spans of requests, {} of second attempts; one of these:",
        spans.len(),
        retries.len()
    );
    let second = *retries.first().ok_or("nothing was tried twice")?;
    let parent =
        all.iter().find(|span| span.span_context.span_id() == spans[second].parent_span_id);
    println!("  within `{}`", parent.map_or("nothing", |span| &span.name));
    for (name, value) in attributes(second).iter().filter(|it| FIELDS.contains(&it.0.as_str())) {
        println!("  {name} = {value}");
    }

    println!("Figures:");
    let told = points(&figures)?;
    let shown = ["picks_total", "outcomes_total", "ejections_enforced_total", "endpoints"];
    let is_shown = |name: &str| shown.iter().any(|it| name == format!("evenkeel_{it}"));
    for ((name, labels), value) in told.iter().filter(|it| is_shown(&it.0.0) && *it.1 > 0.0) {
        println!("  {name}{{{labels}}} {value}");
    }
    let value = |name: &str, labels: &str| {
        let key = (format!("evenkeel_{name}"), format!("balancer=checkout{labels}"));
        told.get(&key).copied().unwrap_or(f64::NAN)
    };
    let failed = value("outcomes_total", ",outcome=failure");
    promise("every order was answered, some at the second attempt", answered == 30)?;
    promise("every attempt has a span", spans.len() as f64 == value("picks_total", ""))?;
    promise(
        "every span says all there is to say",
        (0..spans.len()).all(|at| FIELDS.iter().all(|field| attributes(at).contains_key(*field))),
    )?;
    promise("as many failed as were tried again", failed == retries.len() as f64)?;
    promise(
        "no second attempt went to whom the first had",
        retries.iter().all(|at| attributes(*at)["endpoint"] != "bob"),
    )
}

#[derive(Clone)]
struct Request {
    key: Key,
}

/// The fields of a request's span.
const FIELDS: [&str; 5] = ["balancer", "endpoint", "attempt", "strategy", "version"];

/// A recorder that hands on to OpenTelemetry: counters as counters, gauges as gauges.
///
/// Each instrument is made once, with its unit and what it means, for OpenTelemetry takes those that
/// differ in that for two. There are no histograms: `Metrics` tells of none.
struct OpenTelemetry {
    meter: Meter,
    described: Mutex<HashMap<String, (Option<Unit>, SharedString)>>,
    counters: Mutex<HashMap<String, opentelemetry::metrics::Counter<u64>>>,
    gauges: Mutex<HashMap<String, opentelemetry::metrics::Gauge<f64>>>,
}

struct Told<I> {
    instrument: I,
    labels: Vec<KeyValue>,
}

impl OpenTelemetry {
    fn new(meter: Meter) -> Self {
        let (described, counters, gauges) = Default::default();
        Self { meter, described, counters, gauges }
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>, help: SharedString) {
        self.described.lock().insert(name.as_str().to_owned(), (unit, help));
    }

    fn description(&self, name: &str) -> (&'static str, String) {
        let described = self.described.lock();
        described.get(name).map_or_else(Default::default, |(unit, help)| {
            (unit.map_or("", |unit| unit.as_canonical_label()), help.to_string())
        })
    }
}

impl Recorder for OpenTelemetry {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, help);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &metrics::Key, _: &Metadata<'_>) -> Counter {
        let mut counters = self.counters.lock();
        let name = key.name().to_owned();
        let instrument = counters.entry(name.clone()).or_insert_with(|| {
            let (unit, help) = self.description(&name);
            self.meter.u64_counter(name).with_unit(unit).with_description(help).build()
        });
        Counter::from_arc(Arc::new(Told { instrument: instrument.clone(), labels: labels(key) }))
    }

    fn register_gauge(&self, key: &metrics::Key, _: &Metadata<'_>) -> Gauge {
        let mut gauges = self.gauges.lock();
        let name = key.name().to_owned();
        let instrument = gauges.entry(name.clone()).or_insert_with(|| {
            let (unit, help) = self.description(&name);
            self.meter.f64_gauge(name).with_unit(unit).with_description(help).build()
        });
        Gauge::from_arc(Arc::new(Told { instrument: instrument.clone(), labels: labels(key) }))
    }

    fn register_histogram(&self, _: &metrics::Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn labels(key: &metrics::Key) -> Vec<KeyValue> {
    let label = |it: &metrics::Label| KeyValue::new(it.key().to_owned(), it.value().to_owned());
    key.labels().map(label).collect()
}

impl CounterFn for Told<opentelemetry::metrics::Counter<u64>> {
    fn increment(&self, more: u64) {
        self.instrument.add(more, &self.labels);
    }

    /// OpenTelemetry is told what comes, not what there is; `Metrics` says no more than that.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Told<opentelemetry::metrics::Gauge<f64>> {
    /// As above: `Metrics` says where a gauge stands.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.instrument.record(value, &self.labels);
    }
}

type Points = BTreeMap<(String, String), f64>;

/// The last value of every series.
fn points(exporter: &InMemoryMetricExporter) -> Result<Points, BoxError> {
    fn text<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> String {
        let mut pairs: Vec<_> = attributes.map(|it| format!("{}={}", it.key, it.value)).collect();
        pairs.sort();
        pairs.join(",")
    }
    let mut points = Points::new();
    let finished = exporter.get_finished_metrics()?;
    let scopes = finished.iter().flat_map(ResourceMetrics::scope_metrics);
    for metric in scopes.flat_map(ScopeMetrics::metrics) {
        let mut note = |labels, value| points.insert((metric.name().to_owned(), labels), value);
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => sum.data_points().for_each(|point| {
                note(text(point.attributes()), point.value() as f64);
            }),
            AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                gauge.data_points().for_each(|point| {
                    note(text(point.attributes()), point.value());
                });
            }
            _ => {}
        }
    }
    Ok(points)
}

fn promise(what: &str, kept: bool) -> Result<(), BoxError> {
    println!("  {} {what}", if kept { "kept:  " } else { "BROKEN:" });
    if kept { Ok(()) } else { Err(format!("broken promise: {what}").into()) }
}
