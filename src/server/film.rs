//! A reel -> the body of an answer, made while it is sent.
//!
//! A frame is made when the client has taken those before it, so a slow client holds two frames and no thread, and the work
//! stops when the client leaves: the stream is dropped. One that takes its film too slowly loses it when another is asked for.
//! All films together use all threads but one, a frame at a time, in turn; pictures wait at most for one frame.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, stream::try_unfold};

use super::{
    House,
    connections::Connected,
    gate::Held,
    need::{self, Made},
    pace::Pace,
    pictures::Pictures,
    slots::Slot,
};

use crate::{
    catalog::snapshot::Logged,
    load::{LoadError, Loader},
    lookup::{
        error::AnswerError,
        find::Found,
        reel::{Reel, Shot, Tensors, without_neighbours},
        subject::{plan_of, subject_of},
    },
    render::{
        choices::{Choices, Order, Scope},
        encode::Effort,
        film::{
            Film, FilmError,
            options::{FilmChoices, Over},
            survey::Survey,
        },
        plan::{Plan, plan},
    },
    tensor::Tensor,
};

/// So many films are made at once, as each holds some memory of its own between its frames.
pub(super) const MOST_FILMS: usize = 8;

/// A film of which nothing has been sent yet, in its slot.
pub(super) struct Showing {
    slot: Arc<Slot<Running>>,
    client: Arc<Connected>,
    n_frames: usize,
    n_damaged: usize,
}

/// A film that is being made.
pub(super) struct Running {
    house: Arc<House>,
    desk: Desk,
    /// Positions among the reel's shots of those that can be read.
    frames: Vec<usize>,
    /// `None` when the last bytes have been given.
    film: Option<Film>,
    frame_idx: usize,
    _open: Open,
}

/// A film that is open, counted as long as it lives.
struct Open(Arc<House>);

impl Open {
    fn new(house: &Arc<House>) -> Self {
        house.metrics.films.inc();
        Self(Arc::clone(house))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.films.dec();
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

/// Equal for equal films of one process. It is known before the film is: it says what the film is made of.
pub(super) fn etag(house: &House, reel: &Reel, choices: &Choices, film: &FilmChoices) -> String {
    let facts = &reel.series.facts;
    let mut hasher = DefaultHasher::new();
    (house.instance, facts.role, reel.series.layout()).hash(&mut hasher);
    (choices.canonical(), film.fps, film.format(), film.stamp).hash(&mut hasher);
    if film.over == Over::Frames {
        // Which of the frames are shown is not among its shots yet.
        (film.over, film.from, film.to, film.every).hash(&mut hasher);
    }
    // What other steps do to it is not among its shots.
    choices.need_other_steps().then_some(reel.series.revision).hash(&mut hasher);
    for part in reel.shots.iter().flat_map(|shot| &shot.parts) {
        (part.file, part.place.offset, part.value_idx).hash(&mut hasher);
    }
    format!("\"{:x}-{:016x}\"", reel.shots.len(), hasher.finish())
}

/// Looks at all tensors of a reel; those that are damaged are left out.
pub(super) async fn prepare(
    house: &Arc<House>,
    (reel, choices, film): (Reel, Choices, &FilmChoices),
    client: Arc<Connected>,
) -> Result<Showing, AnswerError> {
    let slot = house.films.take().await.ok_or_else(|| {
        AnswerError::Busy(format!("{MOST_FILMS} films are under way: try again when one is done"))
    })?;
    let open = Open::new(house);
    let run = match choices.scope {
        Some(Scope::Run) => house.pictures.interval_of_run(&reel.series, &choices).await?,
        _ => None,
    };
    let wants_before = choices.order == Some(Order::Change);
    let desk = match film.over {
        Over::Steps => {
            let plan = Arc::new(plan_of(&reel.series, &choices)?);
            Desk { loader: house.pictures.loader.clone(), reel: Arc::new(reel), wants_before, plan }
        }
        Over::Frames => Desk::over_frames(&house.pictures, reel, (&choices, film)).await?,
    };
    let n = desk.reel.shots.len();
    let mut survey = Survey::new(choices, n, run);
    let mut frames: Vec<usize> = (0..n).collect();
    loop {
        let mut readable = Vec::new();
        for shot_idx in frames {
            let turn = house.pictures.pool.turn().await;
            let held = desk.enter(&house.pictures, shot_idx).await?;
            let whole = desk.whole(&house.pictures, &held, shot_idx).await?;
            let desk = desk.clone();
            let look = held.during(move || desk.look_at(shot_idx, whole.as_deref(), survey));
            let (seen, is_readable) = house.pictures.pool.run_in(turn, look).await??;
            survey = seen;
            readable.extend(is_readable.then_some(shot_idx));
        }
        frames = readable;
        if !survey.end_pass() {
            break;
        }
    }
    let film = survey.film(film, Effort::Live)?;
    let (n_frames, n_damaged) = (frames.len(), n - frames.len());
    let running =
        Running { house: Arc::clone(house), desk, frames, film: Some(film), frame_idx: 0, _open: open };
    slot.put(running, Pace::of(Arc::clone(&client)));
    Ok(Showing { slot, client, n_frames, n_damaged })
}

/// What a thread needs to read a shot.
#[derive(Clone)]
struct Desk {
    loader: Loader,
    reel: Arc<Reel>,
    wants_before: bool,
    /// For a tensor of the newest shape, or for a frame.
    plan: Arc<Plan>,
}

impl Desk {
    /// Of the frames of the one step that a reel has, whose tensor is read to know them.
    async fn over_frames(
        pictures: &Pictures,
        reel: Reel,
        (choices, film): (&Choices, &FilmChoices),
    ) -> Result<Self, AnswerError> {
        without_neighbours(choices)?;
        let found = found(&reel, 0);
        let held = pictures.enter(&found, &Made::Npy).await?;
        let tensor = pictures.tensor(&held, &found).await?;
        let reel = reel.over_frames(&tensor, film)?;
        let first = reel.shots.first().and_then(|shot| tensor.frame(shot.frame?));
        let first = first.ok_or_else(|| AnswerError::Internal("a film without a frame".to_owned()))?;
        let plan = plan(choices, &subject_of(&reel.series, &first))?;
        let (loader, reel, plan) = (pictures.loader.clone(), Arc::new(reel), Arc::new(plan));
        Ok(Self { loader, reel, wants_before: false, plan })
    }

    /// All frames of the step that a shot shows one of. They are kept with the tensors of pictures: to decode them again for each
    /// frame would cost the square of their number.
    async fn whole(
        &self,
        pictures: &Pictures,
        held: &Held,
        shot_idx: usize,
    ) -> Result<Option<Arc<Tensor>>, AnswerError> {
        match self.reel.shots[shot_idx].frame {
            Some(_) => pictures.tensor(held, &found(&self.reel, shot_idx)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the memory that a frame needs.
    async fn enter(&self, pictures: &Pictures, shot_idx: usize) -> Result<Held, AnswerError> {
        let of = (&*self.reel.series, &*self.reel.shots[shot_idx].parts);
        let need = need::look((&pictures.loader, &pictures.pool), of, &Made::Frame(&self.plan)).await?;
        pictures.gate.enter(need).await
    }

    /// The tensors of a shot; `None` where they are damaged. `whole` is that of the shot's step, where it is there already.
    fn tensors(&self, shot_idx: usize, whole: Option<&Tensor>) -> Result<Option<Tensors>, AnswerError> {
        let load = |step, parts: &[Logged]| match whole {
            Some(whole) => Ok(Some(whole.clone())),
            None => match self.loader.load(&self.reel.series, step, parts) {
                Ok(tensor) => Ok(Some(tensor)),
                Err(LoadError::Damaged { .. } | LoadError::Undecodable(_)) => Ok(None),
                Err(error) => Err(AnswerError::from(&error)),
            },
        };
        self.reel.tensors(&self.reel.shots[shot_idx], self.wants_before, load)
    }

    /// Whether the shot can be read, and the survey that has seen it.
    fn look_at(
        &self,
        shot_idx: usize,
        whole: Option<&Tensor>,
        mut survey: Survey,
    ) -> Result<(Survey, bool), AnswerError> {
        let tensors = self.tensors(shot_idx, whole)?;
        if let Some(tensors) = &tensors {
            survey.take(&tensors.exposure(&self.reel.series))?;
        }
        Ok((survey, tensors.is_some()))
    }

    fn frame(
        &self,
        shot_idx: usize,
        whole: Option<&Tensor>,
        mut film: Film,
    ) -> Result<(Film, Vec<u8>), AnswerError> {
        let tensors = self.tensors(shot_idx, whole)?.ok_or_else(|| {
            let step = self.reel.shots[shot_idx].step;
            AnswerError::Busy(format!("step {step} changed while the film was made: try again"))
        })?;
        let bytes = film.frame(&tensors.exposure(&self.reel.series))?;
        Ok((film, bytes))
    }
}

/// Where the tensor of a shot lies.
fn found(reel: &Reel, shot_idx: usize) -> Found {
    let Shot { step, parts, .. } = &reel.shots[shot_idx];
    Found { series: Arc::clone(&reel.series), step: *step, parts: parts.clone(), attempts: 1 }
}

impl Showing {
    /// How many frames there will be.
    pub(super) fn n_frames(&self) -> usize {
        self.n_frames
    }

    /// How many steps turned out damaged.
    pub(super) fn n_damaged(&self) -> usize {
        self.n_damaged
    }

    /// The bytes, as they are asked for.
    pub(super) fn body(self) -> impl Stream<Item = Result<Bytes, AnswerError>> {
        try_unfold((self.slot, self.client), async |(slot, client)| {
            let stalled = || AnswerError::Busy("the film was read too slowly, and others wait".to_owned());
            let next = async {
                let mut running = slot.pick().ok_or_else(stalled)?;
                let bytes = running.next().await?;
                slot.put(running, Pace::of(Arc::clone(&client)));
                Ok(bytes)
            };
            let bytes =
                next.await.inspect_err(|error: &AnswerError| tracing::warn!(%error, "a film broke off"))?;
            Ok(bytes.map(|bytes| (Bytes::from(bytes), (slot, client))))
        })
    }
}

impl Running {
    /// The next bytes, at least one; `None` behind the last.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, AnswerError> {
        let pool = Arc::clone(&self.house.pictures.pool);
        while let Some(film) = self.film.take() {
            let Some(shot_idx) = self.frames.get(self.frame_idx).copied() else {
                return Ok(Some(pool.run_in(pool.turn().await, move || film.end()).await??));
            };
            let turn = pool.turn().await;
            let held = self.desk.enter(&self.house.pictures, shot_idx).await?;
            let whole = self.desk.whole(&self.house.pictures, &held, shot_idx).await?;
            let desk = self.desk.clone();
            let make = held.during(move || desk.frame(shot_idx, whole.as_deref(), film));
            let (film, bytes) = pool.run_in(turn, make).await??;
            self.film = Some(film);
            self.frame_idx += 1;
            self.house.metrics.film_frames.inc();
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}
