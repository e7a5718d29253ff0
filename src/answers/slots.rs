//! Long answers in progress -> whether one more may start, and which one is stopped to make room for it.
//!
//! Each of them holds memory between its parts, so their number is limited. If all slots are taken, an answer whose client reads too
//! slowly (see [`Pace`]) is stopped for a new one; other answers are never stopped.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

use super::pace::Pace;

/// How long a new answer waits for a slot. Before that, another one may have to finish a part or turn out to be slow.
const SLOT_WITHIN: Duration = Duration::from_secs(20);
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// The slots for work of type `T`.
pub(crate) struct Slots<T> {
    most: usize,
    taken: Mutex<Vec<Weak<Slot<T>>>>,
    /// New work waits in order of arrival.
    queue: tokio::sync::Mutex<()>,
}

/// One slot; dropping it frees it.
pub(crate) struct Slot<T>(Mutex<State<T>>);

enum State<T> {
    /// A part is being made.
    Working,
    /// The part is ready, and the client has not yet asked for the next one.
    Waiting {
        work: T,
        pace: Pace,
    },
    Ended,
}

impl<T> Slots<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default(), queue: tokio::sync::Mutex::default() }
    }

    /// A slot as soon as one is free; `None` if none became free in time.
    pub(crate) async fn take(&self) -> Option<Arc<Slot<T>>> {
        let turn = async {
            let _turn = self.queue.lock().await;
            loop {
                if let Some(slot) = self.try_take() {
                    return slot;
                }
                sleep(LOOKS_EVERY).await;
            }
        };
        timeout(SLOT_WITHIN, turn).await.ok()
    }

    fn try_take(&self) -> Option<Arc<Slot<T>>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|slot| slot.upgrade().is_some_and(|slot| !slot.has_ended()));
        if taken.len() >= self.most {
            let slots = taken.iter().filter_map(Weak::upgrade);
            let slow = slots.filter_map(|slot| Some((slot.slow_since()?, slot)));
            let (_, slowest) = slow.min_by_key(|(since, _)| *since)?;
            if !slowest.end() {
                return None;
            }
            taken.retain(|slot| slot.upgrade().is_some_and(|slot| !slot.has_ended()));
        }
        let slot = Arc::new(Slot(Mutex::new(State::Working)));
        taken.push(Arc::downgrade(&slot));
        Some(slot)
    }
}

impl<T> Slot<T> {
    /// Stores the work until its client asks for the next part; `pace` is that of the client.
    pub(crate) fn put(&self, work: T, pace: Pace) {
        let mut state = self.state();
        if !matches!(*state, State::Ended) {
            *state = State::Waiting { work, pace };
        }
    }

    /// Takes the work out to continue it; `None` if it was stopped, or if nothing was stored.
    pub(crate) fn pick(&self) -> Option<T> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Working) {
            State::Waiting { work, .. } => Some(work),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Stops the work if it waits for its client. Returns whether it did.
    fn end(&self) -> bool {
        let mut state = self.state();
        let is_waiting = matches!(*state, State::Waiting { .. });
        if is_waiting {
            *state = State::Ended;
        }
        is_waiting
    }

    /// Since when the work waits for its client, if the client is too slow.
    fn slow_since(&self) -> Option<Instant> {
        match &*self.state() {
            State::Waiting { pace, .. } => pace.is_slow().then(|| pace.since()),
            State::Working | State::Ended => None,
        }
    }

    fn has_ended(&self) -> bool {
        matches!(*self.state(), State::Ended)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::client::tests::Scripted;

    /// The pace of a client that has read nothing for this long.
    fn pace(seconds: u64) -> Pace {
        Pace::of(Arc::new(Scripted::default())).aged(Duration::from_secs(seconds))
    }

    #[test]
    fn works_that_get_on_keep_their_slots() {
        let slots = Slots::<&str>::new(2);
        let (first, second) = (slots.try_take().unwrap(), slots.try_take().unwrap());
        assert!(slots.try_take().is_none());
        first.put("first", pace(1));
        assert!(slots.try_take().is_none(), "it has not waited for long yet");
        assert_eq!(first.pick(), Some("first"));
        drop(second);
        assert!(slots.try_take().is_some());
    }

    #[test]
    fn the_one_that_waits_longest_is_ended_for_a_new_one() {
        let slots = Slots::new(3);
        let taken: Vec<_> = (0..3).map(|_| slots.try_take().unwrap()).collect();
        let work = Arc::new(());
        taken[1].put(Arc::clone(&work), pace(30));
        taken[0].put(Arc::clone(&work), pace(20));
        let fourth = slots.try_take().unwrap();
        assert_eq!(Arc::strong_count(&work), 2, "the stopped work is dropped");
        assert!(taken[1].pick().is_none() && taken[0].pick().is_some());
        assert!(slots.try_take().is_none(), "no other work waits");
        drop(fourth);
        assert!(slots.try_take().is_some());
    }
}
