//! Counts how many names and series were examined: tests limit the work by this count, because times depend on the machine.

use std::cell::Cell;

thread_local! {
    static N_VISITS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one more.
pub(super) fn count() {
    N_VISITS.set(N_VISITS.get() + 1);
}

/// How many are examined during some work.
pub(super) fn of(work: impl FnOnce()) -> usize {
    let before = N_VISITS.get();
    work();
    N_VISITS.get() - before
}
