//! What lies beside the runs: checkpoints that are offered and not followed, lists of checkpoints, checkpoints without a picture.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, kernel},
    waiting::until,
};

/// A safetensors file with one tensor of zeros.
fn safetensors(name: &str, shape: &[usize]) -> Vec<u8> {
    let bytes = 4 * shape.iter().product::<usize>();
    let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[0,{bytes}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

fn ls(args: &[&str]) -> Value {
    let output = convscope(&[&["ls", "--json", "--all"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(FILE), kernel(1, 0.5)).unwrap();
}

#[test]
fn checkpoints_beside_a_run_are_offered_and_followed_only_when_named() {
    let dir = tempfile::tempdir().unwrap();
    let weights = dir.path().join("project/weights");
    let logdir = dir.path().join("project/logs");
    run(&logdir.join("exp"));
    fs::create_dir_all(&weights).unwrap();
    for epoch in [1, 2, 10] {
        let path = weights.join(format!("epoch_{epoch}.safetensors"));
        fs::write(path, safetensors("conv1.weight", &[8, 3, 3, 3])).unwrap();
    }
    let logdir = logdir.to_str().unwrap();
    let daemon = Daemon::serve(Path::new(logdir), &["--poll", "1"]).loaded();
    let offers = until("the offer", || {
        let health = daemon.get("/api/v1/health").json();
        (health["offers"].as_array()?.len() == 1).then(|| health["offers"].clone())
    });
    assert_eq!(offers[0]["count"], 3, "{offers}");
    assert_eq!(offers[0]["pattern"], "epoch_*.safetensors");
    assert_eq!(offers[0]["found"], "run exp: 3 checkpoints at ../../weights/epoch_*.safetensors");
    assert_eq!(offers[0]["option"], format!("--checkpoints exp={}", weights.display()));
    let series = daemon.get("/api/v1/series").json();
    assert_eq!(series["series"].as_array().unwrap().len(), 1, "nothing outside is followed by itself");
    let named = ls(&[logdir, "--checkpoints", &format!("exp={}", weights.display())]);
    assert_eq!(named["offers"].as_array().unwrap().len(), 0, "{named}");
    let found = named["series"].as_array().unwrap().iter().find(|one| one["tag"] == "conv1.weight").unwrap();
    assert_eq!((&found["run"], &found["axis"], &found["steps"]), (&"exp".into(), &"epoch".into(), &3.into()));
}

#[test]
fn a_named_directory_takes_no_checkpoints_from_runs_that_lie_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("runs");
    for name in ["a", "b"] {
        run(&logdir.join(name));
    }
    for path in ["runs/a/checkpoints/step_1.safetensors", "epoch_1.safetensors"] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, safetensors("conv1.weight", &[8, 3, 3, 3])).unwrap();
    }
    let listing = ls(&[logdir.to_str().unwrap(), "--checkpoints", &format!("b={}", dir.path().display())]);
    let saved = listing["series"].as_array().unwrap().iter().filter(|one| one["origin"] == "checkpoint");
    let runs: Vec<(&Value, &Value)> = saved.map(|one| (&one["run"], &one["axis"])).collect();
    assert_eq!(runs, [(&"a".into(), &"step".into()), (&"b".into(), &"epoch".into())]);
}

#[test]
fn checkpoints_above_several_runs_are_a_run_of_their_own_and_offered() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["work/1/vis", "work/2/vis", "other"] {
        run(&dir.path().join(name));
    }
    fs::write(dir.path().join("work/epoch_1.safetensors"), safetensors("conv1.weight", &[8, 3, 3, 3]))
        .unwrap();
    let listing = ls(&[dir.path().to_str().unwrap()]);
    let of_checkpoint =
        listing["series"].as_array().unwrap().iter().find(|one| one["origin"] == "checkpoint").unwrap();
    assert_eq!(of_checkpoint["run"], "work");
    let offers = listing["offers"].as_array().unwrap();
    assert_eq!(offers.len(), 1, "{offers:?}");
    assert_eq!(offers[0]["runs"], serde_json::json!(["work/1/vis", "work/2/vis"]));
    // The user says which run it is, inside of the logdir as well.
    let place = format!("work/2/vis={}", dir.path().join("work").display());
    let named = ls(&[dir.path().to_str().unwrap(), "--checkpoints", &place]);
    let found = named["series"].as_array().unwrap().iter().find(|one| one["origin"] == "checkpoint").unwrap();
    assert_eq!((&found["run"], named["offers"].as_array().unwrap().len()), (&"work/2/vis".into(), 0));
}

#[test]
fn a_checkpoint_without_a_convolution_is_listed_with_its_count_of_tensors() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mlp.safetensors"), safetensors("fc.weight", &[10, 20])).unwrap();
    fs::write(dir.path().join("cnn.safetensors"), safetensors("conv1.weight", &[8, 3, 3, 3])).unwrap();
    let listing = ls(&[dir.path().to_str().unwrap()]);
    let skipped: Vec<&Value> = listing["skipped"].as_array().unwrap().iter().collect();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!((&skipped[0]["tag"], &skipped[0]["count"]), (&"mlp.safetensors".into(), &1.into()));
    assert_eq!(skipped[0]["kind"], "checkpoint");
    assert_eq!(skipped[0]["reason"], "a checkpoint of 1 tensor without a kernel of a convolution");
}

#[test]
fn a_list_of_checkpoints_that_names_what_is_gone_is_told_once_until_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cnn.safetensors"), safetensors("conv1.weight", &[8, 3, 3, 3])).unwrap();
    fs::write(dir.path().join("checkpoint"), "model_checkpoint_path: \"/far/model.ckpt-7\"\n").unwrap();
    let daemon = Daemon::serve(dir.path(), &["--poll", "1"]).loaded();
    let problems = || daemon.get("/api/v1/health").json()["problems"].as_array().unwrap().clone();
    let told = until("the problem", || (problems().len() == 1).then(problems));
    assert_eq!(told[0]["kind"], "checkpoint_not_read", "{told:?}");
    assert!(told[0]["message"].as_str().unwrap().contains("not beside it: model.ckpt-7"), "{told:?}");
    assert_eq!(daemon.get("/api/v1/health").json()["status"], "ok");
    assert_eq!(daemon.get("/api/v1/series").json()["series"].as_array().unwrap().len(), 1);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints/tensorflow");
    let bundle = fs::read_dir(fixture).unwrap().filter_map(|entry| {
        let files = fs::read_dir(entry.ok()?.path()).ok()?.filter_map(|file| Some(file.ok()?.path()));
        files.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "index"))
    });
    let index = bundle.into_iter().next().expect("there is a bundle");
    let data = fs::read_dir(index.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    let stem = format!("{}.", index.file_stem().unwrap().to_str().unwrap());
    for file in data {
        let name = file.file_name().unwrap().to_str().unwrap();
        if let Some(rest) = name.strip_prefix(&stem) {
            fs::copy(&file, dir.path().join(format!("model.ckpt-7.{rest}"))).unwrap();
        }
    }
    until("the problem is gone", || problems().is_empty().then_some(()));
}

#[test]
fn what_was_wrapped_around_a_name_is_kept_beside_the_tag() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ddp.safetensors");
    fs::write(&file, safetensors("module._orig_mod.conv1.weight", &[8, 3, 3, 3])).unwrap();
    let listing = ls(&[file.to_str().unwrap()]);
    let series = &listing["series"][0];
    assert_eq!(series["tag"], "conv1.weight");
    assert_eq!(series["saved_as"], "module._orig_mod.conv1.weight");
}
