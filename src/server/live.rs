//! New snapshots -> server-sent events, at most one in 50 ms.
//!
//! A stream beyond the bound tells how things stand and when to ask again, and ends: its client polls.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use imbl::OrdMap;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};
use warp::sse::Event;

use super::{
    House, told,
    wire::{Changed, Revision, health::Status},
};
use crate::{
    catalog::snapshot::{Series, Snapshot},
    types::Tag,
};

/// When a client without a stream of its own asks again, in milliseconds.
const AGAIN_AFTER_MS: &str = "1000";
const AT_MOST_EVERY: Duration = Duration::from_millis(50);
/// Beyond so many changes a client does better to ask for the lists again.
const MOST_CHANGES: usize = 1_000;

struct Listener {
    changes: watch::Receiver<Arc<Snapshot>>,
    stopping: watch::Receiver<bool>,
    /// What the client knows; nothing yet when it has just come.
    known: Option<Arc<Snapshot>>,
    not_before: Instant,
    instance: u64,
    place: Place,
    house: Arc<House>,
}

/// Whether a client hears more than how things stand.
enum Place {
    Taken {
        _permit: OwnedSemaphorePermit,
    },
    /// There is none: it asks again.
    Missing,
    /// It knows that.
    Refused,
}

impl Place {
    fn in_house(house: &House) -> Self {
        match Arc::clone(&house.streams).try_acquire_owned() {
            Ok(permit) => Self::Taken { _permit: permit },
            Err(_) => Self::Missing,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.house.metrics.listeners.dec();
    }
}

/// One event at once, which says where things stand, and then one for each change. Ends when the program stops, or behind
/// the first event and one that says when to ask again where all streams are taken.
pub(super) fn events(house: Arc<House>) -> impl Stream<Item = Result<Event, Infallible>> {
    house.metrics.listeners.inc();
    let listener = Listener {
        changes: house.catalog.changes(),
        stopping: house.stopping.clone(),
        known: None,
        not_before: Instant::now(),
        instance: house.instance,
        place: Place::in_house(&house),
        house,
    };
    stream::unfold(listener, async |mut listener| {
        match listener.place {
            Place::Missing if listener.known.is_some() => {
                listener.place = Place::Refused;
                return Some((Ok(Event::default().event("again").data(AGAIN_AFTER_MS)), listener));
            }
            Place::Refused => return None,
            Place::Missing | Place::Taken { .. } => {}
        }
        let revision = tokio::select! {
            () = told(&mut listener.stopping) => return None,
            revision = next(&mut listener.changes, &mut listener.known, listener.not_before, listener.instance) => revision?,
        };
        // The first change after a pause goes out at once; those that follow closely are gathered.
        listener.not_before = Instant::now() + AT_MOST_EVERY;
        let event = Event::default()
            .event("revision")
            .json_data(revision)
            .expect("text, numbers and lists become JSON");
        Some((Ok(event), listener))
    })
}

async fn next(
    changes: &mut watch::Receiver<Arc<Snapshot>>,
    known: &mut Option<Arc<Snapshot>>,
    not_before: Instant,
    instance: u64,
) -> Option<Revision> {
    if known.is_some() {
        changes.changed().await.ok()?;
        sleep_until(not_before).await;
    }
    let new = Arc::clone(&changes.borrow_and_update());
    let old = known.replace(Arc::clone(&new));
    let changed = old.map_or(Some(Vec::new()), |old| changed(&old, &new, instance));
    Some(Revision {
        revision: new.revision,
        status: Status::of(&new),
        reset: changed.is_none(),
        changed: changed.unwrap_or_default(),
    })
}

/// The series that differ; `None` when some are gone or they are too many.
fn changed(old: &Snapshot, new: &Snapshot, instance: u64) -> Option<Vec<Changed>> {
    let runs = differing(&old.runs, &new.runs)?;
    let none = OrdMap::new();
    let mut changed = Vec::new();
    for (name, run) in runs {
        let before = old.runs.get(name).map_or(&none, |run| &run.series);
        let is_shown = |series: &Series| series.facts.ignored_by.is_none();
        // Of those that rules leave out, nobody wants to hear but when they begin to be left out.
        let was_shown = |tag: &Tag| before.get(tag).is_some_and(|series| is_shown(series));
        let series = differing(before, &run.series)?
            .into_iter()
            .filter(|(tag, series)| is_shown(series) || was_shown(tag));
        changed.extend(series.map(|(_, series)| Changed::of(series, instance)));
        if changed.len() > MOST_CHANGES {
            return None;
        }
    }
    Some(changed)
}

/// What is new or another in `new`; `None` when something of `old` is gone. Snapshots share what did not change.
fn differing<'a, K: Ord + Clone, V>(
    old: &OrdMap<K, Arc<V>>,
    new: &'a OrdMap<K, Arc<V>>,
) -> Option<Vec<(&'a K, &'a Arc<V>)>> {
    let is_same = |key: &K, value: &Arc<V>| old.get(key).is_some_and(|before| Arc::ptr_eq(before, value));
    let n_added = new.keys().filter(|key| !old.contains_key(*key)).count();
    (old.len() + n_added == new.len())
        .then(|| new.iter().filter(|(key, value)| !is_same(key, value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_and_what_is_gone_starts_anew() {
        let old: OrdMap<&str, Arc<u8>> = [("a", Arc::new(1)), ("b", Arc::new(2))].into_iter().collect();
        let grown = old.update("b", Arc::new(3)).update("c", Arc::new(4));
        let keys = |old, new| {
            differing(old, new).map(|found| found.into_iter().map(|(key, _)| *key).collect::<Vec<_>>())
        };
        assert_eq!(keys(&old, &grown), Some(vec!["b", "c"]));
        let same = old.clone();
        assert_eq!(keys(&old, &same), Some(vec![]));
        assert_eq!(keys(&grown, &old), None);
        let other = old.without("a").update("z", Arc::new(9));
        assert_eq!(keys(&old, &other), None);
    }
}
