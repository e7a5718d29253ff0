//! Tensors and choices -> pictures, made once and kept for a while.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    cache::{Cache, Weigh},
    client::Client,
    gate::{Gate, Held},
    need::{self, Made},
    pool::Pool,
    run_ranges::{Progress, RunRanges},
};

use crate::{
    catalog::snapshot::{FileId, Series},
    load::{LoadError, Loader},
    lookup::{
        error::AnswerError,
        steps::{Found, before},
        subject::{plan_of, subject_of},
    },
    model::{layout::Layout, role::Role},
    render::{
        choices::{Choices, Scope},
        encode::{Effort, Format, encode},
        plan::{Plan, plan},
        range::Interval,
        sheet::{Others, SheetLegend, draw_among, numbers},
    },
    tensor::{Tensor, npy},
};

/// Where the parts of a tensor lie. A file that is read anew has a new number, so a place never means another tensor later.
pub(crate) type Place = Vec<(FileId, u64, u32)>;

/// What a picture is of: the place, what was concluded of the tensor, the choices in one spelling, the format, and what it takes
/// from other steps: the ends of the run's range, the place of the tensor before.
pub(crate) type PictureKey = (Place, Role, Option<Layout>, String, Format, Option<(u64, u64)>, Option<Place>);

/// What a picture takes from other steps of its series.
#[derive(Default)]
struct Beside {
    run: Option<Interval>,
    before: Option<Found>,
}

/// A picture and what it shows.
pub(crate) struct Drawn {
    pub(crate) picture: Bytes,
    pub(crate) legend: SheetLegend,
}

/// How much of the cache is for tensors; the rest is for pictures, which are smaller.
const TENSOR_SHARE: u64 = 2;

pub(crate) struct Pictures {
    pub(crate) loader: Loader,
    pub(crate) pool: Arc<Pool>,
    pub(crate) gate: Arc<Gate>,
    run_ranges: Arc<RunRanges>,
    tensors: Cache<Place, Arc<Tensor>>,
    pub(crate) drawn: Cache<PictureKey, Arc<Drawn>>,
}

impl Weigh for Arc<Tensor> {
    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl Weigh for Arc<Drawn> {
    fn bytes(&self) -> u64 {
        self.picture.len() as u64 + self.legend.bytes()
    }
}

impl Pictures {
    /// Keeps up to `cache_bytes`, and works with up to `work_bytes`.
    pub(crate) fn new(loader: Loader, cache_bytes: u64, work_bytes: u64) -> Self {
        let of_tensors = cache_bytes / (TENSOR_SHARE + 1) * TENSOR_SHARE;
        let (pool, gate) = (Arc::new(Pool::new()), Arc::new(Gate::new(work_bytes)));
        Self {
            run_ranges: RunRanges::new(loader.clone(), Arc::clone(&pool), Arc::clone(&gate)),
            loader,
            pool,
            gate,
            tensors: Cache::new(of_tensors),
            drawn: Cache::new(cache_bytes - of_tensors),
        }
    }

    pub(crate) async fn drawn(
        &self,
        found: &Found,
        choices: &Choices,
        format: Format,
    ) -> Result<Arc<Drawn>, AnswerError> {
        let layout = found.series.layout();
        let Beside { run, before } = self.beside(found, choices).await?;
        let ends = run.map(|run| (run.lo.to_bits(), run.hi.to_bits()));
        let (role, place_before) = (found.series.facts.role, before.as_ref().map(place));
        let key = (place(found), role, layout, choices.canonical(), format, ends, place_before);
        let draw_it = async {
            // The plan says what is wrong with the choices before anything is read.
            let plan = plan_of(&found.series, choices)?;
            let held = self.enter(found, &Made::Picture(&plan)).await?;
            let tensor = self.tensor(&held, found).await?;
            let before = self.tensor_before(&held, before.as_ref()).await?;
            let plan = fit(plan, &tensor, &found.series, choices)?;
            let draw =
                move || draw_and_encode(&tensor, plan, format, &Others { run, before: before.as_deref() });
            self.pool.run(held.during(draw)).await?.map(Arc::new)
        };
        self.drawn.get_or_make(&key, draw_it).await
    }

    /// The range over all steps as far as it is known, whatever scope is chosen.
    pub(crate) fn run_range(&self, series: &Arc<Series>, choices: &Choices) -> Result<Progress, AnswerError> {
        let choices = Choices { scope: Some(Scope::Run), blend: None, ..choices.clone() };
        self.run_ranges.ask(series, &plan_of(series, &choices)?)
    }

    /// The interval of all steps of a series, waiting for it, where these choices need it.
    pub(crate) async fn interval_of_run(
        &self,
        series: &Arc<Series>,
        choices: &Choices,
    ) -> Result<Option<Interval>, AnswerError> {
        let plan = plan_of(series, choices)?;
        if !plan.needs_run() {
            return Ok(None);
        }
        self.run_ranges.wait(series, &plan).await.map(Some)
    }

    /// Waits for the range of the run where it is wanted, and finds the step before.
    async fn beside(&self, found: &Found, choices: &Choices) -> Result<Beside, AnswerError> {
        if !choices.need_other_steps() {
            return Ok(Beside::default());
        }
        let plan = plan_of(&found.series, choices)?;
        let before = if plan.needs_before() { before(&found.series, found.step) } else { None };
        let run =
            if plan.needs_run() { Some(self.run_ranges.wait(&found.series, &plan).await?) } else { None };
        Ok(Beside { run, before })
    }

    async fn tensor_before(
        &self,
        held: &Held,
        before: Option<&Found>,
    ) -> Result<Option<Arc<Tensor>>, AnswerError> {
        match before {
            Some(before) => self.tensor(held, before).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the memory that something of a tensor needs.
    pub(crate) async fn enter(&self, found: &Found, made: &Made<'_>) -> Result<Held, AnswerError> {
        let of = (&*found.series, &*found.parts);
        self.gate.enter(need::look((&self.loader, &self.pool), of, made).await?).await
    }

    /// The numbers behind a sheet's pixels as NPY.
    pub(crate) async fn values(
        &self,
        found: &Found,
        choices: &Choices,
        client: Arc<dyn Client>,
    ) -> Result<Bytes, AnswerError> {
        let plan = plan_of(&found.series, choices)?;
        let place = self.gate.place(need::of_values(&plan), client).await?;
        let held = self.enter(found, &Made::Values(&plan)).await?;
        let tensor = self.tensor(&held, found).await?;
        let before = if plan.needs_before() { before(&found.series, found.step) } else { None };
        let before = self.tensor_before(&held, before.as_ref()).await?;
        let plan = fit(plan, &tensor, &found.series, choices)?;
        let in_npy = move || {
            let (axes, numbers) = numbers(&tensor, &plan, before.as_deref())?;
            Ok(place.hold(npy::npy_f32(&axes, &numbers)))
        };
        self.pool.run(held.during(in_npy)).await?
    }

    /// The tensor as logged as NPY.
    pub(crate) async fn npy(&self, found: &Found, client: Arc<dyn Client>) -> Result<Bytes, AnswerError> {
        let place = self.gate.place(need::of_npy(&found.series), client).await?;
        let held = self.enter(found, &Made::Npy).await?;
        let tensor = self.tensor(&held, found).await?;
        self.pool.run(held.during(move || place.hold(npy::npy(&tensor)))).await
    }

    /// The tensor, read once and kept for a while, by somebody who holds the memory for it.
    pub(crate) async fn tensor(&self, held: &Held, found: &Found) -> Result<Arc<Tensor>, AnswerError> {
        self.tensors.get_or_make(&place(found), self.read(held, found)).await
    }

    /// The tensor, read anew and not kept, likewise.
    pub(crate) async fn read(&self, held: &Held, found: &Found) -> Result<Arc<Tensor>, AnswerError> {
        if let Err(error) = &found.series.form {
            return Err(AnswerError::NotDrawable(error.reason.clone()));
        }
        let (loader, series, step, parts) =
            (self.loader.clone(), Arc::clone(&found.series), found.step, found.parts.clone());
        let tensor = self.pool.run(held.during(move || loader.load(&series, step, &parts))).await?;
        tensor.map(Arc::new).map_err(|error: LoadError| AnswerError::from(&error))
    }

    /// Bytes, hits and misses: of tensors, of pictures.
    pub(crate) fn figures(&self) -> [(&'static str, (u64, u64, u64)); 2] {
        [("tensors", self.tensors.figures()), ("pictures", self.drawn.figures())]
    }
}

pub(crate) fn place(found: &Found) -> Place {
    found.parts.iter().map(|part| (part.file, part.place.offset, part.value_idx)).collect()
}

/// The plan for this very tensor: the shape may have changed from step to step, as that of a last, smaller batch does.
fn fit(
    plan_of_newest: Plan,
    tensor: &Tensor,
    series: &Series,
    choices: &Choices,
) -> Result<Plan, AnswerError> {
    if series.form.as_ref().is_ok_and(|form| form.shape == tensor.shape && form.frames == tensor.frames) {
        return Ok(plan_of_newest);
    }
    Ok(plan(choices, &subject_of(series, tensor))?)
}

pub(crate) fn draw_and_encode(
    tensor: &Tensor,
    plan: Plan,
    format: Format,
    others: &Others<'_>,
) -> Result<Drawn, AnswerError> {
    let sheet = draw_among(tensor, plan, others)?;
    let picture = encode(&sheet.raster, sheet.legend.plan.zoom, format, Effort::Live).map_err(|error| {
        AnswerError::BadOption(format!("{error}: use format=png, a smaller zoom or fewer channels"))
    })?;
    Ok(Drawn { picture: picture.into(), legend: sheet.legend })
}
