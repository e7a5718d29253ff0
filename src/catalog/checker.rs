//! Places of large records -> whether their payloads are intact, checked slowly in the background.
//!
//! A scan skips large payloads, so a flipped byte in one would be noticed only when its step is drawn. One thread
//! therefore reads them all once, the newest first, after the first scan. It works for at most a twentieth of its time, reads at
//! most 50 MB/s, and reads nothing while somebody waits for an answer. A file that cannot be read is tried again later, and
//! others are checked meanwhile. Where bytes of a file were written over, its records are read once more.
//!
//! When a file keeps its length and has another time of modification, bytes of it may have been written over: its right records
//! count as unchecked, and are checked again here and by whoever reads a tensor first. If one no longer begins where it did, its run is read
//! anew. Pictures made before stay in the caches. A file that is written over and grows between two looks cannot be told from
//! one that grew.

mod current;
mod failures;
pub mod finding;
mod pace;
mod queue;
mod thread;
pub(super) mod work;

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    sync::{Arc, mpsc},
};

use self::{
    finding::Finding,
    pace::Pace,
    queue::Queue,
    thread::{Task, Thread},
    work::Work,
};
use super::{
    batch::Batch,
    checked::{Checked, Stretch},
    demand::Demand,
    logged_value::FileId,
};
use crate::source::{FileStat, Source};

/// The large records that are to be checked: they go to the thread, or, where everything is read once, into a list.
pub(super) struct Checker {
    /// Which records were checked.
    pub(super) checked: Arc<Checked>,
    to_thread: Option<mpsc::Sender<Task>>,
    waiting: Vec<Work>,
}

impl Checker {
    pub(super) fn new() -> Self {
        Self { checked: Arc::default(), to_thread: None, waiting: Vec::new() }
    }

    /// Starts the thread. `report` gets what it finds, and gives whether anybody still listens.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        &mut self,
        source: Arc<dyn Source>,
        demand: Arc<Demand>,
        report: impl Fn(Finding) -> bool + Send + 'static,
    ) -> io::Result<()> {
        let (tasks, inbox) = mpsc::channel();
        let checked = Arc::clone(&self.checked);
        let pace = Pace::new(demand);
        let thread = Thread { source, checked, report: Box::new(report), pace, queue: Queue::default() };
        // It ends when the ingest thread does, at the latest with the record that it reads.
        std::thread::Builder::new().name("checker".into()).spawn(move || thread.run(&inbox))?;
        self.to_thread = Some(tasks);
        Ok(())
    }

    /// Takes the large records of a batch.
    pub(super) fn add(&mut self, file: FileId, stat: &FileStat, batch: &mut Batch) {
        let places = std::mem::take(&mut batch.large);
        if places.is_empty() {
            return;
        }
        self.checked.note_found(file, &places);
        for place in batch.checked.drain(..) {
            self.checked.note_right(file, place);
        }
        let work = Work::new(file, stat, places.into());
        match &self.to_thread {
            Some(_) => self.send(Task::Check(work)),
            None => self.waiting.push(work),
        }
    }

    /// Checks the large records of a file again, because bytes of it were written over.
    pub(super) fn check_again(&mut self, file: FileId, stat: &FileStat) {
        let overwritten: BTreeSet<Stretch> = self.checked.invalidate(file).into_iter().collect();
        if overwritten.is_empty() {
            return;
        }
        let work = Work::new(file, stat, VecDeque::new());
        self.send(Task::Check(Work { overwritten, ..work }));
    }

    /// The first scan is done: the check may begin.
    pub(super) fn begin(&self) {
        self.send(Task::Begin);
    }

    /// A file is not followed any longer.
    pub(super) fn forget(&self, file: FileId) {
        self.checked.forget(file);
        self.send(Task::Forget(file));
    }

    /// Takes the work that is in the list.
    pub(super) fn take(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.waiting)
    }

    fn send(&self, task: Task) {
        if let Some(thread) = &self.to_thread {
            // The thread ends only with this one.
            let _ = thread.send(task);
        }
    }
}
