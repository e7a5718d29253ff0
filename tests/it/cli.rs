//! The command line: what it prints, where, and its exit codes.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, kernel, picture, scalar, tensor},
};

#[cfg(target_os = "linux")]
use crate::ingest::wait_until_closed;

fn recipe() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recipe_tf1").to_str().unwrap().to_owned()
}

fn check(args: &[&str], code: i32, on_stderr: &str) -> Output {
    let output = convscope(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert!(stderr.contains(on_stderr), "{args:?}: {stderr}");
    output
}

#[test]
fn ls_lists_layers_with_reasons() {
    let output = check(&["ls", &recipe()], 0, "");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |tag: &str| {
        text.lines().find(|line| line.trim_start().starts_with(tag)).unwrap_or_else(|| panic!("{text}"))
    };
    assert!(
        line("conv1/weights").contains("HWIO") && line("conv1/weights").contains("[5, 5, 3, 64]"),
        "{text}"
    );
    assert!(line("conv1/Relu").contains("activation") && line("conv1/Relu").contains("NHWC"), "{text}");
    assert!(
        text.contains(
            "kernel: the Conv2D \"conv1\" of the logged graph (sure); HWIO: the Conv2D \"conv1\" of"
        ),
        "{text}"
    );
}

#[test]
fn ls_says_how_many_frames_animated_pictures_have() {
    let fixture = format!("{}/tests/fixtures/animations", env!("CARGO_MANIFEST_DIR"));
    let text = String::from_utf8(check(&["ls", &fixture], 0, "").stdout).unwrap();
    for line in ["8 frames, each a tile", "2 pictures of 2 to 4 frames, each a tile"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("[8, 11, 14, 3]"), "{text}");
}

#[test]
fn ls_names_the_place_of_a_problem_with_a_link_and_no_run() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("run")).unwrap();
    fs::write(dir.path().join("run").join(FILE), kernel(0, 0.0)).unwrap();
    for name in ["a.tfevents", "b.tfevents"] {
        std::os::unix::fs::symlink("gone", dir.path().join(name)).unwrap();
    }
    let text = String::from_utf8(check(&["ls", dir.path().to_str().unwrap()], 0, "").stdout).unwrap();
    let first = dir.path().join("a.tfevents");
    assert!(text.contains(&format!("problem: {}: cannot be read", first.display())), "{text}");
    assert!(text.contains("; the same holds for 1 other place (unreadable)"), "{text}");
    assert_eq!(text.matches("problem").count(), 1, "{text}");
}

#[test]
fn animations_that_are_too_large_for_a_sheet_are_shown_in_part_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let gif = |side: u16, n_frames: usize| {
        let side = side.to_le_bytes();
        let head = [b"GIF89a", &side[..], &side, b"\x80\0\0\0\0\0\xff\xff\xff"].concat();
        let frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
        [head, frame.repeat(n_frames), b";".to_vec()].concat()
    };
    fs::write(
        dir.path().join(FILE),
        [picture("large", 0, gif(512, 300)), picture("long", 0, gif(1, 12_000))].concat(),
    )
    .unwrap();
    let logdir = dir.path().to_str().unwrap();
    let text = String::from_utf8(check(&["ls", logdir], 0, "").stdout).unwrap();
    assert!(
        text.contains("a sheet has 150 of 300 frames") && text.contains("12000 frames, each a tile"),
        "{text}"
    );
    let out = dir.path().join("a.png");
    let render = |more: &[&str], code, word| {
        let args = ["render", logdir, "--tag", "long", "-o", out.to_str().unwrap()];
        check(&[&args[..], more].concat(), code, word)
    };
    render(&["--frames", "1-12000/1200"], 0, "10 of 12000 frames of step 0");
    let large = ["--gutter", "64", "--labels", "index", "--frames"];
    render(&[&large[..], &["1-12000"]].concat(), 2, "as in frames=1-12000/2");
    render(&["--frames", "1-12001"], 2, "there is no frame 12001");
}

#[test]
fn ls_prints_json_for_programs() {
    let output = check(&["ls", &recipe(), "--json", "--all"], 0, "");
    let listing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let tags: Vec<&str> =
        listing["series"].as_array().unwrap().iter().map(|series| series["tag"].as_str().unwrap()).collect();
    let conv1 = ["conv1/weights", "conv1/biases", "conv1/Relu", "conv1/filters/image"];
    assert_eq!(tags, [&conv1[..], &["filtered_images_layer1/image", "conv2/weights_1"]].concat());
    assert!(listing["skipped"].as_array().unwrap().iter().any(|tag| tag["tag"] == "loss"));
}

#[test]
fn what_is_no_logdir_is_said_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let (file, missing, empty) =
        (file.to_str().unwrap(), dir.path().join("missing"), tempfile::tempdir().unwrap());
    check(&["ls", missing.to_str().unwrap()], 3, "does not exist");
    check(&["ls", file], 3, "is neither a logdir nor a checkpoint");
    check(&["serve", file, "--port", "0"], 3, "is neither a logdir nor a checkpoint");
    check(&["--logdir", file, "--port", "0"], 3, "is neither a logdir nor a checkpoint");
    let output = check(&["ls", empty.path().to_str().unwrap()], 0, "");
    assert!(String::from_utf8(output.stdout).unwrap().contains("tfevents"));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let recipe = recipe();
    check(&[], 2, "--logdir");
    check(&["serve"], 2, "LOGDIR");
    check(&["paint"], 2, "paint");
    check(&["serve", &recipe, "--poll", "0"], 2, "poll");
    check(&["render", &recipe, "--tag", "conv1/weights", "-o", "x.bmp"], 2, ".png");
    check(&["render", &recipe, "--tag", "conv1/weihgts", "-o", "x.png"], 2, "conv1/weights");
    check(&["render", &recipe, "--tag", "conv1/weights", "--step", "7", "-o", "x.png"], 2, "10");
    check(&["render", &recipe, "--tag", "conv1/weights", "--range", "log", "-o", "x.png"], 2, "symmetric");
}

#[test]
fn a_taken_port_is_exit_code_4_and_the_next_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = check(&["serve", &recipe(), "--port", &port.to_string()], 4, "is taken");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let next: u16 = stderr.split("--port ").nth(1).unwrap().trim().parse().unwrap();
    assert!(next > port);
    check(&["serve", &recipe(), "--host", "203.0.113.7", "--port", "0"], 4, "203.0.113.7");
}

#[test]
fn a_logdir_that_is_not_there_yet_is_served_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("not/yet");
    let daemon = Daemon::start(&["--logdir", logdir.to_str().unwrap()]);
    let health = daemon.wait("/api/v1/health", |health| health["problems"][0]["kind"] == "logdir_missing");
    assert_eq!((&health["status"], &health["watch"]["mode"]), (&"loading".into(), &"waiting".into()));
    fs::create_dir_all(&logdir).unwrap();
    fs::write(logdir.join(FILE), kernel(4, 0.0)).unwrap();
    daemon.wait("/api/v1/health", |health| health["status"] == "ok");
    daemon.wait("/api/v1/series", |series| series["series"][0]["last_step"] == 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_removed_file_is_open_nowhere_so_that_its_space_comes_back() {
    for options in [&[][..], &["--poll", "0.1"]] {
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().canonicalize().unwrap();
        fs::write(logdir.join(FILE), kernel(0, 0.0)).unwrap();
        let daemon = Daemon::serve(&logdir, options).loaded();
        assert_eq!(daemon.get("/api/v1/tensor?tag=conv1/kernel&step=0").status, 200);
        fs::remove_file(logdir.join(FILE)).unwrap();
        daemon.wait("/api/v1/health", |health| health["problems"][0]["kind"] == "no_event_files");
        wait_until_closed(&logdir, &daemon.child.id().to_string());
        assert_eq!(daemon.get("/api/v1/tensor?tag=conv1/kernel&step=0").status, 404);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_kernel_makes_up_is_not_walked_and_health_says_so() {
    let mut daemon = Daemon::serve("/proc".as_ref(), &[]).loaded();
    let health = daemon.get("/api/v1/health").json();
    let problems = health["problems"].as_array().unwrap();
    let left_out = problems.iter().find(|problem| problem["kind"] == "left_out");
    let left_out = left_out.unwrap_or_else(|| panic!("{health:#}"));
    assert_eq!((&left_out["file"], &health["scanned"]["files"]), (&"/proc".into(), &0.into()));
    assert!(left_out["message"].as_str().unwrap().contains("proc"), "{left_out:#}");
    assert_eq!(daemon.signal("-TERM"), Some(0));
}

#[test]
fn render_writes_what_the_server_shows() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let recipe = recipe();
    let render = |name: &str, options: &[&str]| {
        let out = file(name);
        check(
            &[&["render", &recipe, "--tag", "conv1/weights", "--step", "10", "-o", &out], options].concat(),
            0,
            "step 10",
        );
        fs::read(out).unwrap()
    };
    let daemon = Daemon::serve(recipe.as_ref(), &[]).loaded();
    let webp = render("a.webp", &["--range", "fixed:-0.1:0.2", "--scope", "tile", "--zoom", "3"]);
    let path = "/api/v1/sheet?tag=conv1/weights&step=10&format=webp&range=fixed:-0.1:0.2&scope=tile&zoom=3";
    assert_eq!(webp, daemon.get(path).body);
    let npy = render("a.NPY", &[]);
    assert_eq!(npy, daemon.get("/api/v1/tensor?tag=conv1/weights&step=10").body);
    assert_eq!(render("a.png", &["--view", "matrix"])[..8], *b"\x89PNG\r\n\x1a\n");
}

#[test]
fn ls_checks_every_payload_where_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let record = tensor("conv1/kernel", 0, 1.0, &[3, 3, 64, 8], 0.5);
    let mut bytes = record.repeat(4);
    bytes[3 * record.len() + 9_000] ^= 1;
    fs::write(dir.path().join(FILE), &bytes).unwrap();
    let logdir = dir.path().to_str().unwrap();
    let text = |args: &[&str]| String::from_utf8(check(args, 0, "").stdout).unwrap();
    let plain = text(&["ls", logdir]);
    assert!(!plain.contains("problem") && !plain.contains("checked"), "{plain}");
    let verified = text(&["ls", logdir, "--verify"]);
    let payload = record.len() - 16;
    let checked = format!("checked: 4 of 4 records of more than 4 KiB, {0} of {0} bytes", 4 * payload);
    assert!(verified.contains(&checked) && verified.contains("(bad_payload_crc)"), "{verified}");
    let json: serde_json::Value = serde_json::from_str(&text(&["ls", logdir, "--verify", "--json"])).unwrap();
    assert_eq!(json["checked"]["of_bytes"], 4 * payload);
    assert_eq!(json["problems"][0]["offset"], 3 * record.len());
}

#[test]
fn ls_of_a_log_without_tensors_says_what_is_missing_and_how_it_is_logged() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("a \"b\"");
    fs::create_dir(&run).unwrap();
    fs::write(run.join(FILE), [scalar("loss", 0), scalar("loss", 1), scalar("accuracy", 1)].concat())
        .unwrap();
    for (name, first) in [
        ("four.pdparams", ""),
        ("one.pdparams", ""),
        ("three.pdparams", ""),
        ("two.pdparams", ""),
        ("notes.ckpt", "no checkpoint"),
        ("table.h5", "a,b"),
    ] {
        fs::write(run.join(name), first).unwrap();
    }
    let logdir = run.to_str().unwrap();
    let text = String::from_utf8(check(&["ls", logdir], 0, "").stdout).unwrap();
    for words in [
        "4 files here look like checkpoints of a kind that is not read: four.pdparams, one.pdparams, three.pdparams and 1 more; ",
        "no tensors to show: 2 tags: 2 scalars\n",
        "model.fit(x, y, callbacks=[recorder])",
    ] {
        assert!(text.contains(words), "{text}");
    }
    // As Python writes a string with quotes in it.
    let quoted = format!("\"{}\"", logdir.replace('"', "\\\""));
    assert_eq!(text.matches(&quoted).count(), 2, "{text}");
    assert!(text.ends_with("        train(model)  # your training loop, as it is\n"), "{text}");
    let listing = check(&["ls", logdir, "--json"], 0, "").stdout;
    let listing: serde_json::Value = serde_json::from_slice(&listing).unwrap();
    assert_eq!(listing["checkpoints"]["count"], 4);
}

/// The records of the event files in a directory that name this.
fn records_with(dir: &Path, name: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((head, _)) = rest.split_first_chunk::<8>() {
            let (record, behind) = rest.split_at(16 + usize::try_from(u64::from_le_bytes(*head)).unwrap());
            if record.windows(name.len()).any(|part| part == name) {
                found.extend_from_slice(record);
            }
            rest = behind;
        }
    }
    found
}

#[test]
fn ls_says_of_kernels_that_keras_drew_how_their_numbers_are_logged() {
    let dir = tempfile::tempdir().unwrap();
    let keras = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keras_tf2/train");
    fs::write(dir.path().join(FILE), records_with(&keras, b"/image")).unwrap();
    let logdir = dir.path().to_str().unwrap();
    let text = || String::from_utf8(check(&["ls", logdir], 0, "").stdout).unwrap();
    let line = "kernels are here as pictures that Keras drew, of 8 bit and without their numbers\n";
    let told = text();
    assert!(told.contains("digits_net/conv1/kernel/image") && told.contains(line), "{told}");
    assert!(told.contains(&format!("Recorder(\"{logdir}\"")), "{told}");
    fs::create_dir(dir.path().join("later")).unwrap();
    fs::write(dir.path().join("later").join(FILE), kernel(0, 0.0)).unwrap();
    assert!(!text().contains(line) && !text().contains("Recorder"));
}

#[test]
fn ls_of_a_log_with_tensors_tells_of_checkpoints_and_of_no_cure() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), kernel(0, 0.0)).unwrap();
    fs::write(dir.path().join("best.pdparams"), b"\x80").unwrap();
    let text = String::from_utf8(check(&["ls", dir.path().to_str().unwrap()], 0, "").stdout).unwrap();
    assert!(
        text.contains("1 file here looks like a checkpoint of a kind that is not read: best.pdparams; "),
        "{text}"
    );
    assert!(!text.contains("Recorder"), "{text}");
}

#[test]
fn a_log_whose_writer_computes_no_crcs_is_shown_and_said_to_be_unchecked() {
    let dir = tempfile::tempdir().unwrap();
    let zero = |mut record: Vec<u8>, of_lengths: bool| {
        let end = record.len();
        record[end - 4..].fill(0);
        if of_lengths {
            record[8..12].fill(0);
        }
        record
    };
    for (run, of_lengths) in [("data", false), ("all", true)] {
        let large = tensor("large", 0, 1.0, &[3, 3, 64, 64], 2.0);
        let records = [scalar("loss", 0), kernel(0, 1.0), large, kernel(1, 1.0)];
        fs::create_dir(dir.path().join(run)).unwrap();
        let bytes: Vec<u8> = records.into_iter().flat_map(|record| zero(record, of_lengths)).collect();
        fs::write(dir.path().join(run).join(FILE), bytes).unwrap();
    }
    let logdir = dir.path().to_str().unwrap();
    let listed: serde_json::Value =
        serde_json::from_slice(&check(&["ls", logdir, "--json"], 0, "").stdout).unwrap();
    let steps: Vec<u64> =
        listed["series"].as_array().unwrap().iter().filter_map(|series| series["steps"].as_u64()).collect();
    assert_eq!(steps, [2, 1, 2, 1], "{listed:#}");
    let kinds: Vec<&str> =
        listed["problems"].as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
    assert_eq!(kinds, ["no_crcs", "no_crcs"]);
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    assert_eq!(daemon.get("/api/v1/health").json()["status"], "ok");
    assert_eq!(daemon.get("/api/v1/sheet?run=all&tag=large&step=0").status, 200);
    let verified = String::from_utf8(check(&["verify", logdir], 0, "").stdout).unwrap();
    assert!(verified.contains("4 records could not be checked"), "{verified}");
}

#[test]
fn a_wrong_length_in_a_log_without_crcs_costs_its_record_alone() {
    let dir = tempfile::tempdir().unwrap();
    let bare = |mut record: Vec<u8>| {
        let end = record.len();
        record[8..12].fill(0);
        record[end - 4..].fill(0);
        record
    };
    let records = (0..6).map(|step| bare(tensor("large", step, 1.0, &[3, 3, 16, 16], 2.0)));
    let records: Vec<Vec<u8>> = std::iter::once(bare(scalar("loss", 0))).chain(records).collect();
    let at = records[..3].concat().len();
    let mut bytes = records.concat();
    for (run, wrong) in [("short", 100_u64), ("long", 40_000), ("beyond", 1 << 29)] {
        bytes[at..at + 8].copy_from_slice(&wrong.to_le_bytes());
        fs::create_dir(dir.path().join(run)).unwrap();
        let path = dir.path().join(run).join(FILE);
        fs::write(&path, &bytes).unwrap();
        // Nobody writes to it any more.
        let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        fs::File::options().write(true).open(&path).unwrap().set_modified(an_hour_ago).unwrap();
    }
    let logdir = dir.path().to_str().unwrap();
    let listed: serde_json::Value =
        serde_json::from_slice(&check(&["ls", logdir, "--json"], 0, "").stdout).unwrap();
    let steps: Vec<u64> =
        listed["series"].as_array().unwrap().iter().filter_map(|series| series["steps"].as_u64()).collect();
    assert_eq!(steps, [5, 5, 5], "{listed:#}");
    let gaps: Vec<&serde_json::Value> =
        listed["problems"].as_array().unwrap().iter().filter(|one| one["kind"] == "bad_length_crc").collect();
    let (lost, resumed) = (records[3].len(), at + records[3].len());
    for gap in &gaps {
        let message = gap["message"].as_str().unwrap();
        assert!(message.contains(&format!("the record at byte {at} claims ")), "{message}");
        assert!(
            message.ends_with(&format!("; {lost} bytes are lost, reading goes on at byte {resumed}")),
            "{message}"
        );
    }
    assert_eq!(gaps.len(), 3);
    let unchecked = listed["problems"].as_array().unwrap().iter().filter(|one| one["kind"] == "no_crcs");
    assert_eq!(unchecked.count(), 3);
    let verified = String::from_utf8(check(&["verify", logdir], 1, "").stdout).unwrap();
    assert!(verified.contains("after which no record ends"), "{verified}");
}

#[test]
fn what_is_no_path_of_this_machine_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let pattern = dir.path().join("*").to_str().unwrap().to_owned();
    for command in ["serve", "ls", "render", "export"] {
        let more: &[&str] = match command {
            "render" => &["--tag", "a", "-o", "a.png"],
            "export" => &["--to", "npz", "-o", "out"],
            _ => &[],
        };
        for (logdir, words) in [("s3://bucket/logs", "not on this machine"), (&*pattern, "is a pattern")] {
            check(&[&[command, logdir], more].concat(), 2, words);
        }
    }
}

#[test]
fn ls_says_where_steps_of_two_files_mix_and_how_often_steps_were_logged() {
    let dir = tempfile::tempdir().unwrap();
    let steps = |steps: &[i64], wall_time: f64| -> Vec<u8> {
        steps.iter().flat_map(|step| tensor("conv1/weights", *step, wall_time, &[3, 3, 1, 4], 1.0)).collect()
    };
    fs::write(dir.path().join(FILE), steps(&[0, 10, 20, 30], 1.0)).unwrap();
    let logdir = dir.path().to_str().unwrap();
    let text = |expected: &str| {
        let text = String::from_utf8(check(&["ls", logdir], 0, "").stdout).unwrap();
        assert!(text.contains(expected), "{text}");
        text
    };
    assert!(!text("4 steps, 0 to 30\n").contains("mix"));
    fs::write(dir.path().join(format!("{FILE}.2")), steps(&[15, 20, 25, 40], 2.0)).unwrap();
    text("steps of 2 files mix from 15 to 30");
    text("7 steps, 0 to 40, logged 8 times");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_linked_into_another_folder_is_shown_under_both_names_and_lives_under_both() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("all/exp2");
    fs::create_dir_all(&run).unwrap();
    fs::create_dir(dir.path().join("best")).unwrap();
    fs::write(run.join(FILE), kernel(0, 1.0)).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let last_steps = |runs: &serde_json::Value| -> Vec<(String, i64)> {
        let runs = runs["runs"].as_array().unwrap().iter();
        // A file that has just been made has no step yet.
        runs.filter_map(|run| Some((run["run"].as_str()?.to_owned(), run["last_step"].as_i64()?))).collect()
    };
    let is = |expected: &[(&str, i64)]| {
        let expected: Vec<(String, i64)> =
            expected.iter().map(|(run, step)| ((*run).to_owned(), *step)).collect();
        move |runs: &serde_json::Value| last_steps(runs) == expected
    };
    daemon.wait("/api/v1/runs", is(&[("all/exp2", 0)]));
    std::os::unix::fs::symlink("../all/exp2", dir.path().join("best/exp2")).unwrap();
    daemon.wait("/api/v1/runs", is(&[("all/exp2", 0), ("best/exp2", 0)]));
    fs::OpenOptions::new().append(true).open(run.join(FILE)).unwrap().write_all(&kernel(7, 1.0)).unwrap();
    daemon.wait("/api/v1/runs", is(&[("all/exp2", 7), ("best/exp2", 7)]));
    fs::create_dir(run.join("more")).unwrap();
    fs::write(run.join("more").join(FILE), kernel(3, 1.0)).unwrap();
    daemon.wait(
        "/api/v1/runs",
        is(&[("all/exp2", 7), ("all/exp2/more", 3), ("best/exp2", 7), ("best/exp2/more", 3)]),
    );
    // A link that is there before what it leads to has an event file.
    fs::create_dir(dir.path().join("all/exp3")).unwrap();
    std::os::unix::fs::symlink("../all/exp3", dir.path().join("best/exp3")).unwrap();
    fs::write(dir.path().join("all/exp3").join(FILE), kernel(5, 1.0)).unwrap();
    daemon.wait("/api/v1/runs", |runs| {
        last_steps(runs).iter().filter(|(run, step)| run.ends_with("/exp3") && *step == 5).count() == 2
    });
    fs::remove_dir_all(dir.path().join("all/exp3")).unwrap();
    fs::remove_file(dir.path().join("best/exp3")).unwrap();
    fs::remove_file(dir.path().join("best/exp2")).unwrap();
    daemon.wait("/api/v1/runs", is(&[("all/exp2", 7), ("all/exp2/more", 3)]));
}

#[test]
fn a_run_that_has_many_names_by_links_is_drawn_and_verified_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("logs");
    for run in ["run", "filed"] {
        fs::create_dir_all(logdir.join(run)).unwrap();
    }
    fs::write(logdir.join("run").join(FILE), kernel(0, 1.0)).unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, logdir.join(name)).unwrap();
    link("run", "again");
    link(&format!("../run/{FILE}"), "filed/other.tfevents");
    let (logs, out) = (logdir.to_str().unwrap(), dir.path().join("out.npy"));
    let render = ["render", logs, "--tag", "conv1/kernel", "-o", out.to_str().unwrap()];
    check(&render, 0, "");
    assert!(out.exists());
    let listed = check(&["verify", logs], 0, "");
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.starts_with("1 file,"), "{listed}");
    fs::create_dir(logdir.join("else")).unwrap();
    fs::write(logdir.join("else").join(FILE), kernel(0, 1.0)).unwrap();
    check(&render, 2, "name one, as in run=else or run=run");
}

#[test]
fn a_link_to_a_file_beside_it_makes_no_second_attempt_and_lives_with_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for run in ["run", "filed"] {
        fs::create_dir(dir.path().join(run)).unwrap();
    }
    let file = dir.path().join("run").join(FILE);
    fs::write(&file, kernel(0, 1.0)).unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    link(FILE, "run/first.tfevents");
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    link(FILE, "run/latest.tfevents");
    link(&format!("../run/{FILE}"), "filed/other.tfevents");
    let steps = |run: &str| format!("/api/v1/steps?run={run}&tag=conv1/kernel");
    daemon.wait(&steps("filed"), |listed| listed["steps"] == serde_json::json!([0]));
    fs::OpenOptions::new().append(true).open(&file).unwrap().write_all(&kernel(7, 1.0)).unwrap();
    for run in ["filed", "run"] {
        let listed = daemon.wait(&steps(run), |listed| listed["steps"] == serde_json::json!([0, 7]));
        assert_eq!(listed["attempts"], serde_json::json!([1, 1]), "{listed}");
    }
}
