//! What is counted while requests are answered.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

/// The counts; the rest is read when somebody asks.
#[derive(Default)]
pub(super) struct Metrics {
    /// Answers by path and status.
    pub(super) answers: Family<AnswerLabels, Counter>,
    /// Open live streams.
    pub(super) listeners: Gauge,
}

/// What answers are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AnswerLabels {
    pub(super) path: &'static str,
    pub(super) status: u16,
}
