//! Counters that are updated while requests are answered.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

/// The counters. Other metrics are computed when they are requested.
#[derive(Default)]
pub(super) struct Metrics {
    /// Answers by path and status.
    pub(super) answers: Family<AnswerLabels, Counter>,
    /// Open live streams.
    pub(super) listeners: Gauge,
}

/// The labels by which answers are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AnswerLabels {
    pub(super) path: &'static str,
    pub(super) status: u16,
}
