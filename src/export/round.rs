//! A snapshot -> what of it is not exported yet, made on all cores and written in order.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    error::ExportError,
    in_order::{Bounds, in_order},
    job::{Job, NamedSeries, wall_time},
    naming::{Names, Style, names},
    product::{Files, Load, Product, job, made},
    selection::Selection,
    writer::{Granularity, Held, Writer},
};

use crate::{
    catalog::{
        attempts::Attempts,
        snapshot::{LogPosition, Run, Series, Snapshot},
    },
    types::{RunName, Step, Tag},
};

/// The most bytes of the tensors that are processed at once, with all that is made of them.
const BYTES_UNDER_WAY: u64 = 128 << 20;

/// What an export is told to do.
pub struct Order {
    /// Which tensors.
    pub selection: Selection,
    /// What is made of them.
    pub style: Style,
    /// How.
    pub product: Product,
}

/// What happens, for those who watch.
#[derive(Clone, Debug)]
pub enum Note {
    /// This many tensors are to be exported.
    Planned(usize),
    /// This many pictures or arrays of one tensor were written.
    Written(usize),
    /// A tensor was left out, and why.
    Failed(String),
    /// A series was left out, and why.
    LeftOut(String),
    /// A run has a second name by a link, and is exported only under the first.
    SecondName(String),
}

/// Exports snapshot after snapshot, each tensor once.
pub struct Exporter {
    order: Order,
    writer: Box<dyn Writer>,
    held: HashMap<RunName, Held>,
    /// The runs of the last round: one that has not changed is the same in the next snapshot.
    runs_before: HashMap<RunName, Arc<Run>>,
    /// The series as they were in the last round.
    series_states: HashMap<(RunName, Tag), SeriesState>,
    reported: BTreeSet<(RunName, Tag)>,
    /// Second names of runs that are exported under their first.
    second_names: BTreeSet<RunName>,
    is_first_round: bool,
}

/// A series as it was in a round.
#[derive(Clone, PartialEq, Eq)]
struct SeriesState {
    key: String,
    order: LogPosition,
    rewrites: u64,
    n_steps: usize,
    last: Step,
    revision: u64,
}

/// A step that is to be exported.
struct DueStep {
    step: Step,
    named: Arc<NamedSeries>,
}

impl Exporter {
    /// Begins an export, or resumes one into the same place.
    #[must_use]
    pub fn new(order: Order, writer: Box<dyn Writer>) -> Self {
        let (held, runs_before, series_states) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (reported, second_names) = (BTreeSet::new(), BTreeSet::new());
        Self { order, writer, held, runs_before, series_states, reported, second_names, is_first_round: true }
    }

    /// Exports what is new in a snapshot, and ends early when `stop` is set; what was written then stays and is whole.
    ///
    /// # Errors
    /// See [`ExportError`]; what was written before stays and is whole.
    pub fn round(
        &mut self,
        snapshot: &Snapshot,
        load: &Load<'_>,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Note),
    ) -> Result<(), ExportError> {
        let mut jobs: Vec<DueStep> = Vec::new();
        for (name, run) in &snapshot.runs {
            if let Some(first) = self.first_name(snapshot, name) {
                if self.is_news_of_second_name(name, run) {
                    tell(Note::SecondName(format!(
                        "run {name} is run {first} by a link, and is written as {first} alone"
                    )));
                }
                continue;
            }
            let before = self.runs_before.insert(name.clone(), Arc::clone(run));
            if before.is_some_and(|before| Arc::ptr_eq(&before, run)) {
                continue;
            }
            let mut of_run = self.due(name, run, tell)?;
            if self.writer.granularity() != Granularity::Series {
                // As the training logged them. Sorting keeps the order of the layers within a step.
                of_run.sort_by_key(|due| due.step);
            }
            jobs.append(&mut of_run);
        }
        self.is_first_round = false;
        if jobs.is_empty() {
            return Ok(());
        }
        tell(Note::Planned(jobs.len()));
        let made = self.make((jobs, &snapshot.files), load, stop, tell);
        let is_whole = made.is_ok() && !stop.load(Ordering::Relaxed);
        let closed = if is_whole { self.writer.finish() } else { self.writer.interrupt() };
        made.and(closed)
    }

    /// The first name of a run that has this name by a link; `None` if a run was asked for by name.
    fn first_name<'s>(&self, snapshot: &'s Snapshot, name: &RunName) -> Option<&'s RunName> {
        self.order.selection.run.is_none().then(|| snapshot.first_name(name)).flatten()
    }

    /// Whether a run with a second name has a chosen series, and this was not reported yet.
    fn is_news_of_second_name(&mut self, name: &RunName, run: &Run) -> bool {
        let is_chosen = run.series.values().any(|series| self.order.selection.takes(series));
        is_chosen && self.second_names.insert(name.clone())
    }

    /// What of a run is not exported yet, series by series.
    fn due(
        &mut self,
        name: &RunName,
        run: &Run,
        tell: &mut dyn FnMut(Note),
    ) -> Result<Vec<DueStep>, ExportError> {
        let Names { named, left_out } = names(&self.order.style, &self.order.selection, run);
        for (series, reason) in left_out {
            if self.reported.insert((name.clone(), series.tag.clone())) {
                tell(Note::LeftOut(format!("{} of run {name}: {reason}", series.tag)));
            }
        }
        if !named.is_empty() && !self.held.contains_key(name) {
            let held = self.writer.held(name)?;
            self.held.insert(name.clone(), held);
        }
        let mut due = Vec::new();
        for named in named {
            let steps = self.new_steps(&named)?;
            due.extend(steps.into_iter().map(|step| DueStep { step, named: Arc::clone(&named) }));
        }
        Ok(due)
    }

    fn new_steps(&mut self, named: &NamedSeries) -> Result<Vec<Step>, ExportError> {
        let series = &named.series;
        let key = (series.run.clone(), series.tag.clone());
        let now = SeriesState {
            key: named.key.clone(),
            order: series.order,
            rewrites: series.rewrites,
            n_steps: series.steps.len(),
            last: series.step_range().map_or(Step::MIN, |(_, last)| last),
            revision: series.revision,
        };
        let before = self.series_states.insert(key, now.clone());
        if before.as_ref() == Some(&now) {
            return Ok(Vec::new());
        }
        let held = self.held.get(&series.run).and_then(|held| held.get(&named.key));
        let chosen: Vec<(Step, &Attempts)> = match before {
            Some(before) if before.key == named.key && only_grew(series, &before) => {
                self.order.selection.steps_after(series, before.last, before.n_steps).collect()
            }
            _ => self.order.selection.steps(series).collect(),
        };
        let is_new = |step: Step, attempts: &Attempts| {
            let written = held.and_then(|held| held.get(&step));
            written.is_none_or(|written| *written != newest_time(attempts))
        };
        let new = chosen.iter().filter(|(step, attempts)| is_new(*step, attempts));
        let mut new: Vec<Step> = new.map(|(step, _)| *step).collect();
        if self.writer.granularity() == Granularity::Series && (!new.is_empty() || held_more(held, &chosen)) {
            new = chosen.iter().map(|(step, _)| *step).collect();
        }
        if self.writer.granularity() == Granularity::Step && self.is_first_round {
            refuse_older_steps(named, held, &new)?;
        }
        Ok(new)
    }

    fn make(
        &mut self,
        (jobs, files): (Vec<DueStep>, &Files),
        load: &Load<'_>,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Note),
    ) -> Result<(), ExportError> {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let bounds = Bounds { threads, bytes: BYTES_UNDER_WAY };
        let (style, product) = (&self.order.style, self.order.product);
        let (writer, held, series_states) = (&mut self.writer, &mut self.held, &mut self.series_states);
        let mut result = Ok(());
        let work = |job: &Job| made(style, product, job, load);
        let jobs = jobs.into_iter().filter_map(|due| job(due.step, due.named, files));
        in_order(bounds, jobs, work, |job, made| {
            let series = &job.named.series;
            match made {
                Ok(made) => {
                    let count = made.count();
                    if let Err(error) = writer.write(&job, made) {
                        result = Err(error);
                        return ControlFlow::Break(());
                    }
                    let of_run = held.entry(series.run.clone()).or_default();
                    of_run.entry(job.named.key.clone()).or_default().insert(job.step, job.wall_time());
                    tell(Note::Written(count));
                }
                Err(reason) => {
                    // The series is tried again when it changes: a file that was cut may be whole by then.
                    series_states.remove(&(series.run.clone(), series.tag.clone()));
                    let (step, tag, run) = (job.step, &series.tag, &series.run);
                    tell(Note::Failed(format!("step {step} of {tag} of run {run}: {reason}")));
                }
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }
}

/// Whether a series has only got steps after its last one.
fn only_grew(series: &Series, before: &SeriesState) -> bool {
    series.order == before.order
        && series.rewrites == before.rewrites
        && before.last < Step::MAX
        && series.steps.range(before.last + 1..).count() + before.n_steps == series.steps.len()
}

fn newest_time(attempts: &Attempts) -> f64 {
    wall_time(&attempts.attempt(0).unwrap_or_default())
}

/// Whether something was written that is not chosen any more.
fn held_more(held: Option<&BTreeMap<Step, f64>>, chosen: &[(Step, &Attempts)]) -> bool {
    held.is_some_and(|held| held.len() > chosen.len())
}

/// TensorBoard takes a step that goes back for a training that was started again, and drops all that it has from there on.
/// So no older step may be written after a newer one.
fn refuse_older_steps(
    named: &NamedSeries,
    held: Option<&BTreeMap<Step, f64>>,
    new: &[Step],
) -> Result<(), ExportError> {
    let Some((last, last_time)) = held.and_then(|held| held.last_key_value()) else { return Ok(()) };
    let is_older = |step: &&Step| {
        let attempts = named.series.steps.get(*step);
        **step < *last && attempts.is_some_and(|attempts| newest_time(attempts) <= *last_time)
    };
    new.iter().find(is_older).map_or(Ok(()), |step| {
        Err(ExportError::Refused(format!(
            "step {step} of {:?} in run {} would come after step {last}, which an earlier export with other steps wrote there; TensorBoard would drop all steps in between: export into another directory",
            named.series.tag.as_str(),
            named.series.run
        )))
    })
}
