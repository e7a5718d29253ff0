//! Runs, series and what is skipped -> lists as JSON, in pieces that are made once and kept compressed.
//!
//! A piece lists some runs, or some series of a large run. It holds as long as these lie where they lay: published runs and series
//! never change, so a step that is logged costs its own piece and no other. Each piece is a short work on a thread of its own, so
//! lists hold up nobody, and a list is made no faster than its client takes it.

mod chosen;
mod whole;
mod writing;

use std::{
    collections::VecDeque,
    ops::Bound,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    gzip::Deflated,
    wire::{self, list::push},
};
use crate::{
    answers::cache::{Cache, Weigh},
    catalog::snapshot::{Run, Series, Snapshot},
    listing::{run, series, skipped::SkippedTag},
    model::role::Role,
    types::RunName,
};

pub(super) use self::writing::{Form, Writing};

/// So many entries are made at once; some milliseconds.
const ENTRIES_AT_ONCE: usize = 256;
/// Orders of runs that are kept; each takes 8 bytes a series.
const ORDERS_KEPT: usize = 8;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Runs,
    Series,
    Skipped,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    /// One run, which is there; all when left out.
    pub(super) run: Option<RunName>,
    /// Series of one role alone.
    pub(super) role: Option<Role>,
    pub(super) part: Option<wire::query::Part>,
}

/// The pieces that are kept.
pub(super) struct Lists {
    kept: Cache<Key, Arc<Piece>>,
    /// Of large runs that were listed lately.
    orders: Mutex<VecDeque<(Weak<Run>, Order)>>,
    pieces_made: AtomicU64,
    instance: u64,
}

/// The series of a run, as they are listed.
type Order = Arc<[Weak<Series>]>;

/// Where a piece stands: of one run alone or among all, from this run on, from this entry of it on.
type Key = (Kind, bool, RunName, usize);

/// Some entries.
struct Piece {
    of: Of,
    n: usize,
    entries: Deflated,
}

/// What a piece lists. Nothing else comes to lie at a place that is held here, though what lay there may be gone.
enum Of {
    Runs(Vec<Weak<Run>>),
    Series(Vec<Weak<Series>>),
}

impl Weigh for Arc<Piece> {
    /// What a list holds of series that are gone is not counted: together it is at most about the size of the index.
    fn bytes(&self) -> u64 {
        let held = match &self.of {
            Of::Runs(runs) => runs.len() * size_of::<Weak<Run>>(),
            Of::Series(series) => series.len() * size_of::<Weak<Series>>(),
        };
        (size_of::<Piece>() + self.entries.blocks.len() + held) as u64
    }
}

/// Whether this is what is held there.
fn lies_at<T>(new: &Arc<T>, held: &Weak<T>) -> bool {
    std::ptr::eq(Arc::as_ptr(new), held.as_ptr())
}

/// What the next piece lists.
enum Unit {
    Runs(Vec<(RunName, Arc<Run>)>),
    Series(Vec<Arc<Series>>),
}

impl Unit {
    /// Whether this piece lists the same.
    fn is(&self, of: &Of) -> bool {
        match (self, of) {
            (Self::Runs(new), Of::Runs(held)) => {
                new.len() == held.len() && new.iter().zip(held).all(|((_, new), held)| lies_at(new, held))
            }
            (Self::Series(new), Of::Series(held)) => {
                new.len() == held.len() && new.iter().zip(held).all(|(new, held)| lies_at(new, held))
            }
            _ => false,
        }
    }

    fn held(&self) -> Of {
        match self {
            Self::Runs(runs) => Of::Runs(runs.iter().map(|(_, run)| Arc::downgrade(run)).collect()),
            Self::Series(series) => Of::Series(series.iter().map(Arc::downgrade).collect()),
        }
    }
}

impl Lists {
    pub(super) fn new(cache_bytes: u64, instance: u64) -> Self {
        let (kept, orders, pieces_made) = (Cache::new(cache_bytes), Mutex::default(), AtomicU64::new(0));
        Self { kept, orders, pieces_made, instance }
    }

    /// Begins a list. What is asked for is there.
    pub(super) fn write(self: &Arc<Self>, snapshot: Arc<Snapshot>, wanted: Wanted, form: Form) -> Writing {
        Writing::new(Arc::clone(self), snapshot, wanted, form)
    }

    /// A piece as it was kept, or made now and kept.
    fn piece(&self, key: &Key, unit: &Unit) -> Arc<Piece> {
        if let Some(kept) = self.kept.get(key).filter(|kept| unit.is(&kept.of)) {
            return kept;
        }
        self.pieces_made.fetch_add(1, Ordering::Relaxed);
        let (n, entries) = self.entries(key.0, unit);
        let piece = Arc::new(Piece { of: unit.held(), n, entries: Deflated::of(&entries) });
        self.kept.put(key.clone(), Arc::clone(&piece));
        piece
    }

    /// The order of a run's series, found once for a run that does not change.
    fn order(&self, run: &Arc<Run>) -> Order {
        let lock = || self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lock().iter().find(|(held, _)| lies_at(run, held)).map(|(_, order)| Arc::clone(order));
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
    fn entries(&self, kind: Kind, unit: &Unit) -> (usize, Vec<u8>) {
        let (mut n, mut entries) = (0, Vec::new());
        let mut series = |series: &Series| {
            n += 1;
            push(&mut entries, &series::Series::of(series, self.instance));
        };
        match (kind, unit) {
            (_, Unit::Series(list)) => list.iter().for_each(|one| series(one)),
            (Kind::Series, Unit::Runs(runs)) => {
                runs.iter().flat_map(|(_, run)| run.shown_in_order()).for_each(|one| series(one));
            }
            (Kind::Runs, Unit::Runs(runs)) => {
                n = runs.len();
                for (name, run) in runs {
                    push(&mut entries, &run::Run::of(name.as_str(), run));
                }
            }
            (Kind::Skipped, Unit::Runs(runs)) => {
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
    pub(super) fn figures(&self) -> (u64, u64, u64) {
        self.kept.figures()
    }
}

/// The runs of a list, one after another.
struct Runs {
    snapshot: Arc<Snapshot>,
    only: Option<RunName>,
    last: Option<RunName>,
}

impl Iterator for Runs {
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::{
        catalog::{
            attempts::Attempts,
            snapshot::{Encoding, FileId, Form as SeriesForm, Logged, Skipped},
        },
        event::summary::Kind as ValueKind,
        model::Facts,
        record::scan::Place,
        server::wire::query::Part,
        tensor::{dtype::DType, frames::Frames, shape::Shape},
        types::Tag,
    };

    fn series(run: &RunName, tag: &Tag, number: u64) -> Arc<Series> {
        let place = Place { offset: number, len: 1 };
        let logged = Logged { wall_time: None, file: FileId(0), place, value_idx: 0, number: 0 };
        let shape = Shape::new(&[3, 3, 1, 2]).unwrap();
        let form = SeriesForm { dtype: DType::Float32, shape, is_listed: false, frames: Frames::default() };
        let facts = Facts::unknown(tag.as_str());
        let facts = if number.is_multiple_of(3) { Facts { role: Role::Kernel, ..facts } } else { facts };
        Arc::new(Series {
            run: run.clone(),
            tag: tag.clone(),
            order: (FileId(0), number, 0),
            revision: 1,
            encoding: Encoding::Numbers,
            form: Ok(form),
            facts,
            steps: [(0, Attempts::new(logged))].into_iter().collect(),
            rewrites: 0,
        })
    }

    /// Runs `000`, `001` and so on, with so many series each and one tag that is not drawn.
    fn snapshot(n_series: &[usize]) -> Snapshot {
        let mut snapshot = Snapshot { revision: 7, loading: false, ..Snapshot::empty() };
        for (idx, n) in n_series.iter().enumerate() {
            let name = RunName::from(format!("{idx:03}"));
            let tags = (0..*n as u64).map(|number| (Tag::from(format!("layer{number}/kernel")), number));
            let mut run = Run { last_step: Some(0), ..Run::default() };
            run.series = tags.map(|(tag, number)| (tag.clone(), series(&name, &tag, number))).collect();
            run.skipped.insert(Tag::from("loss"), Skipped { kind: ValueKind::Scalar, count: 2 });
            snapshot.runs.insert(name, Arc::new(run));
        }
        snapshot
    }

    fn grown(snapshot: &Snapshot, run: &str) -> Snapshot {
        let mut grown = Snapshot { revision: snapshot.revision + 1, ..snapshot.clone() };
        let run = Arc::make_mut(grown.runs.get_mut(run).unwrap());
        run.last_step = Some(1);
        if let Some(tag) = run.series.keys().next().cloned() {
            Arc::make_mut(run.series.get_mut(&tag).unwrap()).rewrites += 1;
        }
        grown
    }

    fn lists() -> Arc<Lists> {
        Arc::new(Lists::new(64 << 20, 3))
    }

    fn all(kind: Kind) -> Wanted {
        Wanted { kind, run: None, role: None, part: None }
    }

    fn written(lists: &Arc<Lists>, snapshot: &Snapshot, wanted: Wanted, form: Form) -> Vec<u8> {
        let mut writing = lists.write(Arc::new(snapshot.clone()), wanted, form);
        let mut bytes = Vec::new();
        while let Some(some) = writing.next() {
            bytes.extend(some);
        }
        bytes
    }

    fn text(lists: &Arc<Lists>, snapshot: &Snapshot, wanted: Wanted) -> String {
        String::from_utf8(written(lists, snapshot, wanted, Form::Plain)).unwrap()
    }

    /// The entries of a list and how many there are in all.
    fn parsed(text: &str, list: &str) -> (Vec<serde_json::Value>, Option<u64>) {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        let serde_json::Value::Array(entries) = value[list].take() else { panic!("{text}") };
        (entries, value["total"].as_u64())
    }

    #[test]
    fn a_list_written_in_pieces_is_the_one_written_at_once() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1, 256, 257, 5]), lists());
        let of_all = snapshot.runs.values().flat_map(|run| run.shown_in_order());
        let series = of_all.map(|series| series::Series::of(series, 3)).collect();
        let expected = wire::SeriesList { revision: 7, series, total: None };
        assert_eq!(text(&lists, &snapshot, all(Kind::Series)), serde_json::to_string(&expected).unwrap());
        let runs = snapshot.runs.iter().map(|(name, run)| run::Run::of(name.as_str(), run)).collect();
        let expected = wire::Runs { revision: 7, runs, total: None };
        assert_eq!(text(&lists, &snapshot, all(Kind::Runs)), serde_json::to_string(&expected).unwrap());
        let of_all = snapshot.runs.iter().flat_map(|(name, run)| SkippedTag::all_of(name.as_str(), run));
        let expected = wire::SkippedList { skipped: of_all.collect(), total: None };
        assert_eq!(text(&lists, &snapshot, all(Kind::Skipped)), serde_json::to_string(&expected).unwrap());
        let nothing = Snapshot::empty();
        assert_eq!(text(&lists, &nothing, all(Kind::Runs)), "{\"revision\":0,\"runs\":[]}");
    }

    #[test]
    fn a_gzip_file_holds_the_same_list() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1]), lists());
        for kind in [Kind::Runs, Kind::Series, Kind::Skipped] {
            let mut unzipped = String::new();
            let file = written(&lists, &snapshot, all(kind), Form::Gzip);
            GzDecoder::new(&file[..]).read_to_string(&mut unzipped).unwrap();
            assert_eq!(unzipped, text(&lists, &snapshot, all(kind)));
        }
    }

    #[test]
    fn what_was_made_is_kept_and_a_step_costs_its_own_piece_alone() {
        let (before, lists) = (snapshot(&[3; 1_000]), lists());
        let made_for = |snapshot: &Snapshot, kind| {
            let made = lists.pieces_made();
            let written = text(&lists, snapshot, all(kind));
            (lists.pieces_made() - made, written)
        };
        for kind in [Kind::Runs, Kind::Series, Kind::Skipped] {
            let (made, first) = made_for(&before, kind);
            assert!(made > 10, "{made}");
            assert_eq!(made_for(&before, kind), (0, first));
            let after = grown(&before, "500");
            let (made, again) = made_for(&after, kind);
            assert_eq!(made, 1, "{kind:?}");
            assert_eq!(again, text(&super::tests::lists(), &after, all(kind)), "{kind:?}");
            let fewer = Snapshot { runs: after.runs.without("300"), ..after.clone() };
            assert!(made_for(&fewer, kind).0 <= 2, "{kind:?}");
        }
        let large = snapshot(&[10_000]);
        made_for(&large, Kind::Series);
        assert_eq!(made_for(&grown(&large, "000"), Kind::Series).0, 1);
    }

    #[test]
    fn two_who_ask_get_the_same_bytes() {
        let (snapshot, lists) = (snapshot(&[3]), lists());
        let unit =
            Unit::Runs(snapshot.runs.iter().map(|(name, run)| (name.clone(), Arc::clone(run))).collect());
        let key = (Kind::Runs, false, RunName::from("000"), 0);
        let [first, second] = [(); 2].map(|()| lists.piece(&key, &unit));
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn parts_make_up_the_whole() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1, 5]), lists());
        for (kind, list) in [(Kind::Runs, "runs"), (Kind::Series, "series"), (Kind::Skipped, "skipped")] {
            let (whole, none) = parsed(&text(&lists, &snapshot, all(kind)), list);
            assert_eq!(none, None);
            for limit in [1, 100, 300, 10_000] {
                let mut joined = Vec::new();
                for offset in (0..whole.len()).step_by(limit) {
                    let wanted = Wanted { part: Some(Part { offset, limit }), ..all(kind) };
                    let (part, total) = parsed(&text(&lists, &snapshot, wanted), list);
                    assert!(part.len() <= limit);
                    assert_eq!(total, Some(whole.len() as u64));
                    joined.extend(part);
                    if limit == 1 && offset > 5 {
                        break;
                    }
                }
                assert_eq!(joined, whole[..joined.len()], "{list} {limit}");
            }
        }
    }

    #[test]
    fn one_run_and_one_role_can_be_chosen() {
        let (snapshot, lists) = (snapshot(&[3, 700, 0, 1]), lists());
        let wanted = Wanted { run: Some(RunName::from("001")), ..all(Kind::Series) };
        let (of_run, _) = parsed(&text(&lists, &snapshot, wanted.clone()), "series");
        assert_eq!((of_run.len(), of_run[0]["run"].as_str()), (700, Some("001")));
        let kernels = Wanted { role: Some(Role::Kernel), ..wanted };
        let (kernels, total) = parsed(&text(&lists, &snapshot, kernels), "series");
        assert_eq!((kernels.len(), total), (234, None));
        assert!(kernels.iter().all(|series| series["role"] == "kernel"));
    }
}
