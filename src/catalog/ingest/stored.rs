//! Changes of checkpoints -> the index with their tensors, or without them again.

use std::{
    collections::BTreeSet,
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    checkpoints::{Changes, Shown},
    logdir::Logdir,
};
use crate::{
    catalog::shelf::KeptChange,
    reader::contents::OpenError,
    source::{
        FileStat, NamedPlace,
        stored::{index_of_part, is_part_of_checkpoint, is_stored_name},
    },
    types::RunName,
};

/// A command that reads once waits so long for checkpoints that are being written.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Logdir {
    /// Compares the known checkpoints with all that exist.
    pub(super) fn compare_checkpoints(&mut self, stored: Vec<FileStat>) {
        if stored.is_empty() && self.checkpoints.is_empty() && self.kept.is_empty() {
            return;
        }
        let gone = self.checkpoints.compare_with_all(stored, &*self.source);
        self.kept.note_all();
        self.forget(gone);
    }

    /// Looks at a file that is no event file.
    pub(super) fn look_at_checkpoint(&mut self, path: &Path) {
        let Some(name) = path.file_name().filter(|name| is_part_of_checkpoint(name.as_bytes())) else {
            return;
        };
        let index = name.to_str().and_then(index_of_part).map(|index| path.with_file_name(index));
        let opened = match index.filter(|index| self.source.state(index).is_ok()) {
            Some(index) => vec![index],
            None if is_stored_name(name.as_bytes()) => vec![path.to_owned()],
            None => path.parent().map(|dir| self.checkpoints.in_directory(dir)).unwrap_or_default(),
        };
        for path in opened {
            let found = self.source.state(&path).ok().filter(|_| self.source.shows(&path));
            if let Some(stat) = found.filter(|stat| !self.checkpoints.has_other_name(stat, &*self.source)) {
                self.checkpoints.compare_with(stat, &*self.source);
            }
        }
    }

    /// Forgets the checkpoints at `path` and below. Returns whether there were any.
    pub(super) fn forget_checkpoints(&mut self, path: &Path) -> bool {
        let gone = self.checkpoints.forget_below(path);
        self.kept.note_below(path.strip_prefix(self.source.root()).unwrap_or(path));
        let is_any = !gone.is_empty();
        self.forget(gone);
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && let Some(index) = index_of_part(name)
        {
            // A part of a checkpoint is gone.
            self.look_at_checkpoint(&path.with_file_name(index));
        }
        self.index.forget_problem_of(path);
        is_any
    }

    /// Takes out what was shown of checkpoints that are gone.
    fn forget(&mut self, gone: Vec<Arc<Shown>>) {
        for shown in &gone {
            self.source.close(&shown.path);
        }
        self.change_shown(&Changes { taken_back: gone, ..Changes::default() });
    }

    /// Opens the checkpoints whose turn it is, and shows what they hold.
    pub(super) fn read_checkpoints(&mut self) {
        if self.checkpoints.is_empty() {
            return;
        }
        if self.files.take_change_of_names() {
            let root = self.source.root();
            let relative = |dir: &Path| dir.strip_prefix(root).unwrap_or(dir).to_owned();
            let with_events: BTreeSet<PathBuf> = self.files.directories().into_iter().map(relative).collect();
            let files = &mut self.files;
            let moved = self.checkpoints.set_with_events(with_events, &*self.source, || files.next_number());
            self.take_changes(moved);
        }
        let reads = self.checkpoints.read_due(&*self.source);
        if !reads.is_empty() {
            let files = &mut self.files;
            let changes = self.checkpoints.take(reads, &*self.source, || files.next_number());
            self.take_changes(changes);
            self.note_emptiness();
        }
    }

    /// Finds anew what is offered, if that may have changed.
    pub(super) fn offer_if_due(&mut self) {
        let offers = self.offering.find_if_due(&self.files, &self.checkpoints, &*self.source);
        if let Some(offers) = offers {
            self.index.publisher.set_offers(offers);
        }
    }

    fn take_changes(&mut self, changes: Changes) {
        self.offering.note_change();
        self.change_shown(&changes);
        let is_once = !self.index.publisher.has_readers();
        for mut told in changes.told {
            if matches!(told.error, OpenError::Unknown)
                && matches!(self.source.named_place(&told.path), Some(NamedPlace::File(_)))
            {
                let reason = "it is neither a checkpoint of a kind that is read nor an event file";
                told.error = OpenError::NotRead(reason.to_owned());
            }
            if self.checkpoints.is_to_be_told(&told, is_once) {
                self.index.checkpoint_failed(&told.path, &told.error);
            }
        }
    }

    /// Shows and takes out checkpoints, and with them saves on the shelf. What comes is shown first, so that no series is empty meanwhile.
    fn change_shown(&mut self, changes: &Changes) {
        self.kept.note(changes);
        let files = &mut self.files;
        let kept = self.kept.settle(&self.checkpoints, &*self.source, || files.next_number());
        for shown in &kept.shown {
            self.index.show(shown);
        }
        for shown in &changes.taken_back {
            self.take_back(shown);
        }
        for shown in &changes.shown {
            self.index.show(shown);
        }
        for shown in &kept.taken_back {
            self.take_back(shown);
        }
        if !kept.shown.is_empty() || !kept.taken_back.is_empty() {
            self.note_emptiness();
        }
    }

    /// Shows or hides saves on the shelf, if something changed, and tells what was missed.
    pub(super) fn settle_kept(&mut self) {
        self.change_shown(&Changes::default());
        let missed = self.checkpoints.missed();
        self.index.publisher.set_missed(missed.count, &missed.named);
    }

    /// Takes a change of the shelf.
    pub(super) fn take_kept(&mut self, change: KeptChange) {
        for gone in self.kept.take(change) {
            self.source.close(&gone.path);
            self.take_back(&gone);
        }
        self.settle_kept();
    }

    /// Opens all checkpoints, for a command that reads once.
    pub(super) fn read_all_checkpoints(&mut self) {
        let until = Instant::now() + LONGEST_WAIT;
        self.read_checkpoints();
        // However many there are, each is opened; only those that change all the time are given up.
        let is_due = |turn: &Instant| *turn < until || *turn <= Instant::now();
        while let Some(turn) = self.checkpoints.next_turn().filter(is_due) {
            thread::sleep(turn.saturating_duration_since(Instant::now()));
            self.read_checkpoints();
        }
        for path in self.checkpoints.waiting() {
            let error = io::Error::other("it is being written all the time");
            self.index.checkpoint_failed(&path, &error.into());
        }
    }

    fn take_back(&mut self, shown: &Shown) {
        self.index.take_back(shown);
        if !self.checkpoints.has_events(&shown.owner.dir) {
            self.index.publisher.drop_if_empty(&shown.run());
        }
    }

    /// Shows the checkpoints of runs that were dropped again.
    pub(super) fn show_again(&mut self, runs: &BTreeSet<RunName>) {
        let of_runs = |shown: &&Arc<Shown>| runs.contains(&shown.run());
        let shown = self.kept.shown().chain(self.checkpoints.shown());
        let shown: Vec<Arc<Shown>> = shown.filter(of_runs).cloned().collect();
        for shown in shown {
            self.index.show(&shown);
        }
    }
}
