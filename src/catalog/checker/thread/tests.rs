use std::{
    collections::{BTreeSet, VecDeque},
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::*;
use crate::{
    record::write::append_record,
    source::{FileStat, Identity, Listing, memory::Memory},
};

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
) -> (Thread, Arc<Troubled>, mpsc::Receiver<Finding>) {
    let source =
        Arc::new(Troubled { memory: Memory::default(), reads: 0.into(), trouble: Box::new(trouble) });
    let (found, findings) = mpsc::channel();
    let report = Box::new(move |finding| found.send(finding).is_ok());
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
        let stat = source.memory.stat(&source.memory.path(name)).unwrap();
        queue.add(Work::new(file, &stat, places.into()));
    }
    let thread = Thread { source: Arc::clone(&source) as _, checked, report, pace, queue };
    (thread, source, findings)
}

fn turn(thread: &mut Thread) -> Option<u32> {
    let work = thread.queue.take_next(Instant::now() + FAR)?;
    let file = work.file.0;
    thread.turn(work).unwrap();
    Some(file)
}

fn reported(findings: &mpsc::Receiver<Finding>) -> Vec<Finding> {
    findings.try_iter().collect()
}

fn checked(thread: &Thread) -> (u64, u64) {
    let progress = thread.checked.progress();
    (progress.records_checked, progress.records)
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_away_and_is_told_as_long_as_that_lasts() {
    let is_closed = Arc::new(AtomicBool::new(true));
    let closed = Arc::clone(&is_closed);
    let (mut thread, _, reports) = thread(move |path, _| {
        let fails = path.ends_with("b") && closed.load(Ordering::Relaxed);
        if fails { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    });
    assert_eq!(turn(&mut thread), Some(1));
    let due = thread.queue.next_due().unwrap();
    assert!(due > Instant::now() && reported(&reports).is_empty());
    // Before that time the other one has its turn.
    let other = thread.queue.take_next(due.checked_sub(Duration::from_nanos(1)).unwrap()).unwrap();
    assert_eq!(other.file, FileId(0));
    thread.turn(other).unwrap();
    assert_eq!(checked(&thread), (2, 4));
    assert_eq!(turn(&mut thread), Some(1));
    let findings = reported(&reports);
    let [Finding::Unreadable { file: FileId(1), message, .. }] = &findings[..] else {
        panic!("{findings:?}")
    };
    assert!(message.ends_with("it is tried again in 2 s"), "{message}");
    is_closed.store(false, Ordering::Relaxed);
    assert_eq!((turn(&mut thread), checked(&thread)), (Some(1), (4, 4)));
    assert!(matches!(reported(&reports)[..], [Finding::Readable { file: FileId(1), .. }]));
    assert_eq!((turn(&mut thread), thread.queue.next_due()), (None, None));
}

#[test]
fn records_of_a_file_that_is_away_or_cut_stay_until_it_is_forgotten() {
    let (mut thread, source, reports) = thread(|_, _| Ok(()));
    source.memory.remove("b");
    source.memory.truncate("a", LARGE);
    for _ in 0..6 {
        assert!(turn(&mut thread).is_some());
    }
    assert_eq!((checked(&thread), reported(&reports).len()), ((0, 4), 0));
    thread.checked.forget(FileId(1));
    thread.take(Task::Forget(FileId(1)));
    assert_eq!((checked(&thread), turn(&mut thread)), ((0, 2), Some(0)));
}

#[test]
fn a_record_whose_file_is_forgotten_meanwhile_is_read_no_further() {
    let shared: Arc<std::sync::OnceLock<Arc<Checked>>> = Arc::default();
    let known = Arc::clone(&shared);
    let (mut thread, source, reports) = thread(move |_, reads| {
        if reads == 1 {
            known.get().unwrap().forget(FileId(1));
        }
        Ok(())
    });
    shared.set(Arc::clone(&thread.checked)).unwrap();
    assert_eq!(turn(&mut thread), Some(1));
    assert_eq!((source.reads.load(Ordering::Relaxed), checked(&thread)), (2, (0, 2)));
    assert_eq!((turn(&mut thread), turn(&mut thread)), (Some(1), Some(0)));
    assert_eq!((checked(&thread), reported(&reports).len()), ((2, 2), 0));
}

#[test]
fn a_record_that_shows_a_defect_counts_as_checked_and_is_told() {
    let (mut thread, _, reports) = thread(|path, reads| {
        assert!(!(path.ends_with("b") && reads == 0), "a defect at read {reads}");
        Ok(())
    });
    while turn(&mut thread).is_some() {}
    assert_eq!(checked(&thread), (4, 4));
    let findings = reported(&reports);
    let [Finding::Defect(record, message)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((record.file, record.place.offset), (FileId(1), LARGE as u64 + 16));
    assert!(message.contains("a defect at read 0"), "{message}");
}

#[test]
fn records_of_a_doubted_file_are_found_again_by_their_headers() {
    let (mut thread, source, reports) = thread(|_, _| Ok(()));
    while turn(&mut thread).is_some() {}
    assert_eq!(checked(&thread), (4, 4));
    let check_again = |thread: &mut Thread| {
        let overwritten: BTreeSet<Stretch> = thread.checked.invalidate(FileId(1)).into_iter().collect();
        assert_eq!(overwritten, [(0, 2 * (LARGE as u64 + 16))].into());
        let stat = source.memory.stat(&source.memory.path("b")).unwrap();
        let work = Work::new(FileId(1), &stat, VecDeque::new());
        thread.take(Task::Check(Work { overwritten, ..work }));
    };
    check_again(&mut thread);
    assert_eq!(checked(&thread), (2, 4));
    while turn(&mut thread).is_some() {}
    assert_eq!((checked(&thread), reported(&reports).len()), ((4, 4), 0));
    check_again(&mut thread);
    source.memory.write("b", &vec![5; 2 * LARGE + 32]);
    assert_eq!((turn(&mut thread), turn(&mut thread)), (Some(1), None));
    assert!(matches!(reported(&reports)[..], [Finding::Rewritten { file: FileId(1), .. }]));
}
