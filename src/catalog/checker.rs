//! Places of large records -> whether their payloads are intact, checked slowly in the background.
//!
//! A scan skips large payloads, so a flipped byte in one would be noticed only when its step is drawn. Therefore one thread
//! reads them all once after the first scan, the newest first. It works for at most a twentieth of the time, reads at most
//! 50 MB/s, and reads nothing while a request waits for an answer. A file that cannot be read is tried again later, and others
//! are checked meanwhile. If bytes of a file were overwritten, its records are read again.
//!
//! If the modification time of a file changes but not its length, bytes of it may have been overwritten. Its intact records then
//! count as unchecked, and are checked again here or when a tensor is read. If a record no longer begins where it did, its run is
//! read again. Pictures that were made before stay in the caches. A file that was overwritten and has also grown between two looks
//! cannot be distinguished from one that only grew.

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

/// Collects the large records that are to be checked: they are sent to the thread or, in a command that reads once, kept in a list.
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

    /// Starts the thread. `report` is called with what it finds and returns whether the receiver still exists.
    ///
    /// # Errors
    /// If the system cannot start a thread.
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
        // It ends with the ingest thread, at the latest after the record that it is reading.
        std::thread::Builder::new().name("checker".into()).spawn(move || thread.run(&inbox))?;
        self.to_thread = Some(tasks);
        Ok(())
    }

    /// Adds the large records of a batch.
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

    /// Checks the large records of a file again, because bytes of it were overwritten.
    pub(super) fn check_again(&mut self, file: FileId, stat: &FileStat) {
        let overwritten: BTreeSet<Stretch> = self.checked.invalidate(file).into_iter().collect();
        if overwritten.is_empty() {
            return;
        }
        let work = Work::new(file, stat, VecDeque::new());
        self.send(Task::Check(Work { overwritten, ..work }));
    }

    /// Begins the check, because the first scan is done.
    pub(super) fn begin(&self) {
        self.send(Task::Begin);
    }

    /// Forgets a file that is no longer followed.
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
            // The thread cannot have ended before this one.
            let _ = thread.send(task);
        }
    }
}
