//! A series -> its statistics over its steps, computed step by step in the thread pool and cached.
//!
//! If there are many steps, every Nth step is used, where N is a power of two: a series that grows keeps the points it had, so their
//! rows stay useful in the cache.

use std::sync::Arc;

use super::{
    memory_gate::MemoryPermit,
    need::Product,
    numbers::{Numbers, TensorKey, change_between, groups_of, is_weights, settle_layout, unless_damaged},
    pictures::{Pictures, TensorLocation, location},
    row::Row,
};

use crate::{
    catalog::snapshot::Series,
    lookup::{
        error::AnswerError,
        steps::{Found, at, before, first},
    },
    model::layout::Layout,
    stats::{
        groups::{GroupKind, MOST_GROUPS},
        likeness::Likeness,
        numbers::Finite,
        summary::summary,
    },
    tensor::{Tensor, values::values},
    types::{Step, WallTime},
};

/// The requested part of a series, and how many of its steps are used at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Step,
    pub(crate) to: Step,
    pub(crate) most_steps: usize,
}

/// The most numbers in one column of filters or channels over all steps.
const MOST_NUMBERS: usize = 1 << 17;
/// The most bytes that are read for one answer; at least two steps are always read.
const MOST_BYTES: u64 = 8 << 30;

/// The statistics over the steps of a series.
pub(crate) struct Chart {
    pub(crate) layout: Option<Layout>,
    pub(crate) is_weights: bool,
    /// How many steps were logged in the requested span.
    pub(crate) n_logged: usize,
    /// Every Nth of them is used, and the last; with 1 all are used.
    pub(crate) every: usize,
    /// Steps whose tensor is damaged.
    pub(crate) damaged: Vec<Step>,
    pub(crate) points: Vec<Point>,
}

/// One step.
pub(crate) struct Point {
    pub(crate) step: Step,
    pub(crate) wall_time: Option<WallTime>,
    /// The logged step before, on which the change is based, even if that step is not one of the points.
    pub(crate) before: Option<Step>,
    pub(crate) row: Arc<Row>,
}

/// Larger tensors are read again for each step, because memory that is kept between steps is not available to other tasks.
const MOST_KEPT_BYTES: usize = 4 << 20;

/// Tensors that the next step needs too: the step before it, and the first step. They bypass the cache, which is for tensors that
/// people look at.
#[derive(Default)]
struct RecentTensors {
    read: Vec<(TensorLocation, Arc<Tensor>)>,
}

impl RecentTensors {
    async fn read(
        &mut self,
        pictures: &Pictures,
        memory: &MemoryPermit,
        found: &Found,
    ) -> Result<Arc<Tensor>, AnswerError> {
        let location = location(found);
        if let Some((_, tensor)) = self.read.iter().find(|(read, _)| *read == location) {
            return Ok(Arc::clone(tensor));
        }
        let tensor = pictures.read(memory, found).await?;
        self.read.push((location, Arc::clone(&tensor)));
        Ok(tensor)
    }

    fn keep_only(&mut self, needed: &[TensorLocation]) {
        self.read
            .retain(|(location, tensor)| needed.contains(location) && tensor.bytes.len() <= MOST_KEPT_BYTES);
    }
}

impl Numbers {
    /// The statistics over a span of steps. If the client disconnects, the work stops; finished rows stay in the cache.
    ///
    /// # Errors
    /// When too many charts are requested at once.
    pub(crate) async fn chart(
        &self,
        series: &Arc<Series>,
        asked: Option<Layout>,
        span: Span,
    ) -> Result<Chart, AnswerError> {
        let layout = settle_layout(series, asked)?;
        let busy =
            || AnswerError::Busy("too many charts are requested at once: try again in a second".to_owned());
        let _waiting = self.charts_waiting.try_acquire().map_err(|_| busy())?;
        let _permit = self.charts.acquire().await.expect("the semaphore is never closed");
        let logged: Vec<Step> = series.steps.range(span.from..=span.to).map(|(step, _)| *step).collect();
        let every = stride(logged.len(), most_points(series, layout, span.most_steps));
        let mut chart = Chart {
            layout,
            is_weights: is_weights(series, layout),
            n_logged: logged.len(),
            every,
            damaged: Vec::new(),
            points: Vec::new(),
        };
        let mut tensors = RecentTensors::default();
        for step in thinned(&logged, every) {
            let Some(found) = at(series, step) else { continue };
            let earlier = before(series, step).filter(|_| chart.is_weights);
            match unless_damaged(self.row(&found, earlier.as_ref(), layout, &mut tensors).await)? {
                Some(row) => chart.points.push(Point {
                    step,
                    wall_time: found.parts[0].wall_time,
                    before: earlier.map(|earlier| earlier.step),
                    row,
                }),
                None => chart.damaged.push(step),
            }
        }
        Ok(chart)
    }

    async fn row(
        &self,
        found: &Found,
        earlier: Option<&Found>,
        layout: Option<Layout>,
        tensors: &mut RecentTensors,
    ) -> Result<Arc<Row>, AnswerError> {
        let first = first(&found.series).filter(|_| is_weights(&found.series, layout));
        let others = first.as_ref().map(|first| [location(earlier.unwrap_or(first)), location(first)]);
        let make = async {
            let pictures = &self.pictures;
            // The memory is acquired step by step, so that other tasks can run in between.
            let memory = &pictures.enter(found, &Product::Numbers).await?;
            let tensor = tensors.read(pictures, memory, found).await?;
            let before = match earlier {
                Some(earlier) => unless_damaged(tensors.read(pictures, memory, earlier).await)?,
                None => None,
            };
            let start = match &first {
                Some(first) => unless_damaged(tensors.read(pictures, memory, first).await)?,
                None => None,
            };
            tensors.keep_only(
                &[Some(found), first.as_ref()].into_iter().flatten().map(location).collect::<Vec<_>>(),
            );
            let work = memory.during(move || Arc::new(row(&tensor, [before, start], layout)));
            pictures.pool.run(work).await
        };
        self.rows.get_or_make(&(TensorKey::new(found, layout), others.clone()), make).await
    }
}

/// The statistics of a tensor, and its changes from the tensors `others`: of the step before, and of the first step.
fn row(tensor: &Arc<Tensor>, others: [Option<Arc<Tensor>>; 2], layout: Option<Layout>) -> Row {
    let summary = summary(&values(tensor), groups_of(layout, tensor).as_ref());
    let [change, change_since_first] = others.map(|other| {
        let other = other.filter(|other| other.shape == tensor.shape)?;
        Some(change_between(tensor, &other, layout))
    });
    let each_change = change.iter().flat_map(|change| change.each.iter().map(Likeness::relative)).collect();
    let finite = |number: fn(&Finite) -> f64| {
        summary.each.iter().map(|numbers| numbers.finite.as_ref().map(number)).collect()
    };
    Row {
        whole: summary.whole,
        change: change.map(|change| change.whole),
        change_since_first: change_since_first.map(|change| change.whole),
        l2: finite(|finite| finite.l2),
        sparsity: if summary.unit == Some(GroupKind::Channel) {
            finite(|finite| finite.zero_share)
        } else {
            Vec::new()
        },
        each_change,
    }
}

/// How many steps are used at most, so that neither the answer nor the bytes read for it get too large.
fn most_points(series: &Series, layout: Option<Layout>, most_steps: usize) -> usize {
    let Ok(form) = &series.form else { return most_steps };
    let shape = &form.shape;
    let fitting = layout.filter(|layout| layout.rank() == shape.rank());
    let n_groups = fitting.and_then(|layout| layout.outputs(shape.axes())).filter(|n| *n <= MOST_GROUPS);
    let by_numbers = MOST_NUMBERS / n_groups.unwrap_or(0).max(1);
    // For each step, the step before it is read too.
    let bytes = (shape.elements().saturating_mul(form.dtype.bytes()).saturating_mul(2) as u64).max(1);
    let by_bytes = usize::try_from(MOST_BYTES / bytes).unwrap_or(usize::MAX);
    most_steps.min(by_numbers).min(by_bytes).max(2)
}

/// N, if every Nth step is used: a power of two, so that a series that grows keeps the steps that were used before.
fn stride(n_logged: usize, most: usize) -> usize {
    let mut every = 1;
    while n_logged > most && n_logged.div_ceil(every) + 1 > most && every < n_logged {
        every *= 2;
    }
    every
}

/// Every Nth step, and the last.
fn thinned(steps: &[Step], every: usize) -> Vec<Step> {
    let last = steps.len().saturating_sub(1);
    let is_taken = |at: usize| at.is_multiple_of(every) || at == last;
    steps.iter().enumerate().filter(|(at, _)| is_taken(*at)).map(|(_, step)| *step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_steps_are_taken_than_allowed_and_those_taken_stay() {
        for (n, most) in [(1, 2), (2, 2), (3, 2), (1000, 100), (1000, 1000), (1001, 1000), (10_000, 7)] {
            let steps: Vec<Step> = (0..n).collect();
            let taken = |n: usize| thinned(&steps[..n], stride(n, most));
            assert!(taken(steps.len()).len() <= most, "{n} {most}");
            let (before, after) = (taken(steps.len() / 2), taken(steps.len()));
            let last = before.last().copied();
            let is_kept = |step: &Step| after.contains(step) || Some(*step) == last;
            let every = (stride(steps.len() / 2, most), stride(steps.len(), most));
            assert!(every.0 != every.1 || before.iter().all(is_kept), "{n} {most}");
        }
    }

    #[test]
    fn the_first_and_the_last_step_are_always_among_those_taken() {
        let steps: Vec<Step> = (0..11).map(|step| step * 5).collect();
        let check = |every, expected: &[Step]| assert_eq!(thinned(&steps, every), expected);
        check(1, &steps);
        check(4, &[0, 20, 40, 50]);
        check(16, &[0, 50]);
        assert_eq!(thinned(&[], 2), [] as [Step; 0]);
    }
}
