//! The shelf: what training overwrote or deleted stays on the scrubber.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    daemon::{Daemon, convscope},
    waiting::{exit_code, signal, until},
};

const SHAPE: [usize; 4] = [8, 3, 3, 3];
const COUNT: usize = 8 * 27;

/// A checkpoint of safetensors with a convolution whose numbers are all `fill`, a large kernel, and the step in its metadata.
fn checkpoint(step: i64, fill: f32) -> Vec<u8> {
    const LARGE: usize = 64 * 64 * 5 * 5;
    let end = (COUNT + LARGE) * 4;
    let header = format!(
        r#"{{"__metadata__":{{"step":"{step}"}},"conv1.weight":{{"dtype":"F32","shape":{SHAPE:?},"data_offsets":[0,{}]}},"conv2.weight":{{"dtype":"F32","shape":[64,64,5,5],"data_offsets":[{},{end}]}}}}"#,
        COUNT * 4,
        COUNT * 4
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend((0..COUNT + LARGE).flat_map(|_| fill.to_le_bytes()));
    bytes
}

/// A logdir and a shelf.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("logs")).unwrap();
        Self { dir }
    }

    fn logdir(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    fn shelf(&self) -> PathBuf {
        self.dir.path().join("shelf")
    }

    fn serve(&self, args: &[&str]) -> Daemon {
        let shelf = self.shelf();
        Daemon::serve(&self.logdir(), &[&["--shelf", shelf.to_str().unwrap()], args].concat()).loaded()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.logdir().join(name), bytes).unwrap();
    }

    /// The files of the shelf.
    fn kept(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut dirs = vec![self.shelf()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if path.extension().is_some_and(|ending| ending == "convscope-shelf") {
                    found.push(path);
                }
            }
        }
        found
    }

    /// The convscope program with the shelf of this place.
    fn run(&self, args: &[&str]) -> String {
        let shelf = self.shelf();
        let output = convscope(&[args, &["--shelf", shelf.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn series(daemon: &Daemon, tag: &str) -> Option<Value> {
    let list = daemon.get("/api/v1/series").json();
    list["series"].as_array().unwrap().iter().find(|one| one["tag"] == tag).cloned()
}

fn steps(daemon: &Daemon, tag: &str) -> (Vec<i64>, Vec<u64>) {
    let answer = daemon.get(&format!("/api/v1/steps?tag={tag}"));
    if answer.status != 200 {
        return (Vec::new(), Vec::new());
    }
    let list = |name: &str| answer.json()[name].as_array().unwrap().clone();
    (
        list("steps").iter().map(|step| step.as_i64().unwrap()).collect(),
        list("attempts").iter().map(|count| count.as_u64().unwrap()).collect(),
    )
}

/// The number of which the first convolution consists at this step and attempt.
fn number(daemon: &Daemon, step: i64, attempt: usize) -> f32 {
    number_now(daemon, step, attempt).expect("there is such a step")
}

/// The same; none while the checkpoint is being overwritten, or if several numbers are mixed.
fn number_now(daemon: &Daemon, step: i64, attempt: usize) -> Option<f32> {
    let answer = daemon.get(&format!("/api/v1/tensor?tag=conv1.weight&step={step}&attempt={attempt}"));
    if answer.status != 200 {
        return None;
    }
    let data = &answer.body[answer.body.len() - COUNT * 4..];
    let mut numbers = data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    let first = numbers.next().unwrap();
    numbers.all(|number| number == first).then_some(first)
}

fn wait_for_kept(place: &Place, count: usize) {
    until(&format!("{count} saves on the shelf"), || (place.kept().len() == count).then_some(()));
}

fn wait_for_steps(daemon: &Daemon, expected: &[i64]) {
    until(&format!("the steps {expected:?}"), || (steps(daemon, "conv1.weight").0 == expected).then_some(()));
}

#[test]
fn a_file_that_is_overwritten_stays_on_the_scrubber_also_when_the_program_is_killed() {
    let place = Place::new();
    let mut daemon = place.serve(&[]);
    for step in 0..12 {
        place.write("last.safetensors", &checkpoint(step, step as f32));
        wait_for_kept(&place, step as usize + 1);
        if step % 4 == 3 {
            signal(&daemon.child, "-KILL");
            exit_code(&mut daemon.child);
            daemon = place.serve(&[]);
        }
    }
    let all: Vec<i64> = (0..12).collect();
    wait_for_steps(&daemon, &all);
    assert_eq!(steps(&daemon, "conv1.weight").1, [1; 12], "each step is shown once");
    for step in all {
        assert_eq!(number(&daemon, step, 0), step as f32);
    }
    let one = series(&daemon, "conv1.weight").unwrap();
    assert_eq!(
        (&one["kept_steps"], &one["format"], &one["layout"]),
        (&11.into(), &"safetensors".into(), &"OIHW".into())
    );
    let large = series(&daemon, "conv2.weight").unwrap();
    assert_eq!((&large["steps"], &large["kept_steps"]), (&1.into(), &0.into()));
    assert_eq!(large["not_kept"], 11);
    let skipped = daemon.get("/api/v1/skipped").json();
    let row = skipped["skipped"].as_array().unwrap().iter().find(|row| row["kind"] == "not_kept").unwrap();
    assert_eq!((&row["tag"], &row["count"]), (&"conv2.weight".into(), &11.into()));
    let health = daemon.get("/api/v1/health").json();
    assert_eq!((&health["shelf"]["saves"], &health["shelf"]["lost"]), (&12.into(), &0.into()), "{health}");
    assert!(daemon.said().contains("Kernels of checkpoints are kept in "), "{}", daemon.said());
    let only: BTreeSet<_> =
        fs::read_dir(place.logdir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(only, BTreeSet::from(["last.safetensors".into()]), "nothing is written into the logdir");
}

#[test]
fn what_is_deleted_is_shown_from_the_shelf_and_commands_show_it_too() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    for step in [10, 20, 30] {
        place.write(&format!("step_{step}.safetensors"), &checkpoint(step, step as f32));
        wait_for_kept(&place, step as usize / 10);
        let before = place.logdir().join(format!("step_{}.safetensors", step - 10));
        let _ = fs::remove_file(before);
    }
    wait_for_steps(&daemon, &[10, 20, 30]);
    fs::remove_file(place.logdir().join("step_30.safetensors")).unwrap();
    until("the shelf alone", || (series(&daemon, "conv1.weight")?["format"] == "shelf").then_some(()));
    let one = series(&daemon, "conv1.weight").unwrap();
    assert_eq!(
        (&one["kept_steps"], &one["steps"], &one["layout"]),
        (&3.into(), &3.into(), &"OIHW".into()),
        "{one}"
    );
    assert!(series(&daemon, "conv2.weight").is_none());
    assert_eq!([10, 20, 30].map(|step| number(&daemon, step, 0)), [10.0, 20.0, 30.0]);
    let logdir = place.logdir();
    let listed = place.run(&["ls", logdir.to_str().unwrap()]);
    assert!(
        listed.contains("3 steps, 10 to 30, 3 on the shelf")
            && listed.contains("conv2.weight  not kept of 3 saves"),
        "{listed}"
    );
    let png = place.dir.path().join("a.png");
    place.run(&[
        "render",
        logdir.to_str().unwrap(),
        "--tag",
        "conv1.weight",
        "--step",
        "20",
        "-o",
        png.to_str().unwrap(),
    ]);
    assert!(fs::read(png).unwrap().starts_with(b"\x89PNG"));
    // A run that somebody removed is gone.
    fs::remove_dir(&logdir).unwrap();
    until("an empty logdir", || series(&daemon, "conv1.weight").is_none().then_some(()));
}

#[test]
fn the_same_step_written_anew_is_another_attempt_and_a_copy_is_not() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    place.write("step_5.safetensors", &checkpoint(5, 1.0));
    wait_for_kept(&place, 1);
    // A copy under another name, and then both go.
    place.write("last.safetensors", &checkpoint(5, 1.0));
    until("both", || (steps(&daemon, "conv1.weight").1 == [2]).then_some(()));
    fs::remove_file(place.logdir().join("step_5.safetensors")).unwrap();
    until("the copy alone", || (steps(&daemon, "conv1.weight").1 == [1]).then_some(()));
    fs::remove_file(place.logdir().join("last.safetensors")).unwrap();
    until("the shelf", || (series(&daemon, "conv1.weight")?["format"] == "shelf").then_some(()));
    assert_eq!(steps(&daemon, "conv1.weight"), (vec![5], vec![1]));
    place.write("step_5.safetensors", &checkpoint(5, 2.0));
    wait_for_kept(&place, 2);
    until("two attempts", || (steps(&daemon, "conv1.weight").1 == [2]).then_some(()));
    assert_eq!([0, 1].map(|attempt| number(&daemon, 5, attempt)), [2.0, 1.0]);
}

#[test]
fn a_network_does_not_hide_another_one_of_its_run() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    place.write("netG_epoch_1.safetensors", &checkpoint(1, 1.0));
    wait_for_kept(&place, 1);
    let header =
        r#"{"__metadata__":{"step":"1"},"fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
    place.write("netD_epoch_1.safetensors", &bytes);
    until("both networks", || series(&daemon, "fc.bias").map(|_| ()));
    fs::remove_file(place.logdir().join("netG_epoch_1.safetensors")).unwrap();
    until("the shelf", || (series(&daemon, "conv1.weight")?["format"] == "shelf").then_some(()));
}

#[test]
fn a_write_that_was_never_whole_is_named() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    let whole = checkpoint(1, 1.0);
    place.write("last.safetensors", &whole[..whole.len() / 2]);
    daemon.wait("/api/v1/health", |health| health["scanned"]["checkpoints"] == 1);
    until("its name", || {
        // The first look at half of it may come at any time.
        place.write("last.safetensors", &whole[..whole.len() / 2]);
        let health = daemon.get("/api/v1/health").json();
        let lost = health["shelf"]["lost_saves"].as_array()?.first()?.as_str()?.to_owned();
        (lost.starts_with("last.safetensors, written at ") && health["shelf"]["lost"].as_u64() > Some(0))
            .then_some(())
    });
    place.write("last.safetensors", &whole);
    wait_for_kept(&place, 1);
}

#[test]
fn the_step_that_a_trainer_writes_after_the_weights_is_waited_for() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    let state = |step: i64| format!(r#"{{"global_step": {step}}}"#);
    let weights = |fill: f32| {
        // Without a step of its own.
        let mut bytes = checkpoint(0, fill);
        bytes[8..8 + 28].copy_from_slice(br#"{"__metadata__":{"text":"0"}"#);
        bytes
    };
    place.write("model.safetensors", &weights(1.0));
    place.write("trainer_state.json", state(500).as_bytes());
    wait_for_steps(&daemon, &[500]);
    place.write("model.safetensors", &weights(2.0));
    until("the new weights", || (number_now(&daemon, 500, 0)? == 2.0).then_some(()));
    place.write("trainer_state.json", state(1000).as_bytes());
    until("both steps", || (steps(&daemon, "conv1.weight").0 == [500, 1000]).then_some(()));
    assert_eq!((number(&daemon, 500, 0), number(&daemon, 1000, 0)), (1.0, 2.0));
    assert_eq!(steps(&daemon, "conv1.weight").1, [1, 1]);
}

#[test]
fn a_run_that_is_removed_is_gone_at_once() {
    let place = Place::new();
    fs::create_dir(place.logdir().join("run")).unwrap();
    let daemon = place.serve(&[]);
    for step in 1..4 {
        place.write("run/last.safetensors", &checkpoint(step, 1.0));
        wait_for_kept(&place, step as usize);
    }
    wait_for_steps(&daemon, &[1, 2, 3]);
    fs::remove_dir_all(place.logdir().join("run")).unwrap();
    until("no run", || (steps(&daemon, "conv1.weight").0.is_empty()).then_some(()));
}

#[test]
fn a_copy_of_a_file_that_is_written_over_slowly_does_not_stay() {
    let place = Place::new();
    let daemon = place.serve(&[]);
    let path = place.logdir().join("last.safetensors");
    fs::write(&path, checkpoint(1, 1.0)).unwrap();
    wait_for_kept(&place, 1);
    // It has the same length and no checksum: only its time says that it is being written.
    let next = checkpoint(2, 2.0);
    let numbers_at = next.len() - (COUNT + 64 * 64 * 5 * 5) * 4;
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&next[..numbers_at + COUNT * 2]).unwrap();
    wait_for_kept(&place, 2);
    file.write_all(&next[numbers_at + COUNT * 2..]).unwrap();
    until("the whole save alone", || {
        let of_save = |path: &PathBuf| path.to_str().unwrap().contains(".s2-");
        let found: Vec<PathBuf> = place.kept().into_iter().filter(of_save).collect();
        (found.len() == 1 && place.kept().len() == 2).then_some(())?;
        (number_now(&daemon, 2, 0)? == 2.0).then_some(())
    });
    fs::remove_file(&path).unwrap();
    until("the shelf", || (series(&daemon, "conv1.weight")?["format"] == "shelf").then_some(()));
    assert_eq!(steps(&daemon, "conv1.weight"), (vec![1, 2], vec![1, 1]));
    assert_eq!((number(&daemon, 1, 0), number(&daemon, 2, 0)), (1.0, 2.0));
}

#[test]
fn two_programs_share_a_shelf() {
    let place = Place::new();
    let daemons = [place.serve(&[]), place.serve(&[])];
    for step in 0..6 {
        place.write("last.safetensors", &checkpoint(step, step as f32));
        wait_for_kept(&place, step as usize + 1);
    }
    for daemon in &daemons {
        wait_for_steps(daemon, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(steps(daemon, "conv1.weight").1, [1; 6]);
    }
}

#[test]
fn the_budget_holds_and_the_first_and_the_last_stay() {
    let place = Place::new();
    let daemon = place.serve(&["--shelf-mb", "1"]);
    // Each save takes a little more than 256 KiB.
    let kernel = |step: i64| {
        let count = 64 * 32 * 32;
        let header = format!(
            r#"{{"__metadata__":{{"step":"{step}"}},"conv1.weight":{{"dtype":"F32","shape":[64,4,16,16],"data_offsets":[0,{}]}}}}"#,
            count * 4
        );
        let numbers = (0..count).flat_map(|_| (step as f32).to_le_bytes());
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &numbers.collect::<Vec<u8>>()].concat()
    };
    for step in 0..9 {
        place.write("last.safetensors", &kernel(step));
        until("the newest save", || {
            let name = format!(".s{step}-");
            place.kept().iter().any(|path| path.to_str().unwrap().contains(&name)).then_some(())
        });
        until("the budget", || {
            let bytes = place.kept().iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum::<u64>();
            (bytes <= 1 << 20).then_some(())
        });
    }
    until("the ends", || {
        let (steps, _) = steps(&daemon, "conv1.weight");
        (steps.len() == 3 && steps[0] == 0 && steps[2] == 8).then_some(())
    });
}

#[test]
fn a_shelf_that_cannot_be_written_is_one_problem_and_stops_nothing() {
    let place = Place::new();
    fs::write(place.shelf(), b"a file").unwrap();
    let daemon = place.serve(&[]);
    place.write("last.safetensors", &checkpoint(1, 1.0));
    let health = daemon.wait("/api/v1/health", |health| health["problems"][0]["kind"] == "shelf");
    assert_eq!(
        (&health["status"], health["problems"].as_array().unwrap().len()),
        (&"ok".into(), 1),
        "{health}"
    );
    let message = health["problems"][0]["message"].as_str().unwrap();
    assert!(message.contains("--shelf DIR") && message.contains("--no-shelf"), "{message}");
    wait_for_steps(&daemon, &[1]);
    assert_eq!(number(&daemon, 1, 0), 1.0);
    // It is kept as soon as that is possible.
    fs::remove_file(place.shelf()).unwrap();
    wait_for_kept(&place, 1);
    daemon.wait("/api/v1/health", |health| health["problems"].as_array().unwrap().is_empty());
}

#[test]
fn nothing_is_kept_in_the_logdir_or_where_nobody_wants_it() {
    let place = Place::new();
    let logdir = place.logdir();
    let inside = logdir.join("shelf");
    let refused =
        convscope(&["serve", logdir.to_str().unwrap(), "--shelf", inside.to_str().unwrap(), "--port", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("into which nothing is written"));
    let daemon = Daemon::serve(&logdir, &["--no-shelf"]).loaded();
    place.write("last.safetensors", &checkpoint(1, 1.0));
    wait_for_steps(&daemon, &[1]);
    let health = daemon.get("/api/v1/health").json();
    assert_eq!((&health["shelf"], daemon.said().contains("kept")), (&Value::Null, false), "{health}");
}

#[test]
fn what_is_kept_is_listed_moved_and_removed() {
    let place = Place::new();
    let logdir = place.logdir();
    fs::create_dir(logdir.join("run")).unwrap();
    drop({
        let daemon = place.serve(&[]);
        place.write("run/step_1.safetensors", &checkpoint(1, 1.0));
        place.write("run/step_2.safetensors", &checkpoint(2, 2.0));
        wait_for_kept(&place, 2);
        daemon
    });
    let listed = place.run(&["shelf", "list"]);
    for part in [
        "2 saves in ",
        "run run: 2 steps, 1 to 2",
        "kept: conv1.weight",
        "not kept: conv2.weight (409600 bytes)",
    ] {
        assert!(listed.contains(part), "{part} in {listed}");
    }
    let json: Value = serde_json::from_str(&place.run(&["shelf", "list", "--json"])).unwrap();
    assert_eq!(json[0]["runs"][0]["steps"], serde_json::json!([1, 2]));
    let renamed = place.dir.path().join("renamed");
    fs::rename(&logdir, &renamed).unwrap();
    place.run(&["shelf", "move", logdir.to_str().unwrap(), "--renamed", renamed.to_str().unwrap()]);
    assert!(place.run(&["shelf", "list"]).contains("renamed\n"));
    for step in [1, 2] {
        fs::remove_file(renamed.join(format!("run/step_{step}.safetensors"))).unwrap();
    }
    assert!(place.run(&["ls", renamed.to_str().unwrap()]).contains("2 steps, 1 to 2, 2 on the shelf"));
    let other = place.dir.path().join("other");
    place.run(&["shelf", "move", "--to", other.to_str().unwrap()]);
    assert_eq!((place.kept().len(), count_below(&other)), (0, 3));
    let emptied = convscope(&["shelf", "empty", "--all", "--shelf", other.to_str().unwrap()]);
    assert!(emptied.status.success() && count_below(&other) == 0);
    let nothing =
        convscope(&["shelf", "empty", renamed.to_str().unwrap(), "--shelf", other.to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(2));
}

/// How many files lie below a directory.
fn count_below(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count_below(&path) } else { 1 }).sum()
}
