//! The tensors of a film -> the body of an answer, made while it is sent.
//!
//! A frame is made when the client has read the frames before it. So a slow client occupies the memory of two frames and no thread, and
//! the work stops when the client disconnects, because the stream is dropped. The film of a client that reads too slowly is stopped
//! when another film needs its slot. All films together use all threads but one and take turns frame by frame, so a picture waits for
//! one frame at most.
//!
//! Tensors are read again in each pass instead of being cached. For a film of animated pictures, where each frame depends on the
//! frames before it, the encoded pictures and one canvas stay in memory, so that each frame is decoded once per pass.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, stream::try_unfold};

use super::{
    client::Client,
    memory_gate::{AnswerPermit, MemoryPermit, StreamedAnswerPermit},
    need::{self, Product},
    pace::Pace,
    pictures::Pictures,
    slots::{Slot, Slots},
};

use crate::{
    catalog::snapshot::LoggedValue,
    draw::survey_passes::SurveyPasses,
    load::{Animations, LoadError, Loader},
    lookup::{
        error::AnswerError,
        film_source::{FilmFrame, FilmSource, FrameTensors, without_neighbours, without_numbers},
        subject::{plan_of, subject_of_shape},
    },
    render::{
        choices::{Choices, Order, Scope},
        encode::Effort,
        film::{
            Film, FilmError,
            options::{FilmChoices, Over},
        },
        plan::{Plan, plan},
    },
};

/// How many films are made at once. The number is limited because each film holds memory between its frames.
const MOST_FILMS: usize = 8;

/// All films in progress.
pub(crate) struct Films {
    pictures: Arc<Pictures>,
    slots: Slots<FilmInProgress>,
    n_open: AtomicU64,
    n_frames: AtomicU64,
    n_decoded: Arc<AtomicU64>,
}

/// A film in its slot, before any of it is sent.
pub(crate) struct PreparedFilm {
    slot: Arc<Slot<FilmInProgress>>,
    client: Arc<dyn Client>,
    n_frames: usize,
    n_damaged: usize,
}

/// A film that is being made.
struct FilmInProgress {
    films: Arc<Films>,
    job: FilmJob,
    /// Positions among the film's frames of those that can be read.
    frames: Vec<usize>,
    /// `None` after the last bytes.
    film: Option<Film>,
    frame_idx: usize,
    /// For the encoded pictures of a film of animated pictures.
    answer_permit: StreamedAnswerPermit,
    _open: OpenFilmGuard,
}

/// Counts a film as open until it is dropped.
struct OpenFilmGuard(Arc<Films>);

impl OpenFilmGuard {
    fn new(films: &Arc<Films>) -> Self {
        films.n_open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(films))
    }
}

impl Drop for OpenFilmGuard {
    fn drop(&mut self) {
        self.0.n_open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl From<FilmError> for AnswerError {
    fn from(error: FilmError) -> Self {
        match error {
            FilmError::Choice(_)
            | FilmError::Step { .. }
            | FilmError::Shape { .. }
            | FilmError::Colors { .. }
            | FilmError::Encode { .. } => Self::BadOption(error.to_string()),
            FilmError::Empty => Self::Damaged(error.to_string()),
        }
    }
}

impl Films {
    pub(crate) fn new(pictures: Arc<Pictures>) -> Arc<Self> {
        let slots = Slots::new(MOST_FILMS);
        let (n_open, n_frames, n_decoded) = Default::default();
        Arc::new(Self { pictures, slots, n_open, n_frames, n_decoded })
    }

    /// How many films are open.
    pub(crate) fn n_open(&self) -> u64 {
        self.n_open.load(Ordering::Relaxed)
    }

    /// How many frames were made so far.
    pub(crate) fn n_frames(&self) -> u64 {
        self.n_frames.load(Ordering::Relaxed)
    }

    /// How many frames of animations were decoded so far.
    pub(crate) fn n_decoded(&self) -> u64 {
        self.n_decoded.load(Ordering::Relaxed)
    }

    /// Reads all tensors of a film, as often as its range needs; damaged tensors are left out.
    pub(crate) async fn prepare(
        self: &Arc<Self>,
        (film_source, choices, film): (FilmSource, Choices, &FilmChoices),
        client: Arc<dyn Client>,
    ) -> Result<PreparedFilm, AnswerError> {
        let slot = self.slots.take().await.ok_or_else(|| {
            AnswerError::Busy(format!("{MOST_FILMS} films are in progress: try again when one is finished"))
        })?;
        let open = OpenFilmGuard::new(self);
        let pictures = &self.pictures;
        let run = match choices.scope {
            Some(Scope::Run) => pictures.interval_of_run(&film_source.series, &choices).await?,
            _ => None,
        };
        let answer_permit = match film.over {
            Over::Steps => AnswerPermit::default(),
            Over::Frames => {
                let need = need::for_animations(&film_source.frames[0].parts);
                pictures.gate.answer_permit(need.tensor, Arc::clone(&client)).await?
            }
        };
        let job = self.job(film_source, (&choices, film)).await?;
        let n = job.film_source.frames.len();
        let (film, frames) =
            job.passes(pictures, SurveyPasses::new(choices, n, run)).await?.film(film, Effort::Live)?;
        let (n_frames, n_damaged) = (frames.len(), n - frames.len());
        let (films, film, answer_permit) = (Arc::clone(self), Some(film), answer_permit.for_stream());
        let mut in_progress =
            FilmInProgress { films, job, frames, film, frame_idx: 0, answer_permit, _open: open };
        in_progress.answer_permit.start_pace();
        slot.put(in_progress, Pace::of(Arc::clone(&client)));
        Ok(PreparedFilm { slot, client, n_frames, n_damaged })
    }

    async fn job(
        &self,
        film_source: FilmSource,
        (choices, film): (&Choices, &FilmChoices),
    ) -> Result<FilmJob, AnswerError> {
        if film.over == Over::Frames {
            return self.job_over_frames(film_source, (choices, film)).await;
        }
        let plan = Arc::new(plan_of(&film_source.series, choices)?);
        let wants_before = choices.order == Some(Order::Change);
        let (loader, n_decoded) = (self.pictures.loader.clone(), Arc::clone(&self.n_decoded));
        Ok(FilmJob {
            loader,
            film_source: Arc::new(film_source),
            wants_before,
            plan,
            animations: None,
            n_decoded,
        })
    }

    /// A film of the frames of one step, whose pictures are read to find its frames.
    async fn job_over_frames(
        &self,
        film_source: FilmSource,
        (choices, film): (&Choices, &FilmChoices),
    ) -> Result<FilmJob, AnswerError> {
        without_neighbours(choices)?;
        without_numbers(&film_source)?;
        let Pictures { loader, pool, gate, .. } = &*self.pictures;
        let FilmFrame { step, parts, .. } = film_source.frames[0].clone();
        let memory = gate.enter(need::for_animations(&parts)).await?;
        let read = {
            let (loader, series) = (loader.clone(), Arc::clone(&film_source.series));
            memory.during(move || loader.animations(&series, step, &parts))
        };
        let animations = pool.run(read).await?.map_err(|error| AnswerError::from(&error))?;
        let film_source = film_source.over_frames(animations.reader().frames(), film)?;
        // The plan is for a tensor of one frame.
        let plan = plan(choices, &subject_of_shape(&film_source.series, animations.reader().shape()))?;
        let (loader, film_source, plan) = (loader.clone(), Arc::new(film_source), Arc::new(plan));
        let (animations, n_decoded) = (Some(Arc::new(Mutex::new(animations))), Arc::clone(&self.n_decoded));
        Ok(FilmJob { loader, film_source, wants_before: false, plan, animations, n_decoded })
    }
}

/// The `ETag` of a film: equal for equal films of one process, which `instance` identifies. It is computed from what the film is made
/// of, so it is known before the film is made.
pub(crate) fn etag(instance: u64, film_source: &FilmSource, choices: &Choices, film: &FilmChoices) -> String {
    let facts = &film_source.series.facts;
    let mut hasher = DefaultHasher::new();
    (instance, facts.role, film_source.series.layout()).hash(&mut hasher);
    (choices.canonical(), film.fps, film.format(), film.stamp).hash(&mut hasher);
    if film.over == Over::Frames {
        // The source still holds the whole step: these options select its frames.
        (film.over, film.from, film.to, film.every).hash(&mut hasher);
    }
    // The picture also depends on steps that are not among its frames.
    choices.need_other_steps().then_some(film_source.series.revision).hash(&mut hasher);
    for part in film_source.frames.iter().flat_map(|film_frame| &film_frame.parts) {
        part.position().hash(&mut hasher);
    }
    format!("\"{:x}-{:016x}\"", film_source.frames.len(), hasher.finish())
}

/// What a thread needs to read a frame.
#[derive(Clone)]
struct FilmJob {
    loader: Loader,
    film_source: Arc<FilmSource>,
    wants_before: bool,
    /// The plan for a tensor of the newest shape, or for one frame of an animated picture.
    plan: Arc<Plan>,
    /// The animated pictures of a film over frames; one thread at a time reads them.
    animations: Option<Arc<Mutex<Animations>>>,
    /// How many frames of animations were decoded, by all films.
    n_decoded: Arc<AtomicU64>,
}

impl FilmJob {
    /// Reads all frames as often as the film needs.
    async fn passes(
        &self,
        pictures: &Pictures,
        mut passes: SurveyPasses,
    ) -> Result<SurveyPasses, AnswerError> {
        while let Some(frame_idx) = passes.next_step() {
            let permit = pictures.pool.long_work_permit().await;
            let memory = self.enter(pictures, frame_idx).await?;
            let job = self.clone();
            let look = memory.during(move || job.look_at(frame_idx, passes));
            passes = pictures.pool.run_with(permit, look).await??;
        }
        Ok(passes)
    }

    /// Waits for the memory that a frame needs.
    async fn enter(&self, pictures: &Pictures, frame_idx: usize) -> Result<MemoryPermit, AnswerError> {
        if let Some(animations) = &self.animations {
            let need = need::for_frame(lock(animations).reader(), &self.plan);
            return pictures.gate.enter(need).await;
        }
        let of = (&*self.film_source.series, &*self.film_source.frames[frame_idx].parts);
        let need =
            need::estimate((&pictures.loader, &pictures.pool), of, &Product::Frame(&self.plan)).await?;
        pictures.gate.enter(need).await
    }

    /// The tensors of a frame; `None` where they are damaged.
    fn tensors(&self, frame_idx: usize) -> Result<Option<FrameTensors>, AnswerError> {
        let film_frame = &self.film_source.frames[frame_idx];
        if let (Some(animations), Some(number)) = (&self.animations, film_frame.frame) {
            return self.of_frame(film_frame, (&mut lock(animations), number));
        }
        let load = |step, parts: &[LoggedValue]| match self.loader.load(&self.film_source.series, step, parts)
        {
            Ok(tensor) => Ok(Some(tensor)),
            Err(LoadError::Damaged { .. } | LoadError::Undecodable(_)) => Ok(None),
            Err(error) => Err(AnswerError::from(&error)),
        };
        self.film_source.tensors(film_frame, self.wants_before, load)
    }

    /// The tensor of a frame of an animated picture. Each frame depends on the frames before it, so a damaged frame is an error.
    fn of_frame(
        &self,
        film_frame: &FilmFrame,
        (animations, number): (&mut Animations, usize),
    ) -> Result<Option<FrameTensors>, AnswerError> {
        let before = animations.reader().n_decoded();
        let frame = animations.frame(number);
        self.n_decoded.fetch_add(animations.reader().n_decoded() - before, Ordering::Relaxed);
        let frame = frame.map_err(|error| {
            AnswerError::from(&self.loader.reported((&self.film_source.series, film_frame.step), error))
        })?;
        Ok(frame.map(|frame| FrameTensors::of_frame(film_frame, frame)))
    }

    fn look_at(&self, frame_idx: usize, mut passes: SurveyPasses) -> Result<SurveyPasses, AnswerError> {
        let tensors = self.tensors(frame_idx)?;
        let frame_input = tensors.as_ref().map(|tensors| tensors.frame_input(&self.film_source.series));
        passes.show(frame_input.as_ref())?;
        Ok(passes)
    }

    fn frame(&self, frame_idx: usize, mut film: Film) -> Result<(Film, Vec<u8>), AnswerError> {
        let tensors = self.tensors(frame_idx)?.ok_or_else(|| {
            let step = self.film_source.frames[frame_idx].step;
            AnswerError::Busy(format!("step {step} changed while the film was being made: try again"))
        })?;
        let bytes = film.frame(&tensors.frame_input(&self.film_source.series))?;
        Ok((film, bytes))
    }
}

fn lock(animations: &Mutex<Animations>) -> MutexGuard<'_, Animations> {
    animations.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PreparedFilm {
    /// How many frames the film has.
    pub(crate) fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// How many steps are left out because they are damaged.
    pub(crate) fn n_damaged(&self) -> usize {
        self.n_damaged
    }

    /// The bytes; each part is made when the client asks for it.
    pub(crate) fn body(self) -> impl Stream<Item = Result<Bytes, AnswerError>> {
        try_unfold((self.slot, self.client), async |(slot, client)| {
            let stalled = || {
                AnswerError::Busy("this film was stopped: it was read too slowly, and another one needed its slot; try again".to_owned())
            };
            let next = async {
                let mut film = slot.pick().ok_or_else(stalled)?;
                let bytes = film.next().await?;
                slot.put(film, Pace::of(Arc::clone(&client)));
                Ok(bytes)
            };
            let bytes = next.await.inspect_err(
                |error: &AnswerError| tracing::warn!(%error, "a film was not sent to its end"),
            )?;
            Ok(bytes.map(|bytes| (Bytes::from(bytes), (slot, client))))
        })
    }
}

impl FilmInProgress {
    /// The next bytes, at least one; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, AnswerError> {
        self.answer_permit.stop_pace();
        let bytes = self.make().await;
        self.answer_permit.start_pace();
        bytes
    }

    async fn make(&mut self) -> Result<Option<Vec<u8>>, AnswerError> {
        let pool = Arc::clone(&self.films.pictures.pool);
        while let Some(film) = self.film.take() {
            let Some(frame_idx) = self.frames.get(self.frame_idx).copied() else {
                return Ok(Some(pool.run_with(pool.long_work_permit().await, move || film.end()).await??));
            };
            let permit = pool.long_work_permit().await;
            let memory = self.job.enter(&self.films.pictures, frame_idx).await?;
            let job = self.job.clone();
            let make = memory.during(move || job.frame(frame_idx, film));
            let (film, bytes) = pool.run_with(permit, make).await??;
            self.film = Some(film);
            self.frame_idx += 1;
            self.films.n_frames.fetch_add(1, Ordering::Relaxed);
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}
