//! How many names and series work has looked at: tests bound it by counting, since a clock tells of the machine.

use std::cell::Cell;

thread_local! {
    static N_VISITS: Cell<usize> = const { Cell::new(0) };
}

/// One more was looked at.
pub(super) fn count() {
    N_VISITS.set(N_VISITS.get() + 1);
}

/// How many are looked at in the course of some work.
pub(super) fn of(work: impl FnOnce()) -> usize {
    let before = N_VISITS.get();
    work();
    N_VISITS.get() - before
}
