//! Requests about a log -> answers that are computed once, in bounded memory and on a bounded number of threads, and cached.

pub(crate) mod cache;
pub(crate) mod chart;
pub(crate) mod client;
pub(crate) mod differences;
pub(crate) mod films;
pub(crate) mod memory_gate;
pub(crate) mod need;
pub(crate) mod numbers;
pub(crate) mod pace;
pub(crate) mod pictures;
pub(crate) mod pool;
pub(crate) mod row;
pub(crate) mod run_ranges;
mod slots;
