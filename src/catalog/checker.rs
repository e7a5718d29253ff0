//! Places of large records -> whether their payloads are what was written, found slowly in the background.
//!
//! A scan hops over large payloads, so a flipped byte in one would be told of when its step is shown and not before. One
//! thread therefore reads them all once, the newest first, after the first scan. It takes little: at most a twentieth of its time,
//! at most 50 MB/s, and nothing while somebody waits for an answer. A file that cannot be read waits and keeps no other away.
//! Where somebody wrote over bytes of a file, its records are read once more.

mod pace;
mod queue;

use std::{
    collections::{BTreeSet, VecDeque},
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

use self::{
    pace::Pace,
    queue::{Failures, Queue},
};
use super::{
    batch::Batch,
    checked::{Checked, Progress, SMALL_PAYLOAD, Stretch},
    defect::contained,
    ingest::Wake,
    snapshot::FileId,
};
use crate::{
    record::{
        check::{Payload, check_payload},
        frame::{HEADER_BYTES, known_length},
        scan::Place,
    },
    source::{
        FileStat, Source,
        window::{Peek, Window},
    },
    types::RunName,
};

/// After so many bytes of one file it sees whether another one is newer.
const TURN_BYTES: u64 = 16 << 20;
/// Who opens the page looks around first.
const AFTER_THE_FIRST_SCAN: Duration = Duration::from_secs(5);
/// A file that cannot be read so often in a row is told of.
const TOLD_AFTER: u32 = 2;

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

/// What the check met.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A record is not what was written.
    Damaged(DamagedRecord),
    /// A record at which this program showed a defect, and its words.
    Defect(DamagedRecord, String),
    /// A file that cannot be read, and why.
    Unreadable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
        /// What is told of it.
        message: String,
    },
    /// It can be read again.
    Readable {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
    },
    /// Where a file that was written over had a record, none begins any more.
    Rewritten {
        /// Its run.
        run: RunName,
        /// The file.
        file: FileId,
    },
}

impl Finding {
    pub(super) fn file(&self) -> FileId {
        match self {
            Self::Damaged(record) | Self::Defect(record, _) => record.file,
            Self::Unreadable { file, .. } | Self::Readable { file, .. } | Self::Rewritten { file, .. } => {
                *file
            }
        }
    }
}

/// Records of a file that are to be checked.
pub(super) struct Work {
    run: RunName,
    file: FileId,
    path: PathBuf,
    mtime_ns: i128,
    /// In the order of the file; those that could not be read come before.
    places: VecDeque<Place>,
    /// Where right records lay before somebody wrote over bytes of the file.
    doubted: BTreeSet<Stretch>,
    /// Failures since something was read last.
    failures: Option<Failures>,
    is_told: bool,
}

impl Work {
    fn new(run: RunName, file: FileId, path: PathBuf, mtime_ns: i128, places: VecDeque<Place>) -> Self {
        Self { run, file, path, mtime_ns, places, doubted: BTreeSet::new(), failures: None, is_told: false }
    }

    fn is_done(&self) -> bool {
        self.places.is_empty() && self.doubted.is_empty()
    }

    fn record(&self, place: Place) -> DamagedRecord {
        DamagedRecord { run: self.run.clone(), file: self.file, place }
    }
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
        let pace = Pace::new(demand);
        let thread = Thread { source, checked, found, pace, queue: Queue::default() };
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
        let work = Work::new(stat.run.clone(), file, stat.path.clone(), stat.mtime_ns, places.into());
        match &self.to_thread {
            Some(_) => self.tell(Task::Check(work)),
            None => self.waiting.push(work),
        }
    }

    /// Bytes of a file were written over: what is known of its large records holds no more, and they are checked again.
    pub(super) fn doubt(&mut self, file: FileId, stat: &FileStat) {
        let doubted: BTreeSet<Stretch> = self.checked.doubt(file).into_iter().collect();
        if doubted.is_empty() {
            return;
        }
        let work = Work::new(stat.run.clone(), file, stat.path.clone(), stat.mtime_ns, VecDeque::new());
        self.tell(Task::Check(Work { doubted, ..work }));
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
    /// Checks all of it at once and gives what it met. What cannot be read is left out: the scan tells of it.
    pub(super) fn check(
        self,
        source: &dyn Source,
        checked: &Checked,
        tell: impl Fn(Progress),
    ) -> Vec<Finding> {
        let mut window = Window::new(source, &self.path);
        let mut findings = Vec::new();
        for &place in &self.places {
            if checked.has(self.file, place) {
                continue;
            }
            match contained(|| check_payload(&mut window, place, |_, _| ())) {
                Ok(Ok(Payload::Cut) | Err(_)) => break,
                Ok(Ok(payload)) => findings.extend(self.note(checked, place, &Ok(payload))),
                Err(panic) => {
                    window = Window::new(source, &self.path);
                    findings.extend(self.note(checked, place, &Err(panic)));
                }
            }
            tell(checked.progress());
        }
        findings
    }

    /// Takes note of what came of a record, and gives what is to be told of it.
    fn note(&self, checked: &Checked, place: Place, outcome: &Result<Payload, String>) -> Option<Finding> {
        let is_right = matches!(outcome, Ok(Payload::Right | Payload::Unchecked));
        let note = if is_right { Checked::note_right } else { Checked::note_wrong };
        if !note(checked, self.file, place) || is_right {
            return None;
        }
        let record = self.record(place);
        Some(match outcome {
            Ok(_) => Finding::Damaged(record),
            Err(panic) => Finding::Defect(record, defect(place, panic)),
        })
    }
}

fn defect(place: Place, panic: &str) -> String {
    format!(
        "ConvScope failed at the record at byte {}, which is a defect of ours ({panic}): its payload was not compared with its CRC",
        place.offset
    )
}

/// The ingest thread has ended.
#[derive(Debug)]
struct NobodyListens;

struct Thread {
    source: Arc<dyn Source>,
    checked: Arc<Checked>,
    found: mpsc::Sender<Wake>,
    pace: Pace,
    queue: Queue,
}

impl Thread {
    fn run(mut self, inbox: &mpsc::Receiver<Task>) {
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
        self.found.send(Wake::Checked(finding)).map_err(|_| NobodyListens)
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

/// A window on a file that gives nothing more once the file is forgotten or doubted.
struct Attentive<'a> {
    window: Window<'a>,
    checked: &'a Checked,
    file: FileId,
    doubts: u64,
}

impl Attentive<'_> {
    fn still_holds(&self) -> io::Result<()> {
        let is_same = self.checked.doubts(self.file) == Some(self.doubts);
        if is_same { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}

impl Peek for Attentive<'_> {
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        self.still_holds()?;
        self.window.peek(at, want)
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::atomic::AtomicBool};

    use super::*;
    use crate::{
        record::write::append_record,
        source::{Identity, Listing, memory::Memory},
    };

    #[test]
    fn somebody_waits_as_long_as_his_guard_lives() {
        let demand = Arc::new(Demand::default());
        let (first, second) = (demand.enter(), demand.enter());
        drop(first);
        assert!(demand.is_there());
        drop(second);
        assert!(!demand.is_there());
    }

    const FAR: Duration = Duration::from_secs(100);
    const LARGE: usize = 300_000;

    /// What happens to a read, by the path and the count of reads before.
    type Trouble = Box<dyn Fn(&Path, usize) -> io::Result<()> + Send + Sync>;

    struct Troubled {
        memory: Memory,
        reads: AtomicUsize,
        trouble: Trouble,
    }

    impl Source for Troubled {
        fn root(&self) -> &Path {
            self.memory.root()
        }

        fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
            self.memory.list(stop)
        }

        fn directory(&self, dir: &Path) -> io::Result<Identity> {
            self.memory.directory(dir)
        }

        fn stat(&self, path: &Path) -> io::Result<FileStat> {
            self.memory.stat(path)
        }

        fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            (self.trouble)(path, self.reads.fetch_add(1, Ordering::Relaxed))?;
            self.memory.read_at(path, offset, buf)
        }

        fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
            self.memory.read_whole(path, most)
        }
    }

    /// A thread that has two large records each of the files `a` and `b`, of which `b` is the newer.
    fn thread(
        trouble: impl Fn(&Path, usize) -> io::Result<()> + Send + Sync + 'static,
    ) -> (Thread, Arc<Troubled>, mpsc::Receiver<Wake>) {
        let source =
            Arc::new(Troubled { memory: Memory::default(), reads: 0.into(), trouble: Box::new(trouble) });
        let (found, wakes) = mpsc::channel();
        let checked = Arc::new(Checked::default());
        let pace = Pace::new(Arc::default());
        let mut queue = Queue::default();
        for (file, name) in [(FileId(0), "a"), (FileId(1), "b")] {
            let mut bytes = Vec::new();
            append_record(&mut bytes, &vec![1; LARGE]);
            let first = Place { offset: 0, len: LARGE as u64 };
            append_record(&mut bytes, &vec![2; LARGE]);
            let places = [first, Place { offset: first.end(), len: LARGE as u64 }];
            source.memory.write(name, &bytes);
            checked.note_found(file, &places);
            let path = source.memory.path(name);
            queue.add(Work::new(RunName::from("."), file, path, file.0.into(), places.into()));
        }
        let thread = Thread { source: Arc::clone(&source) as _, checked, found, pace, queue };
        (thread, source, wakes)
    }

    fn turn(thread: &mut Thread) -> Option<u32> {
        let work = thread.queue.take_next(Instant::now() + FAR)?;
        let file = work.file.0;
        thread.turn(work).unwrap();
        Some(file)
    }

    fn told(wakes: &mpsc::Receiver<Wake>) -> Vec<Finding> {
        let finding = |wake| if let Wake::Checked(finding) = wake { Some(finding) } else { None };
        wakes.try_iter().filter_map(finding).collect()
    }

    fn checked(thread: &Thread) -> (u64, u64) {
        let progress = thread.checked.progress();
        (progress.records_checked, progress.records)
    }

    #[test]
    fn a_file_that_cannot_be_read_keeps_no_other_away_and_is_told_as_long_as_that_lasts() {
        let is_closed = Arc::new(AtomicBool::new(true));
        let closed = Arc::clone(&is_closed);
        let (mut thread, _, wakes) = thread(move |path, _| {
            let fails = path.ends_with("b") && closed.load(Ordering::Relaxed);
            if fails { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
        });
        assert_eq!(turn(&mut thread), Some(1));
        let due = thread.queue.next_due().unwrap();
        assert!(due > Instant::now() && told(&wakes).is_empty());
        // Before that time the other one has its turn.
        let other = thread.queue.take_next(due.checked_sub(Duration::from_nanos(1)).unwrap()).unwrap();
        assert_eq!(other.file, FileId(0));
        thread.turn(other).unwrap();
        assert_eq!(checked(&thread), (2, 4));
        assert_eq!(turn(&mut thread), Some(1));
        let findings = told(&wakes);
        let [Finding::Unreadable { file: FileId(1), message, .. }] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert!(message.ends_with("it is tried again in 2 s"), "{message}");
        is_closed.store(false, Ordering::Relaxed);
        assert_eq!((turn(&mut thread), checked(&thread)), (Some(1), (4, 4)));
        assert!(matches!(told(&wakes)[..], [Finding::Readable { file: FileId(1), .. }]));
        assert_eq!((turn(&mut thread), thread.queue.next_due()), (None, None));
    }

    #[test]
    fn records_of_a_file_that_is_away_or_cut_stay_until_it_is_forgotten() {
        let (mut thread, source, wakes) = thread(|_, _| Ok(()));
        source.memory.remove("b");
        source.memory.truncate("a", LARGE);
        for _ in 0..6 {
            assert!(turn(&mut thread).is_some());
        }
        assert_eq!((checked(&thread), told(&wakes).len()), ((0, 4), 0));
        thread.checked.forget(FileId(1));
        thread.take(Task::Forget(FileId(1)));
        assert_eq!((checked(&thread), turn(&mut thread)), ((0, 2), Some(0)));
    }

    #[test]
    fn a_record_whose_file_is_forgotten_meanwhile_is_read_no_further() {
        let shared: Arc<std::sync::OnceLock<Arc<Checked>>> = Arc::default();
        let known = Arc::clone(&shared);
        let (mut thread, source, wakes) = thread(move |_, reads| {
            if reads == 1 {
                known.get().unwrap().forget(FileId(1));
            }
            Ok(())
        });
        shared.set(Arc::clone(&thread.checked)).unwrap();
        assert_eq!(turn(&mut thread), Some(1));
        assert_eq!((source.reads.load(Ordering::Relaxed), checked(&thread)), (2, (0, 2)));
        assert_eq!((turn(&mut thread), turn(&mut thread)), (Some(1), Some(0)));
        assert_eq!((checked(&thread), told(&wakes).len()), ((2, 2), 0));
    }

    #[test]
    fn a_record_that_shows_a_defect_counts_as_checked_and_is_told() {
        let (mut thread, _, wakes) = thread(|path, reads| {
            assert!(!(path.ends_with("b") && reads == 0), "a defect at read {reads}");
            Ok(())
        });
        while turn(&mut thread).is_some() {}
        assert_eq!(checked(&thread), (4, 4));
        let findings = told(&wakes);
        let [Finding::Defect(record, message)] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!((record.file, record.place.offset), (FileId(1), LARGE as u64 + 16));
        assert!(message.contains("a defect at read 0"), "{message}");
    }

    #[test]
    fn records_of_a_doubted_file_are_found_again_by_their_headers() {
        let (mut thread, source, wakes) = thread(|_, _| Ok(()));
        while turn(&mut thread).is_some() {}
        assert_eq!(checked(&thread), (4, 4));
        let doubt = |thread: &mut Thread| {
            let doubted: BTreeSet<Stretch> = thread.checked.doubt(FileId(1)).into_iter().collect();
            assert_eq!(doubted, [(0, 2 * (LARGE as u64 + 16))].into());
            let work = Work::new(RunName::from("."), FileId(1), source.memory.path("b"), 7, VecDeque::new());
            thread.take(Task::Check(Work { doubted, ..work }));
        };
        doubt(&mut thread);
        assert_eq!(checked(&thread), (2, 4));
        while turn(&mut thread).is_some() {}
        assert_eq!((checked(&thread), told(&wakes).len()), ((4, 4), 0));
        doubt(&mut thread);
        source.memory.write("b", &vec![5; 2 * LARGE + 32]);
        assert_eq!((turn(&mut thread), turn(&mut thread)), (Some(1), None));
        assert!(matches!(told(&wakes)[..], [Finding::Rewritten { file: FileId(1), .. }]));
    }
}
