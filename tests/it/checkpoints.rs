//! Checkpoints: what real libraries wrote comes out bit for bit, and a file that is being written is never shown half.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use convscope::{
    catalog::{
        checked::Checked,
        ingest::{Options, index_once},
        snapshot::{Series, Snapshot},
    },
    load::{TensorFiles, load},
    model::{Confidence, role::Role},
    source::local::Local,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, kernel},
    waiting::{Deadline, until},
};

/// What a script saved with a real library.
#[derive(Deserialize)]
struct Case {
    root: String,
    checkpoints: Vec<Saved>,
}

#[derive(Deserialize)]
struct Saved {
    path: String,
    step: Option<i64>,
    epoch: Option<i64>,
    /// What a person reads in the name of the directory or the file.
    #[serde(default)]
    step_in_name: Option<i64>,
    tensors: BTreeMap<String, Truth>,
}

#[derive(Deserialize)]
struct Truth {
    dtype: String,
    shape: Vec<usize>,
    sha256: String,
    kind: String,
    layout: Option<String>,
}

const KERNELS: [&str; 3] = ["conv", "depthwise", "transposed"];

/// How much of what a family of writers saved came out right.
#[derive(Default)]
struct Tally {
    kernels: usize,
    whole: usize,
    roles: usize,
    /// Kernels whose layout is known.
    known: usize,
    layouts: usize,
    surely_wrong: usize,
    misses: Vec<String>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints")
}

/// A tensor that the program shows of a file.
struct Shown<'a> {
    series: &'a Series,
    step: i64,
    dtype: &'static str,
    shape: Vec<usize>,
    sha256: String,
}

/// What is shown of each file, with its numbers.
fn shown<'a>(snapshot: &'a Snapshot, source: &Local) -> BTreeMap<PathBuf, Vec<Shown<'a>>> {
    let checked = Checked::default();
    let files = TensorFiles { source, files: &snapshot.files, max_bytes: 1 << 30, checked: &checked };
    let mut shown: BTreeMap<PathBuf, Vec<Shown<'a>>> = BTreeMap::new();
    for series in snapshot.runs.values().flat_map(|run| run.series.values()) {
        for (step, attempts) in &series.steps {
            for logged in attempts.newest_first() {
                let Ok(tensor) = load(&files, series.encoding, &[*logged]) else { continue };
                let path = snapshot.files[&logged.file].path.clone();
                shown.entry(path).or_default().push(Shown {
                    series,
                    step: *step,
                    dtype: tensor.dtype.name(),
                    shape: tensor.shape.axes().to_vec(),
                    sha256: hex(&Sha256::digest(&tensor.bytes)),
                });
            }
        }
    }
    shown
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The moment of a checkpoint: what its content says, or what a person reads in its name.
fn moment(saved: &Saved) -> Option<(&'static str, i64)> {
    let content = saved.step.map(|step| ("step", step)).or(saved.epoch.map(|epoch| ("epoch", epoch)));
    content.or(saved.step_in_name.map(|step| ("step", step))).or_else(|| {
        let named = IN_NAMES.iter().find(|(part, ..)| saved.path.contains(part))?;
        Some((named.1, named.2))
    })
}

/// What a person reads in the names of some files.
const IN_NAMES: [(&str, &str, i64); 8] = [
    ("model_step_100.pt", "step", 100),
    ("by_directory/checkpoint-5/", "step", 5),
    ("by_directory/checkpoint-10/", "step", 10),
    ("sharded/checkpoint-3/", "step", 3),
    ("epoch_3", "epoch", 3),
    ("module_alone/step_500/", "step", 500),
    ("_step5.npz", "step", 5),
    ("legacy/step_40.onnx", "step", 40),
];

fn check(case: &Case, dir: &Path, tally: &mut Tally) {
    let root = dir.join(&case.root);
    let source = Local::new(root.clone());
    let snapshot = index_once(Arc::new(Local::new(root)), Options::default());
    let shown = shown(&snapshot, &source);
    for saved in &case.checkpoints {
        let of_file = shown.get(&dir.join(&saved.path)).map_or(&[][..], Vec::as_slice);
        for (name, truth) in saved.tensors.iter().filter(|(_, truth)| KERNELS.contains(&truth.kind.as_str()))
        {
            tally.kernels += 1;
            let at = format!("{} {name}", saved.path);
            let same = of_file.iter().find(|one| {
                (one.dtype, &one.shape, &one.sha256) == (truth.dtype.as_str(), &truth.shape, &truth.sha256)
            });
            let Some(one) = same else {
                tally.misses.push(format!("{at}: is not shown"));
                continue;
            };
            if let Some(expected) = moment(saved)
                && (one.series.axis.name(), one.step) != expected
            {
                tally
                    .misses
                    .push(format!("{at}: is at {} and not at {expected:?}", one.series.axis.words(one.step)));
                continue;
            }
            tally.whole += 1;
            check_facts(one.series, truth, &at, tally);
        }
    }
}

fn check_facts(series: &Series, truth: &Truth, at: &str, tally: &mut Tally) {
    let facts = &series.facts;
    if facts.role == Role::Kernel {
        tally.roles += 1;
    } else {
        tally.misses.push(format!("{at}: is {} ({})", facts.role.name(), facts.role_from.evidence));
    }
    let Some(expected) = &truth.layout else { return };
    tally.known += 1;
    match &facts.layout {
        Some((layout, _)) if layout.name() == expected => tally.layouts += 1,
        found => {
            let (name, reason) =
                found.as_ref().map_or(("nothing", None), |(layout, reason)| (layout.name(), Some(reason)));
            let evidence = reason.map_or("", |reason| reason.evidence.as_str());
            tally.misses.push(format!("{at}: {name} and not {expected} ({evidence})"));
            let is_sure = reason.is_some_and(|reason| reason.confidence != Confidence::Guess);
            tally.surely_wrong += usize::from(is_sure);
        }
    }
}

#[test]
fn checkpoints_of_real_writers_are_understood() {
    println!(
        "{:<14}{:>9}{:>9}{:>9}{:>9}{:>14}",
        "checkpoints", "kernels", "whole", "roles", "layouts", "surely wrong"
    );
    let mut all = Tally::default();
    let mut families: Vec<PathBuf> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    families.sort();
    for dir in families.iter().filter(|dir| dir.is_dir()) {
        let cases: BTreeMap<String, Case> =
            serde_json::from_slice(&fs::read(dir.join("truth.json")).unwrap()).unwrap();
        let mut tally = Tally::default();
        for case in cases.values() {
            check(case, dir, &mut tally);
        }
        let Tally { kernels, whole, roles, known, layouts, surely_wrong, misses } = tally;
        let family = dir.file_name().unwrap().to_string_lossy();
        println!("{family:<14}{kernels:>9}{whole:>9}{roles:>9}{layouts:>9}{surely_wrong:>14}");
        for miss in &misses {
            println!("    {miss}");
        }
        all.kernels += kernels;
        all.whole += whole;
        all.roles += roles;
        all.known += known;
        all.layouts += layouts;
        all.surely_wrong += surely_wrong;
    }
    assert!(all.kernels > 0);
    assert_eq!(all.whole, all.kernels, "each kernel comes out bit for bit, at its step");
    assert_eq!(all.surely_wrong, 0, "a wrong layout is never more than a guess");
    assert!(all.roles * 100 >= all.kernels * 98, "roles");
    assert!(all.layouts * 100 >= all.known * 98, "layouts");
}

/// A safetensors file with one kernel whose numbers are all `fill`.
fn safetensors(fill: f32) -> Vec<u8> {
    let shape = [64, 32, 3, 3];
    let count: usize = shape.iter().product();
    let header =
        format!(r#"{{"conv1.weight":{{"dtype":"F32","shape":{shape:?},"data_offsets":[0,{}]}}}}"#, count * 4);
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend((0..count).flat_map(|_| fill.to_le_bytes()));
    bytes
}

/// The one number of which the newest tensor consists; none where it cannot be read now.
fn only_number(daemon: &Daemon, tag: &str) -> Option<f32> {
    let numbers = numbers(daemon, tag)?;
    assert_eq!(numbers.len(), 1, "a torn tensor");
    Some(numbers[0])
}

/// The numbers that the newest tensor has, each once; none where it cannot be read now.
fn numbers(daemon: &Daemon, tag: &str) -> Option<Vec<f32>> {
    let answer = daemon.get(&format!("/api/v1/tensor?tag={tag}"));
    if answer.status != 200 {
        return None;
    }
    let data = &answer.body[answer.body.len() - 64 * 32 * 9 * 4..];
    let mut numbers: Vec<f32> =
        data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    numbers.dedup();
    Some(numbers)
}

/// Writes a file as trainings do: from the start in place, over the old bytes, or under another name first. Returns the longest time
/// between two parts that are written over the old bytes.
fn save(path: &Path, bytes: &[u8], way: usize) -> Duration {
    let mut longest = Duration::ZERO;
    match way % 3 {
        0 => {
            let mut file = File::create(path).unwrap();
            bytes.chunks(bytes.len() / 4 + 1).for_each(|part| file.write_all(part).unwrap());
        }
        1 => {
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
            file.rewind().unwrap();
            let mut before = Instant::now();
            for part in bytes.chunks(bytes.len() / 16 + 1) {
                file.write_all(part).unwrap();
                longest = longest.max(before.elapsed());
                before = Instant::now();
            }
        }
        _ => {
            let other = path.with_extension("tmp");
            fs::write(&other, bytes).unwrap();
            fs::rename(&other, path).unwrap();
        }
    }
    longest
}

/// A writer that stops for longer in the middle of writing over old bytes is taken for one that has ended: of such a file, nothing but its
/// time says that it is being written.
const CLOCK_STEP: Duration = Duration::from_millis(15);

#[test]
fn a_thousand_overwrites_in_place_show_no_torn_tensor() {
    const SAVES: usize = 1_000;
    let logdir = tempfile::tempdir().unwrap();
    let path = logdir.path().join("last.safetensors");
    save(&path, &safetensors(0.0), 0);
    let daemon = Daemon::serve(logdir.path(), &["--no-shelf"]).loaded();
    let (is_done, n_read) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (torn, interrupted) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (mut last, deadline) = (0.0, Deadline::start());
                while !is_done.load(Ordering::Relaxed) {
                    deadline.check("the end of the saves");
                    match numbers(&daemon, "conv1.weight").as_deref() {
                        Some([number]) => {
                            assert!(*number >= last, "{number} after {last}");
                            last = *number;
                            n_read.fetch_add(1, Ordering::Relaxed);
                        }
                        Some(several) => torn.lock().unwrap().push(several.to_vec()),
                        None => {}
                    }
                }
            });
        }
        scope.spawn(|| {
            for number in 1..=SAVES {
                if save(&path, &safetensors(number as f32), number) > CLOCK_STEP {
                    interrupted.lock().unwrap().push(number as f32);
                }
                // Most follow one another at once; others are left until they are shown.
                if number % 20 == 0 {
                    until("this save", || {
                        (numbers(&daemon, "conv1.weight")? == [number as f32]).then_some(())
                    });
                }
            }
            is_done.store(true, Ordering::Relaxed);
        });
    });
    assert!(n_read.load(Ordering::Relaxed) > 0, "nothing was read meanwhile");
    let interrupted = interrupted.into_inner().unwrap();
    for numbers in torn.into_inner().unwrap() {
        assert!(numbers.len() == 2 && interrupted.contains(&numbers[0]), "a torn tensor of {numbers:?}");
    }
    until("the last save", || (only_number(&daemon, "conv1.weight") == Some(SAVES as f32)).then_some(()));
    // One file is one step, however often it is written.
    let series = daemon.get("/api/v1/series").json();
    assert_eq!(series["series"][0]["steps"], 1, "{series}");
}

#[test]
fn checkpoints_come_and_go_without_the_events_of_their_run() {
    let logdir = tempfile::tempdir().unwrap();
    let run = logdir.path().join("run");
    fs::create_dir_all(run.join("checkpoints")).unwrap();
    fs::write(run.join(FILE), [kernel(1, 0.5), kernel(2, 0.5)].concat()).unwrap();
    let daemon = Daemon::serve(logdir.path(), &["--poll", "1", "--no-shelf"]).loaded();
    let steps_of = |tag: &str| {
        let series = daemon.get("/api/v1/series").json();
        let series = series["series"].as_array().unwrap().clone();
        let one = series.into_iter().find(|one| one["tag"] == tag)?;
        assert_eq!(one["run"], "run", "{one}");
        Some((one["steps"].as_u64().unwrap(), one["axis"].as_str().unwrap().to_owned()))
    };
    for step in [10, 20] {
        save(&run.join(format!("checkpoints/step_{step}.safetensors")), &safetensors(1.0), 0);
    }
    until("both checkpoints", || (steps_of("conv1.weight") == Some((2, "step".into()))).then_some(()));
    // An epoch is no step.
    save(&run.join("checkpoints/epoch_3.safetensors"), &safetensors(1.0), 0);
    until("the epoch", || (steps_of("conv1.weight by epoch") == Some((1, "epoch".into()))).then_some(()));
    fs::remove_file(run.join("checkpoints/step_10.safetensors")).unwrap();
    until("one less", || (steps_of("conv1.weight") == Some((1, "step".into()))).then_some(()));
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    until("none", || steps_of("conv1.weight").is_none().then_some(()));
    assert_eq!(steps_of("conv1/kernel"), Some((2, "step".into())));
    // What is read of the events anew does not take the checkpoints with it.
    fs::create_dir(run.join("weights")).unwrap();
    save(&run.join("weights/step_5.safetensors"), &safetensors(1.0), 0);
    until("the new one", || (steps_of("conv1.weight") == Some((1, "step".into()))).then_some(()));
    fs::write(run.join(FILE), kernel(1, 0.5)).unwrap();
    until("one step of events", || (steps_of("conv1/kernel") == Some((1, "step".into()))).then_some(()));
    assert_eq!(steps_of("conv1.weight"), Some((1, "step".into())));
}

#[test]
fn a_checkpoint_that_is_being_written_is_not_shown_and_one_that_is_cut_is_told() {
    let logdir = tempfile::tempdir().unwrap();
    let bytes = safetensors(1.0);
    fs::write(logdir.path().join("cut.safetensors"), &bytes[..bytes.len() - 1]).unwrap();
    let snapshot = index_once(Arc::new(Local::new(logdir.path().to_owned())), Options::default());
    assert!(snapshot.runs.is_empty());
    let problem = &snapshot.problems[0];
    assert_eq!(problem.fault.name(), "bad_checkpoint");
    assert!(problem.message.contains("it is not whole"), "{}", problem.message);
    let daemon = Daemon::serve(logdir.path(), &[]).loaded();
    assert_eq!(daemon.get("/api/v1/series").json()["series"].as_array().unwrap().len(), 0);
    // It counts as a checkpoint, and a file that only has the name of one does not.
    fs::write(logdir.path().join("notes.pt"), "this is no checkpoint at all").unwrap();
    let listed = convscope(&["ls", "--json", logdir.path().to_str().unwrap()]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["scanned"]["checkpoints"], 1, "{listed}");
    fs::write(logdir.path().join("cut.safetensors"), &bytes).unwrap();
    until("the whole one", || (only_number(&daemon, "conv1.weight") == Some(1.0)).then_some(()));
}

#[test]
fn a_damaged_tensor_is_told_with_its_file_and_the_others_are_shown() {
    let logdir = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(fixtures().join("pytorch/state_dict/model_step_100.pt")).unwrap();
    // A bit of a number of conv1.weight.
    bytes[1_800] ^= 1;
    let path = logdir.path().join("model_step_100.pt");
    fs::write(&path, &bytes).unwrap();
    let daemon = Daemon::serve(logdir.path(), &[]).loaded();
    daemon.wait("/api/v1/series", |series| !series["series"].as_array().unwrap().is_empty());
    let answer = daemon.get("/api/v1/tensor?tag=conv1.weight");
    assert_ne!(answer.status, 200);
    assert!(answer.message().contains("checksum of the 2400 bytes"), "{}", answer.message());
    let health = daemon.wait("/api/v1/health", |health| health["problems"][0]["kind"] == "bad_checkpoint");
    let problem = &health["problems"][0];
    assert_eq!(problem["file"], path.to_str().unwrap());
    assert!(problem["message"].as_str().unwrap().starts_with("conv1.weight: the checksum"), "{problem}");
    assert_eq!(daemon.get("/api/v1/tensor?tag=depthwise.weight").status, 200);
}

#[test]
fn a_part_that_comes_late_is_read_and_the_others_are_shown_before() {
    let logdir = tempfile::tempdir().unwrap();
    let from = fixtures().join("tensorflow/tf1_sharded");
    let last = "model.ckpt-10.data-00002-of-00003";
    for entry in fs::read_dir(&from).unwrap() {
        let name = entry.unwrap().file_name();
        if name != last {
            fs::copy(from.join(&name), logdir.path().join(&name)).unwrap();
        }
    }
    // Polling finds it too.
    for args in [&[][..], &["--poll", "1"]] {
        let daemon = Daemon::serve(logdir.path(), args).loaded();
        let problem = |health: &serde_json::Value| health["problems"][0]["kind"] == "checkpoint_not_read";
        let health = daemon.wait("/api/v1/health", problem);
        let message = health["problems"][0]["message"].as_str().unwrap();
        assert!(message.contains(last) && message.contains("cannot be opened"), "{message}");
        let readable = || {
            let series = daemon.get("/api/v1/series").json();
            series["series"].as_array().unwrap().iter().filter(|one| one["problem"].is_null()).count()
        };
        let before = readable();
        assert!(before > 0);
        fs::copy(from.join(last), logdir.path().join(last)).unwrap();
        daemon.wait("/api/v1/health", |health| health["problems"].as_array().unwrap().is_empty());
        assert!(readable() > before);
        fs::remove_file(logdir.path().join(last)).unwrap();
        daemon.wait("/api/v1/health", problem);
    }
}

#[test]
fn a_link_to_a_checkpoint_beside_it_is_no_second_one() {
    let logdir = tempfile::tempdir().unwrap();
    let daemon = Daemon::serve(logdir.path(), &[]).loaded();
    save(&logdir.path().join("step_1.safetensors"), &safetensors(1.0), 0);
    let attempts = || daemon.get("/api/v1/steps?tag=conv1.weight").json()["steps"].clone();
    until("the checkpoint", || (attempts().as_array()?.len() == 1).then_some(()));
    std::os::unix::fs::symlink("step_1.safetensors", logdir.path().join("last.safetensors")).unwrap();
    // What is saved after the link is seen after it.
    save(&logdir.path().join("step_2.safetensors"), &safetensors(2.0), 0);
    until("the next one", || (attempts().as_array()?.len() == 2).then_some(()));
    let series = daemon.get("/api/v1/series").json();
    assert_eq!(series["series"].as_array().unwrap().len(), 1, "{series}");
}

#[test]
fn series_of_one_name_are_told_apart_whatever_is_found_first() {
    // The names decide the order in which they are opened: the axis that has the tag itself comes first, or last.
    for names in [["a.safetensors", "epoch_3.safetensors"], ["epoch_3.safetensors", "z.safetensors"]] {
        let logdir = tempfile::tempdir().unwrap();
        for name in names {
            save(&logdir.path().join(name), &safetensors(1.0), 0);
        }
        let output = convscope(&["ls", "--json", logdir.path().to_str().unwrap()]);
        let listing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let series = listing["series"].as_array().unwrap();
        let mut found: Vec<[&str; 4]> = series
            .iter()
            .map(|one| ["tag", "axis", "layer", "role"].map(|field| one[field].as_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ["conv1.weight", "epoch", "conv1", "kernel"],
                ["conv1.weight by time", "time", "conv1", "kernel"]
            ]
        );
    }
}

/// Copies a directory.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy_all(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn a_directory_of_orbax_is_shown_in_its_run_once_it_has_its_own_name() {
    let logdir = tempfile::tempdir().unwrap();
    let (run, saves) = (logdir.path().join("run"), logdir.path().join("run/checkpoints"));
    fs::create_dir_all(&saves).unwrap();
    fs::write(run.join(FILE), kernel(1, 0.5)).unwrap();
    let daemon = Daemon::serve(logdir.path(), &["--poll", "1", "--no-shelf"]).loaded();
    let steps = || {
        let series = daemon.get("/api/v1/series").json();
        let series = series["series"].as_array().unwrap().clone();
        let one = series.into_iter().find(|one| one["tag"] == "params/conv1/kernel")?;
        assert_eq!((one["run"].as_str(), one["format"].as_str()), (Some("run"), Some("orbax")), "{one}");
        one["steps"].as_u64()
    };
    let from = fixtures().join("jax/v0_manager/checkpoints");
    copy_all(&from.join("100"), &saves.join("100"));
    until("the first", || (steps() == Some(1)).then_some(()));
    copy_all(&from.join("200"), &saves.join("200.orbax-checkpoint-tmp-7"));
    // What comes after it is shown, and it is not.
    fs::write(run.join("step_5.safetensors"), safetensors(1.0)).unwrap();
    until("what came later", || only_number(&daemon, "conv1.weight").map(|_| ()));
    assert_eq!(steps(), Some(1));
    fs::rename(saves.join("200.orbax-checkpoint-tmp-7"), saves.join("200")).unwrap();
    until("the second", || (steps() == Some(2)).then_some(()));
    let problems = daemon.get("/api/v1/health").json()["problems"].clone();
    assert_eq!(problems, serde_json::json!([]));
    fs::remove_dir_all(saves.join("100")).unwrap();
    until("one less", || (steps() == Some(1)).then_some(()));
}
