//! What was read, and what is wrong with it -> the index: runs with their values, the facts about these, and the problems.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use super::{
    checkpoints::Shown,
    files::{Access, RemovedFile, Restarted},
    listing::{file_name, is_below},
    publisher::Publisher,
    reading::ReadBatch,
};
use crate::{
    catalog::{
        batch::{Batch, payload_fault},
        checker::{Checker, finding::Finding},
        damage::{BadValue, Damage, DamagedRecord, Value, without_records, without_value},
        facts::Concluding,
        graphs::{GraphError, GraphRead, Graphs, Job},
        health::{Fault, Health, Problem},
        logged_value::FileId,
        merge::{Limits, merge},
        rules_files::RulesFiles,
        saved,
        shelf::ShelfState,
        snapshot::Snapshot,
    },
    model::keras,
    reader::{
        contents::OpenError,
        file::{FileKind, ReadableFile},
    },
    source::{FileStat, Source},
    types::RunName,
};

/// Everything that is known of the logdir's content. Files are identified by their numbers; findings about a file that is no
/// longer known are ignored.
pub(super) struct Index {
    pub(super) publisher: Publisher,
    pub(super) health: Health,
    pub(super) rules: RulesFiles,
    pub(super) graphs: Graphs,
    pub(super) checker: Checker,
    pub(super) concluding: Concluding,
    damage: Damage,
    /// Files that the background check cannot read.
    unreadable: BTreeSet<FileId>,
    /// The longest payload that is read, in bytes.
    max_payload: u64,
}

impl Index {
    /// Nothing is known yet.
    pub(super) fn new(
        publisher: Publisher,
        rules: RulesFiles,
        max_payload: u64,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            publisher,
            health: Health::default(),
            rules,
            graphs: Graphs::new(),
            checker: Checker::new(),
            concluding: Concluding::new(stop),
            damage: Damage::new(),
            unreadable: BTreeSet::new(),
            max_payload,
        }
    }

    /// The index as it is now.
    pub(super) fn snapshot(&self) -> &Snapshot {
        self.publisher.index()
    }

    /// The index after everything was read.
    pub(super) fn into_snapshot(self) -> Snapshot {
        self.publisher.into_index(self.health.problems())
    }

    /// Removes a file that is no longer followed.
    pub(super) fn remove_file(&mut self, file: &RemovedFile) {
        self.publisher.remove_file(file.id, file.scanned);
        self.forget(file.id);
    }

    /// Forgets everything that is kept under the number of a file.
    fn forget(&mut self, file: FileId) {
        self.checker.forget(file);
        self.damage.forget(file);
        self.graphs.forget(file);
        self.unreadable.remove(&file);
    }

    /// Drops runs that are read from the start. Their files have new numbers.
    pub(super) fn restart(&mut self, runs: &BTreeSet<RunName>, files: &[Restarted]) {
        for run in runs {
            self.concluding.forget(run);
        }
        self.health.retain(|problem| !runs.contains(&problem.run) || problem.is_of_logdir());
        self.publisher.drop_runs(runs);
        for file in files {
            self.publisher.add_file(file.new, &file.path);
            self.publisher.remove_file(file.old, file.scanned);
            self.forget(file.old);
        }
    }

    /// Drops everything, because nothing is followed any longer.
    pub(super) fn clear(&mut self, files: Vec<FileId>) {
        self.publisher.drop_everything();
        for file in files {
            self.forget(file);
        }
        self.concluding.forget_all();
        self.health.retain(|_| false);
    }

    /// Adds a batch of a file. `access` says whether the file could be read.
    pub(super) fn add_batch(&mut self, read: ReadBatch, access: Access) {
        let ReadBatch { file, stat, mut batch } = read;
        self.publisher.add_scanned(batch.bytes, batch.records);
        self.note_faults(&stat, &mut batch, access);
        self.checker.add(file, &stat, &mut batch);
        let is_nothing_new = batch.records == 0 && self.snapshot().runs.contains_key(&stat.run);
        if is_nothing_new {
            return;
        }
        for graph in std::mem::take(&mut batch.graphs) {
            self.graphs.add(Job { run: stat.run.clone(), path: stat.path.clone(), graph });
        }
        let max_bytes = self.max_payload;
        let changed_tags = self.publisher.add_to_run(&stat.run, |run, revision| {
            merge(run, &stat.run, batch, Limits { revision, max_bytes })
        });
        self.concluding.change(&stat.run, changed_tags);
    }

    /// Adds the tensors of a checkpoint.
    pub(super) fn show(&mut self, shown: &Shown) {
        let file = ReadableFile {
            path: shown.path.clone(),
            kind: FileKind::Checkpoint(Arc::clone(&shown.checkpoint)),
        };
        self.publisher.add_checkpoint(shown.file, file);
        let run = shown.run();
        let contents = &shown.checkpoint.contents;
        self.forget_problem_of(&shown.path);
        // A list of checkpoints holds nothing itself, and makes no run.
        if !contents.tensors.is_empty() || contents.remarks.is_empty() {
            let changed_tags = self
                .publisher
                .add_to_run(&run, |into, revision| saved::add(into, &run, &shown.saved(), revision));
            self.concluding.change(&run, changed_tags);
        }
        if let Some(json) = &contents.keras_model {
            self.add_model(&run, &shown.path, json);
        }
        for network in saved::networks(&shown.saved()) {
            if self.publisher.add_network(&run, network) {
                self.concluding.look_again(run.clone());
            }
        }
        if !contents.remarks.is_empty() {
            let message = contents.remarks.join("; ");
            self.health.set(Problem::of_place(&shown.path, Fault::CheckpointNotRead, message));
        }
    }

    fn add_model(&mut self, run: &RunName, path: &Path, json: &[u8]) {
        match keras::network(json) {
            Ok(network) => {
                if self.publisher.add_network(run, network) {
                    self.concluding.look_again(run.clone());
                }
            }
            Err(reason) => {
                let message = format!("the model that it holds cannot be understood: {reason}");
                self.health.set(Problem::of_place(path, Fault::BadGraph, message));
            }
        }
    }

    /// Takes the tensors of a checkpoint out again.
    pub(super) fn take_back(&mut self, shown: &Shown) {
        let run = shown.run();
        let is_changed =
            self.publisher.change_run(&run, |run, revision| saved::take_back(run, &shown.saved(), revision));
        self.publisher.remove_checkpoint(shown.file);
        if is_changed {
            self.concluding.look_again(run);
        }
        self.forget(shown.file);
        self.forget_problem_of(&shown.path);
    }

    /// Notes how the shelf is.
    pub(super) fn set_shelf(&mut self, state: ShelfState) {
        self.health.retain(|problem| problem.fault != Fault::Shelf);
        if let Some(trouble) = state.trouble.clone() {
            self.health.set(match &state.dir {
                Some(dir) => Problem::of_place(dir, Fault::Shelf, trouble),
                None => Problem::of_logdir(Fault::Shelf, trouble),
            });
        }
        self.publisher.set_shelf(state);
    }

    /// Notes why a checkpoint cannot be read.
    pub(super) fn checkpoint_failed(&mut self, path: &Path, error: &OpenError) {
        let fault = match error {
            OpenError::Unknown => return,
            // What the listing finds unreadable is cleared by the next listing, and this would be too.
            OpenError::NotWhole(_) | OpenError::Damaged(_) => Fault::BadCheckpoint,
            OpenError::NotRead(_) | OpenError::Io(_) => Fault::CheckpointNotRead,
        };
        self.forget_problem_of(path);
        self.health.set(Problem::of_place(path, fault, error.to_string()));
    }

    /// Forgets what was said of a checkpoint.
    pub(super) fn forget_problem_of(&mut self, path: &Path) {
        const FAULTS: [Fault; 3] = [Fault::BadCheckpoint, Fault::CheckpointNotRead, Fault::BadGraph];
        let file = path.display().to_string();
        self.health.retain(|problem| problem.file != file || !FAULTS.contains(&problem.fault));
    }

    fn note_faults(&mut self, stat: &FileStat, batch: &mut Batch, access: Access) {
        let (run, file) = (&stat.run, &file_name(&stat.path));
        self.health.clear(run, file, Fault::Hole);
        for found in batch.faults.drain(..) {
            self.health.add(Problem::of_file(run, file, found.fault, found.message).at(found.offset));
        }
        match access {
            Access::Same => {}
            Access::Failed(message) => {
                self.health.set(Problem::of_file(run, file, Fault::Unreadable, message));
            }
            Access::Recovered => self.health.clear(run, file, Fault::Unreadable),
        }
    }

    /// Checks whether the rules have changed, if it is time.
    pub(super) fn look_at_rules(&mut self, source: &dyn Source) {
        if self.rules.look(source, &mut self.health) {
            self.concluding.change_rules();
        }
    }

    /// Adds what a graph says, if the file from which it was read is still followed.
    pub(super) fn graph_read(&mut self, read: GraphRead) {
        let GraphRead { run, file, path, place, network } = read;
        if !self.knows(file) {
            return;
        }
        match network {
            Ok(network) => {
                if self.publisher.add_network(&run, network) {
                    self.concluding.look_again(run);
                }
            }
            Err(GraphError::Damaged) => self.note_damage(&DamagedRecord { run, file, place }),
            Err(error) => {
                let problem = Problem::of_file(&run, &file_name(&path), Fault::BadGraph, error.to_string());
                self.health.add(problem.at(place.offset));
            }
        }
    }

    /// Immediately takes out a value that a reader found damaged. The other values of a damaged record are taken out soon after.
    pub(super) fn value_is_bad(&mut self, bad: &BadValue) {
        let value = Value { tag: &bad.tag, step: bad.step, logged: &bad.logged };
        let was_there =
            self.publisher.change_run(&bad.run, |run, revision| without_value(run, value, revision));
        if !was_there {
            return;
        }
        self.concluding.look_again(bad.run.clone());
        if let Some(path) = self.path_of_checkpoint(bad.logged.file) {
            let message = format!("{}: {}", bad.tag, bad.message);
            self.health.add(Problem::of_place(&path, Fault::BadCheckpoint, message));
            return;
        }
        let record =
            DamagedRecord { run: bad.run.clone(), file: bad.logged.file, place: bad.logged.spot.record() };
        if bad.fault == Fault::PayloadCrc {
            self.note_damage(&record);
        } else {
            self.add_problem(&record, bad.fault, bad.message.clone());
        }
    }

    fn path_of_checkpoint(&self, file: FileId) -> Option<PathBuf> {
        let file = self.snapshot().files.get(&file)?;
        matches!(file.kind, FileKind::Checkpoint(_)).then(|| file.path.clone())
    }

    /// Adds what the background check found. `is_failing` says whether the scan cannot read a file either. Returns a run that has to
    /// be read from the start.
    pub(super) fn checked(
        &mut self,
        finding: Finding,
        is_failing: impl Fn(&Path) -> bool,
    ) -> Option<RunName> {
        let path = self.snapshot().files.get(&finding.file())?.path.clone();
        match finding {
            Finding::Damaged(record) => self.note_damage(&record),
            Finding::Defect(record, message) => self.add_problem(&record, Fault::Defect, message),
            Finding::Unreadable { run, file, message } => {
                self.unreadable.insert(file);
                self.health.set(Problem::of_file(&run, &file_name(&path), Fault::Unreadable, message));
            }
            Finding::Readable { run, file } => {
                if self.unreadable.remove(&file) && !is_failing(&path) {
                    self.health.clear(&run, &file_name(&path), Fault::Unreadable);
                }
            }
            // Only a new scan finds out where its records begin now.
            Finding::Rewritten { run, .. } => return Some(run),
        }
        None
    }

    fn note_damage(&mut self, record: &DamagedRecord) {
        if self.knows(record.file) && self.damage.note(record) {
            self.add_problem(record, Fault::PayloadCrc, payload_fault(record.place));
        }
    }

    fn add_problem(&mut self, record: &DamagedRecord, fault: Fault, message: String) {
        let file = self.snapshot().files.get(&record.file);
        let file = file.map(|file| file_name(&file.path)).unwrap_or_default();
        self.health.add(Problem::of_file(&record.run, &file, fault, message).at(record.place.offset));
    }

    /// Takes the values of damaged records out of their series, if it is time.
    pub(super) fn drop_damaged(&mut self) {
        for (name, records) in self.damage.take_due() {
            if self.publisher.change_run(&name, |run, revision| without_records(run, &records, revision)) {
                self.concluding.look_again(name);
            }
        }
    }

    /// When there is something to conclude, or values have to be taken out.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        self.damage.due().into_iter().chain(self.concluding.next_turn()).min()
    }

    /// The files that the background check cannot read.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = &Path> {
        let paths = self.unreadable.iter().filter_map(|id| self.snapshot().files.get(id));
        paths.map(|file| file.path.as_path())
    }

    /// Forgets exports and unreadable paths at `path` and below.
    pub(super) fn forget_found_below(&mut self, path: &Path) {
        let exported = &self.snapshot().exported;
        if exported.iter().any(|file| file.starts_with(path)) {
            let rest: Vec<PathBuf> =
                exported.iter().filter(|file| !file.starts_with(path)).cloned().collect();
            self.publisher.set_exported(rest);
        }
        self.health.retain(|problem| !is_below(problem, path));
    }

    fn knows(&self, file: FileId) -> bool {
        self.snapshot().files.contains_key(&file)
    }

    /// Draws conclusions from what is new.
    pub(super) fn conclude(&mut self) {
        self.publisher.conclude(&mut self.concluding, &self.rules.rules());
    }

    /// Draws conclusions, and publishes the index.
    pub(super) fn publish(&mut self) {
        self.conclude();
        self.publisher.publish(self.health.problems());
    }

    /// Draws conclusions, and publishes the index if it changed since it was last published.
    pub(super) fn publish_if_changed(&mut self) {
        self.conclude();
        self.publisher.publish_if_changed(self.health.problems());
    }
}
