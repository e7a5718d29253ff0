//! How many requests wait for an answer. The background check pauses while there are any.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many requests wait for an answer.
#[derive(Debug, Default)]
pub struct Demand(AtomicUsize);

/// A request waits for an answer as long as this value lives.
pub struct Waiting(Arc<Demand>);

impl Demand {
    /// A request begins to wait.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Waiting {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }

    /// Whether any request waits.
    pub(super) fn is_anyone_waiting(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_waits_as_long_as_his_guard_lives() {
        let demand = Arc::new(Demand::default());
        let (first, second) = (demand.enter(), demand.enter());
        drop(first);
        assert!(demand.is_anyone_waiting());
        drop(second);
        assert!(!demand.is_anyone_waiting());
    }
}
