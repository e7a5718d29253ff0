//! Two tensors -> their difference as a picture, the values of its pixels, and how different both tensors are.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    cache::{Cache, Weigh},
    client::Client,
    memory_gate::MemoryPermit,
    need,
    pictures::{Drawable, EncodedPicture, Pictures, TensorLocation, UncoloredSheet, location},
};
use crate::{
    catalog::snapshot::Form,
    draw::difference::{check_shapes, partners, plan_difference, subtract},
    lookup::{error::AnswerError, pair::TensorPair},
    model::layout::Layout,
    render::{
        choices::Choices,
        encode::Format,
        other_steps::OtherSteps,
        plan::Plan,
        sheet::{draw_among, numbers},
    },
    stats::{
        difference::{FilterOrder, ordered},
        groups::Groups,
        likeness::{Likeness, likenesses},
        matching::Match,
    },
    tensor::{Tensor, npy, values::values},
};

/// Two tensors, and the layout of both.
#[derive(Clone, PartialEq, Eq, Hash)]
struct PairKey {
    a: TensorLocation,
    b: TensorLocation,
    layout: Option<Layout>,
}

fn key(pair: &TensorPair) -> PairKey {
    PairKey { a: location(&pair.a), b: location(&pair.b), layout: pair.layout }
}

/// How different two tensors are.
pub(crate) struct Distance {
    pub(crate) whole: Likeness,
    /// Each filter compared with its partner, or each channel; empty if the layout is unknown.
    pub(crate) each: Vec<Likeness>,
    /// Each filter compared with the filter of the same index; empty if filters were not paired by similarity.
    pub(crate) by_index: Vec<Likeness>,
    /// The index of each filter's partner, if filters were paired by similarity.
    pub(crate) partners: Option<Arc<Partners>>,
}

/// For each filter of the first tensor, the index of its partner in the second.
#[derive(Debug, PartialEq)]
pub(crate) struct Partners(pub(crate) Vec<usize>);

impl Weigh for Arc<Partners> {
    fn bytes(&self) -> u64 {
        (self.0.len() * size_of::<usize>()) as u64
    }
}

pub(crate) struct Differences {
    pictures: Arc<Pictures>,
    partners: Cache<PairKey, Arc<Partners>>,
}

impl Differences {
    pub(crate) fn new(pictures: Arc<Pictures>, cache_bytes: u64) -> Self {
        Self { pictures, partners: Cache::new(cache_bytes) }
    }

    pub(crate) async fn picture(
        &self,
        pair: &TensorPair,
        choices: &Choices,
        format: Format,
    ) -> Result<Arc<EncodedPicture>, AnswerError> {
        let drawable = Drawable::difference(pair);
        let sheet = self.sheet(pair, choices, &drawable);
        self.pictures.cached_picture((drawable.clone(), choices, format), sheet).await
    }

    async fn sheet(
        &self,
        pair: &TensorPair,
        choices: &Choices,
        drawable: &Drawable,
    ) -> Result<UncoloredSheet, AnswerError> {
        // Making the plan first reports wrong options before anything is read.
        let newest = plan_difference(choices, &pair.subject_of_newest()?)?;
        let memory = self.pictures.gate.enter(need::for_difference(pair, Some(&newest))).await?;
        let form = self.pictures.form(&memory, &pair.a).await?;
        let plan = plan_difference(choices, &pair.subject(&form))?;
        let paint = plan.paint;
        let draw_it = async |Plan { geometry, scale, .. }| {
            let tensor = self.subtracted(&memory, pair).await?;
            let draw = move || draw_among(&tensor, geometry, &scale, &OtherSteps::default());
            Ok(self.pictures.pool.run(memory.during(draw)).await??)
        };
        let sheet = self.pictures.cached_sheet(drawable, (plan, choices), draw_it).await?;
        Ok(UncoloredSheet { sheet, paint, memory })
    }

    /// The values of a sheet's pixels as NPY.
    pub(crate) async fn values(
        &self,
        pair: &TensorPair,
        choices: &Choices,
        client: Arc<dyn Client>,
    ) -> Result<Bytes, AnswerError> {
        let answer_permit = self.pictures.gate.answer_permit(need::npy_bytes(&pair.a.series), client).await?;
        let newest = plan_difference(choices, &pair.subject_of_newest()?)?;
        let memory = self.pictures.gate.enter(need::for_difference(pair, Some(&newest))).await?;
        let tensor = self.subtracted(&memory, pair).await?;
        let Plan { geometry, .. } = plan_difference(choices, &pair.subject(&Form::of(&tensor)))?;
        let in_npy = move || {
            let (axes, numbers) = numbers(&tensor, &geometry, None)?;
            Ok(answer_permit.attach_to(npy::npy_f32(&axes, &numbers)))
        };
        self.pictures.pool.run(memory.during(in_npy)).await?
    }

    /// The first tensor minus the second.
    async fn subtracted(&self, memory: &MemoryPermit, pair: &TensorPair) -> Result<Tensor, AnswerError> {
        let (a, b) = self.tensors(memory, pair).await?;
        let partners = self.partners(memory, pair, (&a, &b)).await?;
        let of = pair.clone();
        let subtracted = move || subtract(&of, (&a, &b), partners.as_ref().map(|partners| &*partners.0));
        self.pictures.pool.run(memory.during(subtracted)).await
    }

    async fn tensors(
        &self,
        memory: &MemoryPermit,
        pair: &TensorPair,
    ) -> Result<(Arc<Tensor>, Arc<Tensor>), AnswerError> {
        let (a, b) =
            (self.pictures.tensor(memory, &pair.a).await?, self.pictures.tensor(memory, &pair.b).await?);
        check_shapes(pair, &a, &b)?;
        Ok((a, b))
    }

    async fn partners(
        &self,
        memory: &MemoryPermit,
        pair: &TensorPair,
        (a, b): (&Arc<Tensor>, &Arc<Tensor>),
    ) -> Result<Option<Arc<Partners>>, AnswerError> {
        if pair.matching == Match::Index {
            return Ok(None);
        }
        let (of, a, b) = (pair.clone(), Arc::clone(a), Arc::clone(b));
        let find = async {
            let found = self.pictures.pool.run(memory.during(move || partners(&of, &a, &b))).await??;
            Ok::<_, AnswerError>(Arc::new(Partners(found.unwrap_or_default())))
        };
        self.partners.get_or_make(&key(pair), find).await.map(Some)
    }

    /// How different both tensors are.
    pub(crate) async fn distance(&self, pair: &TensorPair) -> Result<Distance, AnswerError> {
        let memory = self.pictures.gate.enter(need::for_difference(pair, None)).await?;
        let (a, b) = self.tensors(&memory, pair).await?;
        let partners = self.partners(&memory, pair, (&a, &b)).await?;
        let layout = pair.layout;
        let measure = move || distance((&a, &b), layout, partners);
        self.pictures.pool.run(memory.during(measure)).await
    }

    pub(crate) fn figures(&self) -> (u64, u64, u64) {
        self.partners.figures()
    }
}

fn distance((a, b): (&Tensor, &Tensor), layout: Option<Layout>, partners: Option<Arc<Partners>>) -> Distance {
    let (x, y) = (values(a), values(b));
    let groups = layout.and_then(|layout| Groups::of(layout, &a.shape).ok());
    let whole = |y| likenesses(&x, y, &Groups::whole(a.shape.elements()), None)[0];
    let Some(groups) = groups else {
        return Distance { whole: whole(&y), each: Vec::new(), by_index: Vec::new(), partners: None };
    };
    let by_index = likenesses(&x, &y, &groups, None);
    let Some(of_b) = partners.as_ref().map(|partners| &*partners.0) else {
        return Distance { whole: whole(&y), each: by_index, by_index: Vec::new(), partners: None };
    };
    let each = likenesses(&x, &y, &groups, Some(of_b));
    let whole = whole(&ordered(b, FilterOrder { groups: &groups, of_b }));
    Distance { whole, each, by_index, partners }
}
