//! Tensors and options -> pictures, made once and cached.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    cache::{Cache, Weigh},
    client::Client,
    memory_gate::{MemoryGate, MemoryPermit},
    need::{self, Product},
    pool::Pool,
    run_ranges::{Progress, RunRanges},
};

use crate::{
    catalog::snapshot::{Form, LogPosition, LoggedValue, Series},
    load::{LoadError, Loader},
    lookup::{
        error::AnswerError,
        pair::TensorPair,
        steps::{Found, before},
        subject::{drawable, plan_of, subject},
    },
    model::{layout::Layout, role::Role},
    render::{
        choices::{Choices, Scope},
        encode::{Effort, Format, Painted, encode},
        other_steps::OtherSteps,
        plan::{Paint, Plan, choices_of_codes, plan},
        range::Interval,
        sheet::{Sheet, SheetLegend, draw_among, numbers},
    },
    stats::matching::Match,
    tensor::{Tensor, npy},
};

/// Where the parts of a tensor are. A file that is read from the start again gets a new id, so a location never refers to another
/// tensor later.
pub(crate) type TensorLocation = Vec<LogPosition>;

/// What is drawn: equal drawables with equal options give the same picture.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Drawable {
    pub(crate) location: TensorLocation,
    /// The location of the tensor that is subtracted, and how filters are paired.
    pub(crate) minus: Option<(TensorLocation, Match)>,
    /// What was inferred about the tensor.
    pub(crate) role: Role,
    pub(crate) layout: Option<Layout>,
    /// The ends of the range of all steps, as bits, if the picture uses it.
    run: Option<(u64, u64)>,
    /// The location of the tensor of the step before, if the picture uses it.
    before: Option<TensorLocation>,
}

/// The key of a sheet without colours: what is drawn, and the options that determine its codes, in canonical form.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SheetKey(Drawable, String);

/// The key of an encoded picture: what is drawn, all options in canonical form, and the file format.
#[derive(Clone, PartialEq, Eq, Hash)]
struct PictureKey(Drawable, String, Format);

/// A picture as a file, and its legend.
pub(crate) struct EncodedPicture {
    pub(crate) picture: Bytes,
    pub(crate) legend: Arc<SheetLegend>,
    pub(crate) paint: Paint,
}

/// A sheet before colours are applied.
pub(super) struct UncoloredSheet {
    pub(super) sheet: Arc<Sheet>,
    pub(super) paint: Paint,
    /// The permit also covers the memory for the picture.
    pub(super) memory: MemoryPermit,
}

/// The cache memory is divided into parts. Tensors get most of them, as they are larger than sheets and encoded pictures.
const PARTS: u64 = 6;
const TENSOR_PARTS: u64 = 4;
/// The share of the cache memory for shapes is one divided by this.
const OF_FORMS: u64 = 256;

pub(crate) struct Pictures {
    pub(crate) loader: Loader,
    pub(crate) pool: Arc<Pool>,
    pub(crate) gate: Arc<MemoryGate>,
    run_ranges: Arc<RunRanges>,
    tensors: Cache<TensorLocation, Arc<Tensor>>,
    /// Shapes of tensors that were read, including tensors that are no longer cached: a plan can be made from the shape.
    forms: Cache<TensorLocation, Arc<Form>>,
    sheets: Cache<SheetKey, Arc<Sheet>>,
    pictures: Cache<PictureKey, Arc<EncodedPicture>>,
}

impl Weigh for Arc<Tensor> {
    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl Weigh for Arc<Form> {
    fn bytes(&self) -> u64 {
        (size_of::<Form>() + size_of_val(self.shape.axes()) + size_of_val(self.frames.counts())) as u64
    }
}

impl Weigh for Arc<Sheet> {
    fn bytes(&self) -> u64 {
        self.raster.bytes() + self.legend.bytes()
    }
}

impl Weigh for Arc<EncodedPicture> {
    fn bytes(&self) -> u64 {
        self.picture.len() as u64 + self.legend.bytes()
    }
}

impl Pictures {
    /// Caches up to `cache_bytes`, and uses up to `work_bytes` for tasks in progress.
    pub(crate) fn new(loader: Loader, cache_bytes: u64, work_bytes: u64) -> Self {
        let (pool, gate) = (Arc::new(Pool::new()), Arc::new(MemoryGate::new(work_bytes)));
        let of_forms = cache_bytes / OF_FORMS;
        let part = (cache_bytes - of_forms) / PARTS;
        Self {
            run_ranges: RunRanges::new(loader.clone(), Arc::clone(&pool), Arc::clone(&gate)),
            loader,
            pool,
            gate,
            tensors: Cache::new(TENSOR_PARTS * part),
            forms: Cache::new(of_forms),
            sheets: Cache::new(part),
            pictures: Cache::new(part),
        }
    }

    pub(crate) async fn picture(
        &self,
        found: &Found,
        choices: &Choices,
        format: Format,
    ) -> Result<Arc<EncodedPicture>, AnswerError> {
        let other_steps = self.other_steps(found, choices).await?;
        let drawable = Drawable::of(found, &other_steps);
        let sheet = self.sheet(found, choices, &drawable, other_steps);
        self.cached_picture((drawable.clone(), choices, format), sheet).await
    }

    /// The picture from the cache, or made now from this sheet.
    pub(super) async fn cached_picture(
        &self,
        (drawable, choices, format): (Drawable, &Choices, Format),
        sheet: impl Future<Output = Result<UncoloredSheet, AnswerError>>,
    ) -> Result<Arc<EncodedPicture>, AnswerError> {
        let key = PictureKey(drawable, choices.canonical(), format);
        let paint_it = async {
            let UncoloredSheet { sheet, paint, memory } = sheet.await?;
            self.pool.run(memory.during(move || encoded(&sheet, paint, format))).await?.map(Arc::new)
        };
        self.pictures.get_or_make(&key, paint_it).await
    }

    async fn sheet(
        &self,
        found: &Found,
        choices: &Choices,
        drawable: &Drawable,
        OtherSteps { run, before }: OtherSteps<Found>,
    ) -> Result<UncoloredSheet, AnswerError> {
        let (plan, memory) = self.planned(found, choices).await?;
        let paint = plan.paint;
        let draw_it = async |Plan { geometry, scale, .. }| {
            let tensor = self.tensor(&memory, found).await?;
            let before = self.tensor_before(&memory, before.as_ref()).await?;
            let draw =
                move || draw_among(&tensor, geometry, &scale, &OtherSteps { run, before: before.as_deref() });
            Ok(self.pool.run(memory.during(draw)).await??)
        };
        let sheet = self.cached_sheet(drawable, (plan, choices), draw_it).await?;
        Ok(UncoloredSheet { sheet, paint, memory })
    }

    /// The sheet of a plan, from the cache or drawn now.
    pub(super) async fn cached_sheet(
        &self,
        drawable: &Drawable,
        (plan, choices): (Plan, &Choices),
        draw: impl AsyncFnOnce(Plan) -> Result<Sheet, AnswerError>,
    ) -> Result<Arc<Sheet>, AnswerError> {
        let key = SheetKey(drawable.clone(), choices_of_codes(&plan, choices).canonical());
        self.sheets.get_or_make(&key, async { draw(plan).await.map(Arc::new) }).await
    }

    /// The plan for the tensor, and the memory to draw it. Choices that do not fit the newest tensor of the series may fit this one,
    /// which has to be read to know that.
    async fn planned(&self, found: &Found, choices: &Choices) -> Result<(Plan, MemoryPermit), AnswerError> {
        let newest = drawable(&found.series)?;
        let error = match plan_of(&found.series, choices) {
            Ok(plan) => {
                let memory = self.enter(found, &Product::Picture(&plan)).await?;
                let form = self.form(&memory, found).await?;
                return Ok((fit(plan, &form, &found.series, choices)?, memory));
            }
            Err(error) => error,
        };
        let form = self.form(&self.enter(found, &Product::Npy).await?, found).await?;
        if form.shape == newest.shape && form.frames == newest.frames {
            return Err(error);
        }
        let plan = plan(choices, &subject(&found.series, &form))?;
        let memory = self.enter(found, &Product::Picture(&plan)).await?;
        Ok((plan, memory))
    }

    /// The shape of the tensor; the tensor is read if the shape is unknown.
    pub(super) async fn form(&self, memory: &MemoryPermit, found: &Found) -> Result<Arc<Form>, AnswerError> {
        let read = async { Ok::<_, AnswerError>(Arc::new(Form::of(&*self.tensor(memory, found).await?))) };
        self.forms.get_or_make(&location(found), read).await
    }

    /// The range over all steps as far as it is known, whatever the scope in the options.
    pub(crate) fn run_range(&self, series: &Arc<Series>, choices: &Choices) -> Result<Progress, AnswerError> {
        let choices = Choices { scope: Some(Scope::Run), blend: None, ..choices.clone() };
        self.run_ranges.ask(series, &plan_of(series, &choices)?)
    }

    /// Waits for the range over all steps of a series; `None` if these options do not need it.
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

    /// Waits for the range of the run if the picture uses it, and finds the step before if the picture uses that.
    async fn other_steps(&self, found: &Found, choices: &Choices) -> Result<OtherSteps<Found>, AnswerError> {
        if !choices.need_other_steps() {
            return Ok(OtherSteps::default());
        }
        let plan = plan_of(&found.series, choices)?;
        let before = if plan.needs_before() { before(&found.series, found.step) } else { None };
        let run =
            if plan.needs_run() { Some(self.run_ranges.wait(&found.series, &plan).await?) } else { None };
        Ok(OtherSteps { run, before })
    }

    async fn tensor_before(
        &self,
        memory: &MemoryPermit,
        before: Option<&Found>,
    ) -> Result<Option<Arc<Tensor>>, AnswerError> {
        match before {
            Some(before) => self.tensor(memory, before).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the memory that is needed to make a product of a tensor.
    pub(crate) async fn enter(
        &self,
        found: &Found,
        product: &Product<'_>,
    ) -> Result<MemoryPermit, AnswerError> {
        let of = (&*found.series, &*found.parts);
        self.gate.enter(need::estimate((&self.loader, &self.pool), of, product).await?).await
    }

    /// The values of a sheet's pixels as NPY.
    pub(crate) async fn values(
        &self,
        found: &Found,
        choices: &Choices,
        client: Arc<dyn Client>,
    ) -> Result<Bytes, AnswerError> {
        let plan = plan_of(&found.series, choices)?;
        let answer_permit = self.gate.answer_permit(need::values_bytes(&plan), client).await?;
        let memory = self.enter(found, &Product::Values(&plan)).await?;
        let tensor = self.tensor(&memory, found).await?;
        let before = if plan.needs_before() { before(&found.series, found.step) } else { None };
        let before = self.tensor_before(&memory, before.as_ref()).await?;
        let Plan { geometry, .. } = fit(plan, &Form::of(&tensor), &found.series, choices)?;
        let in_npy = move || {
            let (axes, numbers) = numbers(&tensor, &geometry, before.as_deref())?;
            Ok(answer_permit.attach_to(npy::npy_f32(&axes, &numbers)))
        };
        self.pool.run(memory.during(in_npy)).await?
    }

    /// The tensor as it was logged, as NPY.
    pub(crate) async fn npy(&self, found: &Found, client: Arc<dyn Client>) -> Result<Bytes, AnswerError> {
        let answer_permit = self.gate.answer_permit(need::npy_bytes(&found.series), client).await?;
        let memory = self.enter(found, &Product::Npy).await?;
        let tensor = self.tensor(&memory, found).await?;
        self.pool.run(memory.during(move || answer_permit.attach_to(npy::npy(&tensor)))).await
    }

    /// The tensor, from the cache or read now. The caller holds the memory for it.
    pub(crate) async fn tensor(
        &self,
        memory: &MemoryPermit,
        found: &Found,
    ) -> Result<Arc<Tensor>, AnswerError> {
        self.tensors.get_or_make(&location(found), self.read(memory, found)).await
    }

    /// The tensor, read now and not cached. The caller holds the memory for it.
    pub(crate) async fn read(
        &self,
        memory: &MemoryPermit,
        found: &Found,
    ) -> Result<Arc<Tensor>, AnswerError> {
        if let Err(error) = &found.series.form {
            return Err(AnswerError::NotDrawable(error.reason.clone()));
        }
        let (loader, series, step, parts) =
            (self.loader.clone(), Arc::clone(&found.series), found.step, found.parts.clone());
        let tensor = self.pool.run(memory.during(move || loader.load(&series, step, &parts))).await?;
        tensor.map(Arc::new).map_err(|error: LoadError| AnswerError::from(&error))
    }

    /// Bytes, hits and misses of the caches of tensors, sheets without colours and encoded pictures.
    pub(crate) fn figures(&self) -> [(&'static str, (u64, u64, u64)); 3] {
        [
            ("tensors", self.tensors.figures()),
            ("sheets", self.sheets.figures()),
            ("pictures", self.pictures.figures()),
        ]
    }
}

pub(crate) fn location(found: &Found) -> TensorLocation {
    found.parts.iter().map(LoggedValue::position).collect()
}

impl Drawable {
    fn of(found: &Found, other_steps: &OtherSteps<Found>) -> Self {
        let run = other_steps.run.map(|run| (run.lo.to_bits(), run.hi.to_bits()));
        let (role, layout) = (found.series.facts.role, found.series.layout());
        Self {
            location: location(found),
            minus: None,
            role,
            layout,
            run,
            before: other_steps.before.as_ref().map(location),
        }
    }

    /// The difference of two tensors.
    pub(super) fn difference(pair: &TensorPair) -> Self {
        let minus = Some((location(&pair.b), pair.matching));
        let (location, role) = (location(&pair.a), pair.a.series.facts.role);
        Self { location, minus, role, layout: pair.layout, run: None, before: None }
    }
}

/// The plan for the tensor of this step. Its shape may differ from the newest one, for example if the last batch is smaller.
fn fit(plan_of_newest: Plan, form: &Form, series: &Series, choices: &Choices) -> Result<Plan, AnswerError> {
    if series.form.as_ref().is_ok_and(|newest| newest.shape == form.shape && newest.frames == form.frames) {
        return Ok(plan_of_newest);
    }
    Ok(plan(choices, &subject(series, form))?)
}

fn encoded(sheet: &Sheet, paint: Paint, format: Format) -> Result<EncodedPicture, AnswerError> {
    let picture = encode(Painted::of(sheet, &paint.colors()), format, Effort::Live).map_err(|error| {
        AnswerError::BadOption(format!("{error}: use format=png, a smaller zoom or fewer channels"))
    })?;
    Ok(EncodedPicture { picture: picture.into(), legend: Arc::clone(&sheet.legend), paint })
}
