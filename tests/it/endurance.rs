//! What must not bring the daemon down, slow it to a halt, or fail without a word.

use std::{io, path::Path, sync::Arc, time::Duration};

use convscope::{
    catalog::ingest,
    source::{FileStat, Listing, Source, memory::Memory},
};

use crate::logs::{FILE, kernel, tensor, values};

/// Long enough for a loaded machine: it only ends a hang.
const HANG: Duration = Duration::from_secs(60);

/// A source that shows a defect where these names are read.
struct Defective {
    memory: Memory,
    list_fails: bool,
}

impl Source for Defective {
    fn root(&self) -> &Path {
        self.memory.root()
    }

    fn list(&self) -> io::Result<Listing> {
        assert!(!self.list_fails, "a defect in the walk");
        self.memory.list()
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.memory.stat(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!path.starts_with("/bad"), "a defect at byte {offset}");
        self.memory.read_at(path, offset, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        self.memory.read_whole(path, most)
    }
}

fn wait<T>(what: &str, until: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(HANG, until).await })
        .unwrap_or_else(|_| panic!("never came: {what}"))
}

#[test]
fn a_defect_met_in_one_file_is_told_and_costs_that_file_alone() {
    let memory = Memory::default();
    memory.write(&format!("bad/{FILE}"), &kernel(0, 0.0));
    memory.write(&format!("good/{FILE}"), &kernel(0, 0.0));
    memory.write(&format!("good/{FILE}.2"), &kernel(1, 0.0));
    let source: Arc<dyn Source> = Arc::new(Defective { memory, list_fails: false });
    let (catalog, running) = ingest::start(source, ingest::Options::default()).unwrap();
    let mut changes = catalog.changes();
    wait("the first scan", async { drop(changes.wait_for(|snapshot| !snapshot.loading).await.unwrap()) });
    let snapshot = catalog.snapshot();
    assert_eq!(snapshot.series("good", "conv1/kernel").unwrap().steps.len(), 2);
    let told: Vec<(&str, &str)> =
        snapshot.problems.iter().map(|problem| (problem.run.as_str(), problem.fault.name())).collect();
    assert_eq!(told, [("bad", "defect")]);
    assert!(snapshot.problems[0].message.contains("a defect at byte 0"), "{:?}", snapshot.problems);
    assert_eq!(running.failure(), None);
}

#[test]
fn an_ingest_thread_that_ends_unasked_says_why() {
    let source: Arc<dyn Source> = Arc::new(Defective { memory: Memory::default(), list_fails: true });
    let (_catalog, running) = ingest::start(source, ingest::Options::default()).unwrap();
    wait("the end", running.failed());
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
    let told: Vec<(&str, u64)> =
        snapshot.problems.iter().map(|problem| (problem.fault.name(), problem.offset)).collect();
    assert_eq!(told, [("not_an_event", kernel(0, 0.0).len() as u64)]);
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
    let places = |idx: usize| attempts.attempt(idx).unwrap()[0].place.offset;
    assert_eq!(
        (places(0), places(1), places(N as usize - 1)),
        (len * (N as u64 - 1), len * (N as u64 - 2), 0)
    );
}
