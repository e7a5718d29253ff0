use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{
    catalog::{damage::BadValue, health::Fault},
    source::{FileStat, Identity, Listing, memory::Memory},
};

/// A training of TensorFlow 1 with a graph.
const LOG: &[u8] =
    include_bytes!("../../../tests/fixtures/tf1_graphs/nchw/events.out.tfevents.1795553063.fixture.0");

/// Files in memory that count how often they are looked at.
#[derive(Default)]
struct Counted {
    memory: Memory,
    walks: AtomicUsize,
    part_walks: AtomicUsize,
    looks: AtomicUsize,
    closed: std::sync::Mutex<Vec<PathBuf>>,
    /// Reading from this byte on panics; 0 is nowhere.
    panics_from: u64,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Source for Counted {
    fn root(&self) -> &Path {
        self.memory.root()
    }

    fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
        count(&self.walks);
        self.memory.list(stop)
    }

    fn list_below(&self, dir: &Path, stop: &AtomicBool) -> io::Result<Listing> {
        count(&self.part_walks);
        self.memory.list_below(dir, stop)
    }

    fn directory(&self, dir: &Path) -> io::Result<Identity> {
        count(&self.looks);
        self.memory.directory(dir)
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        count(&self.looks);
        self.memory.stat(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        assert!(self.panics_from == 0 || offset < self.panics_from, "a defect");
        self.memory.read_at(path, offset, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        self.memory.read_whole(path, most)
    }

    fn close(&self, path: &Path) {
        self.closed.lock().unwrap().push(path.to_owned());
    }
}

/// 100 runs that are followed, before anything was counted.
fn followed() -> (Arc<Counted>, Ingest) {
    let source = Arc::new(Counted::default());
    for i in 0..100 {
        source.memory.write(&format!("run{i:03}/events.out.tfevents.1"), b"");
    }
    let mut ingest = Ingest::new(Arc::clone(&source) as _, Options::default(), Arc::default(), None);
    ingest.sweep();
    assert_eq!(ingest.logdir.files.iter().len(), 100);
    source.walks.store(0, Ordering::Relaxed);
    (source, ingest)
}

fn hint(ingest: &mut Ingest, changes: impl IntoIterator<Item = Change>) {
    assert!(ingest.handle(changes.into_iter().map(Message::Changed).collect()).is_continue());
    if ingest.schedule.is_sweep_asked_for() {
        ingest.sweep();
    }
}

fn counts(source: &Counted) -> [usize; 3] {
    [&source.walks, &source.part_walks, &source.looks].map(|counter| counter.load(Ordering::Relaxed))
}

/// Tidies as if the last time were long ago.
fn runs_after_tidying(ingest: &mut Ingest) -> Vec<String> {
    ingest.schedule.let_tidying_be_due();
    ingest.tidy();
    ingest.logdir.files.iter().map(|file| file.stat.run.to_string()).collect()
}

#[test]
fn what_is_removed_and_was_neither_followed_nor_watched_costs_nothing() {
    let (source, mut ingest) = followed();
    let names = ["run001/model.ckpt-7", "run001/tmp", "run00", "run001/events.out.tfevents.2.tmp"];
    hint(&mut ingest, names.map(|name| Change::Removed(source.memory.path(name))));
    assert_eq!((counts(&source), ingest.logdir.files.iter().len()), ([0, 0, 0], 100));
}

#[test]
fn a_file_or_a_directory_that_is_removed_is_forgotten_alone() {
    let (source, mut ingest) = followed();
    let (file, dir) = (source.memory.path("run001/events.out.tfevents.1"), source.memory.path("run002"));
    source.memory.remove("run001/events.out.tfevents.1");
    source.memory.remove("run002/events.out.tfevents.1");
    hint(&mut ingest, [Change::Removed(file.clone()), Change::Removed(dir.clone())]);
    assert_eq!((counts(&source), ingest.logdir.files.iter().len()), ([0, 0, 2], 98));
    assert_eq!(*source.closed.lock().unwrap(), [file, dir.join("events.out.tfevents.1")]);
    assert!(
        ingest.logdir.index.snapshot().runs.get("run002").is_none()
            && ingest.logdir.index.snapshot().scanned.files == 98
    );
}

#[test]
fn a_new_directory_is_listed_alone() {
    let (source, mut ingest) = followed();
    source.memory.write("new/run/events.out.tfevents.1", b"");
    hint(&mut ingest, [Change::Touched(source.memory.path("new"))]);
    assert_eq!((counts(&source), ingest.logdir.files.iter().len()), ([0, 1, 2], 101));
    hint(&mut ingest, [Change::Touched(source.memory.path("new"))]);
    assert_eq!(counts(&source), [0, 1, 4], "what is known is not listed again");
}

#[test]
fn a_renamed_run_has_its_new_name_alone() {
    let (source, mut ingest) = followed();
    source.memory.remove("run001/events.out.tfevents.1");
    source.memory.write("other/events.out.tfevents.1", b"");
    let [from, to] = ["run001", "other"].map(|name| source.memory.path(name));
    hint(&mut ingest, [Change::Removed(from), Change::Touched(to)]);
    let runs: Vec<&str> = ingest.logdir.files.iter().map(|file| file.stat.run.as_str()).collect();
    assert!(runs.contains(&"other") && !runs.contains(&"run001") && runs.len() == 100, "{runs:?}");
    assert_eq!(counts(&source)[0], 0);
}

#[test]
fn the_last_file_that_goes_leaves_word_that_there_is_none() {
    let (source, mut ingest) = followed();
    for i in 0..100 {
        source.memory.remove(&format!("run{i:03}/events.out.tfevents.1"));
    }
    let gone = (0..100).map(|i| Change::Removed(source.memory.path(&format!("run{i:03}"))));
    hint(&mut ingest, gone);
    let faults: Vec<Fault> =
        ingest.logdir.index.health.problems().iter().map(|problem| problem.fault).collect();
    assert_eq!((faults, counts(&source)[0]), (vec![Fault::NoEventFiles], 0));
}

#[test]
fn a_new_logdirs_own_runs_are_shown_before_all_links_are_followed() {
    use std::{fs, os::unix::fs::symlink};
    let dir = tempfile::tempdir().unwrap();
    for run in ["logs/own", "outside/run"] {
        fs::create_dir_all(dir.path().join(run)).unwrap();
        fs::write(dir.path().join(run).join("events.out.tfevents.1"), b"").unwrap();
    }
    let root = dir.path().join("logs");
    symlink(dir.path().join("outside"), root.join("linked")).unwrap();
    let (publish, snapshots) = channel::channel(Arc::new(Snapshot::empty()));
    let source = Arc::new(crate::source::local::Local::new(root.clone()));
    let mut ingest = Ingest::new(source, Options::default(), Arc::default(), Some(publish));
    ingest.logdir.show_own_first(&root);
    let shown = snapshots.borrow().clone();
    assert_eq!((shown.scanned.files, shown.loading), (1, true));
    ingest.sweep();
    assert_eq!(ingest.logdir.index.snapshot().scanned.files, 2);
}

#[test]
fn a_run_that_goes_takes_no_word_of_the_logdir_with_it() {
    let memory = Memory::default();
    memory.write("events.out.tfevents.1", b"");
    let source = Arc::new(Counted { memory, ..Counted::default() });
    let mut ingest = Ingest::new(Arc::clone(&source) as _, Options::default(), Arc::default(), None);
    ingest.sweep();
    let left_out = vec![(PathBuf::from("/far"), "it is far".to_owned())];
    ingest.logdir.note_problems(&Listing { left_out, ..Listing::default() });
    source.memory.remove("events.out.tfevents.1");
    hint(&mut ingest, [Change::Removed(source.memory.path("events.out.tfevents.1"))]);
    let faults: Vec<Fault> =
        ingest.logdir.index.health.problems().iter().map(|problem| problem.fault).collect();
    assert_eq!(faults, [Fault::NoEventFiles, Fault::LeftOut]);
}

#[test]
fn a_directory_that_can_be_read_again_is_told_of_no_more() {
    let (source, mut ingest) = followed();
    let troubles = vec![(source.memory.path("new"), "Permission denied".to_owned())];
    ingest.logdir.note_problems(&Listing { troubles, ..Listing::default() });
    assert_eq!(ingest.logdir.index.health.problems().len(), 1);
    source.memory.write("new/events.out.tfevents.1", b"");
    hint(&mut ingest, [Change::Touched(source.memory.path("new"))]);
    assert_eq!((ingest.logdir.index.health.problems().len(), ingest.logdir.files.iter().len()), (0, 101));
}

#[test]
fn what_is_forgotten_again_and_again_is_news_once() {
    let (publish, snapshots) = channel::channel(Arc::new(Snapshot::empty()));
    let memory = Memory::default();
    memory.write("events.out.tfevents.1", b"");
    let mut ingest = Ingest::new(Arc::new(memory), Options::default(), Arc::default(), Some(publish));
    let mut revision_after = |work: &mut dyn FnMut(&mut Ingest)| {
        work(&mut ingest);
        ingest.logdir.index.publish_if_changed();
        snapshots.borrow().revision
    };
    let followed = revision_after(&mut |ingest| ingest.sweep());
    let forgotten = revision_after(&mut |ingest| ingest.logdir.forget_everything());
    assert!(forgotten > followed);
    assert_eq!(revision_after(&mut |ingest| ingest.logdir.forget_everything()), forgotten);
}

#[test]
fn a_file_with_a_defect_takes_its_bytes_with_it() {
    // A record of 100,000 bytes whose length has its CRC, then another one, where reading panics.
    let record = |len: usize| {
        let payload = vec![0x7a; len];
        let mut out = (len as u64).to_le_bytes().to_vec();
        out.extend(crate::record::crc::masked(&out).to_le_bytes());
        let crc = crate::record::crc::masked(&payload);
        [out, payload, crc.to_le_bytes().to_vec()].concat()
    };
    let memory = Memory::default();
    memory.write("events.out.tfevents.1", &[record(100_000), record(100_000)].concat());
    let source = Arc::new(Counted { memory, panics_from: 100_016, ..Counted::default() });
    let mut ingest = Ingest::new(Arc::clone(&source) as _, Options::default(), Arc::default(), None);
    ingest.sweep();
    let faults: Vec<Fault> =
        ingest.logdir.index.health.problems().iter().map(|problem| problem.fault).collect();
    assert!(faults.contains(&Fault::Defect), "{faults:?}");
    source.memory.remove("events.out.tfevents.1");
    hint(&mut ingest, [Change::Removed(source.memory.path("events.out.tfevents.1"))]);
    assert_eq!(ingest.logdir.index.snapshot().scanned, crate::catalog::snapshot::Scanned::default());
}

#[test]
fn nothing_is_kept_of_runs_and_files_that_are_gone() {
    let source = Arc::new(Counted::default());
    let path = |run: &str| format!("{run}/events.out.tfevents.1");
    for run in ["a", "b", "c"] {
        source.memory.write(&path(run), LOG);
        source.memory.write(&path(&format!("without_tensors_{run}")), b"");
    }
    let mut ingest = Ingest::new(Arc::clone(&source) as _, Options::default(), Arc::default(), None);
    let kept = |ingest: &mut Ingest| {
        ingest.logdir.index.conclude();
        (ingest.logdir.index.concluding.n_kept(), ingest.logdir.index.graphs.n_kept())
    };
    ingest.sweep();
    assert_eq!(kept(&mut ingest), (3, 3));
    source.memory.remove(&path("a"));
    hint(&mut ingest, [Change::Removed(source.memory.path("a"))]);
    assert_eq!(kept(&mut ingest), (2, 2));
    source.memory.write(&path("b"), LOG);
    ingest.sweep();
    assert_eq!(kept(&mut ingest), (2, 2), "a file that was replaced has another number");
    ingest.logdir.forget_everything();
    assert_eq!(kept(&mut ingest), (0, 0));
}

#[test]
fn a_logdir_that_is_removed_is_looked_at_as_a_whole() {
    let (source, mut ingest) = followed();
    hint(&mut ingest, [Change::Removed(source.memory.path(""))]);
    assert_eq!((counts(&source)[0], ingest.logdir.files.iter().len()), (1, 100));
}

#[test]
fn another_directory_in_the_logdirs_place_is_noticed_without_a_hint() {
    use std::{fs, os::unix::fs::symlink};
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, run: &str| {
        fs::create_dir_all(dir.path().join(name).join(run)).unwrap();
        fs::write(dir.path().join(name).join(run).join("events.out.tfevents.1"), b"").unwrap();
    };
    let root = dir.path().join("logs");
    let source = Arc::new(crate::source::local::Local::new(root.clone()));
    let mut ingest = Ingest::new(source, Options::default(), Arc::default(), None);
    make("logs", "a");
    ingest.sweep();
    assert_eq!(runs_after_tidying(&mut ingest), ["a"]);
    fs::rename(&root, dir.path().join("old")).unwrap();
    make("logs", "b");
    assert_eq!(runs_after_tidying(&mut ingest), ["b"]);
    fs::rename(&root, dir.path().join("gone")).unwrap();
    assert_eq!(runs_after_tidying(&mut ingest), [""; 0]);
    make("first", "c");
    symlink("first", &root).unwrap();
    ingest.sweep();
    make("second", "d");
    symlink("second", dir.path().join("link")).unwrap();
    fs::rename(dir.path().join("link"), &root).unwrap();
    assert_eq!(runs_after_tidying(&mut ingest), ["d"]);
    assert!(ingest.logdir.index.health.problems().is_empty(), "{:?}", ingest.logdir.index.health.problems());
}

#[test]
fn a_stopped_thread_neither_walks_on_nor_takes_the_logdir_for_lost() {
    let (source, mut ingest) = followed();
    ingest.logdir.stop.store(true, Ordering::Relaxed);
    let touched = (0..100).map(|i| Change::Touched(source.memory.path(&format!("run{i:03}/x"))));
    hint(&mut ingest, touched);
    assert_eq!((counts(&source), ingest.logdir.files.iter().len()), ([0, 0, 0], 100));
}

/// Records of several tensors each.
const MERGED_LOG: &[u8] =
    include_bytes!("../../../tests/fixtures/recipe_tf1/events.out.tfevents.1795495709.fixture.0");

/// The newest values of two series of a run, as a reader who finds them damaged reports them.
fn damaged_values(snapshot: &Snapshot, run: &str) -> impl Iterator<Item = Message> {
    let series: Vec<_> = snapshot.runs[run].series.values().take(2).cloned().collect();
    assert_eq!(series.len(), 2);
    series.into_iter().map(|series| {
        let (step, attempts) = series.steps.get_max().unwrap();
        Message::BadValue(BadValue {
            run: series.run.clone(),
            tag: series.tag.clone(),
            step: *step,
            logged: *attempts.newest_first().next().unwrap(),
            fault: Fault::PayloadCrc,
            message: String::new(),
        })
    })
}

#[test]
fn no_run_and_no_series_is_ahead_of_the_snapshot_that_holds_it() {
    const DAMAGED: [&str; 2] = ["a", "b"];
    const GROWN: [&str; 4] = ["c", "d", "e", "f"];
    let (readers, snapshots) = channel::channel(Arc::new(Snapshot::empty()));
    let memory = Arc::new(Memory::default());
    let name = |run: &str| format!("{run}/events.out.tfevents.1");
    DAMAGED.iter().chain(&GROWN).for_each(|run| memory.write(&name(run), MERGED_LOG));
    let mut ingest = Ingest::new(Arc::clone(&memory) as _, Options::default(), Arc::default(), Some(readers));
    ingest.sweep();
    ingest.logdir.index.publish();
    let before = snapshots.borrow().clone();
    let n_values = |snapshot: &Snapshot, run: &str| -> usize {
        snapshot.runs[run].series.values().map(|series| series.steps.len()).sum()
    };
    // In one turn: of two runs two damaged values each, new values of the others, and what else lies in the damaged records.
    let mut messages: Vec<Message> = DAMAGED.iter().flat_map(|run| damaged_values(&before, run)).collect();
    for run in GROWN {
        memory.append(&name(run), MERGED_LOG);
        messages.push(Message::Changed(Change::Written(memory.path(&name(run)))));
    }
    assert!(ingest.handle(messages).is_continue());
    ingest.logdir.index.drop_damaged();
    ingest.logdir.index.publish_if_changed();
    let after = snapshots.borrow().clone();
    assert!(n_values(&after, "a") + 2 < n_values(&before, "a"), "more went than the two values");
    for run in after.runs.values() {
        assert!(run.revision > before.revision, "each run has changed");
        assert!(run.revision <= after.revision, "{} is ahead of {}", run.revision, after.revision);
        for series in run.series.values() {
            assert!(series.revision <= run.revision, "{} of {}", series.tag, series.run);
        }
    }
}
