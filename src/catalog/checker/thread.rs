//! The thread that checks: one file at a time, the newest first.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{
    attentive::Attentive, failures::Failures, finding::Finding, pace::Pace, queue::Queue, work::Work,
};
use crate::{
    catalog::{
        checked::{Checked, SMALL_PAYLOAD, Stretch},
        defect::contained,
        logged::FileId,
    },
    record::{
        check::{Payload, check_payload},
        frame::{HEADER_BYTES, known_length},
        scan::Place,
    },
    source::{
        Source,
        window::{Peek, Window},
    },
};

/// After so many bytes of one file it sees whether another one is newer.
const TURN_BYTES: u64 = 16 << 20;
/// Who opens the page looks around first.
const AFTER_THE_FIRST_SCAN: Duration = Duration::from_secs(5);
/// A file that cannot be read so often in a row is told of.
const TOLD_AFTER: u32 = 2;

pub(super) enum Task {
    /// The first scan is done.
    Begin,
    Check(Work),
    Forget(FileId),
}

/// The ingest thread has ended.
#[derive(Debug)]
struct NobodyListens;

pub(super) struct Thread {
    pub(super) source: Arc<dyn Source>,
    pub(super) checked: Arc<Checked>,
    /// Takes what was found, and gives whether anybody still listens.
    pub(super) report: Box<dyn Fn(Finding) -> bool + Send>,
    pub(super) pace: Pace,
    pub(super) queue: Queue,
}

impl Thread {
    pub(super) fn run(mut self, inbox: &mpsc::Receiver<Task>) {
        loop {
            let Ok(task) = inbox.recv() else { return };
            if self.take(task) {
                break;
            }
        }
        thread::sleep(AFTER_THE_FIRST_SCAN);
        self.pace.begin();
        while self.go_on(inbox).is_ok() {}
    }

    /// Takes note of a task, and gives whether the first scan is done.
    fn take(&mut self, task: Task) -> bool {
        match task {
            Task::Begin => return true,
            Task::Forget(file) => drop(self.queue.remove(file)),
            Task::Check(new) => self.queue.add(new),
        }
        false
    }

    /// Takes what came in, and gives the next file its turn or waits for one.
    fn go_on(&mut self, inbox: &mpsc::Receiver<Task>) -> Result<(), NobodyListens> {
        loop {
            match inbox.try_recv() {
                Ok(task) => drop(self.take(task)),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => return Err(NobodyListens),
            }
        }
        self.pace.spend(0);
        match self.queue.take_next(Instant::now()) {
            Some(work) => self.turn(work),
            None => self.wait(inbox),
        }
    }

    fn wait(&mut self, inbox: &mpsc::Receiver<Task>) -> Result<(), NobodyListens> {
        let due = self.queue.next_due();
        let task = self.pace.idle(|| match due {
            None => inbox.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        });
        match task {
            Ok(task) => drop(self.take(task)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(NobodyListens),
        }
        Ok(())
    }

    /// Checks the newest records of a file, and puts back what is left of it.
    ///
    /// # Errors
    /// When nobody wants to hear of damage any more.
    fn turn(&mut self, mut work: Work) -> Result<(), NobodyListens> {
        let Some(doubts) = self.checked.doubts(work.file) else { return Ok(()) };
        let mut bytes = 0;
        while bytes < TURN_BYTES && !work.is_done() {
            let done = match work.doubted.pop_first() {
                Some(stretch) => self.find_again(&mut work, stretch, doubts),
                None => self.check_last(&mut work, doubts),
            };
            match done {
                Ok(Turn::Read { bytes: more, finding }) => {
                    bytes += more;
                    self.note_success(&mut work)?;
                    finding.map_or(Ok(()), |finding| self.tell(finding))?;
                }
                Ok(Turn::Known) => {}
                // The scan will read it as a new file.
                Ok(Turn::Lost(finding)) => return self.tell(finding),
                // Somebody wrote over it or took it away: that comes as a task.
                Err(_) if self.checked.doubts(work.file) != Some(doubts) => break,
                Err(error) => {
                    self.note_failure(&mut work, &error)?;
                    break;
                }
            }
            self.pace.spend(0);
        }
        if work.is_done() && work.is_told {
            self.note_success(&mut work)?;
        }
        self.queue.add(work);
        Ok(())
    }

    /// Checks the last record that is left of a file.
    fn check_last(&mut self, work: &mut Work, doubts: u64) -> io::Result<Turn> {
        let Some(place) = work.places.pop_back() else { return Ok(Turn::Known) };
        if self.checked.has(work.file, place) {
            return Ok(Turn::Known);
        }
        let window = Window::new(&*self.source, &work.path);
        let mut window = Attentive { window, checked: &self.checked, file: work.file, doubts };
        let each = |_: u64, piece: &[u8]| self.pace.spend(piece.len());
        let outcome = match contained(|| check_payload(&mut window, place, each)) {
            Ok(Ok(Payload::Cut)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(outcome) => outcome.and_then(|payload| window.still_holds().map(|()| Ok(payload))),
            Err(panic) => Ok(Err(panic)),
        };
        match outcome {
            Ok(outcome) => {
                Ok(Turn::Read { bytes: place.len, finding: work.note(&self.checked, place, &outcome) })
            }
            Err(error) => {
                work.places.push_front(place);
                Err(error)
            }
        }
    }

    /// Finds the records of a stretch of a file again that was written over: they come right after one another.
    fn find_again(&mut self, work: &mut Work, stretch: Stretch, doubts: u64) -> io::Result<Turn> {
        match self.places_in(work, stretch, doubts) {
            Ok(Some(places)) => {
                work.places.extend(places);
                Ok(Turn::Known)
            }
            Ok(None) => Ok(Turn::Lost(Finding::Rewritten { run: work.run.clone(), file: work.file })),
            Err(error) => {
                work.doubted.insert(stretch);
                Err(error)
            }
        }
    }

    /// `None` where no large record begins any more at a place where one did.
    fn places_in(
        &mut self,
        work: &Work,
        (start, end): Stretch,
        doubts: u64,
    ) -> io::Result<Option<Vec<Place>>> {
        let window = Window::new(&*self.source, &work.path);
        let mut window = Attentive { window, checked: &self.checked, file: work.file, doubts };
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

    fn note_failure(&mut self, work: &mut Work, error: &io::Error) -> Result<(), NobodyListens> {
        let failures = Failures::after(work.failures, Instant::now());
        work.failures = Some(failures);
        // Of a file that is gone or was cut the scan tells.
        let is_scans = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof);
        if is_scans || failures.count < TOLD_AFTER {
            return Ok(());
        }
        work.is_told = true;
        let pause = failures.pause.as_secs();
        let message = format!("cannot be read: {error}; it is tried again in {pause} s");
        self.tell(Finding::Unreadable { run: work.run.clone(), file: work.file, message })
    }

    fn note_success(&mut self, work: &mut Work) -> Result<(), NobodyListens> {
        work.failures = None;
        if !std::mem::take(&mut work.is_told) {
            return Ok(());
        }
        self.tell(Finding::Readable { run: work.run.clone(), file: work.file })
    }

    fn tell(&self, finding: Finding) -> Result<(), NobodyListens> {
        if (self.report)(finding) { Ok(()) } else { Err(NobodyListens) }
    }
}

/// What came of a part of a file.
enum Turn {
    /// So many bytes were read; what is wrong with them.
    Read { bytes: u64, finding: Option<Finding> },
    /// There was nothing to read.
    Known,
    /// The file is not the one any more whose records were noted.
    Lost(Finding),
}

#[cfg(test)]
mod tests;
