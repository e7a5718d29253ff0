//! Places of large records -> whether their payloads are what was written, found slowly in the background.
//!
//! A scan hops over large payloads, so a flipped byte in one would be told of when its step is shown and not before. One
//! thread therefore reads them all once, the newest first, after the first scan. It takes little: at most a twentieth of its time,
//! at most 50 MB/s, and nothing while somebody waits for an answer.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    batch::Batch,
    checked::{Checked, Progress},
    defect::contained,
    ingest::Wake,
    snapshot::FileId,
};
use crate::{
    record::{
        check::{Payload, check_payload},
        scan::Place,
    },
    source::{FileStat, Source, window::Window},
    types::RunName,
};

const BYTES_A_SECOND: f64 = 50e6;
/// Of twenty parts of its time it rests nineteen.
const REST: u32 = 19;
/// It rests when it has read so much or worked for so long.
const SPELL_BYTES: usize = 1 << 20;
const SPELL: Duration = Duration::from_millis(2);
/// How often it looks whether people still wait.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// After so many bytes of one file it sees whether another one is newer.
const TURN_BYTES: u64 = 16 << 20;
/// Who opens the page looks around first.
const AFTER_THE_FIRST_SCAN: Duration = Duration::from_secs(5);
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

/// How many people wait for an answer.
#[derive(Debug, Default)]
pub struct Demand(AtomicUsize);

/// Somebody waits as long as this lives.
pub struct Waiting(Arc<Demand>);

impl Demand {
    /// Somebody begins to wait.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Waiting {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }

    fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A record whose payload is not what was written.
#[derive(Clone, Debug)]
pub struct DamagedRecord {
    /// The run of its file.
    pub run: RunName,
    /// Its file.
    pub file: FileId,
    /// Where it lies.
    pub place: Place,
}

/// Records of a file that are to be checked, in the order of the file.
pub(super) struct Work {
    run: RunName,
    file: FileId,
    path: PathBuf,
    mtime_ns: i128,
    places: Vec<Place>,
}

enum Task {
    /// The first scan is done.
    Begin,
    Check(Work),
    Forget(FileId),
}

/// Where work goes: to the thread, or, where everything is read once, into a list.
pub(super) struct Checker {
    pub(super) checked: Arc<Checked>,
    to_thread: Option<mpsc::Sender<Task>>,
    waiting: Vec<Work>,
}

impl Checker {
    pub(super) fn new() -> Self {
        Self { checked: Arc::default(), to_thread: None, waiting: Vec::new() }
    }

    /// Starts the thread. The damage that it finds goes to `found`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        &mut self,
        source: Arc<dyn Source>,
        found: mpsc::Sender<Wake>,
        demand: Arc<Demand>,
    ) -> io::Result<()> {
        let (tasks, inbox) = mpsc::channel();
        let checked = Arc::clone(&self.checked);
        let pace = Pace { demand, since: Instant::now(), bytes: 0 };
        let thread = Thread { source, checked, found, pace, queues: HashMap::new() };
        // It ends when the ingest thread does, at the latest with the record that it reads.
        thread::Builder::new().name("checker".into()).spawn(move || thread.run(&inbox))?;
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
        let (run, path) = (stat.run.clone(), stat.path.clone());
        let work = Work { run, file, path, mtime_ns: stat.mtime_ns, places };
        match &self.to_thread {
            Some(_) => self.tell(Task::Check(work)),
            None => self.waiting.push(work),
        }
    }

    /// The first scan is done: the check may begin.
    pub(super) fn begin(&self) {
        self.tell(Task::Begin);
    }

    pub(super) fn forget(&self, file: FileId) {
        self.checked.forget(file);
        self.tell(Task::Forget(file));
    }

    /// The work that no thread took.
    pub(super) fn take(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.waiting)
    }

    fn tell(&self, task: Task) {
        if let Some(thread) = &self.to_thread {
            // The thread ends only with this one.
            let _ = thread.send(task);
        }
    }
}

impl Work {
    /// Checks all of it at once and gives what is damaged. What cannot be read is left out: the scan tells of it.
    pub(super) fn check(
        self,
        source: &dyn Source,
        checked: &Checked,
        tell: impl Fn(Progress),
    ) -> Vec<DamagedRecord> {
        let Self { run, file, path, places, .. } = self;
        let mut window = Window::new(source, &path);
        let mut damaged = Vec::new();
        for place in places {
            if checked.knows(file, place) {
                continue;
            }
            match check_payload(&mut window, place, |_, _| ()) {
                Ok(Payload::Right) => drop(checked.note_right(file, place)),
                Ok(Payload::Wrong) => {
                    checked.note_wrong(file, place);
                    damaged.push(DamagedRecord { run: run.clone(), file, place });
                }
                Ok(Payload::Cut) | Err(_) => break,
            }
            tell(checked.progress());
        }
        damaged
    }
}

/// The ingest thread has ended.
struct NobodyListens;

struct Thread {
    source: Arc<dyn Source>,
    checked: Arc<Checked>,
    found: mpsc::Sender<Wake>,
    pace: Pace,
    queues: HashMap<FileId, Work>,
}

impl Thread {
    fn run(mut self, inbox: &mpsc::Receiver<Task>) {
        let mut has_begun = false;
        loop {
            if !has_begun || self.queues.is_empty() {
                let Ok(task) = inbox.recv() else { return };
                if self.take(task) {
                    has_begun = true;
                    thread::sleep(AFTER_THE_FIRST_SCAN);
                }
                continue;
            }
            for task in inbox.try_iter() {
                self.take(task);
            }
            let newest = self.queues.values().max_by_key(|work| (work.mtime_ns, work.file));
            let Some(file) = newest.map(|work| work.file) else { continue };
            if self.turn(file).is_err() {
                return;
            }
        }
    }

    /// Takes note of a task, and gives whether the first scan is done.
    fn take(&mut self, task: Task) -> bool {
        match task {
            Task::Begin => return true,
            Task::Forget(file) => drop(self.queues.remove(&file)),
            Task::Check(new) => match self.queues.get_mut(&new.file) {
                Some(work) => {
                    work.places.extend(new.places);
                    work.mtime_ns = new.mtime_ns;
                }
                None => drop(self.queues.insert(new.file, new)),
            },
        }
        false
    }

    /// Checks the newest records of a file.
    ///
    /// # Errors
    /// When nobody wants to hear of damage any more.
    fn turn(&mut self, file: FileId) -> Result<(), NobodyListens> {
        let Some(mut work) = self.queues.remove(&file) else { return Ok(()) };
        self.pace.begin();
        let mut bytes = 0;
        while bytes < TURN_BYTES
            && let Some(place) = work.places.pop()
        {
            if self.checked.knows(file, place) {
                continue;
            }
            bytes += place.len;
            let mut window = Window::new(&*self.source, &work.path);
            let each = |_: u64, piece: &[u8]| self.pace.spend(piece.len());
            match contained(|| check_payload(&mut window, place, each)) {
                Ok(Ok(Payload::Right)) => drop(self.checked.note_right(file, place)),
                Ok(Ok(Payload::Wrong)) => {
                    self.checked.note_wrong(file, place);
                    let run = work.run.clone();
                    let damaged = Wake::Damaged(DamagedRecord { run, file, place });
                    self.found.send(damaged).map_err(|_| NobodyListens)?;
                }
                // Cut: the scan finds out what it is now. A panic in so little code would be told on standard error.
                Ok(Ok(Payload::Cut)) | Err(_) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Ok(Err(_)) => {
                    work.places.push(place);
                    thread::sleep(AFTER_AN_ERROR);
                    break;
                }
            }
        }
        if !work.places.is_empty() {
            self.queues.insert(file, work);
        }
        Ok(())
    }
}

/// How fast it may go.
struct Pace {
    demand: Arc<Demand>,
    since: Instant,
    bytes: usize,
}

impl Pace {
    /// Work begins: what came before was no work.
    fn begin(&mut self) {
        self.since = Instant::now();
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes += bytes;
        let worked = self.since.elapsed();
        if self.bytes < SPELL_BYTES && worked < SPELL {
            return;
        }
        thread::sleep(rest_after(self.bytes, worked));
        while self.demand.is_there() {
            thread::sleep(LOOK_AGAIN);
        }
        (self.since, self.bytes) = (Instant::now(), 0);
    }
}

/// How long to rest after so many bytes were read in so long a time.
fn rest_after(bytes: usize, worked: Duration) -> Duration {
    let at_least = Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND);
    at_least.saturating_sub(worked).max(worked * REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_for_the_rate_and_for_the_share() {
        let ms = Duration::from_millis;
        // 1 MB at 50 MB/s takes 20 ms.
        assert_eq!(rest_after(1_000_000, ms(0)), ms(20));
        assert_eq!(rest_after(1_000_000, Duration::from_micros(500)), Duration::from_micros(19_500));
        assert_eq!(rest_after(1_000_000, ms(2)), ms(38));
        assert_eq!(rest_after(10, ms(2)), ms(38));
    }

    #[test]
    fn somebody_waits_as_long_as_his_guard_lives() {
        let demand = Arc::new(Demand::default());
        let (first, second) = (demand.enter(), demand.enter());
        drop(first);
        assert!(demand.is_there());
        drop(second);
        assert!(!demand.is_there());
    }
}
