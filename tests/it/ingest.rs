//! A logdir that lives: files grow, appear, vanish, are cut, replaced and damaged while they are followed.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use convscope::{
    catalog::{
        Catalog,
        ingest::{self, Running},
        snapshot::Snapshot,
    },
    load::Loader,
    source::{local::Local, memory::Memory},
    watch::Mode,
};
use tempfile::TempDir;

use crate::logs::{FILE, kernel, picture, scalar, tensor, values};
use crate::waiting::{Deadline, HANG, output_of};

struct Logdir {
    dir: TempDir,
    catalog: Catalog,
    loader: Loader,
    _running: Running,
}

impl Logdir {
    /// Follows an empty directory, by notifications and by polling in turn.
    fn followed(poll_every: Option<Duration>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("logs");
        fs::create_dir(&root).unwrap();
        let source = Arc::new(Local::new(root));
        let options = ingest::Options { poll_every, ..ingest::Options::default() };
        let (catalog, running) = ingest::start(Arc::clone(&source) as _, options).unwrap();
        let loader = Loader { catalog: catalog.clone(), source, max_bytes: 1 << 30 };
        let logdir = Self { dir, catalog, loader, _running: running };
        logdir.wait("the first scan", |snapshot| !snapshot.loading);
        logdir
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        append(&self.path(name), bytes);
    }

    fn wait(&self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut changes = self.catalog.changes();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let found = tokio::time::timeout(HANG, changes.wait_for(|snapshot| holds(snapshot))).await;
            let Ok(found) = found else { panic!("never came: {what}; {:#?}", self.catalog.snapshot()) };
            Arc::clone(&found.unwrap())
        })
    }

    /// The first element of the newest tensor of a step.
    fn element(&self, run: &str, tag: &str, step: i64, attempt: usize) -> f32 {
        let snapshot = self.catalog.snapshot();
        let series = snapshot.series(run, tag).unwrap();
        let parts = series.steps[&step].attempt(attempt).unwrap();
        let tensor = self.loader.load(series, step, &parts).unwrap();
        f32::from_le_bytes(tensor.bytes[..4].try_into().unwrap())
    }
}

fn append(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn steps(snapshot: &Snapshot, run: &str, tag: &str) -> Vec<i64> {
    snapshot.series(run, tag).map(|series| series.steps.keys().copied().collect()).unwrap_or_default()
}

fn faults(snapshot: &Snapshot) -> Vec<(&'static str, u64)> {
    snapshot.problems.iter().map(|problem| (problem.fault.name(), problem.offset)).collect()
}

/// Each law holds with notifications and without.
fn both_ways(check: impl Fn(Logdir)) {
    check(Logdir::followed(None));
    check(Logdir::followed(Some(Duration::from_millis(20))));
}

#[test]
fn appended_records_turn_up_and_cut_ones_wait() {
    both_ways(|logdir| {
        let (first, second) = (kernel(0, 0.0), kernel(1, 1.0));
        logdir.append(FILE, &[&first[..], &second[..100]].concat());
        let snapshot = logdir.wait("the first step", |snapshot| steps(snapshot, ".", "conv1/kernel") == [0]);
        assert_eq!(faults(&snapshot), []);
        logdir.append(FILE, &second[100..]);
        logdir.wait("the second step", |snapshot| steps(snapshot, ".", "conv1/kernel") == [0, 1]);
        assert!((logdir.element(".", "conv1/kernel", 1, 0) - 1.0).abs() < f32::EPSILON);
    });
}

#[test]
fn new_runs_turn_up_however_deep_they_are_made() {
    both_ways(|logdir| {
        logdir.append("a/b/c/events.out.tfevents.1", &kernel(0, 0.0));
        logdir.wait("a nested run", |snapshot| steps(snapshot, "a/b/c", "conv1/kernel") == [0]);
        // A directory that comes with files in it is never reported file by file.
        let outside = logdir.dir.path().join("outside");
        append(&outside.join("x/events.out.tfevents.1"), &kernel(7, 0.0));
        fs::rename(outside, logdir.path("moved")).unwrap();
        logdir.wait("a moved run", |snapshot| steps(snapshot, "moved/x", "conv1/kernel") == [7]);
        logdir.append("moved/x/events.out.tfevents.1", &kernel(8, 0.0));
        logdir.wait("its next step", |snapshot| steps(snapshot, "moved/x", "conv1/kernel") == [7, 8]);
    });
}

#[test]
fn what_is_deleted_is_gone() {
    both_ways(|logdir| {
        logdir.append("a/events.out.tfevents.1", &kernel(0, 0.0));
        logdir.append("b/events.out.tfevents.1", &kernel(1, 0.0));
        logdir.wait("both runs", |snapshot| snapshot.runs.len() == 2);
        fs::remove_dir_all(logdir.path("a")).unwrap();
        let snapshot = logdir.wait("one run", |snapshot| snapshot.runs.len() == 1);
        assert_eq!((snapshot.scanned.files, steps(&snapshot, "b", "conv1/kernel")), (1, vec![1]));
        // A directory of the same name that is made again is followed again.
        logdir.append("a/events.out.tfevents.1", &kernel(5, 0.0));
        logdir.wait("the run again", |snapshot| steps(snapshot, "a", "conv1/kernel") == [5]);
    });
}

#[test]
fn a_replaced_file_is_read_anew_and_nothing_old_is_shown() {
    both_ways(|logdir| {
        logdir.append(FILE, &[kernel(0, 1.0), kernel(1, 1.0)].concat());
        let before = logdir.wait("two steps", |snapshot| steps(snapshot, ".", "conv1/kernel") == [0, 1]);
        // As long as the old one, so that only the inode tells.
        let outside = logdir.dir.path().join("new");
        append(&outside, &[kernel(0, 2.0), kernel(2, 2.0)].concat());
        fs::rename(outside, logdir.path(FILE)).unwrap();
        let after = logdir.wait("the new steps", |snapshot| steps(snapshot, ".", "conv1/kernel") == [0, 2]);
        let file = |snapshot: &Snapshot| snapshot.series(".", "conv1/kernel").unwrap().order.file;
        assert_ne!(
            file(&before),
            file(&after),
            "what is kept of the old file must not be taken for the new one"
        );
        assert!((logdir.element(".", "conv1/kernel", 0, 0) - 2.0).abs() < f32::EPSILON);
    });
}

/// Files below `dir` that a process has open.
#[cfg(target_os = "linux")]
pub(crate) fn open_below(dir: &Path, process: &str) -> Vec<std::path::PathBuf> {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    // One that was closed meanwhile has no target.
    let targets = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(dir)).collect()
}

/// Waits until nothing below `dir` is open.
#[cfg(target_os = "linux")]
pub(crate) fn wait_until_closed(dir: &Path, process: &str) {
    let deadline = Deadline::start();
    loop {
        let open = open_below(dir, process);
        if open.is_empty() {
            return;
        }
        deadline.check(&format!("the end of {open:?}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_gone_or_read_by_nobody_is_closed() {
    both_ways(|logdir| {
        logdir.append("a/events.out.tfevents.1", &[kernel(0, 1.0), kernel(1, 1.0)].concat());
        logdir.append("b/events.out.tfevents.1", &kernel(0, 1.0));
        let before = logdir.wait("both runs", |snapshot| {
            steps(snapshot, "a", "conv1/kernel").len() == 2 && steps(snapshot, "b", "conv1/kernel") == [0]
        });
        let root = logdir.path("").canonicalize().unwrap();
        wait_until_closed(&root, "self");
        logdir.element("a", "conv1/kernel", 1, 0);
        fs::remove_file(logdir.path("a/events.out.tfevents.1")).unwrap();
        logdir.wait("one run", |snapshot| snapshot.runs.len() == 1);
        // A reader that still holds the index of before opens nothing either.
        let series = before.series("a", "conv1/kernel").unwrap();
        let parts = series.steps[&0].attempt(0).unwrap();
        assert!(logdir.loader.load(series, 0, &parts).is_err());
        assert!(open_below(&root.join("a"), "self").is_empty());
        logdir.element("b", "conv1/kernel", 0, 0);
        wait_until_closed(&root, "self");
    });
}

#[test]
fn links_that_change_places_are_followed_to_where_they_lead() {
    both_ways(|logdir| {
        let outside = ["x", "y"].map(|name| logdir.dir.path().join(name));
        for (dir, step) in outside.iter().zip(0..) {
            append(&dir.join(FILE), &kernel(step, 0.0));
        }
        let link = |name: &str, target: &Path| {
            // Put in place at once, as those do who switch a link.
            let new = logdir.dir.path().join("new");
            std::os::unix::fs::symlink(target, &new).unwrap();
            fs::rename(new, logdir.path(name)).unwrap();
        };
        link("a", &outside[0]);
        link("b", &outside[1]);
        logdir.wait("both runs", |snapshot| {
            steps(snapshot, "a", "conv1/kernel") == [0] && steps(snapshot, "b", "conv1/kernel") == [1]
        });
        link("a", &outside[1]);
        link("b", &outside[0]);
        logdir.wait("both runs, exchanged", |snapshot| {
            steps(snapshot, "a", "conv1/kernel") == [1] && steps(snapshot, "b", "conv1/kernel") == [0]
        });
        append(&outside[0].join(FILE), &kernel(5, 0.0));
        append(&outside[1].join(FILE), &kernel(6, 0.0));
        logdir.wait("their next steps", |snapshot| {
            steps(snapshot, "a", "conv1/kernel") == [1, 6] && steps(snapshot, "b", "conv1/kernel") == [0, 5]
        });
    });
}

#[test]
fn when_a_name_goes_another_name_takes_its_place() {
    both_ways(|logdir| {
        let outside = logdir.dir.path().join("outside");
        append(&outside.join(FILE), &kernel(0, 0.0));
        std::os::unix::fs::symlink(&outside, logdir.path("a")).unwrap();
        logdir.wait("the run", |snapshot| steps(snapshot, "a", "conv1/kernel") == [0]);
        std::os::unix::fs::symlink(&outside, logdir.path("b")).unwrap();
        logdir.wait("the other name", |snapshot| steps(snapshot, "b", "conv1/kernel") == [0]);
        fs::remove_file(logdir.path("a")).unwrap();
        logdir.wait("one name", |snapshot| {
            !snapshot.runs.contains_key("a") && steps(snapshot, "b", "conv1/kernel") == [0]
        });
        append(&outside.join(FILE), &kernel(1, 0.0));
        let snapshot =
            logdir.wait("the next step", |snapshot| steps(snapshot, "b", "conv1/kernel") == [0, 1]);
        assert_eq!(snapshot.runs.len(), 1);
    });
}

#[test]
fn a_file_that_shrank_is_read_from_its_start() {
    both_ways(|logdir| {
        logdir.append(FILE, &[kernel(0, 1.0), kernel(1, 1.0), kernel(2, 1.0)].concat());
        logdir.wait("three steps", |snapshot| steps(snapshot, ".", "conv1/kernel").len() == 3);
        fs::write(logdir.path(FILE), kernel(9, 3.0)).unwrap();
        logdir.wait("one other step", |snapshot| steps(snapshot, ".", "conv1/kernel") == [9]);
        assert!((logdir.element(".", "conv1/kernel", 9, 0) - 3.0).abs() < f32::EPSILON);
    });
}

#[test]
fn a_restart_logs_steps_again_and_the_newest_is_shown() {
    both_ways(|logdir| {
        let logged = |step, wall_time, fill| tensor("w/kernel", step, wall_time, &[3, 3, 1, 2], fill);
        logdir.append(FILE, &[logged(0, 1.0, 10.0), logged(1, 2.0, 11.0), logged(2, 3.0, 12.0)].concat());
        logdir.append("events.out.tfevents.2", &[logged(1, 5.0, 21.0)].concat());
        let again = |snapshot: &Snapshot| {
            snapshot
                .series(".", "w/kernel")
                .is_some_and(|series| series.steps.get(&1).is_some_and(|step| step.count() == 2))
        };
        let snapshot = logdir.wait("the second attempt", again);
        assert_eq!(steps(&snapshot, ".", "w/kernel"), [0, 1, 2]);
        let shown = [0, 1].map(|attempt| logdir.element(".", "w/kernel", 1, attempt));
        assert_eq!(shown.map(f32::to_bits), [21.0_f32, 11.0].map(f32::to_bits));
    });
}

#[test]
fn two_writers_in_one_run_are_merged_by_step() {
    both_ways(|logdir| {
        logdir.append("r/events.out.tfevents.1", &[kernel(0, 0.0), kernel(2, 0.0)].concat());
        logdir.append("r/events.out.tfevents.2", &[kernel(1, 0.0), scalar("loss", 1)].concat());
        logdir.wait("three steps", |snapshot| steps(snapshot, "r", "conv1/kernel") == [0, 1, 2]);
        logdir.append("r/events.out.tfevents.1", &kernel(4, 0.0));
        logdir.append("r/events.out.tfevents.2", &kernel(3, 0.0));
        let snapshot =
            logdir.wait("both go on", |snapshot| steps(snapshot, "r", "conv1/kernel") == [0, 1, 2, 3, 4]);
        assert_eq!(snapshot.runs["r"].skipped["loss"].count, 1);
    });
}

#[test]
fn damage_costs_what_is_damaged_and_is_listed() {
    both_ways(|logdir| {
        // From 1 on, so that all are of one length: protobuf leaves out a step of 0.
        let records: Vec<Vec<u8>> = (1..6).map(|step| kernel(step, 0.0)).collect();
        let len = records[0].len();
        let mut bytes = records.concat();
        bytes[len + 3] ^= 0x40; // the length of step 2
        bytes[3 * len + len / 2] ^= 1; // the payload of step 4
        logdir.append(FILE, &bytes);
        logdir.append("other/events.out.tfevents.1", &kernel(0, 0.0));
        let snapshot = logdir.wait("the other steps", |snapshot| {
            steps(snapshot, ".", "conv1/kernel").contains(&5)
                && steps(snapshot, "other", "conv1/kernel") == [0]
        });
        assert!(!steps(&snapshot, ".", "conv1/kernel").contains(&2));
        assert!(faults(&snapshot).contains(&("bad_length_crc", len as u64)), "{:?}", faults(&snapshot));
        // A large payload is hopped over, so its damage shows when it is first read.
        if let Some(attempts) = snapshot.series(".", "conv1/kernel").unwrap().steps.get(&4) {
            let parts = attempts.attempt(0).unwrap();
            assert!(logdir.loader.load(snapshot.series(".", "conv1/kernel").unwrap(), 4, &parts).is_err());
        }
        let snapshot =
            logdir.wait("the damage", |snapshot| steps(snapshot, ".", "conv1/kernel") == [1, 3, 5]);
        assert!(faults(&snapshot).contains(&("bad_payload_crc", 3 * len as u64)), "{:?}", faults(&snapshot));
    });
}

#[test]
fn a_hole_is_waited_for() {
    both_ways(|logdir| {
        let (first, second) = (kernel(0, 0.0), kernel(1, 1.0));
        logdir.append(FILE, &[&first[..], &vec![0; second.len()]].concat());
        let snapshot =
            logdir.wait("the hole", |snapshot| faults(snapshot).iter().any(|(fault, _)| *fault == "hole"));
        assert_eq!(steps(&snapshot, ".", "conv1/kernel"), [0]);
        let file = OpenOptions::new().write(true).open(logdir.path(FILE)).unwrap();
        file.write_all_at(&second, first.len() as u64).unwrap();
        let snapshot =
            logdir.wait("the filled hole", |snapshot| steps(snapshot, ".", "conv1/kernel") == [0, 1]);
        assert_eq!(faults(&snapshot), []);
    });
}

#[test]
fn a_logdir_that_does_not_exist_is_waited_for_and_may_go_and_come_again() {
    both_ways(|logdir| {
        let root = logdir.path("");
        logdir.append(FILE, &kernel(0, 0.0));
        logdir.wait("the run", |snapshot| snapshot.runs.len() == 1);
        fs::rename(&root, logdir.dir.path().join("away")).unwrap();
        let snapshot = logdir.wait("no logdir", |snapshot| snapshot.watch == Mode::Waiting);
        assert_eq!((snapshot.runs.len(), faults(&snapshot)), (0, vec![("logdir_missing", 0)]));
        logdir.append("run/events.out.tfevents.1", &kernel(3, 0.0));
        let snapshot =
            logdir.wait("the logdir again", |snapshot| steps(snapshot, "run", "conv1/kernel") == [3]);
        assert_eq!(faults(&snapshot), []);
    });
}

#[test]
fn an_empty_logdir_says_what_was_looked_for() {
    let logdir = Logdir::followed(None);
    let snapshot = logdir.wait("the word", |snapshot| !snapshot.problems.is_empty());
    assert!(snapshot.problems[0].message.contains("tfevents"), "{:?}", snapshot.problems);
    logdir.append(FILE, &scalar("loss", 0));
    logdir.wait("no complaint", |snapshot| snapshot.problems.is_empty() && snapshot.runs.len() == 1);
}

#[test]
fn odd_files_hurt_nobody() {
    both_ways(|logdir| {
        logdir.append("a/events.out.tfevents.text", b"this is no event file, though its name says so");
        logdir.append("a/events.out.tfevents.gz", &[&[0x1f, 0x8b, 8, 0][..], &[7; 500]].concat());
        logdir.append("a/events.out.tfevents.empty", b"");
        let fifo = logdir.path("a/events.out.tfevents.fifo");
        assert!(output_of(std::process::Command::new("mkfifo").arg(fifo)).unwrap().status.success());
        std::os::unix::fs::symlink(logdir.path(""), logdir.path("a/loop")).unwrap();
        logdir.append("a/events.out.tfevents.good", &kernel(0, 0.0));
        let snapshot = logdir.wait("the good file", |snapshot| {
            steps(snapshot, "a", "conv1/kernel") == [0] && faults(snapshot).len() >= 2
        });
        let messages: Vec<&str> = snapshot.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(messages.iter().any(|message| message.contains("compressed")), "{messages:?}");
        assert!(messages.iter().any(|message| message.contains("is it an event file?")), "{messages:?}");
    });
}

#[test]
fn one_odd_tensor_does_not_make_a_series_unreadable() {
    both_ways(|logdir| {
        let odd = |step| tensor("conv1/kernel", step, 9.0, &[-1, 5, 3, 8], 0.0);
        let records = [odd(0), kernel(1, 1.0), odd(2)];
        logdir.append(FILE, &records.concat());
        let is_whole = |snapshot: &Snapshot| {
            let series = snapshot.series(".", "conv1/kernel");
            series.is_some_and(|series| {
                series.form.as_ref().is_ok_and(|form| form.shape.axes() == [5, 5, 3, 8])
                    && series.steps.len() == 3
            })
        };
        logdir.wait("the whole one", is_whole);
        logdir.append(FILE, &[odd(3), kernel(4, 4.0)].concat());
        logdir.wait("another whole one", |snapshot| steps(snapshot, ".", "conv1/kernel").contains(&4));
        assert_eq!(logdir.element(".", "conv1/kernel", 1, 0), 1.0);
        assert_eq!(logdir.element(".", "conv1/kernel", 4, 0), 4.0);
        // An odd one shows itself when it is read, and is counted then.
        let snapshot = logdir.catalog.snapshot();
        let series = snapshot.series(".", "conv1/kernel").unwrap();
        assert!(logdir.loader.load(series, 2, &series.steps[&2].attempt(0).unwrap()).is_err());
        let snapshot =
            logdir.wait("the fault", |snapshot| !steps(snapshot, ".", "conv1/kernel").contains(&2));
        assert!(
            faults(&snapshot).iter().any(|(fault, _)| *fault == "undecodable"),
            "{:?}",
            faults(&snapshot)
        );
    });
}

#[test]
fn a_file_that_names_very_many_tags_is_told_of_once_and_costs_no_more() {
    const MOST: u32 = 200_000;
    let memory = Memory::default();
    // `Event { summary 5 { value 1 { tag 1: "123456" } } }`, with another tag for each value.
    let named = |tags: std::ops::Range<u32>| {
        let block = |tag: u32| [b"\x0a\x08\x0a\x06".as_slice(), format!("{tag:06}").as_bytes()].concat();
        values(&tags.map(block).collect::<Vec<_>>().concat())
    };
    let (first, second, third) =
        (named(0..MOST - 2), named(MOST - 2..MOST + 10), named(MOST + 10..MOST + 20));
    memory.write(FILE, &[kernel(0, 0.0), first, second, third, kernel(1, 0.0)].concat());
    let snapshot = ingest::index_once(Arc::new(memory), ingest::Options::default());
    assert_eq!(snapshot.series(".", "conv1/kernel").unwrap().steps.len(), 2);
    assert_eq!(snapshot.runs["."].skipped.len(), MOST as usize - 1);
    let told: Vec<(&str, u64)> =
        snapshot.problems.iter().map(|problem| (problem.fault.name(), problem.count)).collect();
    assert_eq!(told, [("too_many_tags", 1)]);
}

/// A PNG of one gray.
fn png(width: u32, height: u32, gray: u8) -> Vec<u8> {
    let mut encoded = std::io::Cursor::new(Vec::new());
    let pixels = image::GrayImage::from_pixel(width, height, image::Luma([gray]));
    pixels.write_to(&mut encoded, image::ImageFormat::Png).unwrap();
    encoded.into_inner()
}

#[test]
fn numbered_pictures_share_a_sheet_with_those_of_their_size_alone() {
    let at_step = |step: i64, sizes: [(u32, u32); 4]| {
        (0..4).zip(sizes).flat_map(move |(number, (width, height))| {
            picture(&format!("val/image/{number}"), step, png(width, height, 10 * number as u8))
        })
    };
    let first: Vec<u8> = at_step(0, [(7, 5), (6, 5), (7, 5), (5, 7)]).collect();
    let second: Vec<u8> = at_step(1, [(7, 5), (6, 5), (7, 5), (5, 7)]).collect();
    let shapes = |snapshot: &Snapshot| -> Vec<(String, Vec<usize>, usize)> {
        let run = snapshot.runs.values().next();
        let all = run.into_iter().flat_map(|run| run.series.values());
        all.filter_map(|series| {
            let shape = series.form.as_ref().ok()?.shape.axes().to_vec();
            Some((series.tag.to_string(), shape, series.steps.len()))
        })
        .collect()
    };
    let expected: Vec<(String, Vec<usize>, usize)> = vec![
        ("val/image".to_owned(), vec![2, 5, 7, 1], 2),
        ("val/image/1".to_owned(), vec![1, 5, 6, 1], 2),
        ("val/image/3".to_owned(), vec![1, 7, 5, 1], 2),
    ];
    let whole = Logdir::followed(None);
    whole.append(&format!("run/{FILE}"), &[first.clone(), second.clone()].concat());
    let snapshot = whole.wait("all pictures", |snapshot| shapes(snapshot) == expected);
    for (tag, grays) in [("val/image", vec![0, 20]), ("val/image/1", vec![10]), ("val/image/3", vec![30])] {
        let series = snapshot.series("run", tag).unwrap();
        let parts = series.steps[&1].attempt(0).unwrap();
        let tensor = whole.loader.load(series, 1, &parts).unwrap();
        let firsts: Vec<u8> = tensor.bytes.chunks(35.min(tensor.bytes.len())).map(|one| one[0]).collect();
        assert_eq!(firsts, grays, "{tag}");
    }
    // One record after another gives the same.
    let grown = Logdir::followed(None);
    for (step, number, width, height) in [0, 1].into_iter().flat_map(|step| {
        [(0, 7, 5), (1, 6, 5), (2, 7, 5), (3, 5, 7)]
            .map(|(number, width, height)| (step, number, width, height))
    }) {
        let tag = format!("val/image/{number}");
        grown.append(&format!("run/{FILE}"), &picture(&tag, step, png(width, height, 0)));
        let records = 4 * step as u64 + number + 1;
        grown.wait("a record", |snapshot| snapshot.scanned.records == records);
    }
    grown.wait("all pictures", |snapshot| shapes(snapshot) == expected);
    // A step whose pictures all have another size is not torn apart.
    let third: Vec<u8> = at_step(2, [(9, 9), (6, 5), (9, 9), (5, 7)]).collect();
    grown.append(&format!("run/{FILE}"), &third);
    grown.wait("another size", |snapshot| {
        shapes(snapshot).first() == Some(&("val/image".to_owned(), vec![2, 9, 9, 1], 3))
    });
    assert!(faults(&grown.catalog.snapshot()).is_empty());
}

#[test]
fn pictures_that_do_not_fit_the_first_of_their_step_hide_none_that_do() {
    let same: Vec<u8> = (0..3).flat_map(|n| picture(&format!("v/image/{n}"), 0, png(4, 4, 10 + n))).collect();
    let parted = [(4, 4), (9, 4), (4, 4)].into_iter().zip(0..);
    let parted: Vec<u8> =
        parted.flat_map(|((w, h), n)| picture(&format!("v/image/{n}"), 1, png(w, h, 20 + n))).collect();
    let broken = [png(4, 4, 30), b"no picture".to_vec(), png(4, 4, 32)].into_iter().zip(0..);
    let broken: Vec<u8> = broken.flat_map(|(bytes, n)| picture(&format!("v/image/{n}"), 2, bytes)).collect();
    let steps_of = |snapshot: &Snapshot| steps(snapshot, "run", "v/image");
    let check = |logdir: &Logdir| {
        let snapshot = logdir.wait("all steps", |snapshot| steps_of(snapshot) == [0, 1, 2]);
        assert_eq!(snapshot.runs.values().next().unwrap().series.len(), 1, "one series, however it was read");
        let series = snapshot.series("run", "v/image").unwrap();
        for (step, grays) in [(0, vec![10, 11, 12]), (1, vec![20, 22]), (2, vec![30, 32])] {
            let tensor = logdir.loader.load(series, step, &series.steps[&step].attempt(0).unwrap()).unwrap();
            let firsts: Vec<u8> = tensor.bytes.chunks(16).map(|one| one[0]).collect();
            assert_eq!(firsts, grays, "step {step}");
        }
        logdir.wait("what was left out is told", |snapshot| !snapshot.problems.is_empty());
    };
    let whole = Logdir::followed(None);
    whole.append(&format!("run/{FILE}"), &[same.clone(), parted.clone(), broken.clone()].concat());
    check(&whole);
    // What is too much together is the fault of no picture.
    let small = Loader { max_bytes: 40, ..whole.loader.clone() };
    let snapshot = whole.catalog.snapshot();
    let (series, problems) = (snapshot.series("run", "v/image").unwrap(), snapshot.problems.len());
    let reason = small.load(series, 0, &series.steps[&0].attempt(0).unwrap()).unwrap_err().to_string();
    assert!(reason.contains("48 bytes of pixels are above the limit of 40"), "{reason}");
    whole.append(&format!("run/{FILE}"), &scalar("loss", 9));
    let snapshot = whole.wait("one more record", |snapshot| snapshot.scanned.records == 10);
    let attempt = snapshot.series("run", "v/image").unwrap().steps[&0].attempt(0).unwrap();
    assert_eq!((attempt.len(), snapshot.problems.len()), (3, problems));
    let grown = Logdir::followed(None);
    for (bytes, records) in [(same, 3), (parted, 6), (broken, 9)] {
        grown.append(&format!("run/{FILE}"), &bytes);
        grown.wait("a step", |snapshot| snapshot.scanned.records == records);
    }
    check(&grown);
}
