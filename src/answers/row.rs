//! The statistics of one step, as a row of a chart.

use std::sync::Arc;

use super::cache::Weigh;
use crate::stats::{likeness::Likeness, numbers::Statistics};

/// The statistics of one step that charts show.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) whole: Statistics,
    /// Compared with the step before.
    pub(crate) change: Option<Likeness>,
    /// Compared with the first step.
    pub(crate) change_since_first: Option<Likeness>,
    /// The L2 norm of each filter or channel.
    pub(crate) l2: Vec<Option<f64>>,
    /// The relative change of each filter.
    pub(crate) each_change: Vec<Option<f64>>,
    /// The share of zeros of each channel.
    pub(crate) sparsity: Vec<Option<f64>>,
}

impl Weigh for Arc<Row> {
    fn bytes(&self) -> u64 {
        let each = self.l2.len() + self.each_change.len() + self.sparsity.len();
        (size_of::<Row>() + each * size_of::<Option<f64>>()) as u64
    }
}
