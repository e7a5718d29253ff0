//! New snapshots -> server-sent events, at most one per 50 ms.
//!
//! If too many streams are open, a new one sends the current state, says when to ask again, and ends: its client polls.
//!
//! One task compares each snapshot with the previous one, and all streams get the same text. A stream that missed a snapshot makes its
//! own comparison. The threads that answer requests do none of this.
//!
//! No history of changes is kept: a client that missed some gets one larger event, and a client whose runs or tags are gone gets an event
//! with `reset`. Runs and series are equal if they are the same object in memory, so the parts that two maps share need no comparison.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use imbl::{OrdMap, ordmap::DiffItem};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};
use warp::sse::Event;

use super::{
    app::AppState,
    catalog_change::CatalogChange,
    shutdown::stopped,
    wire::{Changed, Revision},
};
use crate::{
    catalog::snapshot::{Run, Series, Snapshot},
    listing::health::Status,
    lookup::error::AnswerError,
    types::Tag,
};

/// After how many milliseconds a client without a permanent stream asks again.
const AGAIN_AFTER_MS: &str = "1000";
const AT_MOST_EVERY: Duration = Duration::from_millis(50);
/// If there are more changes, the client requests the lists again.
const MOST_CHANGES: usize = 1_000;

/// Publishes changes of the catalog to all event streams until the program stops.
pub(super) async fn publish_changes(app: Arc<AppState>) {
    let (mut changes, mut stopping) = (app.catalog.changes(), app.stopping.clone());
    let mut known = Arc::clone(&app.latest_change.borrow().snapshot);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        let new = Arc::clone(&changes.borrow_and_update());
        // Without open streams no comparison is needed: a new stream starts with the current state.
        let (since, snapshot) = (known.revision, Arc::clone(&new));
        let text = match app.latest_change.receiver_count() {
            0 => None,
            _ => event_of_changes(&app, known, Arc::clone(&new)).await.ok(),
        };
        let latest_change = match text {
            Some(text) => CatalogChange { since, snapshot, text },
            None => CatalogChange::none(snapshot),
        };
        app.latest_change.send_replace(Arc::new(latest_change));
        known = new;
        // The first change after a pause is sent at once; changes that follow closely are combined.
        sleep_until(Instant::now() + AT_MOST_EVERY).await;
    }
}

struct EventStream {
    latest_change: watch::Receiver<Arc<CatalogChange>>,
    stopping: watch::Receiver<bool>,
    /// The snapshot that the client knows; `None` before the first event.
    known: Option<Arc<Snapshot>>,
    slot: StreamSlot,
    app: Arc<AppState>,
}

/// Whether a stream stays open after the first event.
enum StreamSlot {
    Taken {
        _permit: OwnedSemaphorePermit,
    },
    /// All streams are taken: after the first event the client is told to ask again.
    Missing,
    /// The client has been told, and the stream ends.
    Refused,
}

impl StreamSlot {
    fn acquire(app: &AppState) -> Self {
        match Arc::clone(&app.streams).try_acquire_owned() {
            Ok(permit) => Self::Taken { _permit: permit },
            Err(_) => Self::Missing,
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.app.metrics.listeners.dec();
    }
}

/// One event at once with the current state, then one for each change, until the program stops. If all streams are taken, a second event
/// says when to ask again, and then the stream ends.
pub(super) fn events(app: Arc<AppState>) -> impl Stream<Item = Result<Event, Infallible>> {
    app.metrics.listeners.inc();
    let state = EventStream {
        latest_change: app.latest_change.subscribe(),
        stopping: app.stopping.clone(),
        known: None,
        slot: StreamSlot::acquire(&app),
        app,
    };
    stream::unfold(state, async |mut state| {
        match state.slot {
            StreamSlot::Missing if state.known.is_some() => {
                state.slot = StreamSlot::Refused;
                return Some((Ok(Event::default().event("again").data(AGAIN_AFTER_MS)), state));
            }
            StreamSlot::Refused => return None,
            StreamSlot::Missing | StreamSlot::Taken { .. } => {}
        }
        let EventStream { latest_change, stopping, known, app, .. } = &mut state;
        let text = tokio::select! {
            () = stopped(stopping) => return None,
            text = next_event(latest_change, known, app) => text?,
        };
        Some((Ok(Event::default().event("revision").data(&*text)), state))
    })
}

async fn next_event(
    latest_change: &mut watch::Receiver<Arc<CatalogChange>>,
    known: &mut Option<Arc<Snapshot>>,
    app: &Arc<AppState>,
) -> Option<Arc<str>> {
    let Some(known) = known else {
        let snapshot = known.insert(app.catalog.snapshot());
        return Some(text(snapshot, Some(SnapshotDiff::default())).into());
    };
    loop {
        latest_change.changed().await.ok()?;
        let newest = Arc::clone(&latest_change.borrow_and_update());
        if newest.snapshot.revision <= known.revision {
            continue;
        }
        let before = std::mem::replace(known, Arc::clone(&newest.snapshot));
        if newest.since <= before.revision {
            return Some(Arc::clone(&newest.text));
        }
        return event_of_changes(app, before, Arc::clone(&newest.snapshot)).await.ok();
    }
}

/// The event that describes the changes from `old` to `new`.
async fn event_of_changes(
    app: &AppState,
    old: Arc<Snapshot>,
    new: Arc<Snapshot>,
) -> Result<Arc<str>, AnswerError> {
    let instance = app.instance;
    // This may drop the last reference to the old snapshot, which takes some time.
    let compare = move || text(&new, difference(&old, &new, instance)).into();
    app.pictures.pool.run_short(compare).await
}

/// The difference of two snapshots.
#[derive(Default)]
struct SnapshotDiff {
    changed: Vec<Changed>,
    new_names: bool,
}

/// The text of an event; `difference` is `None` if everything may be different.
fn text(snapshot: &Snapshot, difference: Option<SnapshotDiff>) -> String {
    let reset = difference.is_none();
    let SnapshotDiff { changed, new_names } = difference.unwrap_or_default();
    let (revision, status) = (snapshot.revision, Status::of(snapshot));
    Revision { revision, status, reset, new_names, changed }.text()
}

/// The series that differ, and whether there are new names; `None` if runs or tags are gone or too many series differ.
fn difference(old: &Snapshot, new: &Snapshot, instance: u64) -> Option<SnapshotDiff> {
    let none = Run::default();
    let mut found = SnapshotDiff { new_names: new.runs.len() > old.runs.len(), ..SnapshotDiff::default() };
    for run in differing(&old.runs, &new.runs) {
        let (name, run) = run?;
        let before = old.runs.get(name).map_or(&none, |run| run);
        found.new_names |= names(run) > names(before);
        add_changed(&mut found.changed, before, run, instance)?;
    }
    Some(found)
}

/// How many tags a run has, with those that cannot be drawn.
fn names(run: &Run) -> usize {
    run.series.len() + run.skipped.len()
}

/// Adds the series of a run that differ; `None` as in [`difference`].
fn add_changed(changed: &mut Vec<Changed>, old: &Run, new: &Run, instance: u64) -> Option<()> {
    let is_shown = |series: &Series| series.facts.ignored_by.is_none();
    // A series that a rule hides is reported only when it becomes hidden.
    let was_shown = |tag: &Tag| old.series.get(tag).is_some_and(|series| is_shown(series));
    for series in differing(&old.series, &new.series) {
        let (tag, series) = series?;
        if is_shown(series) || was_shown(tag) {
            changed.push(Changed::of(series, instance));
        }
        if changed.len() > MOST_CHANGES {
            return None;
        }
    }
    Some(())
}

/// The entries that are new or different in `new`, and `None` for each entry that is gone. Shared parts are not compared.
fn differing<'a, K: Ord, V: PartialEq>(
    old: &'a OrdMap<K, V>,
    new: &'a OrdMap<K, V>,
) -> impl Iterator<Item = Option<(&'a K, &'a V)>> {
    old.diff(new).map(|item| match item {
        DiffItem::Add(key, value) | DiffItem::Update { new: (key, value), .. } => Some((key, value)),
        DiffItem::Remove(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, cmp::Ordering};

    use super::*;
    use crate::{catalog::snapshot::Skipped, event::summary::ValueKind, types::RunName};

    fn keys<K: Ord + Clone, V: PartialEq>(old: &OrdMap<K, V>, new: &OrdMap<K, V>) -> Option<Vec<K>> {
        differing(old, new).map(|found| found.map(|(key, _)| key.clone())).collect()
    }

    #[test]
    fn what_differs_is_told_and_what_is_gone_starts_anew() {
        let old: OrdMap<&str, u8> = [("a", 1), ("b", 2)].into_iter().collect();
        let grown = old.update("b", 3).update("c", 4);
        assert_eq!(keys(&old, &grown), Some(vec!["b", "c"]));
        let same = old.clone();
        assert_eq!(keys(&old, &same), Some(vec![]));
        assert_eq!(keys(&grown, &old), None);
        let other = old.without("a").update("z", 9);
        assert_eq!(keys(&old, &other), None);
    }

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// A key that counts how often keys are compared.
    #[derive(Clone, PartialEq, Eq)]
    struct Counted(u32);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARED.set(COMPARED.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn of_many_runs_only_those_around_a_change_are_looked_at() {
        let old: OrdMap<Counted, u32> = (0..10_000).map(|key| (Counted(2 * key), key)).collect();
        let check = |new: &OrdMap<Counted, u32>, expected: &[u32]| {
            COMPARED.set(0);
            let found: Vec<u32> = differing(&old, new).map(|found| found.unwrap().0.0).collect();
            assert_eq!(found, expected);
            assert!(COMPARED.get() < 1_000, "{} comparisons of 10,000 keys", COMPARED.get());
        };
        check(&old.clone(), &[]);
        check(&old.update(Counted(8_000), 1), &[8_000]);
        check(&old.update(Counted(7_777), 1).update(Counted(0), 1), &[0, 7_777]);
    }

    #[test]
    fn runs_and_series_are_compared_by_their_places() {
        let (run, alike) = (Arc::new(Run::default()), Arc::new(Run::default()));
        assert!(run == Arc::clone(&run) && run != alike);
        let difference = difference(&Snapshot::empty(), &Snapshot::empty(), 0).unwrap();
        assert!(difference.changed.is_empty() && !difference.new_names);
    }

    fn of_scalars(tags: &[(&str, u64)]) -> Snapshot {
        let skipped = |count| Skipped { kind: ValueKind::Scalar, count };
        let skipped = tags.iter().map(|(tag, count)| (Tag::from(*tag), skipped(*count))).collect();
        let mut snapshot = Snapshot::empty();
        snapshot.runs.insert(RunName::from("train"), Arc::new(Run { skipped, ..Run::default() }));
        snapshot
    }

    #[test]
    fn a_run_or_tag_that_is_not_drawn_is_a_new_name_once() {
        let check = |old: &Snapshot, new: &Snapshot, expected: bool| {
            assert_eq!(difference(old, new, 0).unwrap().new_names, expected);
        };
        let one = of_scalars(&[("loss", 1)]);
        check(&Snapshot::empty(), &Snapshot { runs: of_scalars(&[]).runs, ..Snapshot::empty() }, true);
        check(&Snapshot::empty(), &one, true);
        check(&one, &of_scalars(&[("loss", 2)]), false);
        check(&one, &of_scalars(&[("accuracy", 1), ("loss", 1)]), true);
    }
}
