//! A series and options -> the range over all of its steps, computed in the background and cached.
//!
//! A caller gets what is known so far at once, or waits for the result. While a run is being logged, its range only widens, so that a
//! film does not flicker; some time after the last new step it becomes exactly the range of all steps. For a range that can be extended
//! only new steps are read; for other ranges all steps are read again.
//!
//! Pictures that depend on other steps are never `immutable`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    memory_gate::MemoryGate,
    need::{self, Product},
    pool::Pool,
};
use crate::{
    catalog::snapshot::{FileId, LoggedValue, Series},
    load::{LoadError, Loader},
    lookup::{error::AnswerError, subject::subject_of},
    model::{layout::Layout, role::Role},
    render::{
        choices::Choices,
        plan::{Plan, plan},
        range::Interval,
        run::{RunRange, add_tensor, basis},
    },
    types::{RunName, Step, Tag},
};

/// How long a picture waits for the range of its run. Browsers and proxies give up after 30 s at the earliest, so an answer that
/// reports the progress must be sent before that. The work continues, so a later request needs to wait less.
const WAIT: Duration = Duration::from_secs(20);
/// A run without a new step for this long counts as finished: a step rarely takes a minute.
const LIVE_FOR: Duration = Duration::from_secs(60);
/// How many ranges are cached. A finished range takes less than 1 KiB, and keeps the list of its steps, which the catalog shares.
const MOST_KEPT: usize = 256;
/// How many ranges are computed at once. Each takes up to 8 MiB until it is finished.
const MOST_UNDER_WAY: usize = 16;
/// Steps are read in batches of about this many bytes, so that other work can run in between.
const BATCH_BYTES: usize = 4 << 20;
const MOST_OF_BATCH: usize = 64;

/// What a range depends on: equal keys have equal ranges.
#[derive(Clone, PartialEq, Eq, Hash)]
struct RangeKey {
    run: RunName,
    tag: Tag,
    /// The file that holds the first value of the series.
    first_file: FileId,
    /// How often the tensor of a known step has changed.
    rewrites: u64,
    role: Role,
    layout: Option<Layout>,
    /// The choices that the range depends on, in canonical form.
    choices: String,
}

pub(crate) struct RunRanges {
    loader: Loader,
    pool: Arc<Pool>,
    gate: Arc<MemoryGate>,
    kept: Mutex<HashMap<RangeKey, CachedRange>>,
}

struct CachedRange {
    entry: Arc<Entry>,
    asked: Instant,
}

/// One range, finished or being computed.
struct Entry {
    choices: Choices,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

struct State {
    /// The series as of the latest request.
    wanted: Arc<Series>,
    is_under_way: bool,
    /// The series whose steps `grown` covers.
    done: Option<Arc<Series>>,
    /// A range to which new steps can be added.
    grown: Option<RunRange>,
    /// When the newest step was noticed.
    grew: Instant,
}

/// The progress of computing a range.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// The range of all steps; until that is known, the range of the steps read so far, if that is meaningful.
    pub(crate) interval: Option<Interval>,
    /// The exact range of the steps; `interval` may be wider.
    exact: Option<Interval>,
    /// How many steps have been processed; equal to `steps` only when the range is finished.
    pub(crate) steps_done: usize,
    /// How many steps were logged.
    pub(crate) steps: usize,
    /// How many steps cannot be read or have a shape that does not fit.
    pub(crate) steps_skipped: usize,
    failed: Option<AnswerError>,
}

impl Progress {
    pub(crate) fn is_done(&self) -> bool {
        self.steps_done == self.steps && self.failed.is_none()
    }

    /// Whether the range is wider than the exact one, because it was wider before and the run is still being logged.
    pub(crate) fn is_widened(&self) -> bool {
        self.is_done() && self.interval != self.exact
    }
}

impl RunRanges {
    pub(crate) fn new(loader: Loader, pool: Arc<Pool>, gate: Arc<MemoryGate>) -> Arc<Self> {
        Arc::new(Self { loader, pool, gate, kept: Mutex::default() })
    }

    /// What is known of the range so far. Starts computing it if that has not happened yet.
    pub(crate) fn ask(self: &Arc<Self>, series: &Arc<Series>, plan: &Plan) -> Result<Progress, AnswerError> {
        let entry = self.entry_in_progress(series, plan)?;
        let progress = entry.progress.borrow().clone();
        progress.failed.clone().map_or(Ok(progress), Err)
    }

    /// The range of all steps, waiting for it up to [`WAIT`].
    pub(crate) async fn wait(
        self: &Arc<Self>,
        series: &Arc<Series>,
        plan: &Plan,
    ) -> Result<Interval, AnswerError> {
        let entry = self.entry_in_progress(series, plan)?;
        let mut progress = entry.progress.subscribe();
        let n = series.steps.len();
        let is_known =
            |progress: &Progress| progress.failed.is_some() || (progress.is_done() && progress.steps >= n);
        let known =
            timeout(WAIT, progress.wait_for(is_known)).await.map(|known| known.map(|known| known.clone()));
        match known {
            Ok(Ok(Progress { failed: Some(error), .. })) => Err(error),
            Ok(Ok(Progress { interval: Some(interval), .. })) => Ok(interval),
            _ => {
                let Progress { steps_done, steps, .. } = *entry.progress.borrow();
                Err(AnswerError::Busy(format!(
                    "the range over all {steps} steps of {:?} is being computed, {steps_done} are done: try again in a moment; api/v1/range reports the progress",
                    series.tag.as_str()
                )))
            }
        }
    }

    /// The entry of a range. If it lacks steps, a task that computes it is running.
    fn entry_in_progress(
        self: &Arc<Self>,
        series: &Arc<Series>,
        plan: &Plan,
    ) -> Result<Arc<Entry>, AnswerError> {
        let entry = self.entry(series, plan)?;
        let mut state = lock(&entry.state);
        if state.wanted.steps.len() < series.steps.len() {
            state.wanted = Arc::clone(series);
            state.grew = Instant::now();
        }
        let is_current = state.done.as_ref().is_some_and(|done| done.steps.len() >= state.wanted.steps.len());
        if is_current && state.grew.elapsed() > LIVE_FOR {
            entry.progress.send_if_modified(|progress| {
                let is_new = progress.is_widened();
                progress.interval = progress.exact;
                is_new
            });
        }
        if !is_current && !state.is_under_way {
            state.is_under_way = true;
            entry.progress.send_modify(|progress| {
                progress.failed = None;
                progress.steps = state.wanted.steps.len();
            });
            tokio::spawn(Arc::clone(self).work(Arc::clone(&entry)));
        }
        drop(state);
        Ok(entry)
    }

    fn entry(&self, series: &Arc<Series>, plan: &Plan) -> Result<Arc<Entry>, AnswerError> {
        let choices = basis(plan);
        let key = RangeKey {
            run: series.run.clone(),
            tag: series.tag.clone(),
            first_file: series.order.file,
            rewrites: series.rewrites,
            role: series.facts.role,
            layout: series.layout(),
            choices: choices.canonical(),
        };
        let mut kept = lock(&self.kept);
        let now = Instant::now();
        if let Some(found) = kept.get_mut(&key) {
            found.asked = now;
            return Ok(Arc::clone(&found.entry));
        }
        let idle = |cached: &CachedRange| !lock(&cached.entry.state).is_under_way;
        if kept.values().filter(|kept| !idle(kept)).count() >= MOST_UNDER_WAY {
            let message = "the ranges of too many runs are being computed: try again in a moment";
            return Err(AnswerError::Busy(message.to_owned()));
        }
        if kept.len() >= MOST_KEPT {
            let oldest = kept.iter().filter(|(_, kept)| idle(kept)).min_by_key(|(_, kept)| kept.asked);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.and_then(|key| kept.remove(&key));
        }
        let steps = series.steps.len();
        let state =
            State { wanted: Arc::clone(series), is_under_way: false, done: None, grown: None, grew: now };
        let progress = watch::Sender::new(Progress { steps, ..Progress::default() });
        let entry = Arc::new(Entry { choices, state: Mutex::new(state), progress });
        kept.insert(key, CachedRange { entry: Arc::clone(&entry), asked: now });
        Ok(entry)
    }

    /// Computes the range of the requested steps, again and again until no new steps are requested.
    async fn work(self: Arc<Self>, entry: Arc<Entry>) {
        loop {
            let (wanted, done, grown) = {
                let mut state = lock(&entry.state);
                let is_current =
                    state.done.as_ref().is_some_and(|done| done.steps.len() >= state.wanted.steps.len());
                if is_current {
                    state.is_under_way = false;
                    return;
                }
                (Arc::clone(&state.wanted), state.done.clone(), state.grown.take())
            };
            let result = self.find(&entry, &wanted, grown.zip(done)).await;
            let mut state = lock(&entry.state);
            match result {
                Ok(range) => {
                    let is_live = state.grew.elapsed() <= LIVE_FOR;
                    entry.progress.send_modify(|progress| progress.finish(range.interval(), is_live));
                    state.done = Some(wanted);
                    state.grown = range.can_grow().then_some(range);
                }
                Err(error) => {
                    (state.is_under_way, state.done) = (false, None);
                    entry.progress.send_modify(|progress| {
                        (progress.failed, progress.steps_done) = (Some(error), 0);
                    });
                    return;
                }
            }
        }
    }

    /// Reads the steps pass by pass; steps that a `grown` range covers are not read again.
    async fn find(
        &self,
        entry: &Entry,
        wanted: &Arc<Series>,
        grown: Option<(RunRange, Arc<Series>)>,
    ) -> Result<RunRange, AnswerError> {
        let range = entry.choices.range.expect("the basis names a range");
        let (mut range, known) = match grown {
            Some((range, known)) => (range, Some(known)),
            None => (RunRange::new(range), None),
        };
        if range.passes() == 0 {
            return Ok(range);
        }
        let fresh: Vec<Step> = new_steps(wanted, known.as_deref());
        let n_known = wanted.steps.len() - fresh.len();
        let mut passes_done = 0;
        loop {
            let mut read = n_known;
            let mut skipped = 0;
            for steps in fresh.chunks(batch_len(wanted)) {
                let batch = newest_of(wanted, steps);
                read += batch.len();
                let done;
                (range, done) = self.read(entry, wanted, (range, batch)).await?;
                skipped += done;
                let (passes, n) = (range.passes().max(passes_done + 1), wanted.steps.len());
                entry.progress.send_modify(|progress| {
                    // The last step counts as done only after the last pass has ended.
                    progress.steps_done = ((passes_done * n + read) / passes).min(n - 1);
                    (progress.steps, progress.steps_skipped) = (n, skipped);
                    if progress.exact.is_none() && range.can_grow() {
                        progress.interval = Some(range.interval());
                    }
                });
            }
            passes_done += 1;
            if !range.end_pass() {
                return Ok(range);
            }
        }
    }

    /// Adds some steps to a range, and counts the steps that cannot be added.
    async fn read(
        &self,
        entry: &Entry,
        series: &Arc<Series>,
        (mut range, batch): (RunRange, Vec<(Step, Vec<LoggedValue>)>),
    ) -> Result<(RunRange, usize), AnswerError> {
        let permit = self.pool.background_permit().await;
        let of = (&**series, batch.first().map_or(&[][..], |(_, parts)| &**parts));
        let need = need::estimate((&self.loader, &self.pool), of, &Product::Numbers).await?;
        let memory = self.gate.enter(need).await?;
        let (loader, series, choices) = (self.loader.clone(), Arc::clone(series), entry.choices.clone());
        let add = move || {
            let mut skipped = 0;
            for (step, parts) in batch {
                let tensor = match loader.load(&series, step, &parts) {
                    Ok(tensor) => tensor,
                    Err(error @ (LoadError::Io(_) | LoadError::Changed | LoadError::NoMemory { .. })) => {
                        return Err(AnswerError::from(&error));
                    }
                    Err(_) => {
                        skipped += 1;
                        continue;
                    }
                };
                match plan(&choices, &subject_of(&series, &tensor)) {
                    Ok(plan) => add_tensor(&mut range, &tensor, &plan.geometry),
                    Err(_) => skipped += 1,
                }
            }
            Ok((range, skipped))
        };
        self.pool.run_with(permit, memory.during(add)).await?
    }
}

impl Progress {
    fn finish(&mut self, exact: Interval, is_live: bool) {
        let before = self.exact.and(self.interval).filter(|_| is_live);
        self.interval = Some(before.map_or(exact, |before| exact.cover(before)));
        self.exact = Some(exact);
        self.steps_done = self.steps;
    }
}

/// The steps of a series that the known one does not have.
fn new_steps(series: &Series, known: Option<&Series>) -> Vec<Step> {
    let is_new = |step: &Step| known.is_none_or(|known| !known.steps.contains_key(step));
    series.steps.keys().copied().filter(is_new).collect()
}

/// Where the newest attempt at each of these steps lies.
fn newest_of(series: &Series, steps: &[Step]) -> Vec<(Step, Vec<LoggedValue>)> {
    steps.iter().filter_map(|step| Some((*step, series.steps.get(step)?.attempt(0)?))).collect()
}

fn batch_len(series: &Series) -> usize {
    let tensor_bytes = series.form.as_ref().map_or(0, |form| form.shape.elements() * form.dtype.bytes());
    (BATCH_BYTES / tensor_bytes.max(1)).clamp(1, MOST_OF_BATCH)
}

/// Locks; no code panics while it holds one of these locks, and if it did, the data would still be consistent.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
