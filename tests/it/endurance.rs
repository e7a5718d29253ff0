//! What must not bring the daemon down, slow it to a halt, or fail without a word.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use convscope::{
    catalog::{
        Catalog,
        checked::Checked,
        ingest,
        snapshot::{Encoding, Snapshot},
    },
    load::{LoadError, Loader, TensorFiles, load},
    source::{FileStat, Identity, Listing, Source, local::Local, memory::Memory},
};

use crate::logs::{FILE, graph, kernel, merged, tensor, values};
use crate::waiting::{HANG, until};

/// A source that counts what is read, and shows a defect where files of the directory `bad` are.
#[derive(Default)]
struct Odd {
    memory: Memory,
    list_fails: bool,
    bytes_read: AtomicU64,
}

impl Source for Odd {
    fn root(&self) -> &Path {
        self.memory.root()
    }

    fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
        assert!(!self.list_fails, "a defect in the walk");
        self.memory.list(stop)
    }

    fn directory(&self, dir: &Path) -> io::Result<Identity> {
        self.memory.directory(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.memory.stat(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!path.starts_with("/bad"), "a defect at byte {offset}");
        self.bytes_read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        self.memory.read_at(path, offset, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        self.memory.read_whole(path, most)
    }
}

fn told(snapshot: &Snapshot) -> Vec<(&'static str, u64, u64)> {
    snapshot.problems.iter().map(|problem| (problem.fault.name(), problem.offset, problem.count)).collect()
}

fn wait_for(catalog: &Catalog, what: &str, holds: impl FnMut(&Arc<Snapshot>) -> bool) -> Arc<Snapshot> {
    let mut changes = catalog.changes();
    wait(&|| format!("{what}: {:#?}", catalog.snapshot()), async {
        Arc::clone(&changes.wait_for(holds).await.unwrap())
    })
}

fn wait<T>(what: &dyn Fn() -> String, coming: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(HANG, coming).await })
        .unwrap_or_else(|_| panic!("never came: {}", what()))
}

#[test]
fn a_defect_met_in_one_file_is_told_and_costs_that_file_alone() {
    let memory = Memory::default();
    memory.write(&format!("bad/{FILE}"), &kernel(0, 0.0));
    memory.write(&format!("good/{FILE}"), &kernel(0, 0.0));
    memory.write(&format!("good/{FILE}.2"), &kernel(1, 0.0));
    let source: Arc<dyn Source> = Arc::new(Odd { memory, ..Odd::default() });
    let (catalog, running) = ingest::start(source, ingest::Options::default()).unwrap();
    let snapshot = wait_for(&catalog, "the first scan", |snapshot| !snapshot.loading);
    assert_eq!(snapshot.series("good", "conv1/kernel").unwrap().steps.len(), 2);
    let defects: Vec<(&str, &str)> =
        snapshot.problems.iter().map(|problem| (problem.run.as_str(), problem.fault.name())).collect();
    assert_eq!(defects, [("bad", "defect")]);
    assert!(snapshot.problems[0].message.contains("a defect at byte 0"), "{:?}", snapshot.problems);
    assert_eq!(running.failure(), None);
}

#[test]
fn an_ingest_thread_that_ends_unasked_says_why() {
    let source: Arc<dyn Source> = Arc::new(Odd { list_fails: true, ..Odd::default() });
    let (_catalog, running) = ingest::start(source, ingest::Options::default()).unwrap();
    wait(&|| "the end".to_owned(), running.failed());
    let reason = running.failure().unwrap();
    assert!(reason.contains("a defect in the walk"), "{reason}");
}

#[test]
fn a_record_of_empty_values_is_refused_and_what_follows_is_read() {
    let memory = Memory::default();
    // `Event { summary 5 { value 1 {} } }`, the value a million times.
    let bomb = values(&[0x0a, 0x00].repeat(1 << 20));
    memory.write(FILE, &[kernel(0, 0.0), bomb.clone(), kernel(1, 0.0)].concat());
    let snapshot = ingest::index_once(Arc::new(memory), ingest::Options::default());
    assert_eq!(snapshot.series(".", "conv1/kernel").unwrap().steps.len(), 2);
    assert_eq!(told(&snapshot), [("not_an_event", kernel(0, 0.0).len() as u64, 1)]);
}

#[test]
fn a_step_that_is_logged_again_and_again_keeps_every_attempt() {
    const N: i64 = 50_000;
    let memory = Memory::default();
    let record = tensor("conv1/kernel", 0, 1.0, &[1, 1, 1, 1], 0.0);
    let len = record.len() as u64;
    memory.write(FILE, &record.repeat(N as usize));
    let snapshot = ingest::index_once(Arc::new(memory), ingest::Options::default());
    let attempts = &snapshot.series(".", "conv1/kernel").unwrap().steps[&0];
    assert_eq!(attempts.count(), N as usize);
    // All have the same wall time: the later in the file, the newer.
    let places = |idx: usize| attempts.attempt(idx).unwrap()[0].spot.record().offset;
    assert_eq!(
        (places(0), places(1), places(N as usize - 1)),
        (len * (N as u64 - 1), len * (N as u64 - 2), 0)
    );
}

const SMALL_KERNEL: (&str, &[i64]) = ("conv1/kernel", &[3, 3, 1, 4]);
const LARGE_MAPS: (&str, &[i64]) = ("conv1/Relu", &[8, 256, 256, 4]);

#[test]
fn a_small_tensor_beside_a_large_one_costs_what_is_its_own() {
    let source = Odd::default();
    source.memory.write(FILE, &merged(0, &[LARGE_MAPS, SMALL_KERNEL], 0.5));
    let source = Arc::new(source);
    let snapshot = ingest::index_once(Arc::clone(&source) as _, ingest::Options::default());
    let checked = Checked::default();
    let tensor_files =
        TensorFiles { source: &*source, files: &snapshot.files, max_bytes: 1 << 30, checked: &checked };
    let parts = snapshot.series(".", "conv1/kernel").unwrap().steps[&0].attempt(0).unwrap();
    let read = || {
        let before = source.bytes_read.load(Ordering::Relaxed);
        let tensor = load(&tensor_files, Encoding::Numbers, &parts).unwrap();
        assert_eq!(tensor.bytes, 0.5_f32.to_le_bytes().repeat(36));
        // What a cache that weighs 144 bytes really holds on to.
        let held = tensor.bytes.try_into_mut().unwrap().capacity();
        assert!(held < 512, "{held}");
        source.bytes_read.load(Ordering::Relaxed) - before
    };
    let (first, again) = (read(), read());
    assert!(first > 8 << 20, "the record is checked once: {first}");
    assert!(again < 64 << 10, "then only the tensor's own bytes are read: {again}");
}

#[test]
fn a_flipped_byte_is_told_of_before_its_step_is_shown() {
    let memory = Arc::new(Memory::default());
    let record = |step| merged(step, &[("a/kernel", &[3, 3, 64, 8]), ("b/kernel", &[3, 3, 64, 8])], 0.5);
    // Step 0 takes no bytes in an event.
    let len = record(1).len() as u64;
    let mut bytes: Vec<u8> = (1..10).flat_map(record).collect();
    for step in [3, 7] {
        bytes[(len * step + len / 2) as usize] ^= 1;
    }
    memory.write(FILE, &bytes);
    let source: Arc<dyn Source> = Arc::clone(&memory) as _;
    let (catalog, _running) = ingest::start(Arc::clone(&source), ingest::Options::default()).unwrap();
    let left: Vec<i64> = vec![1, 2, 3, 5, 6, 7, 9];
    let has_left = |snapshot: &Arc<Snapshot>| {
        ["a/kernel", "b/kernel"].iter().all(|tag| {
            snapshot.series(".", tag).is_some_and(|series| series.steps.keys().copied().eq(left.clone()))
        })
    };
    let snapshot = wait_for(&catalog, "the damage", has_left);
    // The newest is looked at first.
    assert_eq!(told(&snapshot), [("bad_payload_crc", len * 7, 2)]);
    let progress = catalog.checked().progress();
    assert_eq!((progress.records, progress.records_checked), (9, 9));
}

#[test]
fn damage_that_a_reader_met_first_is_told_once() {
    let memory = Arc::new(Memory::default());
    let record = merged(0, &[("a/kernel", &[3, 3, 64, 8]), ("b/kernel", &[3, 3, 64, 8])], 0.5);
    let mut bytes = record.repeat(2);
    let at = record.len() + record.len() / 2;
    bytes[at] ^= 1;
    memory.write(FILE, &bytes);
    let source: Arc<dyn Source> = Arc::clone(&memory) as _;
    let options =
        ingest::Options { poll_every: Some(Duration::from_millis(20)), ..ingest::Options::default() };
    let (catalog, _running) = ingest::start(Arc::clone(&source), options).unwrap();
    // While somebody waits for an answer, nothing is checked in the background.
    let waiting = catalog.demand().enter();
    let snapshot = wait_for(&catalog, "the first scan", |snapshot| !snapshot.loading);
    let loader = Loader { catalog: catalog.clone(), source, max_bytes: 1 << 30 };
    let series = snapshot.series(".", "a/kernel").unwrap();
    let _ = loader.load(series, 0, &series.steps[&0].attempt(0).unwrap());
    drop(waiting);
    let snapshot = wait_for(&catalog, "both values gone", |snapshot| {
        let one = |tag| snapshot.series(".", tag).is_some_and(|series| series.steps[&0].count() == 1);
        one("a/kernel") && one("b/kernel")
    });
    until("the end of the check", || (catalog.checked().progress().is_done()).then_some(()));
    assert_eq!(told(&snapshot), [("bad_payload_crc", record.len() as u64, 1)]);
    // What the check told of the same record came before this.
    memory.append(FILE, &kernel(5, 0.0));
    let snapshot =
        wait_for(&catalog, "a step after", |snapshot| snapshot.series(".", "conv1/kernel").is_some());
    assert_eq!(told(&snapshot), [("bad_payload_crc", record.len() as u64, 1)]);
}

fn until_checked(catalog: &Catalog) {
    until("the end of the check", || (catalog.checked().progress().is_done()).then_some(()));
}

#[test]
fn what_is_written_over_in_place_is_checked_again_and_what_is_appended_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let record = |step| merged(step, &[("a/kernel", &[3, 3, 64, 8])], 0.5);
    let len = record(1).len() as u64;
    fs::write(&path, (1..4).flat_map(record).collect::<Vec<u8>>()).unwrap();
    let source: Arc<dyn Source> = Arc::new(Local::new(dir.path().to_owned()));
    let (catalog, _running) = ingest::start(Arc::clone(&source), ingest::Options::default()).unwrap();
    let steps = |n| {
        move |snapshot: &Arc<Snapshot>| {
            !snapshot.loading
                && snapshot.series(".", "a/kernel").is_some_and(|series| series.steps.len() == n)
        }
    };
    let snapshot = wait_for(&catalog, "the first scan", steps(3));
    let series = snapshot.series(".", "a/kernel").unwrap();
    let parts = series.steps[&2].attempt(0).unwrap();
    let (file, place) = (parts[0].file, parts[0].spot.record());
    let loader = Loader { catalog: catalog.clone(), source, max_bytes: 1 << 30 };
    loader.load(series, 2, &parts).unwrap();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&record(4)).unwrap();
    wait_for(&catalog, "a step after", steps(4));
    assert!(catalog.checked().knows(file, place), "appending changes nothing of what was written");
    until_checked(&catalog);

    let waiting = catalog.demand().enter();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[0x55; 64], len + 9_000).unwrap();
    until("doubt", || (!catalog.checked().knows(file, place)).then_some(()));
    let error = loader.load(series, 2, &parts).unwrap_err();
    assert!(matches!(error, LoadError::Damaged { offset } if offset == len), "{error}");
    drop(waiting);
    let snapshot = wait_for(&catalog, "the damage", steps(3));
    assert_eq!(told(&snapshot), [("bad_payload_crc", len, 1)]);
    // Nobody asks for the next one.
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[0x55; 64], 9_000).unwrap();
    let snapshot = wait_for(&catalog, "damage that the check finds", steps(2));
    assert_eq!(told(&snapshot), [("bad_payload_crc", len, 2)]);
    until_checked(&catalog);
    assert_eq!(catalog.checked().progress().records, 4);
}

#[test]
fn a_file_whose_records_begin_elsewhere_now_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let record = |step| merged(step, &[("a/kernel", &[3, 3, 64, 8])], 0.5);
    let (first, last) = (kernel(1, 0.0), kernel(3, 0.0));
    fs::write(&path, [first.clone(), record(1), record(2), last].concat()).unwrap();
    let source = Arc::new(Local::new(dir.path().to_owned()));
    let (catalog, _running) = ingest::start(source, ingest::Options::default()).unwrap();
    wait_for(&catalog, "the first scan", |snapshot| !snapshot.loading);
    until_checked(&catalog);
    // What comes in the place of a record of 18 kB are 16 bytes, and zeros where the next one began.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0x55; record(1).len()], first.len() as u64).unwrap();
    let snapshot = wait_for(&catalog, "the file anew", |snapshot| {
        let steps = |tag| snapshot.series(".", tag).map_or(0, |series| series.steps.len());
        (steps("a/kernel"), steps("conv1/kernel")) == (1, 2)
    });
    assert_eq!(told(&snapshot), [("bad_length_crc", first.len() as u64, 1)]);
}

#[test]
fn damage_in_the_record_of_a_graph_is_told_once_as_that() {
    let memory = Arc::new(Memory::default());
    let mut bytes = graph(9_000);
    bytes[5_000] ^= 1;
    memory.write(FILE, &[bytes, graph(9_000), kernel(0, 0.0)].concat());
    let (catalog, _running) = ingest::start(memory, ingest::Options::default()).unwrap();
    wait_for(&catalog, "the damage", |snapshot| !told(snapshot).is_empty());
    until_checked(&catalog);
    assert_eq!(told(&catalog.snapshot()), [("bad_payload_crc", 0, 1)]);
    assert_eq!(catalog.checked().progress().records, 2);
}

#[test]
fn a_graph_that_was_read_is_not_read_again_to_be_checked() {
    let memory = Memory::default();
    memory.write(FILE, &graph(4 << 20));
    let source = Arc::new(Odd { memory, ..Odd::default() });
    let read = || source.bytes_read.load(Ordering::Relaxed);
    let _ = ingest::index_once(Arc::clone(&source) as _, ingest::Options::default());
    let once = read();
    let (_, progress) = ingest::index_checked(Arc::clone(&source) as _, ingest::Options::default(), &|_| ());
    assert!(progress.records == 1 && progress.is_done(), "{progress:?}");
    assert_eq!(read() - once, once);
}

#[test]
fn a_file_without_end_does_not_keep_the_others_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = |run: &str| dir.path().join(run).join(FILE);
    for run in ["endless", "good"] {
        fs::create_dir(dir.path().join(run)).unwrap();
    }
    fs::write(path("good"), kernel(0, 0.0)).unwrap();
    // A header that is none, and a terabyte of zeros in which the next one is looked for.
    fs::write(path("endless"), [7; 12]).unwrap();
    fs::OpenOptions::new().write(true).open(path("endless")).unwrap().set_len(1 << 40).unwrap();
    let source = Arc::new(Local::new(dir.path().to_owned()));
    let (catalog, _running) = ingest::start(source, ingest::Options::default()).unwrap();
    let steps = |n| {
        move |snapshot: &Arc<Snapshot>| {
            snapshot.series("good", "conv1/kernel").is_some_and(|series| series.steps.len() == n)
        }
    };
    let snapshot = wait_for(&catalog, "the other run", steps(1));
    assert!(snapshot.loading);
    fs::OpenOptions::new().append(true).open(path("good")).unwrap().write_all(&kernel(1, 0.0)).unwrap();
    wait_for(&catalog, "its next step", steps(2));
}
