//! The values that were logged for one step -> attempts, the newest first.
//!
//! A writer that sets no step logs all its values at step 0, so one step may have a hundred thousand values. Adding one costs the
//! logarithm of that number, and only what was logged after it is grouped into attempts again.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use imbl::OrdSet;

use super::logged_value::LoggedValue;
use crate::types::WallTime;

/// What was logged for one step: several tensors if a training was restarted, or separate pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempts(Values);

#[derive(Clone, Debug, PartialEq)]
enum Values {
    One(LoggedValue),
    Many(Arc<Many>),
}

#[derive(Clone, Debug, PartialEq)]
struct Many {
    /// All values. There is at least one.
    values: OrdSet<ByAge>,
    /// The oldest value of each attempt, where the values are numbered pictures; otherwise each value is an attempt.
    starts: Option<OrdSet<ByAge>>,
}

/// A value, ordered by the time at which it was logged. Among equal times the value that is later in the files is the newer one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ByAge(LoggedValue);

impl Eq for ByAge {}

impl PartialOrd for ByAge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByAge {
    fn cmp(&self, other: &Self) -> Ordering {
        // Adding 0.0 makes -0.0 and 0.0 equal.
        let seconds =
            |logged: &LoggedValue| logged.wall_time.map_or(f64::NEG_INFINITY, WallTime::seconds) + 0.0;
        let (a, b) = (&self.0, &other.0);
        seconds(a).total_cmp(&seconds(b)).then_with(|| a.position().cmp(&b.position()))
    }
}

impl Attempts {
    /// The first value of a step.
    #[must_use]
    pub fn new(logged: LoggedValue) -> Self {
        Self(Values::One(logged))
    }

    /// Adds other values; known ones change nothing. Costs n log n for n others; with numbered pictures, also the values that are
    /// newer than the oldest of them.
    #[must_use]
    pub fn with(&self, others: &[LoggedValue]) -> Self {
        let mut many = match &self.0 {
            Values::One(logged) if others.iter().all(|other| other == logged) => return self.clone(),
            Values::One(logged) => Many::of(*logged),
            Values::Many(many) => (**many).clone(),
        };
        many.values.extend(others.iter().copied().map(ByAge));
        let is_numbered = |logged: &LoggedValue| logged.number != 0;
        if many.starts.is_none() && others.iter().any(is_numbered) {
            many.starts = Some(OrdSet::new());
        }
        if let Some(oldest) = others.iter().copied().map(ByAge).min() {
            many.group_from(oldest);
        }
        Self(Values::Many(Arc::new(many)))
    }

    /// What is left without `logged`; `None` if nothing is left.
    #[must_use]
    pub fn without(&self, logged: &LoggedValue) -> Option<Self> {
        match &self.0 {
            Values::One(only) => (only != logged).then(|| self.clone()),
            Values::Many(many) => {
                let mut many = (**many).clone();
                many.values.remove(&ByAge(*logged));
                let newest = many.values.get_max()?.0;
                if many.values.len() == 1 {
                    return Some(Self::new(newest));
                }
                many.group_from(ByAge(*logged));
                Some(Self(Values::Many(Arc::new(many))))
            }
        }
    }

    /// Whether `logged` is one of the values.
    #[must_use]
    pub fn holds(&self, logged: &LoggedValue) -> bool {
        match &self.0 {
            Values::One(only) => only == logged,
            Values::Many(many) => many.values.contains(&ByAge(*logged)),
        }
    }

    /// The newest value.
    #[must_use]
    pub fn newest(&self) -> &LoggedValue {
        match &self.0 {
            Values::One(only) => only,
            Values::Many(many) => &many.values.get_max().expect("there is at least one").0,
        }
    }

    /// All values, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &LoggedValue> {
        let (one, many) = match &self.0 {
            Values::One(only) => (Some(only), None),
            Values::Many(many) => (None, Some(many.values.iter().rev().map(|value| &value.0))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// The values of one attempt, in the order of their numbers; 0 is the newest attempt. An attempt has one tensor, or several
    /// pictures.
    #[must_use]
    pub fn attempt(&self, idx: usize) -> Option<Vec<LoggedValue>> {
        let many = match &self.0 {
            Values::One(only) => return (idx == 0).then(|| vec![*only]),
            Values::Many(many) => many,
        };
        let Some(starts) = &many.starts else {
            return many.values.iter().rev().nth(idx).map(|value| vec![value.0]);
        };
        let start = starts.iter().rev().nth(idx)?;
        let next = idx.checked_sub(1).and_then(|newer| starts.iter().rev().nth(newer));
        let from_start =
            many.values.range(*start..).take_while(|value| next.is_none_or(|next| *value < next));
        let mut values: Vec<LoggedValue> = from_start.map(|value| value.0).collect();
        values.sort_by_key(|logged| logged.number);
        Some(values)
    }

    /// How many attempts there are; at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.0 {
            Values::One(_) => 1,
            Values::Many(many) => many.starts.as_ref().unwrap_or(&many.values).len(),
        }
    }
}

impl Many {
    fn of(logged: LoggedValue) -> Self {
        let values = OrdSet::unit(ByAge(logged));
        Self { starts: (logged.number != 0).then(|| values.clone()), values }
    }

    /// Groups numbered pictures into attempts again, beginning with the attempt that contains the oldest change. From the oldest
    /// value on, each repeated number begins a new attempt.
    fn group_from(&mut self, changed: ByAge) {
        let Some(starts) = &mut self.starts else { return };
        let Some(oldest) = self.values.get_min().copied() else { return };
        let from = starts.range(..changed).next_back().copied().unwrap_or(oldest).max(oldest);
        let is_stale = |start: &ByAge| *start >= from || *start < oldest;
        let stale: Vec<ByAge> = starts.iter().rev().take_while(|start| is_stale(start)).copied().collect();
        for start in stale {
            starts.remove(&start);
        }
        let mut numbers = HashSet::new();
        for value in self.values.range(from..) {
            if !numbers.insert(value.0.number) {
                numbers = HashSet::from([value.0.number]);
            }
            if numbers.len() == 1 {
                starts.insert(*value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use crate::{catalog::logged_value::FileId, reader::spot::Spot, record::place::Place};

    fn logged(seconds: f64, offset: u64) -> LoggedValue {
        let place = Place { offset, len: 1 };
        LoggedValue {
            wall_time: WallTime::new(seconds),
            file: FileId(0),
            spot: Spot::in_record(place, 0),
            number: 0,
        }
    }

    fn picture(seconds: f64, number: u32) -> LoggedValue {
        LoggedValue { number, ..logged(seconds, u64::from(number)) }
    }

    #[test]
    fn the_newest_attempt_comes_first_whatever_the_order_of_arrival() {
        let (old, new, timeless) = (logged(1.0, 50), logged(2.0, 10), logged(f64::NAN, 99));
        let attempts = Attempts::new(new).with(&[timeless, old]).with(&[old]);
        assert_eq!(attempts.newest_first().copied().collect::<Vec<_>>(), [new, old, timeless]);
        assert_eq!((attempts.count(), attempts.newest()), (3, &new));
        assert_eq!(attempts.attempt(2), Some(vec![timeless]));
        let left = attempts.without(&new).unwrap();
        assert!(attempts.holds(&new) && !left.holds(&new));
        assert_eq!(left.newest(), &old);
        assert_eq!(Attempts::new(old).without(&old), None);
        assert_eq!(left.without(&timeless), Some(Attempts::new(old)));
    }

    #[test]
    fn pictures_that_were_logged_one_by_one_are_one_attempt() {
        let first = [picture(1.0, 0), picture(1.1, 1), picture(1.2, 2)];
        let again = [picture(5.0, 0), picture(5.1, 1)];
        let attempts = Attempts::new(again[1]).with(&first).with(&again);
        assert_eq!(attempts.count(), 2);
        assert_eq!(attempts.attempt(0).as_deref(), Some(&again[..]));
        assert_eq!(attempts.attempt(1).as_deref(), Some(&first[..]));
        assert_eq!(attempts.attempt(2), None);
    }

    /// The rule as documented: sort by age, begin anew where a number comes again.
    fn by_the_rule(values: &[LoggedValue]) -> Vec<Vec<LoggedValue>> {
        let mut values: Vec<ByAge> = values.iter().copied().map(ByAge).collect();
        values.sort();
        values.dedup();
        let mut attempts: Vec<Vec<LoggedValue>> = Vec::new();
        for ByAge(value) in values {
            match attempts.last_mut() {
                Some(last) if last.iter().all(|other| other.number != value.number) => last.push(value),
                _ => attempts.push(vec![value]),
            }
        }
        for attempt in &mut attempts {
            attempt.sort_by_key(|value| value.number);
        }
        attempts.reverse();
        attempts
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_and_removal_gives_the_same_attempts(
            values in prop::collection::vec((0_u64..40, 0_u32..4), 1..30),
            pieces in prop::collection::vec(1_usize..6, 1..30),
            removed in any::<prop::sample::Index>(),
            are_numbered in any::<bool>(),
        ) {
            let values: Vec<LoggedValue> = values
                .into_iter()
                .map(|(offset, number)| LoggedValue { number: number * u32::from(are_numbered), ..logged(1.0, offset * 4 + u64::from(number)) })
                .collect();
            let mut attempts = Attempts::new(values[0]);
            let mut rest = &values[1..];
            for piece in pieces.into_iter().cycle().take(values.len()) {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                attempts = attempts.with(now);
                rest = later;
            }
            let check = |attempts: &Attempts, expected: Vec<Vec<LoggedValue>>| {
                prop_assert_eq!(attempts.count(), expected.len());
                for (idx, attempt) in expected.iter().enumerate() {
                    let found = attempts.attempt(idx);
                    prop_assert_eq!(found.as_ref(), Some(attempt));
                }
                Ok(())
            };
            check(&attempts, by_the_rule(&values))?;
            let gone = values[removed.index(values.len())];
            let left: Vec<LoggedValue> = values.iter().copied().filter(|value| *value != gone).collect();
            match attempts.without(&gone) {
                Some(attempts) => check(&attempts, by_the_rule(&left))?,
                None => prop_assert!(left.is_empty()),
            }
        }
    }
}
