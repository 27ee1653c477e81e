//! The instruments of a library without the feature `metrics`: none, which costs nothing.

use super::table::Instruments;

pub(super) struct Counter;
pub(super) struct Sum;
pub(super) struct Histogram;
pub(super) struct Gauge;

impl Counter {
    pub(super) fn add<const N: usize>(&self, _: u64, _: [(&'static str, &'static str); N]) {}
}

impl Sum {
    pub(super) fn add<const N: usize>(&self, _: f64, _: [(&'static str, &'static str); N]) {}
}

impl Histogram {
    pub(super) fn record<const N: usize>(&self, _: f64, _: [(&'static str, &'static str); N]) {}
}

/// Returns no instruments.
pub(super) fn installed() -> Option<&'static Instruments> {
    None
}

/// Returns the prices of a request that nobody counts.
pub(super) fn price(_: super::Class) -> f64 {
    0.0
}
