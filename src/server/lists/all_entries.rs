//! A snapshot -> the pieces of a complete list, one after another.

use std::{
    iter::Peekable,
    sync::{Arc, Weak},
};

use super::pieces::{ENTRIES_AT_ONCE, ListKind, Lists, Order, Piece, PieceItems, PieceKey, RunsInOrder};
use crate::{catalog::snapshot::Run, types::RunName};

/// On average one run of this many ends a piece. Which runs do so depends only on their names, so a run that is added or removed changes
/// no other piece.
const RUNS_A_PIECE: u32 = 32;

pub(super) struct AllEntries {
    kind: ListKind,
    runs: Peekable<RunsInOrder>,
    /// The series of a run that has too many for one piece.
    large: Option<LargeRun>,
}

/// A run whose series need several pieces. The snapshot keeps the run in memory, and the run its series.
struct LargeRun {
    name: RunName,
    series: Order,
    at: usize,
}

impl AllEntries {
    pub(super) fn new(kind: ListKind, runs: RunsInOrder) -> Self {
        Self { kind, runs: runs.peekable(), large: None }
    }

    pub(super) fn next(&mut self, lists: &Lists, is_of_one_run: bool) -> Option<Arc<Piece>> {
        let (name, at, items) = self.next_items(lists)?;
        Some(
            lists.piece(
                &PieceKey { kind: self.kind, is_of_one_run, first_run: name, first_entry: at },
                &items,
            ),
        )
    }

    fn next_items(&mut self, lists: &Lists) -> Option<(RunName, usize, PieceItems)> {
        if self.large.is_none() {
            let is_large = |(_, run): &(RunName, Arc<Run>)| run.series.len() > ENTRIES_AT_ONCE;
            let Some((name, run)) = self.runs.next_if(|run| self.kind == ListKind::Series && is_large(run))
            else {
                return self.next_runs();
            };
            self.large = Some(LargeRun { name, series: lists.order(&run), at: 0 });
        }
        let LargeRun { name, series, at } = self.large.as_mut()?;
        let (name, from) = (name.clone(), *at);
        *at = series.len().min(from + ENTRIES_AT_ONCE);
        let items = PieceItems::Series(series[from..*at].iter().filter_map(Weak::upgrade).collect());
        if *at == series.len() {
            self.large = None;
        }
        Some((name, from, items))
    }

    fn next_runs(&mut self) -> Option<(RunName, usize, PieceItems)> {
        let (kind, mut size, mut runs) = (self.kind, 0, Vec::new());
        let fits = |(_, run): &(RunName, Arc<Run>), size| {
            size == 0 || size + entries_of(kind, run) <= ENTRIES_AT_ONCE
        };
        while let Some((name, run)) = self.runs.next_if(|run| fits(run, size)) {
            size += entries_of(kind, &run);
            let is_last = crc32c::crc32c(name.as_str().as_bytes()).is_multiple_of(RUNS_A_PIECE);
            runs.push((name, run));
            if is_last {
                break;
            }
        }
        let name = runs.first()?.0.clone();
        Some((name, 0, PieceItems::Runs(runs)))
    }
}

/// About how many entries a run has, counting work that takes as long as making an entry.
fn entries_of(kind: ListKind, run: &Run) -> usize {
    1 + match kind {
        ListKind::Runs => 0,
        ListKind::Series => run.series.len(),
        ListKind::Skipped => run.series.len() + run.skipped.len(),
    }
}
