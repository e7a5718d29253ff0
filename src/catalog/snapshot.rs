//! The index as it was at one moment.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use imbl::{OrdMap, OrdSet};

use super::{
    attempts::Attempts,
    health::Problem,
    offers::Offer,
    shelf::{OnShelf, ShelfState},
};
pub use super::{
    form::{Form, FormError},
    logged_value::{FileId, LogPosition, LoggedValue},
};
use crate::{
    event::summary::ValueKind,
    model::{
        Facts, layout::Layout, name::is_kernel_drawn_by_keras, network::Network, recorded::Recorded,
        role::Role,
    },
    reader::{
        contents::Format,
        file::ReadableFile,
        moment::{Axis, Moment, StepFrom},
    },
    types::{RunName, Step, Tag, WallTime},
    watch::Mode,
};

/// Everything that is known at one moment. Cloning costs a few reference counts.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Grows with each snapshot.
    pub revision: u64,
    /// Whether the first scan is still running.
    pub loading: bool,
    /// Whether conclusions are still to be drawn from what is new.
    pub concluding: bool,
    /// How changes are noticed.
    pub watch: Mode,
    /// How much has been read.
    pub scanned: Scanned,
    /// The runs by name.
    pub runs: OrdMap<RunName, Arc<Run>>,
    /// The files by number.
    pub files: OrdMap<FileId, Arc<ReadableFile>>,
    /// Event files that `convscope export` wrote, which are not read back.
    pub exported: Arc<[PathBuf]>,
    /// Paths that look like checkpoints, relative to the logdir. They are not read.
    pub checkpoints: Arc<[String]>,
    /// Checkpoints that may belong to runs and are shown only if the user says so.
    pub offers: Arc<[Offer]>,
    /// Links to directories and files that already have a name, with that name, both relative to the logdir.
    pub second_names: Arc<BTreeMap<String, String>>,
    /// Runs of which all files are, by links, files of another run, with that run.
    pub same_runs: Arc<BTreeMap<RunName, RunName>>,
    /// How the shelf is.
    pub shelf: Arc<ShelfState>,
    /// How many writes of checkpoints were overwritten before they were seen whole, and the last of them.
    pub missed: Arc<(u64, Vec<String>)>,
    /// What is wrong, in order of run and file.
    pub problems: Arc<Vec<Problem>>,
}

/// How much of the logdir has been understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Event files.
    pub files: u64,
    /// Checkpoints of kinds that are read, also those that are damaged or still being written.
    pub checkpoints: u64,
    /// Bytes of records, including payloads that were skipped.
    pub bytes: u64,
    /// Whole records.
    pub records: u64,
}

/// A directory with event files.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The revision in which it last changed.
    pub revision: u64,
    /// The tensors by tag.
    pub series: OrdMap<Tag, Arc<Series>>,
    /// Values that are no tensors, by tag.
    pub skipped: OrdMap<Tag, Skipped>,
    /// The plugin in a tag's first metadata; empty if none.
    pub plugins: OrdMap<Tag, Arc<[u8]>>,
    /// Numbered tags whose first picture has another size than the first picture of their common name. Each is a separate series.
    pub pictures_apart: OrdSet<Tag>,
    /// Rows and columns of the first picture of each common name, for this comparison.
    pub picture_sizes: OrdMap<Tag, [u32; 2]>,
    /// What the metadata of writers that know the network say about their tags.
    pub recorded: OrdMap<Tag, Arc<Recorded>>,
    /// What logged graphs and models say, the newest last.
    pub networks: Vec<Arc<Network>>,
    /// Its checkpoints.
    pub checkpoints: OrdMap<FileId, CheckpointOfRun>,
    /// What is known of its saves on the shelf.
    pub on_shelf: OnShelf,
    /// Networks of its checkpoints, as far as the names of files say which; empty for those of which they say nothing.
    pub networks_saved: OrdSet<Arc<str>>,
    /// Those of them whose tags begin with their names, because others have tensors of the same names.
    pub networks_apart: OrdSet<Arc<str>>,
    /// The earliest wall time of its events.
    pub first_wall_time: Option<WallTime>,
    /// The latest wall time of its events.
    pub last_wall_time: Option<WallTime>,
    /// The largest step of its events.
    pub last_step: Option<Step>,
}

/// Values of a tag that are no tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What they are.
    pub kind: ValueKind,
    /// How many.
    pub count: u64,
}

/// A checkpoint of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointOfRun {
    /// Its path, relative to the directory of the run if it lies there.
    pub name: Arc<str>,
    /// How many tensors it holds, without single numbers.
    pub n_tensors: usize,
    /// When in the training it was saved.
    pub moment: Moment,
    /// Why it is likely of this run, where it does not lie in it.
    pub run_from: Option<Arc<str>>,
}

/// All tensors of one tag in one run.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its run.
    pub run: RunName,
    /// Its tag.
    pub tag: Tag,
    /// Where its first value is logged. Sorted by it, series are in the order in which they were first logged.
    pub order: LogPosition,
    /// The revision in which it last changed.
    pub revision: u64,
    /// What its values are.
    pub encoding: Encoding,
    /// The type and shape of its newest readable tensor, or why none can be read.
    pub form: Result<Form, FormError>,
    /// What it is to the network.
    pub facts: Facts,
    /// Where its tensors are logged.
    pub steps: OrdMap<Step, Attempts>,
    /// How many of its values are on the shelf.
    pub kept_steps: u64,
    /// How many saves on the shelf are without it.
    pub not_kept: u64,
    /// How often the tensor of a known step has changed.
    pub rewrites: u64,
    /// What its steps count.
    pub axis: Axis,
    /// Where its newest step is saved, if that is a checkpoint.
    pub saved_in: Option<SavedIn>,
}

/// A checkpoint that holds a step of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedIn {
    /// Its format.
    pub format: Format,
    /// From where its step is known.
    pub step_from: StepFrom,
    /// Why it is likely of this run, where it does not lie in it.
    pub run_from: Option<Arc<str>>,
    /// Whether it is of the optimizer and not of the network.
    pub is_optimizers: bool,
    /// The writer's own name, if the tag is another: without what was wrapped around it, or Keras's name for the variable.
    pub saved_as: Option<Arc<str>>,
    /// What the name of the file says about which network it holds; empty if nothing.
    pub network: Arc<str>,
}

/// What the values of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Each value is a tensor of numbers.
    Numbers,
    /// Pictures that the writer encoded. Those of a step form one tensor.
    Pictures,
}

impl Snapshot {
    /// The snapshot of a logdir of which nothing is known yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            revision: 0,
            loading: true,
            concluding: false,
            watch: Mode::Waiting,
            scanned: Scanned::default(),
            runs: OrdMap::new(),
            files: OrdMap::new(),
            exported: Arc::default(),
            checkpoints: Arc::default(),
            offers: Arc::default(),
            second_names: Arc::default(),
            same_runs: Arc::default(),
            shelf: Arc::default(),
            missed: Arc::default(),
            problems: Arc::default(),
        }
    }

    /// The series of a tag in a run.
    #[must_use]
    pub fn series(&self, run: &str, tag: &str) -> Option<&Arc<Series>> {
        self.runs.get(run)?.series.get(tag)
    }

    /// Whether Keras drew pictures of kernels, and there is no kernel as a tensor.
    #[must_use]
    pub fn has_drawn_kernels_alone(&self) -> bool {
        let series = || self.runs.values().flat_map(|run| run.series.values());
        let is_picture = |series: &Series| series.encoding == Encoding::Pictures;
        let is_drawn = |one: &Arc<Series>| is_picture(one) && is_kernel_drawn_by_keras(one.tag.as_str());
        !series().any(|one| one.facts.role == Role::Kernel && !is_picture(one)) && series().any(is_drawn)
    }

    /// If a run has its name by links, its first name, if the run is also listed under that.
    #[must_use]
    pub fn first_name(&self, run: &RunName) -> Option<&RunName> {
        let linked = self.name_without_links(run);
        let same = self.same_runs.get(linked.as_ref().unwrap_or(run)).cloned();
        let first = same.or(linked)?;
        self.runs.get_key_value(first.as_str()).map(|(first, _)| first)
    }

    /// The name of a run after its links are replaced by their targets; none if it contains no links.
    fn name_without_links(&self, run: &RunName) -> Option<RunName> {
        if self.second_names.is_empty() {
            return None;
        }
        let name = run.as_str();
        // The targets of links contain no links, so the longest prefix that is a link decides.
        let ends = [name.len()].into_iter().chain(name.rmatch_indices('/').map(|(at, _)| at));
        ends.into_iter().find_map(|at| {
            let (link, rest) = name.split_at(at);
            self.second_names.get(link).map(|first| RunName::from(format!("{first}{rest}")))
        })
    }
}

/// Runs are equal if they are the same object: published objects never change. Persistent maps are thus compared quickly.
impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// The same as for runs.
impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Run {
    /// Its checkpoints in which no kernel of a convolution was found.
    #[must_use]
    pub fn checkpoints_without_convolution(&self) -> Vec<&CheckpointOfRun> {
        if self.checkpoints.is_empty() {
            return Vec::new();
        }
        let kernels = self.series.values().filter(|series| series.is_kernel_of_convolution());
        let values = kernels.flat_map(|series| series.steps.values().flat_map(Attempts::newest_first));
        let with_one: HashSet<FileId> = values.map(|value| value.file).collect();
        let others = self.checkpoints.iter().filter(|(file, _)| !with_one.contains(file));
        others.map(|(_, checkpoint)| checkpoint).collect()
    }

    /// Its series without those that rules leave out, by tag.
    pub fn shown(&self) -> impl Iterator<Item = &Arc<Series>> {
        self.series.values().filter(|series| series.facts.ignored_by.is_none())
    }

    /// Its series without those that rules leave out. Layers in a logged graph or model are in its order; all others are where they
    /// were first logged.
    #[must_use]
    pub fn shown_in_order(&self) -> Vec<&Arc<Series>> {
        let mut series: Vec<&Arc<Series>> = self.shown().collect();
        series.sort_by_key(|series| series.order);
        let mut layers: Vec<(&str, Option<usize>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for one in &series {
            let layer = one.facts.layer.as_str();
            let idx = *known.entry(layer).or_insert_with(|| {
                layers.push((layer, None));
                layers.len() - 1
            });
            let position = one.facts.operation.as_ref().map(|operation| operation.position);
            layers[idx].1 = layers[idx].1.or(position);
        }
        // Layers that the graph does not contain keep their positions; the others are sorted among their positions.
        let mut of_graph: Vec<(usize, &str)> =
            layers.iter().filter_map(|(layer, position)| Some(((*position)?, *layer))).collect();
        of_graph.sort_by_key(|(position, _)| *position);
        let mut of_graph = of_graph.into_iter();
        for (layer, position) in &mut layers {
            if position.is_some() {
                *layer = of_graph.next().expect("as many as have a position").1;
            }
        }
        let place: HashMap<&str, usize> =
            layers.iter().enumerate().map(|(idx, (layer, _))| (*layer, idx)).collect();
        // Within a layer, tensors of numbers come before encoded pictures.
        series.sort_by_key(|series| {
            (place[series.facts.layer.as_str()], series.encoding == Encoding::Pictures)
        });
        series
    }
}

impl Series {
    /// The tag of a series that counts something else than its namesake, which has the tag itself.
    #[must_use]
    pub fn tag_apart(tag: &Tag, axis: Axis) -> Tag {
        Tag::from(format!("{tag} by {}", axis.name()))
    }

    /// The tensor's name: the tag without what tells it apart from a namesake.
    #[must_use]
    pub fn name(&self) -> &str {
        let tag = self.tag.as_str();
        match (self.axis, tag.rsplit_once(" by ")) {
            (Axis::Epoch | Axis::Time, Some((name, axis))) if axis == self.axis.name() => name,
            _ => tag,
        }
    }

    /// Whether it is a kernel with a window, unlike that of a dense layer.
    #[must_use]
    pub fn is_kernel_of_convolution(&self) -> bool {
        self.facts.role == Role::Kernel && self.form.as_ref().is_ok_and(|form| form.shape.rank() > 2)
    }

    /// The first and the last step; a series has at least one.
    #[must_use]
    pub fn step_range(&self) -> Option<(Step, Step)> {
        Some((self.steps.get_min()?.0, self.steps.get_max()?.0))
    }

    /// Which axis is which, if that is known.
    #[must_use]
    pub fn layout(&self) -> Option<Layout> {
        self.facts.layout.as_ref().map(|(layout, _)| *layout)
    }

    /// The nearest steps at or before `step` and after it, if there are any.
    #[must_use]
    pub fn nearest_steps(&self, step: Step) -> Vec<Step> {
        let before = self.steps.get_prev(&step).map(|(step, _)| *step);
        let after = self.steps.get_next(&step).map(|(step, _)| *step);
        let mut nearest: Vec<Step> = before.into_iter().chain(after).collect();
        nearest.dedup();
        nearest
    }
}
