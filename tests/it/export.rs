//! `convscope export`: what it writes, that it goes on after any stop, and what it never does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use convscope::{
    export::zip::Archive,
    proto::{Event, event::What, summary::value},
};
use image::RgbImage;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::{
    daemon::convscope,
    logs::{FILE, kernel, tensor},
    waiting::{exit_code, output_of, signal, until},
};

/// Run, tag, step.
type Name = (String, String, i64);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn arguments<'a>(logdir: &'a Path, out: &'a Path, options: &[&'a str]) -> Vec<&'a str> {
    [&["export", logdir.to_str().unwrap(), "-o", out.to_str().unwrap()], options].concat()
}

fn export(logdir: &Path, out: &Path, options: &[&str], code: i32) -> String {
    checked(&convscope(&arguments(logdir, out, options)), code)
}

fn checked(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

/// The events of all event files below a directory, with their runs. Every record must be whole but for a cut last one.
fn events(dir: &Path) -> Vec<(String, Event)> {
    let mut events = Vec::new();
    for path in files_below(dir).iter().filter(|path| path.to_str().unwrap().contains("tfevents")) {
        let run = path.parent().unwrap().strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(path).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((head, behind)) = rest.split_at_checked(12) {
            let len = usize::try_from(u64::from_le_bytes(head[..8].try_into().unwrap())).unwrap();
            let Some(payload) = behind.get(..len) else { break };
            events.push((run.clone(), Event::decode(payload).unwrap()));
            rest = behind.get(len + 4..).unwrap_or_default();
        }
    }
    events
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The pictures in events, in either form, with their wall times.
fn pictures(dir: &Path) -> Vec<(Name, f64, Vec<u8>)> {
    let mut pictures = Vec::new();
    for (run, event) in events(dir) {
        let Some(What::Summary(summary)) = event.what else { continue };
        for value in summary.value {
            let png = match value.value.unwrap() {
                value::Value::Image(image) => image.encoded_image_string.to_vec(),
                value::Value::Tensor(tensor) if tensor.string_val.len() == 3 => tensor.string_val[2].to_vec(),
                _ => continue,
            };
            let tag = String::from_utf8(value.tag.to_vec()).unwrap();
            pictures.push(((run.clone(), tag, event.step), event.wall_time, png));
        }
    }
    pictures
}

/// The names, of which none may come twice.
fn names(dir: &Path) -> BTreeSet<Name> {
    let all: Vec<Name> = pictures(dir).into_iter().map(|(name, ..)| name).collect();
    let once: BTreeSet<Name> = all.iter().cloned().collect();
    assert_eq!(once.len(), all.len(), "a picture is there twice");
    once
}

fn pixels(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).unwrap().to_rgb8()
}

/// Two runs with a kernel and an activation each, at steps that are multiples of 3.
fn small_logdir(steps: i64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for run in ["a", "b/c"] {
        fs::create_dir_all(dir.path().join(run)).unwrap();
        let mut bytes = Vec::new();
        for step in (0..steps).map(|step| 3 * step) {
            bytes.extend(kernel(step, 0.25));
            let time = 1_000.5 + step as f64;
            bytes.extend(tensor("conv1/Relu", step, time, &[1, 8, 8, 16], step as f32));
        }
        fs::write(dir.path().join(run).join(FILE), bytes).unwrap();
    }
    dir
}

/// What an export of such a logdir holds.
fn expected(steps: i64) -> BTreeSet<Name> {
    let tags = ["conv1/kernel/symmetric-layer", "conv1/Relu/minmax-layer"];
    let of_run = |run: &'static str| {
        let steps =
            move |tag: &'static str| (0..steps).map(move |step| (run.to_owned(), tag.to_owned(), 3 * step));
        tags.into_iter().flat_map(steps)
    };
    ["a", "b/c"].into_iter().flat_map(of_run).collect()
}

#[test]
fn the_classic_preset_writes_the_pixels_that_tensorflow_wrote() {
    let out = tempfile::tempdir().unwrap();
    let logdir = fixture("recipe_tf1");
    export(&logdir, out.path(), &["--to", "tensorboard", "--preset", "classic"], 0);
    let theirs: BTreeMap<Name, Vec<u8>> =
        pictures(&logdir).into_iter().map(|(name, _, png)| (name, png)).collect();
    let ours: BTreeMap<Name, Vec<u8>> =
        pictures(out.path()).into_iter().map(|(name, _, png)| (name, png)).collect();
    let kept = |(_, tag, step): &&Name| tag.contains("filters/image") || step % 20 == 0;
    let compared: Vec<&Name> = theirs.keys().filter(kept).collect();
    // The activation was logged at 3 steps, the kernel at 5.
    assert_eq!(compared.len(), 5 * 3 + 3 * 16);
    for name in &compared {
        assert_eq!(pixels(&ours[name]), pixels(&theirs[name]), "{name:?}");
    }
    let sheets = ours.keys().filter(|(_, tag, _)| tag.ends_with("/sheet")).count();
    assert_eq!(ours.len(), compared.len() + sheets);
    assert_eq!(sheets, 5 + 5 + 3);
}

#[test]
fn steps_wall_times_and_runs_are_kept_and_a_second_export_adds_nothing() {
    let (logdir, out) = (small_logdir(4), tempfile::tempdir().unwrap());
    export(logdir.path(), out.path(), &["--to", "tensorboard"], 0);
    assert_eq!(names(out.path()), expected(4));
    for ((_, tag, step), wall_time, _) in pictures(out.path()) {
        let start = if tag.contains("kernel") { 1_000.0 } else { 1_000.5 };
        assert_eq!(wall_time, start + step as f64);
    }
    let files =
        |dir: &Path| files_below(dir).into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = files(out.path());
    let told = export(logdir.path(), out.path(), &["--to", "tensorboard"], 0);
    assert!(told.contains("0 pictures of 0 tensors"), "{told}");
    assert_eq!(files(out.path()), before);
}

#[test]
fn events_have_the_form_of_either_tensorflow() {
    let logdir = small_logdir(1);
    let first = |options: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        export(logdir.path(), out.path(), &[&["--to", "tensorboard", "--run", "a"], options].concat(), 0);
        let events = events(out.path());
        assert_eq!(events[0].1.what, Some(What::FileVersion("brain.Event:2".to_owned())));
        assert_eq!(events[0].1.source_metadata.as_ref().unwrap().writer, "convscope");
        let Some(What::Summary(summary)) = events[1].1.what.clone() else { panic!("no summary") };
        summary.value[0].clone()
    };
    let tf2 = first(&[]);
    let metadata = tf2.metadata.unwrap();
    assert_eq!(&metadata.plugin_data.unwrap().plugin_name[..], b"images");
    let text = String::from_utf8(metadata.summary_description.to_vec()).unwrap();
    assert!(text.contains("from -0.25 to 0.25") && text.contains("rdbu") | text.contains("rgb"), "{text}");
    let Some(value::Value::Tensor(texts)) = tf2.value else { panic!("no tensor") };
    let size = pixels(&texts.string_val[2]).dimensions();
    assert_eq!(texts.string_val[0], size.0.to_string());
    assert_eq!(texts.string_val[1], size.1.to_string());
    let Some(value::Value::Image(image)) = first(&["--tf1"]).value else { panic!("no image") };
    assert_eq!((image.width.unsigned_abs(), image.height.unsigned_abs()), size);
}

#[test]
fn tags_say_what_was_chosen() {
    let (logdir, out) = (small_logdir(2), tempfile::tempdir().unwrap());
    let options =
        ["--to", "tensorboard", "--run", "a", "--role", "activation", "--range", "fixed:-1:4", "--zoom", "2"];
    export(
        logdir.path(),
        out.path(),
        &[&options[..], &["--scope", "tile", "--cmap", "magma", "--steps", "1:"]].concat(),
        0,
    );
    let name = ("a".to_owned(), "conv1/Relu/fixed:-1:4-tile,cmap=magma,zoom=2".to_owned(), 3);
    assert_eq!(names(out.path()), BTreeSet::from([name]));
    // Another set of options stands beside it.
    export(logdir.path(), out.path(), &["--to", "tensorboard", "--layer", "c?nv*", "--every", "2"], 0);
    assert_eq!(names(out.path()).len(), 1 + 4);
}

#[test]
fn steps_that_tensorboard_would_take_for_a_restart_are_refused() {
    let (logdir, out) = (small_logdir(5), tempfile::tempdir().unwrap());
    export(logdir.path(), out.path(), &["--to", "tensorboard", "--every", "2"], 0);
    let before = names(out.path());
    let told = export(logdir.path(), out.path(), &["--to", "tensorboard"], 2);
    assert!(told.contains("step 3") && told.contains("another directory"), "{told}");
    assert_eq!(names(out.path()), before);
}

/// Starts exports and kills each when so many bytes are below `out`; then runs one to its end.
fn killed_and_resumed(logdir: &Path, out: &Path, to: &str) {
    let size = |dir: &Path| -> u64 {
        files_below(dir).iter().map(|path| path.metadata().map_or(0, |meta| meta.len())).sum()
    };
    let mut n_killed = 0;
    for round in 0..12_u64 {
        // A different moment each time: from before the first byte on, and between any two writes.
        let enough = size(out) + round * round * 97;
        let mut child = spawned(logdir, out, &["--to", to]);
        let is_over = |child: &mut Child| size(out) >= enough || child.try_wait().unwrap().is_some();
        until("enough bytes", || is_over(&mut child).then_some(()));
        // One that has ended by itself needs no end.
        let _ = child.kill();
        n_killed += usize::from(exit_code(&mut child).is_none());
    }
    assert!(n_killed >= 2, "{to}: {n_killed} exports were killed: make the log larger");
    export(logdir, out, &["--to", to], 0);
}

fn spawned(logdir: &Path, out: &Path, options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_convscope"))
        .args(arguments(logdir, out, options))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn an_export_that_is_killed_at_any_moment_goes_on() {
    let (logdir, out) = (small_logdir(150), tempfile::tempdir().unwrap());
    killed_and_resumed(logdir.path(), out.path(), "tensorboard");
    assert_eq!(names(out.path()), expected(150));
    checked(&convscope(&["verify", "--strict", out.path().to_str().unwrap()]), 0);
    let undisturbed = tempfile::tempdir().unwrap();
    export(logdir.path(), undisturbed.path(), &["--to", "tensorboard"], 0);
    assert!(pictures(out.path()) == pictures(undisturbed.path()));
}

#[test]
fn trees_of_pictures_and_arrays_go_on_too() {
    let logdir = small_logdir(60);
    for to in ["png", "npz"] {
        let (out, undisturbed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        killed_and_resumed(logdir.path(), out.path(), to);
        export(logdir.path(), undisturbed.path(), &["--to", to], 0);
        let tree = |dir: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
            let relative =
                |path: PathBuf| (path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap());
            files_below(dir).into_iter().map(relative).collect()
        };
        let (tree, expected) = (tree(out.path()), tree(undisturbed.path()));
        assert!(tree.keys().eq(expected.keys()), "{:?} {:?}", tree.keys(), expected.keys());
        assert!(tree == expected, "{to}");
    }
}

#[test]
fn a_full_disk_ends_with_what_to_do_and_the_rest_follows() {
    let (logdir, out) = (small_logdir(40), tempfile::tempdir().unwrap());
    for to in ["tensorboard", "npz", "png"] {
        let out = out.path().join(to);
        let arguments = arguments(logdir.path(), &out, &["--to", to]);
        // No file may grow beyond 16 blocks of 512 bytes, as on a disk that is full; the signal is ignored.
        let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
        let program = env!("CARGO_BIN_EXE_convscope");
        let output = output_of(Command::new("sh").args(["-c", script, program]).args(&arguments)).unwrap();
        let told = checked(&output, 1);
        assert!(told.contains("cannot be written") && told.contains("to go on"), "{told}");
        assert!(!files_below(&out).iter().any(|path| path.to_str().unwrap().ends_with(".partial")));
        export(logdir.path(), &out, &["--to", to], 0);
    }
    assert_eq!(names(&out.path().join("tensorboard")), expected(40));
}

#[test]
fn what_a_training_writes_is_followed_until_interrupted() {
    let (logdir, out) = (small_logdir(2), tempfile::tempdir().unwrap());
    let mut child = spawned(logdir.path(), out.path(), &["--to", "tensorboard", "--follow"]);
    let wait_for = |n: usize| {
        until(&format!("picture {n}"), || (pictures(out.path()).len() >= n).then_some(()));
    };
    wait_for(8);
    let mut file = fs::OpenOptions::new().append(true).open(logdir.path().join("a").join(FILE)).unwrap();
    let late = kernel(6, 0.5);
    file.write_all(&late[..40]).unwrap();
    file.write_all(&late[40..]).unwrap();
    fs::create_dir(logdir.path().join("new")).unwrap();
    fs::write(logdir.path().join("new").join(FILE), kernel(1, 0.5)).unwrap();
    wait_for(10);
    // A training that was started again logs a step again: it is shown again.
    file.write_all(&tensor("conv1/kernel", 3, 9_000.0, &[5, 5, 3, 8], 0.75)).unwrap();
    wait_for(11);
    signal(&child, "-INT");
    assert_eq!(exit_code(&mut child), Some(0));
    let tag = "conv1/kernel/symmetric-layer".to_owned();
    let times = |run: &str, step| -> Vec<f64> {
        let wanted = (run.to_owned(), tag.clone(), step);
        pictures(out.path())
            .into_iter()
            .filter(|(name, ..)| *name == wanted)
            .map(|(_, time, _)| time)
            .collect()
    };
    assert_eq!(
        (times("a", 6), times("new", 1), times("a", 3)),
        (vec![1_006.0], vec![1_001.0], vec![1_003.0, 9_000.0])
    );
    let told = export(logdir.path(), out.path(), &["--to", "tensorboard"], 0);
    assert!(told.contains("0 pictures"), "{told}");
}

#[test]
fn the_logdir_is_never_written_into_unless_told_to() {
    let logdir = small_logdir(1);
    let inside = logdir.path().join("a/out");
    for out in [logdir.path(), &inside, logdir.path().parent().unwrap()] {
        let told = export(logdir.path(), out, &["--to", "tensorboard"], 2);
        assert!(told.contains("--into-logdir"), "{told}");
    }
    assert!(!inside.exists());
    let into = ["--to", "tensorboard", "--into-logdir"];
    export(logdir.path(), logdir.path(), &into, 0);
    assert_eq!(names(logdir.path()), expected(1));
    // What was written is not taken for something to export, not even where pictures are asked for.
    let told = export(logdir.path(), logdir.path(), &[&into[..], &["--role", "image"]].concat(), 2);
    assert!(told.contains("nothing"), "{told}");
    export(logdir.path(), logdir.path(), &into, 0);
    assert_eq!(names(logdir.path()), expected(1));
}

#[test]
fn odd_names_become_safe_files_with_a_manifest() {
    let logdir = tempfile::tempdir().unwrap();
    let tags = ["../../escape", "a/b", "A/B", "/etc/x", "a", "0.png", "bell\u{7}", "ü"];
    let records = tags.iter().flat_map(|tag| tensor(&format!("{tag}/kernel"), 0, 5.0, &[5, 5, 1, 8], 0.5));
    fs::write(logdir.path().join(FILE), records.collect::<Vec<u8>>()).unwrap();
    let holder = tempfile::tempdir().unwrap();
    let out = holder.path().join("deep/out");
    export(logdir.path(), &out, &["--to", "png", "--layout", "HWIO"], 0);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    let entries = manifest["files"].as_array().unwrap();
    let found: BTreeSet<&str> = entries.iter().map(|entry| entry["tag"].as_str().unwrap()).collect();
    assert_eq!(found.len(), tags.len());
    for entry in entries {
        let bytes = fs::read(out.join(entry["file"].as_str().unwrap())).unwrap();
        let digest: String =
            Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(
            (entry["sha256"].as_str(), entry["bytes"].as_u64()),
            (Some(digest.as_str()), Some(bytes.len() as u64))
        );
        assert_eq!(entry["options"], "layout=HWIO");
        assert_eq!((&entry["drawn"]["lo"], &entry["drawn"]["hi"]), (&(-0.5).into(), &0.5.into()));
    }
    // Nothing was written but these, the manifest and the mark.
    assert_eq!(files_below(holder.path()).len(), tags.len() + 2);
}

#[test]
fn other_peoples_files_are_not_written_over() {
    let (logdir, out) = (small_logdir(1), tempfile::tempdir().unwrap());
    fs::write(out.path().join("letter"), "dear").unwrap();
    let told = export(logdir.path(), out.path(), &["--to", "png"], 2);
    assert!(told.contains("empty directory"), "{told}");
    let foreign = out.path().join("a/events.out.tfevents.1.convscope");
    fs::create_dir(out.path().join("a")).unwrap();
    fs::write(&foreign, kernel(0, 1.0)).unwrap();
    let told = export(logdir.path(), out.path(), &["--to", "tensorboard"], 2);
    assert!(told.contains("not written by one"), "{told}");
    assert_eq!(fs::read(&foreign).unwrap(), kernel(0, 1.0));
    let file = out.path().join("letter/below");
    assert!(export(logdir.path(), &file, &["--to", "tensorboard"], 1).contains("cannot be"));
}

#[test]
fn damaged_tensors_are_told_and_the_rest_is_exported() {
    let logdir = tempfile::tempdir().unwrap();
    let large = |step| tensor("conv1/Relu", step, 1.0, &[1, 64, 64, 8], 0.5);
    let mut bytes = [large(0), large(1), large(2)].concat();
    let middle = large(0).len() + 60_000;
    bytes[middle] ^= 1;
    fs::write(logdir.path().join(FILE), bytes).unwrap();
    let out = tempfile::tempdir().unwrap();
    let told = export(logdir.path(), out.path(), &["--to", "tensorboard"], 1);
    assert!(told.contains("step 1") && told.contains("CRC"), "{told}");
    let steps: Vec<i64> = names(out.path()).into_iter().map(|(_, _, step)| step).collect();
    assert_eq!(steps, [0, 2]);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let (logdir, out) = (small_logdir(1), tempfile::tempdir().unwrap());
    for options in [
        &["--to", "npz", "--follow"][..],
        &["--to", "npz", "--cmap", "gray"],
        &["--to", "tensorboard", "--preset", "classic", "--zoom", "2"],
        &["--to", "png", "--tf1"],
        &["--to", "png", "--steps", "5"],
        &["--to", "png", "--run", "nowhere"],
        &["--to", "png", "--role", "colonel"],
    ] {
        export(logdir.path(), out.path(), options, 2);
    }
    export(Path::new("/nowhere/at/all"), out.path(), &["--to", "png"], 3);
}

#[test]
fn archives_beyond_16_bits_are_whole_for_python() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.zip");
    let mut archive = Archive::new(std::io::BufWriter::new(fs::File::create(&path).unwrap()));
    for idx in 0_u32..70_000 {
        let bytes = idx.to_le_bytes();
        archive.add(format!("{idx}.npy"), &bytes, crc32fast::hash(&bytes)).unwrap();
    }
    archive.finish().unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  assert all(z.read(f'{i}.npy') == i.to_bytes(4, 'little') for i in range(0, 70000, 999))\n\
                  print(len(z.namelist()))";
    assert_eq!(python(script, &path), "70000\n");
}

/// A file in which long runs of zeros take no place.
struct Sparse(fs::File);

impl std::io::Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > 1 << 20 {
            self.0.seek_relative(bytes.len() as i64)?;
            return Ok(bytes.len());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn archives_beyond_32_bits_are_whole_for_python() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.zip");
    let mut archive = Archive::new(Sparse(fs::File::create(&path).unwrap()));
    // Nobody looks at the zeros, so they take no memory.
    let zeros = vec![0; 2_200 << 20];
    for idx in 0..2 {
        archive.add(format!("{idx}.npy"), &zeros, 0).unwrap();
    }
    archive.add("behind.npy".to_owned(), b"seen", crc32fast::hash(b"seen")).unwrap();
    archive.finish().unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n\
                  print([(i.filename, i.file_size, i.header_offset >> 32) for i in z.infolist()], z.read('behind.npy'))";
    let expected = "[('0.npy', 2306867200, 0), ('1.npy', 2306867200, 0), ('behind.npy', 4, 1)] b'seen'\n";
    assert_eq!(python(script, &path), expected);
}

fn python(script: &str, path: &Path) -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let output = output_of(Command::new(python).args(["-c", script]).arg(path)).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_with_two_names_is_written_once_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (logdir, runs) = (dir.path().join("logs"), dir.path().join("logs/runs"));
    for run in ["a", "b"] {
        fs::create_dir_all(runs.join(run)).unwrap();
        fs::write(runs.join(run).join(FILE), kernel(0, 1.0)).unwrap();
    }
    std::os::unix::fs::symlink(runs.join("b"), logdir.join("best")).unwrap();
    std::os::unix::fs::symlink(&runs, logdir.join("all")).unwrap();
    fs::create_dir_all(logdir.join("file/own")).unwrap();
    std::os::unix::fs::symlink(runs.join("b").join(FILE), logdir.join("file").join(FILE)).unwrap();
    std::os::unix::fs::symlink(FILE, runs.join("b/latest.tfevents")).unwrap();
    std::os::unix::fs::symlink("file", logdir.join("files")).unwrap();
    fs::write(logdir.join("file/own").join(FILE), kernel(0, 1.0)).unwrap();
    let written = |out: &Path| -> BTreeSet<String> {
        let files =
            files_below(out).into_iter().filter(|path| path.extension().is_some_and(|end| end == "png"));
        let runs = files.map(|path| path.strip_prefix(out).unwrap().to_str().unwrap().to_owned());
        runs.map(|path| path.split("/conv1").next().unwrap().to_owned()).collect()
    };
    let out = dir.path().join("png");
    let told = export(&logdir, &out, &["--to", "png"], 0);
    assert_eq!(written(&out), ["file/own", "runs/a", "runs/b"].map(str::to_owned).into());
    for line in [
        "run file is run runs/b by a link, and is written as runs/b alone",
        "run files is run runs/b by a link, and is written as runs/b alone",
        "run all/a is run runs/a by a link, and is written as runs/a alone",
        "run best is run runs/b by a link, and is written as runs/b alone",
    ] {
        assert_eq!(told.matches(line).count(), 1, "{told}");
    }
    assert!(told.contains("3 pictures of 3 tensors were written"), "{told}");
    assert!(told.contains(" second names by links were not written again"), "{told}");
    // By its own name it is what was asked for.
    let one = dir.path().join("one");
    export(&logdir, &one, &["--to", "png", "--run", "best"], 0);
    assert_eq!(written(&one), ["best".to_owned()].into());
}

#[test]
fn steps_that_choose_nothing_are_wrong_usage_and_those_that_are_there_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = fixture("recipe_tf1");
    for (name, steps) in [("after", "1000:2000"), ("between", "11:19")] {
        let said = export(&logdir, &dir.path().join(name), &["--to", "npz", "--steps", steps], 2);
        assert!(said.contains("--steps chooses nothing") && said.contains("run from 0 to 40"), "{said}");
    }
    let one = export(
        &logdir,
        &dir.path().join("one"),
        &["--to", "npz", "--layer", "conv1", "--role", "bias", "--steps", "0:0"],
        0,
    );
    assert!(one.contains("1 array of 1 tensor was written"), "{one}");
}

#[test]
fn a_range_over_the_run_and_an_order_by_change_are_those_of_render() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = fixture("recipe_tf1");
    for (name, options) in [("run", ["--scope", "run"]), ("change", ["--order", "change"])] {
        let (out, one) = (dir.path().join(name), dir.path().join(format!("{name}.png")));
        let filters =
            [&["--to", "png", "--layer", "conv1", "--role", "kernel", "--steps", "10:40"], &options[..]]
                .concat();
        export(&logdir, &out, &filters, 0);
        let rendered = ["render", logdir.to_str().unwrap(), "--tag", "conv1/weights", "--step", "10", "-o"];
        checked(&convscope(&[&rendered[..], &[one.to_str().unwrap()], &options].concat()), 0);
        let is_step = |path: &&PathBuf| path.ends_with("10.png");
        let all = files_below(&out);
        let exported: Vec<&PathBuf> = all.iter().filter(is_step).collect();
        assert_eq!(exported.len(), 1, "{all:?}");
        assert_eq!(pixels(&fs::read(exported[0]).unwrap()), pixels(&fs::read(&one).unwrap()), "{name}");
    }
    export(&logdir, &dir.path().join("x"), &["--to", "tensorboard", "--follow", "--scope", "run"], 2);
}
