//! What tensors are taken for, over HTTP: rules that change while the daemon runs, the writer's own metadata, graphs, pictures.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, atomic::AtomicBool},
    time::Duration,
};

use convscope::{
    catalog::ingest::{self, Options},
    model::{Confidence, layout::Layout, rules::Rules},
    source::{FileStat, Identity, Listing, Source, memory::Memory},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, graph, kernel, recorded_kernel, tensor},
    npy::Npy,
    waiting::HANG,
};

const RULES: &str = ".convscope.toml";

fn logdir(records: &[Vec<u8>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    dir
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn of_tag<'a>(list: &'a Value, tag: &str) -> &'a Value {
    list["series"].as_array().unwrap().iter().find(|series| series["tag"] == tag).unwrap_or(&Value::Null)
}

#[test]
fn an_edit_of_the_rules_applies_without_a_restart() {
    let dir = logdir(&[kernel(0, 0.5), tensor("debug/weights", 0, 1.0, &[3, 3, 4, 4], 0.0)]);
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let write = |text: &str| fs::write(dir.path().join(RULES), text).unwrap();
    let layout = |list: &Value| of_tag(list, "conv1/kernel")["layout"].clone();
    let series = "/api/v1/series";
    assert_eq!(layout(&daemon.get(series).json()), "HWIO");

    write(
        "[[rule]]\ntag = \"conv1/*\"\nlayout = \"OIHW\"\nlayer = \"stem\"\n\n[[rule]]\ntag = \"debug/*\"\nignore = true\n",
    );
    let ruled = daemon.wait(series, |list| layout(list) == "OIHW");
    let conv1 = of_tag(&ruled, "conv1/kernel");
    let from = json!({"confidence": "sure", "evidence": "the rule in line 1 of .convscope.toml"});
    assert_eq!((&conv1["layer"], &conv1["layout_from"]), (&json!("stem"), &from));
    assert_eq!(of_tag(&ruled, "debug/weights"), &Value::Null);
    let skipped = daemon.get("/api/v1/skipped").json();
    let ignored = skipped["skipped"].as_array().unwrap().iter().find(|tag| tag["kind"] == "ignored").unwrap();
    assert_eq!(ignored["reason"], "left out by the rule in line 6 of .convscope.toml");

    // Of a file with a mistake, the rules before stay, and everybody is told where it is.
    write("[[rule]]\ntag = \"conv1/*\"\nlayout = \"HWOO\"\n");
    let is_bad = |problem: &&Value| problem["kind"] == "bad_rules";
    let health = daemon
        .wait("/api/v1/health", |health| health["problems"].as_array().unwrap().iter().any(|p| is_bad(&p)));
    let message =
        health["problems"].as_array().unwrap().iter().find(is_bad).unwrap()["message"].as_str().unwrap();
    assert!(message.contains("line 3, column 10: \"HWOO\" is not one of HWIO"), "{message}");
    assert_eq!(layout(&daemon.get(series).json()), "OIHW");

    fs::remove_file(dir.path().join(RULES)).unwrap();
    daemon.wait(series, |list| layout(list) == "HWIO" && of_tag(list, "debug/weights") != &Value::Null);
    daemon.wait("/api/v1/health", |health| health["status"] == "ok");
}

#[test]
fn a_rules_file_that_was_away_for_a_moment_is_as_before() {
    let dir = logdir(&[kernel(0, 0.5)]);
    let file = dir.path().join(RULES);
    let text = "[[rule]]\ntag = \"*\"\nlayout = \"OIHW\"\n";
    fs::write(&file, text).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    // A directory in its place cannot be read, whoever asks.
    fs::rename(&file, dir.path().join("aside")).unwrap();
    fs::create_dir(&file).unwrap();
    daemon.wait("/api/v1/health", |health| health["status"] == "degraded");
    assert_eq!(of_tag(&daemon.get("/api/v1/series").json(), "conv1/kernel")["layout"], "OIHW");
    fs::remove_dir(&file).unwrap();
    fs::rename(dir.path().join("aside"), &file).unwrap();
    daemon.wait("/api/v1/health", |health| health["status"] == "ok");
    assert_eq!(of_tag(&daemon.get("/api/v1/series").json(), "conv1/kernel")["layout"], "OIHW");
}

#[test]
fn a_glob_beyond_the_limit_is_told_and_stops_nothing() {
    let dir = logdir(&[kernel(0, 0.5)]);
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    fs::write(
        dir.path().join(RULES),
        format!("[[rule]]\ntag = \"{}\"\nrole = \"bias\"\n", "a".repeat(150_000)),
    )
    .unwrap();
    let health = daemon.wait("/api/v1/health", |health| health["status"] == "degraded");
    let message = health["problems"][0]["message"].as_str().unwrap();
    assert!(message.contains("line 2, column 7") && message.contains("at most 1000"), "{message}");
    assert!(message.len() < 300, "{message}");
    let mut log = fs::OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap();
    std::io::Write::write_all(&mut log, &kernel(7, 0.5)).unwrap();
    daemon.wait("/api/v1/steps?run=.&tag=conv1/kernel", |steps| steps["steps"] == json!([0, 7]));
}

#[test]
fn the_rules_of_the_documentation_are_rules() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/meaning.md")).unwrap();
    let text = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rules = Rules::parse(text, "doc.toml").unwrap();
    assert_eq!(rules.of("a", "conv1/b/c").layout.map(|(layout, _)| layout), Some(Layout::Oihw));
    assert_eq!(rules.of("exp7/train", "probe/x").layer.map(|(layer, _)| layer), Some("conv1"));
    assert!(rules.of("a", "gradients/conv1/kernel").ignore.is_some_and(|(ignore, _)| ignore));
}

#[test]
fn rules_of_a_named_file_come_first() {
    let dir = logdir(&[kernel(0, 0.5)]);
    fs::write(dir.path().join(RULES), "[[rule]]\ntag = \"*\"\nlayout = \"IOHW\"\nrole = \"kernel\"\n")
        .unwrap();
    let named = dir.path().join("mine.toml");
    fs::write(&named, "[[rule]]\ntag = \"*\"\nlayout = \"HWOI\"\n").unwrap();
    let (logs, named) = (dir.path().to_str().unwrap(), named.to_str().unwrap());
    let output = convscope(&["ls", logs, "--rules", named, "--json"]);
    let listing: Value = serde_json::from_slice(&output.stdout).unwrap();
    let conv1 = of_tag(&listing, "conv1/kernel");
    assert_eq!((&conv1["layout"], &conv1["role_from"]["confidence"]), (&json!("HWOI"), &json!("sure")));
    assert_eq!(conv1["layout_from"]["evidence"], "the rule in line 1 of mine.toml");
    // That an earlier rule holds is what rules are for.
    assert_eq!(conv1["contradictions"], json!([]));

    fs::write(named, "[[rule]]\ntag = \n").unwrap();
    let refused = convscope(&["ls", logs, "--rules", named]);
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && stderr.contains("mine.toml: line 2, column"), "{stderr}");
    let missing = convscope(&["ls", logs, "--rules", "/nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn the_writers_own_metadata_is_believed_and_contradictions_are_shown() {
    let content = r#"{"layer": "stem", "role": "kernel", "layout": "OIHW"}"#;
    let dir = logdir(&[recorded_kernel("a", content), recorded_kernel("conv1/kernel", content), graph(0)]);
    let output = convscope(&["ls", dir.path().to_str().unwrap(), "--json"]);
    let listing: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sure = json!({"confidence": "sure", "evidence": "the writer's metadata"});
    let a = of_tag(&listing, "a");
    assert_eq!((&a["role"], &a["layer"], &a["layout"]), (&json!("kernel"), &json!("stem"), &json!("OIHW")));
    assert_eq!((&a["role_from"], &a["layout_from"], &a["contradictions"]), (&sure, &sure, &json!([])));
    let conv1 = of_tag(&listing, "conv1/kernel");
    let against = json!(["the Conv2D \"conv1\" of the logged graph says HWIO"]);
    assert_eq!((&conv1["layout"], &conv1["contradictions"]), (&json!("OIHW"), &against));
    assert_eq!(conv1["operation"]["strides"], json!([2, 2]));
}

/// A logdir in memory where whoever reads much at once waits until the gate is opened.
struct Gated {
    memory: Memory,
    is_open: Mutex<bool>,
    opened: Condvar,
}

const MUCH: usize = 200 << 10;

impl Source for Gated {
    fn root(&self) -> &Path {
        self.memory.root()
    }

    fn list(&self, stop: &AtomicBool) -> std::io::Result<Listing> {
        self.memory.list(stop)
    }

    fn directory(&self, dir: &Path) -> std::io::Result<Identity> {
        self.memory.directory(dir)
    }

    fn stat(&self, path: &Path) -> std::io::Result<FileStat> {
        self.memory.stat(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        if buf.len() > MUCH {
            let is_open = self.is_open.lock().unwrap();
            let (is_open, _) = self.opened.wait_timeout_while(is_open, HANG, |is_open| !*is_open).unwrap();
            assert!(*is_open, "the gate was never opened");
        }
        self.memory.read_at(path, offset, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
        self.memory.read_whole(path, most)
    }
}

#[test]
fn nobody_waits_for_a_large_graph() {
    let memory = Memory::default();
    memory.write(FILE, &[graph(8 << 20), kernel(0, 0.5)].concat());
    let source = Arc::new(Gated { memory, is_open: Mutex::new(false), opened: Condvar::new() });
    let options = Options { poll_every: Some(Duration::from_secs(3600)), ..Options::default() };
    let (catalog, _running) = ingest::start(Arc::clone(&source) as _, options).unwrap();
    let layout = |confidence| {
        let mut changes = catalog.changes();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let is_so = |snapshot: &Arc<convscope::catalog::snapshot::Snapshot>| {
                let series = snapshot.series(".", "conv1/kernel");
                let layout = series.and_then(|series| series.facts.layout.clone());
                !snapshot.loading
                    && layout
                        .is_some_and(|(layout, from)| (layout, from.confidence) == (Layout::Hwio, confidence))
            };
            let found = tokio::time::timeout(HANG, changes.wait_for(is_so)).await;
            assert!(found.is_ok(), "{confidence:?} never came: {:?}", catalog.snapshot());
        });
    };
    // The graph cannot be read yet, and everything else is there.
    layout(Confidence::Likely);
    *source.is_open.lock().unwrap() = true;
    source.opened.notify_all();
    layout(Confidence::Sure);
}

#[test]
fn pictures_in_the_log_are_a_sheet() {
    let daemon = Daemon::serve(&fixture("recipe_tf1"), &[]).loaded();
    let list = daemon.get("/api/v1/series?role=image").json();
    let filters = of_tag(&list, "conv1/filters/image");
    assert_eq!((&filters["source"], &filters["note"]), (&json!("image"), &json!("8 bit, scale unknown")));
    assert_eq!((&filters["view"], &filters["range"]), (&json!("image"), &json!("fixed:0:255")));
    let query = "run=.&tag=conv1/filters/image&step=40";
    let npy = Npy::parse(&daemon.get(&format!("/api/v1/tensor?{query}")).body);
    assert_eq!((npy.descr.as_str(), npy.shape.as_slice()), ("|u1", &[3, 5, 5, 3][..]));
    // Every pixel of the sheet is the pixel that was logged.
    let sheet = daemon.get(&format!("/api/v1/sheet?{query}&gutter=0&cols=3&format=png"));
    let mut reader = png::Decoder::new(Cursor::new(sheet.body.as_slice())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height, frame.color_type), (15, 5, png::ColorType::Rgb));
    let tile = |idx: usize| (0..5).flat_map(move |y| (0..5).map(move |x| (y * 15 + idx * 5 + x) * 3));
    let tiles: Vec<u8> = (0..3).flat_map(tile).flat_map(|at| pixels[at..at + 3].to_vec()).collect();
    assert_eq!(tiles, npy.bytes);
    // The tag of one of them leads to them all.
    let steps = |tag: &str| daemon.get(&format!("/api/v1/steps?run=.&tag={tag}")).json();
    assert_eq!(steps("conv1/filters/image/2"), steps("conv1/filters/image"));
}

#[test]
fn a_bomb_is_refused_and_the_rest_is_served() {
    let daemon = Daemon::serve(&fixture("images"), &[]).loaded();
    let list = daemon.get("/api/v1/series?run=hostile").json();
    for series in list["series"].as_array().unwrap() {
        let (tag, step) = (series["tag"].as_str().unwrap(), &series["last_step"]);
        let answer = daemon.get(&format!("/api/v1/sheet?run=hostile&tag={tag}&step={step}"));
        assert!(matches!(answer.status, 200 | 404 | 415 | 422), "{tag}: {}", answer.status);
        assert!(answer.status == 200 || answer.message().len() > 10, "{tag}");
    }
    assert_eq!(daemon.get("/healthz").status, 200);
}
