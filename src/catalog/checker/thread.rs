//! Records to be checked -> what is wrong with them: a thread that reads one file at a time, the newest first.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{
    current::CurrentWindow, failures::Failures, finding::Finding, pace::Pace, queue::Queue, work::Work,
};

use crate::{
    catalog::{
        checked::{Checked, SMALL_PAYLOAD, Stretch},
        defect::catch_panic,
        logged_value::FileId,
    },
    record::{
        check::{Payload, check_payload},
        frame::{HEADER_BYTES, known_length},
        place::Place,
    },
    source::{
        Source,
        window::{Peek, Window},
    },
};

/// After this many bytes of a file, a newer file comes first.
const TURN_BYTES: u64 = 16 << 20;
/// The check begins this long after the first scan, because a user who opens the page looks at pictures first.
const AFTER_THE_FIRST_SCAN: Duration = Duration::from_secs(5);
/// A file that cannot be read is reported after this many failures in a row.
const REPORTED_AFTER: u32 = 2;

/// What the thread has to do.
pub(super) enum Task {
    /// The first scan is done.
    Begin,
    /// These records are to be checked.
    Check(Work),
    /// A file is no longer followed.
    Forget(FileId),
}

/// Nobody receives findings any more: the ingest thread has ended.
#[derive(Debug)]
struct ReceiverGone;

/// The thread's state.
pub(super) struct Thread {
    pub(super) source: Arc<dyn Source>,
    pub(super) checked: Arc<Checked>,
    /// Is called with what was found, and returns whether the receiver still exists.
    pub(super) report: Box<dyn Fn(Finding) -> bool + Send>,
    pub(super) pace: Pace,
    pub(super) queue: Queue,
}

impl Thread {
    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Task>) {
        loop {
            match inbox.recv() {
                Ok(Task::Begin) => break,
                Ok(task) => self.take(task),
                Err(mpsc::RecvError) => return,
            }
        }
        thread::sleep(AFTER_THE_FIRST_SCAN);
        self.pace.begin();
        while self.go_on(inbox).is_ok() {}
    }

    fn take(&mut self, task: Task) {
        match task {
            Task::Begin => {}
            Task::Forget(file) => {
                self.queue.remove(file);
            }
            Task::Check(new) => self.queue.add(new),
        }
    }

    /// Takes the tasks that arrived, then checks the next file or waits for a task.
    fn go_on(&mut self, inbox: &mpsc::Receiver<Task>) -> Result<(), ReceiverGone> {
        loop {
            match inbox.try_recv() {
                Ok(task) => self.take(task),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => return Err(ReceiverGone),
            }
        }
        self.pace.spend(0);
        match self.queue.take_next(Instant::now()) {
            Some(work) => self.turn(work),
            None => self.wait(inbox),
        }
    }

    fn wait(&mut self, inbox: &mpsc::Receiver<Task>) -> Result<(), ReceiverGone> {
        let due = self.queue.next_due();
        let task = self.pace.idle(|| match due {
            None => inbox.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        });
        match task {
            Ok(task) => self.take(task),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(ReceiverGone),
        }
        Ok(())
    }

    /// Checks the last records of a file, and puts back what is left of it.
    ///
    /// # Errors
    /// When the ingest thread has ended.
    fn turn(&mut self, mut work: Work) -> Result<(), ReceiverGone> {
        let Some(generation) = self.checked.generation(work.file) else { return Ok(()) };
        let mut bytes = 0;
        while bytes < TURN_BYTES && !work.is_done() {
            let done = match work.overwritten.pop_first() {
                Some(stretch) => self.find_records(&mut work, stretch, generation),
                None => self.check_last(&mut work, generation),
            };
            match done {
                Ok(Outcome::Read { bytes: more, finding }) => {
                    bytes += more;
                    self.note_success(&mut work)?;
                    finding.map_or(Ok(()), |finding| self.send(finding))?;
                }
                Ok(Outcome::NothingToRead) => {}
                // The scan will read the file from the start, as a new one.
                Ok(Outcome::Rewritten(finding)) => return self.send(finding),
                // It was overwritten or removed meanwhile; a task for that arrives.
                Err(_) if self.checked.generation(work.file) != Some(generation) => break,
                Err(error) => {
                    self.note_failure(&mut work, &error)?;
                    break;
                }
            }
            self.pace.spend(0);
        }
        if work.is_done() && work.is_reported {
            self.note_success(&mut work)?;
        }
        self.queue.add(work);
        Ok(())
    }

    /// Checks the last record that is left of a file.
    fn check_last(&mut self, work: &mut Work, generation: u64) -> io::Result<Outcome> {
        let Some(place) = work.places.pop_back() else { return Ok(Outcome::NothingToRead) };
        if self.checked.has(work.file, place) {
            return Ok(Outcome::NothingToRead);
        }
        let window = Window::new(&*self.source, &work.path);
        let mut window = CurrentWindow { window, checked: &self.checked, file: work.file, generation };
        let each = |_: u64, piece: &[u8]| self.pace.spend(piece.len());
        let outcome = match catch_panic(|| check_payload(&mut window, place, each)) {
            Ok(Ok(Payload::Cut)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(outcome) => outcome.and_then(|payload| window.check_is_current().map(|()| Ok(payload))),
            Err(panic) => Ok(Err(panic)),
        };
        match outcome {
            Ok(outcome) => {
                Ok(Outcome::Read { bytes: place.len, finding: work.note(&self.checked, place, &outcome) })
            }
            Err(error) => {
                work.places.push_front(place);
                Err(error)
            }
        }
    }

    /// Finds the records in a range of a file that was overwritten: they follow one another without a gap.
    fn find_records(&mut self, work: &mut Work, stretch: Stretch, generation: u64) -> io::Result<Outcome> {
        match self.places_in(work, stretch, generation) {
            Ok(Some(places)) => {
                work.places.extend(places);
                Ok(Outcome::NothingToRead)
            }
            Ok(None) => Ok(Outcome::Rewritten(Finding::Rewritten { run: work.run.clone(), file: work.file })),
            Err(error) => {
                work.overwritten.insert(stretch);
                Err(error)
            }
        }
    }

    /// The records in a range; `None` if no large record begins at an offset where one did.
    fn places_in(
        &mut self,
        work: &Work,
        (start, end): Stretch,
        generation: u64,
    ) -> io::Result<Option<Vec<Place>>> {
        let window = Window::new(&*self.source, &work.path);
        let mut window = CurrentWindow { window, checked: &self.checked, file: work.file, generation };
        let (mut at, mut places) = (start, Vec::new());
        while at < end {
            let head = window.peek(at, HEADER_BYTES)?;
            self.pace.spend(HEADER_BYTES);
            let head = head.first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
            let Some(len) = known_length(head, end - at) else { return Ok(None) };
            let place = Place { offset: at, len };
            if len <= SMALL_PAYLOAD || place.end() > end {
                return Ok(None);
            }
            at = place.end();
            places.push(place);
        }
        Ok(Some(places))
    }

    fn note_failure(&mut self, work: &mut Work, error: &io::Error) -> Result<(), ReceiverGone> {
        let failures = Failures::after(work.failures, Instant::now());
        work.failures = Some(failures);
        // A file that was removed or shortened is reported by the scan.
        let is_reported_by_scan =
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof);
        if is_reported_by_scan || failures.count < REPORTED_AFTER {
            return Ok(());
        }
        work.is_reported = true;
        let pause = failures.pause.as_secs();
        let message = format!("cannot be read: {error}; it is tried again in {pause} s");
        self.send(Finding::Unreadable { run: work.run.clone(), file: work.file, message })
    }

    fn note_success(&mut self, work: &mut Work) -> Result<(), ReceiverGone> {
        work.failures = None;
        if !std::mem::take(&mut work.is_reported) {
            return Ok(());
        }
        self.send(Finding::Readable { run: work.run.clone(), file: work.file })
    }

    fn send(&self, finding: Finding) -> Result<(), ReceiverGone> {
        if (self.report)(finding) { Ok(()) } else { Err(ReceiverGone) }
    }
}

/// What a step of the check did.
enum Outcome {
    /// It read this many bytes of a record. `finding` is what is wrong with it.
    Read { bytes: u64, finding: Option<Finding> },
    /// It read no record.
    NothingToRead,
    /// It found that the file contains other records now.
    Rewritten(Finding),
}

#[cfg(test)]
mod tests;
