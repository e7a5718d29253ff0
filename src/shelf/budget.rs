//! The saves on a shelf, and its limits -> which saves are dropped.
//!
//! Of each series of saves, the first and the last stay. Among the others, the one goes whose neighbours are nearest to one another,
//! so that every other save goes first, and what stays lies evenly over the training.

use std::collections::BTreeMap;

use crate::{reader::moment::Axis, types::Step};

/// The most saves of one series.
pub const MOST_OF_SERIES: usize = 4_096;
/// The most saves of a logdir: each takes some kilobytes of memory.
const MOST_OF_LOGDIR: usize = 20_000;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a logdir.
    pub bytes: u64,
    /// For how many nanoseconds a save is kept.
    pub age_ns: i128,
}

/// A save on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The series of saves to which it belongs: those of one network of a run.
    pub series: Series,
    /// When in the training it was saved.
    pub at: Step,
    /// The length of its file.
    pub bytes: u64,
    /// When it was kept, in nanoseconds since 1970.
    pub kept_ns: i128,
    /// Whether the run is gone.
    pub is_of_gone_run: bool,
}

/// Saves that follow one another: the run, what is counted, and the name of the checkpoint without numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    run: String,
    axis: Axis,
    name: String,
}

impl Series {
    /// The series of a checkpoint with this name, of this run.
    #[must_use]
    pub fn of(run: &str, axis: Axis, name: &str) -> Self {
        let name = name.chars().filter(|letter| letter.is_alphabetic() || *letter == '/').collect();
        Self { run: run.to_owned(), axis, name }
    }
}

/// The saves of a series that are still there, by when they were saved.
struct Row {
    numbers: Vec<usize>,
    bytes: u64,
}

/// The numbers of the entries that are dropped at this time, in nanoseconds since 1970.
#[must_use]
pub fn dropped(entries: &[Entry], limits: Limits, now_ns: i128) -> Vec<usize> {
    let mut dropped = Vec::new();
    let mut rows: BTreeMap<&Series, Row> = BTreeMap::new();
    let is_old = |number: &usize| now_ns - entries[*number].kept_ns > limits.age_ns;
    for (number, entry) in entries.iter().enumerate() {
        let row = rows.entry(&entry.series).or_insert(Row { numbers: Vec::new(), bytes: 0 });
        row.numbers.push(number);
    }
    for row in rows.values_mut() {
        row.numbers.sort_by_key(|number| (entries[*number].at, entries[*number].kept_ns));
        let is_gone = row.numbers.iter().all(|number| entries[*number].is_of_gone_run && is_old(number));
        let last = row.numbers.len() - 1;
        let all = std::mem::take(&mut row.numbers).into_iter().enumerate();
        let (old, rest): (Vec<_>, Vec<_>) =
            all.partition(|(idx, number)| is_gone || (*idx != 0 && *idx != last && is_old(number)));
        dropped.extend(old.into_iter().map(|(_, number)| number));
        row.numbers = rest.into_iter().map(|(_, number)| number).collect();
        while row.numbers.len() > MOST_OF_SERIES {
            dropped.extend(row.thin(entries));
        }
        row.bytes = row.numbers.iter().map(|number| entries[*number].bytes).sum();
    }
    let mut total: u64 = rows.values().map(|row| row.bytes).sum();
    let mut count: usize = rows.values().map(|row| row.numbers.len()).sum();
    while total > limits.bytes || count > MOST_OF_LOGDIR {
        let longest = rows.values_mut().filter(|row| row.numbers.len() > 2).max_by_key(|row| row.bytes);
        let Some((row, number)) = longest.and_then(|row| row.thin(entries).map(|number| (row, number)))
        else {
            break;
        };
        row.bytes -= entries[number].bytes;
        total -= entries[number].bytes;
        count -= 1;
        dropped.push(number);
    }
    dropped
}

impl Row {
    /// Takes out the save whose neighbours are nearest to one another, but neither the first nor the last.
    fn thin(&mut self, entries: &[Entry]) -> Option<usize> {
        let at = |idx: usize| i128::from(entries[self.numbers[idx]].at);
        let inner = 1..self.numbers.len().checked_sub(1)?;
        let nearest = inner.min_by_key(|idx| at(idx + 1) - at(idx - 1))?;
        Some(self.numbers.remove(nearest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i128 = 86_400_000_000_000;

    fn entry(at: i64, bytes: u64) -> Entry {
        let series = Series::of("a", Axis::Step, "model.pt");
        Entry { series, at, bytes, kept_ns: i128::from(at) * 60_000_000_000, is_of_gone_run: false }
    }

    fn left(entries: &[Entry], limits: Limits, now_ns: i128) -> Vec<i64> {
        let dropped = dropped(entries, limits, now_ns);
        let rest = (0..entries.len()).filter(|number| !dropped.contains(number));
        rest.map(|number| entries[number].at).collect()
    }

    #[test]
    fn every_other_save_goes_first() {
        let entries: Vec<Entry> = (0..9).map(|at| entry(at, 10)).collect();
        let limits = |bytes| Limits { bytes, age_ns: DAY };
        assert_eq!(left(&entries, limits(90), 0), (0..9).collect::<Vec<_>>());
        assert_eq!(left(&entries, limits(50), 0), [0, 2, 4, 6, 8]);
        assert_eq!(left(&entries, limits(30), 0), [0, 4, 8]);
        assert_eq!(left(&entries, limits(0), 0), [0, 8], "the first and the last stay");
    }

    #[test]
    fn old_saves_go_and_those_of_a_gone_run_whole() {
        let mut entries: Vec<Entry> = (0..5).map(|at| entry(at, 10)).collect();
        let limits = Limits { bytes: 1_000, age_ns: 90 * DAY };
        assert_eq!(left(&entries, limits, 91 * DAY), [0, 4]);
        for entry in &mut entries {
            entry.is_of_gone_run = true;
        }
        assert_eq!(left(&entries, limits, 89 * DAY).len(), 5);
        assert!(left(&entries, limits, 91 * DAY).is_empty());
    }

    #[test]
    fn networks_and_runs_are_thinned_each_for_itself() {
        let of = |run: &str, name: &str, at: i64| Entry {
            series: Series::of(run, Axis::Step, &format!("{name}_{at}.pth")),
            ..entry(at, 10)
        };
        let mut entries: Vec<Entry> = (0..9).map(|at| of("a", "netG", at)).collect();
        entries.extend((0..9).map(|at| of("a", "netD", at)));
        entries.extend((0..3).map(|at| of("b", "model", at)));
        let rest = left(&entries, Limits { bytes: 130, age_ns: DAY }, 0);
        assert_eq!(rest, [0, 2, 4, 6, 8, 0, 2, 4, 6, 8, 0, 1, 2], "the longest series go first");
    }

    /// A training saves every minute for a week: the shelf stays within its limit at each moment.
    #[test]
    fn a_week_of_saves_stays_within_the_budget_and_even() {
        let limits = Limits { bytes: 200 * 40_000, age_ns: 90 * DAY };
        let mut entries: Vec<Entry> = Vec::new();
        for minute in 0..7 * 24 * 60 {
            entries.push(entry(minute, 40_000));
            let mut gone = dropped(&entries, limits, i128::from(minute) * 60_000_000_000);
            gone.sort_unstable();
            for number in gone.into_iter().rev() {
                entries.remove(number);
            }
            assert!(entries.iter().map(|entry| entry.bytes).sum::<u64>() <= limits.bytes);
            assert_eq!((entries[0].at, entries[entries.len() - 1].at), (0, minute));
        }
        let gaps: Vec<i64> = entries.windows(2).map(|two| two[1].at - two[0].at).collect();
        let (least, most) = (gaps.iter().min().unwrap(), gaps[..gaps.len() - 1].iter().max().unwrap());
        assert!(entries.len() >= 199 && *most <= 4 * least.max(&32), "{gaps:?}");
    }

    proptest! {
        #[test]
        fn limits_hold_as_far_as_first_and_last_allow(
            saves in prop::collection::vec((0_u8..3, 0_i64..50, 1_u64..100), 0..60),
            bytes in 0_u64..2_000,
        ) {
            let entries: Vec<Entry> = saves
                .iter()
                .map(|(run, at, bytes)| Entry { series: Series::of(&run.to_string(), Axis::Epoch, "m.pt"), ..entry(*at, *bytes) })
                .collect();
            let gone = dropped(&entries, Limits { bytes, age_ns: DAY }, 0);
            let mut once = gone.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), gone.len(), "each is dropped once");
            let rest: Vec<&Entry> =
                (0..entries.len()).filter(|number| !gone.contains(number)).map(|number| &entries[number]).collect();
            let mut per_run: BTreeMap<&Series, usize> = BTreeMap::new();
            for entry in &rest {
                *per_run.entry(&entry.series).or_default() += 1;
            }
            let is_least = per_run.values().all(|count| *count <= 2);
            prop_assert!(is_least || rest.iter().map(|entry| entry.bytes).sum::<u64>() <= bytes);
            for (series, at) in entries.iter().map(|entry| (&entry.series, entry.at)) {
                let ends = |entries: &[&Entry]| {
                    let mut all: Vec<i64> =
                        entries.iter().filter(|entry| entry.series == *series).map(|entry| entry.at).collect();
                    all.sort_unstable();
                    (all.first().copied(), all.last().copied())
                };
                prop_assert_eq!(ends(&rest), ends(&entries.iter().collect::<Vec<_>>()), "{}", at);
            }
        }
    }
}
