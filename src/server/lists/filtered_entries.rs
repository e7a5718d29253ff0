//! A snapshot -> the entries of a list that are selected by role or position, some at a time.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use super::pieces::{ENTRIES_AT_ONCE, ListKind, Lists, RunsInOrder};
use crate::{
    catalog::snapshot::{Run, Series},
    listing::{run::RunJson, series::SeriesJson, skipped::SkippedTag},
    model::role::Role,
    server::wire::{list::push, query::Part},
};

/// Checking this many entries takes about as long as making one.
const LOOKED_AT_A_MADE: usize = 16;

pub(super) struct FilteredEntries {
    kind: ListKind,
    runs: RunsInOrder,
    role: Option<Role>,
    /// How many entries are still to be skipped, and then how many to be taken.
    left: Part,
    /// How many entries matched so far, taken or skipped.
    pub(super) total: usize,
    /// Series that are to be listed.
    series: VecDeque<Arc<Series>>,
}

impl FilteredEntries {
    pub(super) fn new(kind: ListKind, runs: RunsInOrder, role: Option<Role>, part: Part) -> Self {
        Self { kind, runs, role, left: part, total: 0, series: VecDeque::new() }
    }

    /// Some more entries, possibly none; `None` at the end.
    pub(super) fn next(&mut self, lists: &Lists) -> Option<Vec<u8>> {
        let (mut work, mut entries) = (0, Vec::new());
        while work < ENTRIES_AT_ONCE {
            if let Some(series) = self.series.pop_front() {
                push(&mut entries, &SeriesJson::of(&series, lists.instance));
                work += 1;
                continue;
            }
            let Some((name, run)) = self.runs.next() else { return (work > 0).then_some(entries) };
            work += 1 + self.look_at(lists, (name.as_str(), &run), &mut entries) / LOOKED_AT_A_MADE;
        }
        Some(entries)
    }

    /// Takes the selected entries of a run. Returns how many entries it has.
    fn look_at(&mut self, lists: &Lists, (name, run): (&str, &Arc<Run>), entries: &mut Vec<u8>) -> usize {
        let role = self.role;
        let has_role = |series: &Arc<Series>| role.is_none_or(|role| series.facts.role == role);
        match self.kind {
            ListKind::Runs => {
                if self.window(1).limit > 0 {
                    push(entries, &RunJson::of(name, run));
                }
                1
            }
            ListKind::Series => {
                let n = run.shown().filter(|series| has_role(series)).count();
                let Part { offset, limit } = self.window(n);
                if limit > 0 {
                    let order = lists.order(run);
                    let series = order.iter().filter_map(Weak::upgrade).filter(has_role);
                    self.series.extend(series.skip(offset).take(limit));
                }
                n
            }
            ListKind::Skipped => {
                let all = SkippedTag::all_of(name, run);
                let Part { offset, limit } = self.window(all.len());
                all.iter().skip(offset).take(limit).for_each(|tag| push(entries, tag));
                LOOKED_AT_A_MADE * all.len()
            }
        }
    }

    /// Which of the next `n` entries are taken.
    fn window(&mut self, n: usize) -> Part {
        self.total += n;
        let offset = self.left.offset.min(n);
        let limit = self.left.limit.min(n - offset);
        self.left = Part { offset: self.left.offset - offset, limit: self.left.limit - limit };
        Part { offset, limit }
    }
}
