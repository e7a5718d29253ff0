//! Tensors -> their statistics, computed once and cached: those of one step, and its changes from other steps.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{
    cache::{Cache, Weigh},
    memory_gate::MemoryPermit,
    need::Product,
    pictures::{Pictures, TensorLocation, location},
    row::Row,
};

use crate::{
    catalog::snapshot::{Encoding, Series},
    lookup::{
        error::AnswerError,
        steps::{Found, before, first},
    },
    model::{layout::Layout, role::Role},
    stats::{
        groups::{Groups, NoGroups},
        likeness::{Likeness, likenesses},
        maps::dead_channels,
        numbers::Statistics,
        pairs::{Pair, Pairs, TooMany, alike},
        summary::{Summary, summary},
    },
    tensor::{Tensor, values::values},
    types::Step,
};

/// How many charts are computed at once. Each uses one thread of the pool at a time, so pictures still get threads.
const CHARTS_AT_ONCE: usize = 2;
const MOST_CHARTS_WAITING: usize = 32;

/// A tensor, and its layout as it was inferred or requested.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TensorKey {
    pub(super) location: TensorLocation,
    pub(super) layout: Option<Layout>,
}

impl TensorKey {
    pub(super) fn new(found: &Found, layout: Option<Layout>) -> Self {
        Self { location: location(found), layout }
    }
}

pub(crate) struct Numbers {
    pub(crate) pictures: Arc<Pictures>,
    summaries: Cache<TensorKey, Arc<Summary>>,
    pairs: Cache<TensorKey, Arc<PairSearch>>,
    changes: Cache<(TensorKey, TensorLocation), Arc<Change>>,
    pub(crate) rows: Cache<(TensorKey, Option<[TensorLocation; 2]>), Arc<Row>>,
    pub(crate) charts: Semaphore,
    pub(crate) charts_waiting: Semaphore,
}

/// The pairs that are alike, or why they were not searched for.
pub(crate) type PairSearch = Result<Pairs, TooMany>;

/// How different a tensor is from another one of its series.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) whole: Likeness,
    pub(crate) each: Vec<Likeness>,
}

/// All statistics of one step.
pub(crate) struct StepNumbers {
    pub(crate) layout: Option<Layout>,
    /// Why there are no filters or channels, although the layout is known.
    pub(crate) no_groups: Option<NoGroups>,
    pub(crate) summary: Arc<Summary>,
    /// Duplicates among filters, twins among channels.
    pub(crate) pairs: Option<Arc<PairSearch>>,
    /// The step before, and the change since then.
    pub(crate) change: Option<(Step, Arc<Change>)>,
    /// The first step, and the change since then.
    pub(crate) change_since_first: Option<(Step, Arc<Change>)>,
    /// Steps, and which channels are dead in all of them.
    pub(crate) dead: Option<(Vec<Step>, Vec<Option<bool>>)>,
}

impl Weigh for Arc<Summary> {
    fn bytes(&self) -> u64 {
        let of_filter = if self.filters.is_some() { 5 * size_of::<f64>() } else { 0 };
        (size_of::<Summary>() + self.each.len() * (size_of::<Statistics>() + of_filter)) as u64
    }
}

impl Weigh for Arc<PairSearch> {
    fn bytes(&self) -> u64 {
        let listed = self.as_ref().as_ref().map_or(0, |pairs| pairs.listed.len());
        (size_of::<PairSearch>() + listed * size_of::<Pair>()) as u64
    }
}

impl Weigh for Arc<Change> {
    fn bytes(&self) -> u64 {
        ((1 + self.each.len()) * size_of::<Likeness>()) as u64
    }
}

impl Numbers {
    pub(crate) fn new(pictures: Arc<Pictures>, cache_bytes: u64) -> Self {
        let share = cache_bytes / 4;
        Self {
            pictures,
            summaries: Cache::new(share),
            pairs: Cache::new(share),
            changes: Cache::new(share),
            rows: Cache::new(share),
            charts: Semaphore::new(CHARTS_AT_ONCE),
            charts_waiting: Semaphore::new(MOST_CHARTS_WAITING),
        }
    }

    /// The statistics of one step. A channel is dead if it is so in each of the last `n_steps` steps up to this one.
    pub(crate) async fn step(
        &self,
        found: &Found,
        asked: Option<Layout>,
        n_steps: usize,
    ) -> Result<StepNumbers, AnswerError> {
        let layout = settle_layout(&found.series, asked)?;
        let memory = &self.pictures.enter(found, &Product::Numbers).await?;
        let tensor = self.pictures.tensor(memory, found).await?;
        let groups = layout.map(|layout| Groups::of(layout, &tensor.shape));
        let no_groups = groups.as_ref().and_then(|groups| groups.as_ref().err().copied());
        if let (Some(_), Some(error @ NoGroups::Rank { .. })) = (asked, no_groups) {
            return Err(AnswerError::BadOption(format!("layout: {error}")));
        }
        let has_groups = matches!(groups, Some(Ok(_)));
        let (mut change, mut change_since_first, mut dead) = (None, None, None);
        if is_weights(&found.series, layout) {
            change = self.change_from(memory, (found, layout), before(&found.series, found.step)).await?;
            change_since_first = self.change_from(memory, (found, layout), first(&found.series)).await?;
        } else if has_groups {
            dead = Some(self.dead(memory, (found, layout), n_steps).await?);
        }
        let pairs = if has_groups { Some(self.pairs(memory, found, layout).await?) } else { None };
        let summary = self.summary(memory, found, layout).await?;
        Ok(StepNumbers { layout, no_groups, summary, pairs, change, change_since_first, dead })
    }

    async fn summary(
        &self,
        memory: &MemoryPermit,
        found: &Found,
        layout: Option<Layout>,
    ) -> Result<Arc<Summary>, AnswerError> {
        let make = async {
            let tensor = self.pictures.tensor(memory, found).await?;
            let summed = move || {
                let groups = groups_of(layout, &tensor);
                Arc::new(summary(&values(&tensor), groups.as_ref()))
            };
            self.pictures.pool.run(memory.during(summed)).await
        };
        self.summaries.get_or_make(&TensorKey::new(found, layout), make).await
    }

    async fn pairs(
        &self,
        memory: &MemoryPermit,
        found: &Found,
        layout: Option<Layout>,
    ) -> Result<Arc<PairSearch>, AnswerError> {
        let make = async {
            let tensor = self.pictures.tensor(memory, found).await?;
            let compared = move || {
                let pairs = groups_of(layout, &tensor).map(|groups| alike(&values(&tensor), &groups));
                Arc::new(pairs.unwrap_or_else(|| Ok(Pairs::default())))
            };
            self.pictures.pool.run(memory.during(compared)).await
        };
        self.pairs.get_or_make(&TensorKey::new(found, layout), make).await
    }

    /// How different a step is from another one; `None` if that one is damaged or has another shape.
    async fn change_from(
        &self,
        memory: &MemoryPermit,
        (found, layout): (&Found, Option<Layout>),
        other: Option<Found>,
    ) -> Result<Option<(Step, Arc<Change>)>, AnswerError> {
        let Some(other) = other else { return Ok(None) };
        let tensor = self.pictures.tensor(memory, found).await?;
        let Some(from) = unless_damaged(self.pictures.tensor(memory, &other).await)? else { return Ok(None) };
        if from.shape != tensor.shape {
            return Ok(None);
        }
        let make =
            self.pictures.pool.run(memory.during(move || Arc::new(change_between(&tensor, &from, layout))));
        let change =
            self.changes.get_or_make(&(TensorKey::new(found, layout), location(&other)), make).await?;
        Ok(Some((other.step, change)))
    }

    async fn dead(
        &self,
        memory: &MemoryPermit,
        (found, layout): (&Found, Option<Layout>),
        n_steps: usize,
    ) -> Result<(Vec<Step>, Vec<Option<bool>>), AnswerError> {
        let own = self.summary(memory, found, layout).await?;
        let (mut steps, mut summaries) = (vec![found.step], vec![own]);
        let mut at = found.step;
        while steps.len() < n_steps {
            let Some(earlier) = before(&found.series, at) else { break };
            at = earlier.step;
            let Some(summary) = unless_damaged(self.summary(memory, &earlier, layout).await)? else {
                continue;
            };
            if summary.each.len() == summaries[0].each.len() {
                steps.push(at);
                summaries.push(summary);
            }
        }
        steps.reverse();
        let each: Vec<&[Statistics]> = summaries.iter().map(|summary| &*summary.each).collect();
        Ok((steps, dead_channels(&each)))
    }

    pub(crate) fn figures(&self) -> [(&'static str, (u64, u64, u64)); 4] {
        [
            ("summaries", self.summaries.figures()),
            ("pairs", self.pairs.figures()),
            ("changes", self.changes.figures()),
            ("charts", self.rows.figures()),
        ]
    }
}

/// The layout that was requested, otherwise the inferred one. Logged pictures have no statistics, as their scale is unknown.
pub(crate) fn settle_layout(series: &Series, asked: Option<Layout>) -> Result<Option<Layout>, AnswerError> {
    if series.encoding == Encoding::Pictures {
        return Err(AnswerError::NotDrawable(format!(
            "{} was logged as 8-bit pictures whose scale is unknown, so their statistics would say nothing about the tensor: log the tensor itself",
            series.tag
        )));
    }
    Ok(asked.or_else(|| series.layout()))
}

/// Whether the series is of weights, which change gradually from step to step, so that their change is meaningful. Activations, inputs
/// and images are different data in each step.
pub(crate) fn is_weights(series: &Series, layout: Option<Layout>) -> bool {
    let flows = matches!(series.facts.role, Role::Activation | Role::Input | Role::Image);
    layout.map_or(!flows, |layout| !layout.is_activation())
}

pub(crate) fn groups_of(layout: Option<Layout>, tensor: &Tensor) -> Option<Groups> {
    layout.and_then(|layout| Groups::of(layout, &tensor.shape).ok())
}

/// How different `tensor` is from another one of the same shape.
pub(crate) fn change_between(tensor: &Tensor, from: &Tensor, layout: Option<Layout>) -> Change {
    let (a, b) = (values(tensor), values(from));
    let each = groups_of(layout, tensor).map_or_else(Vec::new, |groups| likenesses(&a, &b, &groups, None));
    Change { whole: likenesses(&a, &b, &Groups::whole(tensor.shape.elements()), None)[0], each }
}

/// `None` for a damaged tensor, which is listed among the problems of the log.
pub(crate) fn unless_damaged<T>(read: Result<T, AnswerError>) -> Result<Option<T>, AnswerError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(AnswerError::Damaged(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
