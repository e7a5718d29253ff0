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
    job::{Job, Named, wall_time},
    naming::{Names, Style, names},
    product::{Files, Load, Product, job, made},
    selection::Selection,
    writer::{Grain, Held, Writer},
};

use crate::{
    catalog::{
        attempts::Attempts,
        snapshot::{FileId, Run, Series, Snapshot},
    },
    types::{RunName, Step, Tag},
};

/// Tensors that are under way at once may take so much with all that is made of them.
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
    /// So many tensors are to be exported.
    Planned(usize),
    /// So many pictures or arrays of one tensor were written.
    Written(usize),
    /// A tensor was left out, and why.
    Failed(String),
    /// A series was left out, and why.
    LeftOut(String),
    /// A run is another one under a second name, and is exported under the first alone.
    Again(String),
}

/// Exports snapshot after snapshot, each tensor once.
pub struct Exporter {
    order: Order,
    writer: Box<dyn Writer>,
    held: HashMap<RunName, Held>,
    /// Runs as they were looked through: what did not change is the same in the next snapshot.
    looked: HashMap<RunName, Arc<Run>>,
    /// How far series have been looked through.
    seen: HashMap<(RunName, Tag), Seen>,
    told: BTreeSet<(RunName, Tag)>,
    /// Second names of runs that are exported under their first.
    again: BTreeSet<RunName>,
    is_first_round: bool,
}

/// A series as it was looked through.
#[derive(Clone, PartialEq, Eq)]
struct Seen {
    key: String,
    order: (FileId, u64, u32),
    rewrites: u64,
    n_steps: usize,
    last: Step,
    revision: u64,
}

/// A step that is to be exported.
struct Due {
    step: Step,
    named: Arc<Named>,
}

impl Exporter {
    /// Begins, or goes on where an export into the same place stopped.
    #[must_use]
    pub fn new(order: Order, writer: Box<dyn Writer>) -> Self {
        let (held, looked, seen) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (told, again) = (BTreeSet::new(), BTreeSet::new());
        Self { order, writer, held, looked, seen, told, again, is_first_round: true }
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
        let mut jobs: Vec<Due> = Vec::new();
        for (name, run) in &snapshot.runs {
            if let Some(first) = self.first_name(snapshot, name) {
                self.leave_out_again((name, run), first, tell);
                continue;
            }
            let before = self.looked.insert(name.clone(), Arc::clone(run));
            if before.is_some_and(|before| Arc::ptr_eq(&before, run)) {
                continue;
            }
            let mut of_run = self.due(name, run, tell)?;
            if self.writer.grain() != Grain::Series {
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

    /// Under which name a run is exported that has this one by a link; none where this one was asked for.
    fn first_name<'s>(&self, snapshot: &'s Snapshot, name: &RunName) -> Option<&'s RunName> {
        self.order.selection.run.is_none().then(|| snapshot.first_name(name)).flatten()
    }

    fn leave_out_again(
        &mut self,
        (name, run): (&RunName, &Run),
        first: &RunName,
        tell: &mut dyn FnMut(Note),
    ) {
        let is_chosen = run.series.values().any(|series| self.order.selection.takes(series));
        if is_chosen && self.again.insert(name.clone()) {
            tell(Note::Again(format!(
                "run {name} is run {first} by a link, and is written as {first} alone"
            )));
        }
    }

    /// What of a run is not exported yet, series by series.
    fn due(
        &mut self,
        name: &RunName,
        run: &Run,
        tell: &mut dyn FnMut(Note),
    ) -> Result<Vec<Due>, ExportError> {
        let Names { named, left_out } = names(&self.order.style, &self.order.selection, run);
        for (series, reason) in left_out {
            if self.told.insert((name.clone(), series.tag.clone())) {
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
            due.extend(steps.into_iter().map(|step| Due { step, named: Arc::clone(&named) }));
        }
        Ok(due)
    }

    fn new_steps(&mut self, named: &Named) -> Result<Vec<Step>, ExportError> {
        let series = &named.series;
        let key = (series.run.clone(), series.tag.clone());
        let now = Seen {
            key: named.key.clone(),
            order: series.order,
            rewrites: series.rewrites,
            n_steps: series.steps.len(),
            last: series.step_range().map_or(Step::MIN, |(_, last)| last),
            revision: series.revision,
        };
        let before = self.seen.insert(key, now.clone());
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
        if self.writer.grain() == Grain::Series && (!new.is_empty() || held_more(held, &chosen)) {
            new = chosen.iter().map(|(step, _)| *step).collect();
        }
        if self.writer.grain() == Grain::Step && self.is_first_round {
            behind_all(named, held, &new)?;
        }
        Ok(new)
    }

    fn make(
        &mut self,
        (jobs, files): (Vec<Due>, &Files),
        load: &Load<'_>,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Note),
    ) -> Result<(), ExportError> {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let bounds = Bounds { threads, bytes: BYTES_UNDER_WAY };
        let (style, product) = (&self.order.style, self.order.product);
        let (writer, held, seen) = (&mut self.writer, &mut self.held, &mut self.seen);
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
                    // It is looked at again when the series changes: a file that was cut may be whole by then.
                    seen.remove(&(series.run.clone(), series.tag.clone()));
                    let (step, tag, run) = (job.step, &series.tag, &series.run);
                    tell(Note::Failed(format!("step {step} of {tag} of run {run}: {reason}")));
                }
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }
}

/// Whether a series has nothing new but steps after its last.
fn only_grew(series: &Series, before: &Seen) -> bool {
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
/// So nothing may be written after what is newer.
fn behind_all(named: &Named, held: Option<&BTreeMap<Step, f64>>, new: &[Step]) -> Result<(), ExportError> {
    let Some((last, last_time)) = held.and_then(|held| held.last_key_value()) else { return Ok(()) };
    let is_older = |step: &&Step| {
        let attempts = named.series.steps.get(*step);
        **step < *last && attempts.is_some_and(|attempts| newest_time(attempts) <= *last_time)
    };
    new.iter().find(is_older).map_or(Ok(()), |step| {
        Err(ExportError::Refused(format!(
            "step {step} of {:?} in run {} would come behind step {last}, which an earlier export with other steps wrote there; TensorBoard would drop all steps in between: export into another directory",
            named.series.tag.as_str(),
            named.series.run
        )))
    })
}
