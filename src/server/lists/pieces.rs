//! Some runs, or some series of a run -> their compressed JSON, cached as long as the runs or series are the same objects in memory.

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

/// About how many entries are made at once, in some milliseconds.
pub(super) const ENTRIES_AT_ONCE: usize = 256;
/// For how many runs the order of series is cached; it takes 8 bytes per series.
const ORDERS_KEPT: usize = 8;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) enum ListKind {
    Runs,
    Series,
    Skipped,
}

/// Which list is requested, and which part of it.
#[derive(Clone, Debug)]
pub(in crate::server) struct ListRequest {
    pub(in crate::server) kind: ListKind,
    /// One run, which exists; all runs if `None`.
    pub(in crate::server) run: Option<RunName>,
    /// Only series of this role.
    pub(in crate::server) role: Option<Role>,
    pub(in crate::server) part: Option<Part>,
}

/// The cache of pieces.
pub(in crate::server) struct Lists {
    kept: Cache<PieceKey, Arc<Piece>>,
    /// The orders of large runs that were listed recently.
    orders: Mutex<VecDeque<(Weak<Run>, Order)>>,
    pieces_made: AtomicU64,
    pub(super) instance: u64,
}

/// The series of a run, in the order of the list.
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

/// The items of a cached piece. A weak reference keeps the address reserved, so an equal address means the same object.
enum WeakPieceItems {
    Runs(Vec<Weak<Run>>),
    Series(Vec<Weak<Series>>),
}

impl Weigh for Arc<Piece> {
    /// The memory of series that are gone, which weak references keep, is not counted: it is at most about the size of the index.
    fn bytes(&self) -> u64 {
        let held = match &self.items {
            WeakPieceItems::Runs(runs) => runs.len() * size_of::<Weak<Run>>(),
            WeakPieceItems::Series(series) => series.len() * size_of::<Weak<Series>>(),
        };
        (size_of::<Piece>() + self.entries.blocks.len() + held) as u64
    }
}

/// Whether both refer to the same object.
fn is_same_item<T>(new: &Arc<T>, held: &Weak<T>) -> bool {
    std::ptr::eq(Arc::as_ptr(new), held.as_ptr())
}

/// The items of a piece that is requested.
pub(super) enum PieceItems {
    Runs(Vec<(RunName, Arc<Run>)>),
    Series(Vec<Arc<Series>>),
}

impl PieceItems {
    /// Whether a cached piece has the same items.
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

    /// A piece, from the cache or made now and then cached.
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

    /// The order of a run's series, cached as long as the run does not change.
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
