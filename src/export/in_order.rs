//! Jobs -> results in the jobs' order, made on all cores with a bounded amount of memory.
//!
//! A job starts only when what is under way leaves room for it. Jobs start in their order, and results are
//! given out in the same order. So the job that all others wait for is always under way: nothing can hang, and nothing piles up.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

/// How much may be under way at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Threads; at least 1.
    pub threads: usize,
    /// Bytes, as the jobs' costs say. One job alone may cost more.
    pub bytes: u64,
}

/// How many finished jobs per thread may wait for an earlier one.
const AHEAD_A_THREAD: usize = 4;

#[derive(Default)]
struct Gate {
    jobs: usize,
    bytes: u64,
    closed: bool,
}

/// Does `work` on each job and gives the results to `take` in the jobs' order, until `take` breaks. Each job comes with its
/// cost in bytes.
pub fn in_order<J: Send, R: Send>(
    bounds: Bounds,
    jobs: impl Iterator<Item = (J, u64)> + Send,
    work: impl Fn(&J) -> R + Sync,
    mut take: impl FnMut(J, R) -> ControlFlow<()>,
) {
    let turn = Mutex::new(jobs.enumerate());
    let gate = Mutex::new(Gate::default());
    let room = Condvar::new();
    let (give, results) = mpsc::channel();
    let enter = |cost: u64| {
        let mut gate = locked(&gate);
        let is_full = |gate: &Gate| {
            let most = bounds.threads * AHEAD_A_THREAD;
            gate.jobs > 0 && (gate.jobs >= most || gate.bytes.saturating_add(cost) > bounds.bytes)
        };
        while !gate.closed && is_full(&gate) {
            gate = room.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        gate.jobs += 1;
        gate.bytes = gate.bytes.saturating_add(cost);
        !gate.closed
    };
    // The lock on the jobs is held while waiting at the gate: that keeps the order.
    let next = || {
        let mut jobs = locked(&turn);
        let (idx, (job, cost)) = jobs.next()?;
        enter(cost).then_some((idx, job, cost))
    };
    thread::scope(|scope| {
        for _ in 0..bounds.threads {
            let (give, next, work) = (give.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((idx, job, cost)) = next() {
                    let result = work(&job);
                    // Nobody waits for it any more when `take` broke.
                    let _ = give.send((idx, job, cost, result));
                }
            });
        }
        drop(give);
        let mut waiting = BTreeMap::new();
        let mut next_idx = 0;
        'all: for (idx, job, cost, result) in &results {
            waiting.insert(idx, (job, cost, result));
            while let Some((job, cost, result)) = waiting.remove(&next_idx) {
                next_idx += 1;
                let flow = take(job, result);
                let mut gate = locked(&gate);
                gate.jobs -= 1;
                gate.bytes = gate.bytes.saturating_sub(cost);
                gate.closed = flow.is_break();
                room.notify_all();
                if flow.is_break() {
                    break 'all;
                }
            }
        }
    });
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn results_come_in_order_and_memory_is_bounded(
            costs in prop::collection::vec(0_u64..200, 0..60),
            threads in 1_usize..5,
        ) {
            let under_way = AtomicU64::new(0);
            let most = AtomicU64::new(0);
            let work = |(_, cost): &(usize, u64)| {
                let now = under_way.fetch_add(*cost, Ordering::SeqCst) + cost;
                most.fetch_max(now, Ordering::SeqCst);
                // The later, the sooner done: the order must not come from the work.
                thread::yield_now();
            };
            let mut seen = Vec::new();
            let jobs = costs.iter().enumerate().map(|(idx, cost)| ((idx, *cost), *cost));
            in_order(Bounds { threads, bytes: 100 }, jobs, work, |(idx, cost), ()| {
                under_way.fetch_sub(cost, Ordering::SeqCst);
                seen.push(idx);
                ControlFlow::Continue(())
            });
            prop_assert_eq!(seen, (0..costs.len()).collect::<Vec<_>>());
            let largest = costs.iter().copied().max().unwrap_or(0);
            prop_assert!(most.into_inner() <= largest.max(100));
        }
    }

    #[test]
    fn a_break_ends_all_threads() {
        let mut seen = 0;
        let jobs = (0..1_000_000).map(|job| (job, 1));
        in_order(
            Bounds { threads: 3, bytes: 5 },
            jobs,
            |job| *job,
            |_, job| {
                seen = job;
                if job == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(seen, 20);
    }
}
