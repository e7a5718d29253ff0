//! A run's tags, graphs and rules -> the facts of its series, in short slices of work.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use imbl::OrdMap;

use super::snapshot::{Encoding, Run, Series};
use crate::{
    model::{
        Confidence, Facts, Reason,
        conclude::{Conclusions, Item, Known},
        network::Network,
        rules::Rules,
    },
    reader::contents::Format,
    types::{RunName, Tag},
};

/// The plugin that `add_tensor` of PyTorch's `SummaryWriter` names.
const PYTORCHS_PLUGIN: &[u8] = b"tensor";
/// The most graphs and models that are kept of a run. Writers log theirs once for each start.
const MOST_NETWORKS: usize = 8;
/// The longest time that new records wait for conclusions.
const SLICE: Duration = Duration::from_millis(20);
/// After a slice, files are read for this many times as long. So conclusions take at most a third of the thread's time.
const RESTS: u32 = 2;
/// Work of up to this duration needs no pause.
const SHORT: Duration = Duration::from_millis(2);
/// After this many steps of concluding, the facts are stored in the series.
const STEPS_AT_ONCE: usize = 1_000;

/// For how long to conclude.
#[derive(Clone, Copy, Debug)]
pub(super) enum Haste {
    /// Until everything is done, or the program stops.
    All,
    /// For a slice, if it is time for one.
    Slice,
}

/// What was concluded about each run, and which runs have something new to conclude from.
pub(super) struct Concluding {
    runs: BTreeMap<RunName, RunConclusions>,
    todo: BTreeSet<RunName>,
    /// The run that was worked on last: all others come before it is worked on again.
    last: Option<RunName>,
    rests_until: Instant,
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct RunConclusions {
    conclusions: Conclusions,
    networks: Vec<Arc<Network>>,
}

/// What conclusions are drawn from, and the revision of what they change.
pub(super) struct Basis<'a> {
    pub(super) rules: &'a Rules,
    pub(super) revision: u64,
}

/// What holds for a slice.
struct Slice<'a> {
    rules: &'a Rules,
    revision: u64,
    stop: &'a AtomicBool,
    until: Option<Instant>,
}

impl Slice<'_> {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Concluding {
    /// Begins without conclusions. Work ends when `stop` is set.
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        Self { runs: BTreeMap::new(), todo: BTreeSet::new(), last: None, rests_until: Instant::now(), stop }
    }

    /// Notes that tags of a run were added or removed, or that what is known of them changed.
    pub(super) fn change(&mut self, run: &RunName, tags: Vec<Tag>) {
        if !tags.is_empty() {
            let conclusions = &mut self.runs.entry(run.clone()).or_default().conclusions;
            for tag in tags {
                conclusions.change(tag);
            }
            self.todo.insert(run.clone());
        }
    }

    /// Notes that a graph of a run was read, or that values, and perhaps series, were removed.
    pub(super) fn look_again(&mut self, run: RunName) {
        self.todo.insert(run);
    }

    /// Forgets a run that was dropped. If it is read again, conclusions begin anew.
    pub(super) fn forget(&mut self, run: &RunName) {
        self.runs.remove(run);
        self.todo.remove(run);
    }

    /// Forgets all runs.
    pub(super) fn forget_all(&mut self) {
        self.runs.clear();
        self.todo.clear();
        self.last = None;
    }

    /// Whether nothing is left to conclude.
    pub(super) fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// Of how many runs something is kept.
    #[cfg(test)]
    pub(super) fn n_kept(&self) -> usize {
        self.runs.len()
    }

    /// Notes that other rules apply.
    pub(super) fn change_rules(&mut self) {
        for (run, of_run) in &mut self.runs {
            of_run.conclusions.change_all();
            self.todo.insert(run.clone());
        }
    }

    /// When there is something to do, and when the next slice begins.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        (!self.todo.is_empty()).then_some(self.rests_until)
    }

    /// Whether there is something to do now.
    pub(super) fn is_due(&self, haste: Haste) -> bool {
        match haste {
            Haste::All => !self.todo.is_empty(),
            Haste::Slice => self.next_turn().is_some_and(|turn| turn <= Instant::now()),
        }
    }

    fn next_run(&self) -> Option<RunName> {
        let from = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let after = self.todo.range::<RunName, _>((from, Bound::Unbounded)).next();
        after.or_else(|| self.todo.first()).cloned()
    }

    /// Draws conclusions from what is new. A series whose facts change gets the revision, so that readers see the change.
    pub(super) fn work(&mut self, runs: &mut OrdMap<RunName, Arc<Run>>, basis: &Basis<'_>, haste: Haste) {
        let begun = Instant::now();
        let until = matches!(haste, Haste::Slice).then_some(begun + SLICE);
        let slice = Slice { rules: basis.rules, revision: basis.revision, stop: &self.stop, until };
        while let Some(name) = self.next_run() {
            let done = match runs.get_mut(&name) {
                Some(run) => self.runs.entry(name.clone()).or_default().work(&name, run, &slice),
                None => true,
            };
            if done {
                self.todo.remove(&name);
            }
            self.last = Some(name);
            if !slice.goes_on() {
                break;
            }
        }
        let took = begun.elapsed();
        self.rests_until = Instant::now() + if took > SHORT { took * RESTS } else { Duration::ZERO };
    }
}

impl RunConclusions {
    /// Draws conclusions about a run. Returns whether everything is done.
    fn work(&mut self, name: &RunName, run: &mut Arc<Run>, slice: &Slice<'_>) -> bool {
        let is_same = |(a, b): (&Arc<Network>, &Arc<Network>)| Arc::ptr_eq(a, b);
        // The newest network comes first.
        let networks: Vec<Arc<Network>> = run.networks.iter().rev().cloned().collect();
        if self.networks.len() != networks.len() || !self.networks.iter().zip(&networks).all(is_same) {
            self.networks = networks;
            self.conclusions.change_all();
        }
        loop {
            let (is_done, changed) = self.step(name, run, slice);
            take(run, changed, slice.revision);
            if is_done && self.conclusions.len() == run.series.len() {
                return true;
            }
            if is_done {
                // Series were removed, or the run was read again and no longer has all of them.
                self.conclusions.change_gone(&|tag| run.series.contains_key(tag));
                // Others have another tag than when they were found.
                run.series.keys().for_each(|tag| self.conclusions.change_if_unknown(tag));
            }
            if !slice.goes_on() {
                return false;
            }
        }
    }

    /// Does some steps. Returns whether everything is done, and the facts that changed.
    fn step(&mut self, name: &RunName, run: &Run, slice: &Slice<'_>) -> (bool, Vec<(Tag, Facts)>) {
        let rules = slice.rules.in_run(name.as_str());
        let known = Known { rules: &rules, networks: &self.networks, item: &|tag| item(run, tag) };
        let (mut n_steps, mut changed) = (0, Vec::new());
        let mut go_on = || {
            n_steps += 1;
            n_steps < STEPS_AT_ONCE && slice.goes_on()
        };
        let mut give = |tag: &Tag, facts: Facts| {
            let facts = with_kept(run, tag, facts);
            if run.series.get(tag).is_some_and(|series| series.facts != facts) {
                changed.push((tag.clone(), facts));
            }
        };
        let is_done = self.conclusions.work(&known, &mut go_on, &mut give);
        (is_done, changed)
    }
}

/// Of a part of a checkpoint, less is known than what was known of all of it. So if a series is on the shelf, what was concluded then
/// holds, except against rules and what else is sure now.
fn with_kept(run: &Run, tag: &Tag, facts: Facts) -> Facts {
    let series = run.series.get(tag);
    let is_kept = series
        .and_then(|series| series.saved_in.as_ref())
        .is_some_and(|saved_in| saved_in.format == Format::Shelf);
    let Some(kept) = run.on_shelf.facts.get(tag).filter(|_| is_kept) else { return facts };
    let is_sure = |reason: &Reason| reason.confidence == Confidence::Sure;
    let says_more = (is_sure(&facts.role_from) && facts.role != kept.role)
        || facts.layout.as_ref().is_some_and(|(_, reason)| is_sure(reason))
        || facts.ignored_by.is_some();
    if says_more { facts } else { Facts { contradictions: facts.contradictions, ..(**kept).clone() } }
}

fn item<'a>(run: &'a Run, tag: &str) -> Option<Item<'a>> {
    let series = run.series.get(tag)?;
    let saved_in = series.saved_in.as_ref();
    Some(Item {
        tag: series.name(),
        shape: series.form.as_ref().ok().map(|form| &form.shape),
        is_picture: series.encoding == Encoding::Pictures,
        recorded: run.recorded.get(tag).map(|recorded| &**recorded),
        is_pytorchs: run.plugins.get(tag).is_some_and(|plugin| **plugin == *PYTORCHS_PLUGIN)
            || saved_in.is_some_and(|saved_in| matches!(saved_in.format, Format::PyTorch | Format::Dcp)),
        is_optimizers: saved_in.is_some_and(|saved_in| saved_in.is_optimizers),
    })
}

/// Stores facts in their series.
fn take(run: &mut Arc<Run>, changed: Vec<(Tag, Facts)>, revision: u64) {
    if changed.is_empty() {
        return;
    }
    let run = Arc::make_mut(run);
    for (tag, facts) in changed {
        let Some(series) = run.series.get_mut(&tag) else { continue };
        let series: &mut Series = Arc::make_mut(series);
        // Cached pictures of it may show the wrong axes now.
        series.rewrites += 1;
        series.revision = revision;
        series.facts = facts;
        run.revision = revision;
    }
}

/// Adds what a graph or a model says. Returns whether it is new.
pub(super) fn add_network(run: &mut Run, network: Network) -> bool {
    if network == Network::default() || run.networks.iter().any(|known| **known == network) {
        return false;
    }
    if run.networks.len() == MOST_NETWORKS {
        run.networks.remove(0);
    }
    run.networks.push(Arc::new(network));
    true
}
