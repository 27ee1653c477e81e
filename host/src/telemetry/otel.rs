//! The instruments of the process, over the facade of OpenTelemetry.

use std::sync::OnceLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    Counter as OtelCounter, Histogram as OtelHistogram, Meter, ObservableGauge,
};

use super::Class;
use super::pending;
use super::table::{Instruments, Metric};
use crate::prices::Prices;

static INSTALLED: OnceLock<(Instruments, Prices)> = OnceLock::new();

/// Installs the instruments. Returns false if there are some.
pub(super) fn install(meter: &Meter, prices: Prices) -> bool {
    let mut is_new = false;
    INSTALLED.get_or_init(|| {
        is_new = true;
        (Instruments::new(meter), prices)
    });
    is_new
}

/// Returns the instruments, if there are some.
pub(super) fn installed() -> Option<&'static Instruments> {
    INSTALLED.get().map(|(instruments, _)| instruments)
}

/// Returns the price of a request, in dollars.
pub(super) fn price(class: Class) -> f64 {
    let prices = INSTALLED.get().map(|(_, prices)| *prices).unwrap_or_default();
    match class {
        Class::Write => prices.writes / 1_000.0,
        Class::Read => prices.reads / 1_000.0,
        Class::Free => 0.0,
    }
}

/// Returns a builder of an instrument with its description.
macro_rules! described {
    ($builder:expr, $metric:expr) => {
        $builder.with_description($metric.meaning).with_unit($metric.unit)
    };
}

pub(super) struct Counter(Option<OtelCounter<u64>>);

impl Counter {
    pub(super) fn new(meter: &Meter, metric: Option<&Metric>) -> Self {
        Self(metric.map(|it| described!(meter.u64_counter(it.name), it).build()))
    }

    pub(super) fn add<const N: usize>(&self, more: u64, labels: [(&'static str, &'static str); N]) {
        if let Some(counter) = &self.0 {
            counter.add(more, &labels.map(pair));
        }
    }
}

pub(super) struct Sum(Option<OtelCounter<f64>>);

impl Sum {
    pub(super) fn new(meter: &Meter, metric: Option<&Metric>) -> Self {
        Self(metric.map(|it| described!(meter.f64_counter(it.name), it).build()))
    }

    pub(super) fn add<const N: usize>(&self, more: f64, labels: [(&'static str, &'static str); N]) {
        if let Some(sum) = &self.0 {
            sum.add(more, &labels.map(pair));
        }
    }
}

pub(super) struct Histogram(Option<OtelHistogram<f64>>);

impl Histogram {
    pub(super) fn new(meter: &Meter, metric: Option<&Metric>) -> Self {
        Self(metric.map(|it| {
            let builder = described!(meter.f64_histogram(it.name), it);
            builder.with_boundaries(it.bounds.to_vec()).build()
        }))
    }

    pub(super) fn record<const N: usize>(
        &self,
        value: f64,
        labels: [(&'static str, &'static str); N],
    ) {
        if let Some(histogram) = &self.0 {
            histogram.record(value, &labels.map(pair));
        }
    }
}

/// The age of the oldest pending event, which the provider asks for.
pub(super) struct Gauge {
    _asked: Option<ObservableGauge<f64>>,
}

impl Gauge {
    pub(super) fn new(meter: &Meter, metric: Option<&Metric>) -> Self {
        let gauge = metric.map(|it| {
            let builder = described!(meter.f64_observable_gauge(it.name), it);
            let age = |observer: &dyn opentelemetry::metrics::AsyncInstrument<f64>| {
                observer.observe(pending::oldest_age().as_secs_f64(), &[]);
            };
            builder.with_callback(age).build()
        });
        Self { _asked: gauge }
    }
}

fn pair((name, value): (&'static str, &'static str)) -> KeyValue {
    KeyValue::new(name, value)
}
