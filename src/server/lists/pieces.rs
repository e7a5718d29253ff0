//! Some runs, or some series of a run -> their JSON, compressed, made once for as long as these lie where they lay.

use std::{
    collections::VecDeque,
    ops::Bound,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    answers::cache::{Cache, Weigh},
    catalog::snapshot::{Run, Series, Snapshot},
    listing::{run::RunJson, series::SeriesJson, skipped::SkippedTag},
    model::role::Role,
    server::{
        gzip::Deflated,
        wire::{list::push, query::Part},
    },
    types::RunName,
};

/// So many entries are made at once; some milliseconds.
pub(super) const ENTRIES_AT_ONCE: usize = 256;
/// Orders of runs that are kept; each takes 8 bytes a series.
const ORDERS_KEPT: usize = 8;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) enum ListKind {
    Runs,
    Series,
    Skipped,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(in crate::server) struct ListRequest {
    pub(in crate::server) kind: ListKind,
    /// One run, which is there; all when left out.
    pub(in crate::server) run: Option<RunName>,
    /// Series of one role alone.
    pub(in crate::server) role: Option<Role>,
    pub(in crate::server) part: Option<Part>,
}

/// The pieces that are kept.
pub(in crate::server) struct Lists {
    kept: Cache<PieceKey, Arc<Piece>>,
    /// Of large runs that were listed lately.
    orders: Mutex<VecDeque<(Weak<Run>, Order)>>,
    pieces_made: AtomicU64,
    pub(super) instance: u64,
}

/// The series of a run, as they are listed.
pub(super) type Order = Arc<[Weak<Series>]>;

/// Which part of which list a piece is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PieceKey {
    pub(super) kind: ListKind,
    /// Whether the list is that of one run, not of all runs.
    pub(super) is_of_one_run: bool,
    pub(super) first_run: RunName,
    /// The position of the first entry among those of the first run.
    pub(super) first_entry: usize,
}

/// Some entries.
pub(super) struct Piece {
    items: WeakPieceItems,
    pub(super) n: usize,
    pub(super) entries: Deflated,
}

/// What a piece lists. Nothing else comes to lie at a place that is held here, though what lay there may be gone.
enum WeakPieceItems {
    Runs(Vec<Weak<Run>>),
    Series(Vec<Weak<Series>>),
}

impl Weigh for Arc<Piece> {
    /// What a list holds of series that are gone is not counted: together it is at most about the size of the index.
    fn bytes(&self) -> u64 {
        let held = match &self.items {
            WeakPieceItems::Runs(runs) => runs.len() * size_of::<Weak<Run>>(),
            WeakPieceItems::Series(series) => series.len() * size_of::<Weak<Series>>(),
        };
        (size_of::<Piece>() + self.entries.blocks.len() + held) as u64
    }
}

/// Whether this is what is held there.
fn is_same_item<T>(new: &Arc<T>, held: &Weak<T>) -> bool {
    std::ptr::eq(Arc::as_ptr(new), held.as_ptr())
}

/// What the next piece lists.
pub(super) enum PieceItems {
    Runs(Vec<(RunName, Arc<Run>)>),
    Series(Vec<Arc<Series>>),
}

impl PieceItems {
    /// Whether this piece lists the same.
    fn are_same(&self, held: &WeakPieceItems) -> bool {
        match (self, held) {
            (Self::Runs(new), WeakPieceItems::Runs(held)) => {
                new.len() == held.len()
                    && new.iter().zip(held).all(|((_, new), held)| is_same_item(new, held))
            }
            (Self::Series(new), WeakPieceItems::Series(held)) => {
                new.len() == held.len() && new.iter().zip(held).all(|(new, held)| is_same_item(new, held))
            }
            _ => false,
        }
    }

    fn downgraded(&self) -> WeakPieceItems {
        match self {
            Self::Runs(runs) => {
                WeakPieceItems::Runs(runs.iter().map(|(_, run)| Arc::downgrade(run)).collect())
            }
            Self::Series(series) => WeakPieceItems::Series(series.iter().map(Arc::downgrade).collect()),
        }
    }
}

impl Lists {
    pub(in crate::server) fn new(cache_bytes: u64, instance: u64) -> Self {
        let (kept, orders, pieces_made) = (Cache::new(cache_bytes), Mutex::default(), AtomicU64::new(0));
        Self { kept, orders, pieces_made, instance }
    }

    /// A piece as it was kept, or made now and kept.
    pub(super) fn piece(&self, key: &PieceKey, items: &PieceItems) -> Arc<Piece> {
        if let Some(kept) = self.kept.get(key).filter(|kept| items.are_same(&kept.items)) {
            return kept;
        }
        self.pieces_made.fetch_add(1, Ordering::Relaxed);
        let (n, entries) = self.entries(key.kind, items);
        let piece = Arc::new(Piece { items: items.downgraded(), n, entries: Deflated::of(&entries) });
        self.kept.put(key.clone(), Arc::clone(&piece));
        piece
    }

    /// The order of a run's series, found once for a run that does not change.
    pub(super) fn order(&self, run: &Arc<Run>) -> Order {
        let lock = || self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            lock().iter().find(|(held, _)| is_same_item(run, held)).map(|(_, order)| Arc::clone(order));
        if let Some(order) = found {
            return order;
        }
        let order: Order = run.shown_in_order().into_iter().map(Arc::downgrade).collect();
        let mut orders = lock();
        orders.retain(|(held, _)| held.strong_count() > 0);
        orders.push_front((Arc::downgrade(run), Arc::clone(&order)));
        orders.truncate(ORDERS_KEPT);
        order
    }

    /// How many entries there are and their JSON.
    fn entries(&self, kind: ListKind, items: &PieceItems) -> (usize, Vec<u8>) {
        let (mut n, mut entries) = (0, Vec::new());
        let mut series = |series: &Series| {
            n += 1;
            push(&mut entries, &SeriesJson::of(series, self.instance));
        };
        match (kind, items) {
            (_, PieceItems::Series(list)) => list.iter().for_each(|one| series(one)),
            (ListKind::Series, PieceItems::Runs(runs)) => {
                runs.iter().flat_map(|(_, run)| run.shown_in_order()).for_each(|one| series(one));
            }
            (ListKind::Runs, PieceItems::Runs(runs)) => {
                n = runs.len();
                for (name, run) in runs {
                    push(&mut entries, &RunJson::of(name.as_str(), run));
                }
            }
            (ListKind::Skipped, PieceItems::Runs(runs)) => {
                for tag in runs.iter().flat_map(|(name, run)| SkippedTag::all_of(name.as_str(), run)) {
                    n += 1;
                    push(&mut entries, &tag);
                }
            }
        }
        (n, entries)
    }

    /// How many pieces were made so far.
    pub(super) fn pieces_made(&self) -> u64 {
        self.pieces_made.load(Ordering::Relaxed)
    }

    /// Bytes, hits and misses so far.
    pub(in crate::server) fn figures(&self) -> (u64, u64, u64) {
        self.kept.figures()
    }
}

/// The runs of a list, one after another.
pub(super) struct RunsInOrder {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) only: Option<RunName>,
    pub(super) last: Option<RunName>,
}

impl Iterator for RunsInOrder {
    type Item = (RunName, Arc<Run>);

    fn next(&mut self) -> Option<Self::Item> {
        let runs = &self.snapshot.runs;
        let (name, run) = match (&self.only, &self.last) {
            (Some(_), Some(_)) => None,
            (Some(only), None) => runs.get_key_value(only),
            (None, None) => runs.iter().next(),
            (None, Some(last)) => runs.range::<_, RunName>((Bound::Excluded(last), Bound::Unbounded)).next(),
        }?;
        self.last = Some(name.clone());
        Some((name.clone(), Arc::clone(run)))
    }
}
