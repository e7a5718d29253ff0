//! Numbers and differences over HTTP and on the command line, of logs that real writers wrote; truth from NumPy and matplotlib.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, tensor},
    npy::Npy,
    numbers::is_near,
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn lines(name: &str) -> Vec<Value> {
    serde_json::from_slice(&fs::read(fixture("numbers").join(name)).unwrap()).unwrap()
}

/// Serves a log and waits until its graphs have been read, which may change layouts.
fn serve(log: &str) -> Daemon {
    let daemon = Daemon::serve(&fixture(log), &[]).loaded();
    daemon.wait("/api/v1/series?role=kernel", |list| !list["series"][0]["operation"].is_null());
    daemon
}

fn get(daemon: &Daemon, path: &str) -> Value {
    let answer = daemon.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn column(each: &Value, name: &str) -> Vec<Option<f64>> {
    each.as_array().unwrap().iter().map(|entry| entry[name].as_f64()).collect()
}

fn check_list(found: &[Option<f64>], expected: &Value, at: &str) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{at}");
    assert!(found.iter().zip(expected).all(|(found, expected)| is_near(*found, expected)), "{at}");
}

const USUAL: [&str; 10] = ["elements", "nan", "inf", "min", "max", "mean", "sd", "l1", "l2", "zero_share"];

#[test]
fn numbers_of_every_step_equal_numpys() {
    for log in ["recipe_tf1", "keras_tf2"] {
        let daemon = serve(log);
        for line in lines("logs.json").iter().filter(|line| line["log"] == log) {
            let (tag, step) = (line["tag"].as_str().unwrap(), &line["step"]);
            let at = format!("/api/v1/stats?tag={tag}&step={step}");
            let stats = get(&daemon, &at);
            assert_eq!(stats["layout"], line["layout"], "{at}");
            for name in USUAL {
                let found = stats["tensor"][name].as_f64();
                assert!(is_near(found, &line["tensor"][name]), "{at} {name} {found:?} {}", line["tensor"]);
            }
            check_list(&column(&stats["each"], "l2"), &line["l2"], &at);
            let alike = if stats["per"] == "filter" { "duplicates" } else { "twins" };
            assert_eq!(stats[alike]["count"], line["alike"], "{at}");
            if let Some(roughness) = line.get("roughness") {
                check_list(&column(&stats["each"], "roughness"), roughness, &at);
                assert!(is_near(stats["tensor"]["change"].as_f64(), &line["change"]), "{at}");
                assert_eq!(stats["change_from"], line["change_from"], "{at}");
                let n_steps = step.as_f64().unwrap() - line["change_from"].as_f64().unwrap_or(0.0);
                let per_step = line["change"].as_f64().map(|change| change / n_steps);
                let per_root = line["change"].as_f64().map(|change| change / n_steps.sqrt());
                assert!(is_near(stats["tensor"]["change_per_step"].as_f64(), &json!(per_step)), "{at}");
                assert!(is_near(stats["tensor"]["change_per_root_step"].as_f64(), &json!(per_root)), "{at}");
            }
        }
    }
}

#[test]
fn numbers_over_all_steps_are_those_of_each_step() {
    for (log, tag) in [("recipe_tf1", "conv1/weights"), ("keras_tf2", "conv1/output")] {
        let daemon = serve(log);
        let charts = get(&daemon, &format!("/api/v1/stats?tag={tag}&steps=all"));
        let logged: Vec<Value> =
            lines("logs.json").into_iter().filter(|line| line["log"] == log && line["tag"] == tag).collect();
        let steps: Vec<Value> = logged.iter().map(|line| line["step"].clone()).collect();
        assert_eq!(charts["steps"], json!(steps));
        assert_eq!((&charts["every"], &charts["thinned"]), (&json!(1), &Value::Null));
        for (idx, line) in logged.iter().enumerate() {
            for name in USUAL.iter().skip(1) {
                let found = charts["tensor"][*name][idx].as_f64();
                assert!(is_near(found, &line["tensor"][*name]), "{tag} {name} {idx}");
            }
            assert!(is_near(charts["tensor"]["change"][idx].as_f64(), &line["change"]), "{tag} {idx}");
            let l2: Vec<Option<f64>> =
                charts["each"]["l2"].as_array().unwrap().iter().map(|filter| filter[idx].as_f64()).collect();
            check_list(&l2, &line["l2"], tag);
        }
        let part = get(&daemon, &format!("/api/v1/stats?tag={tag}&steps=all&from=1&to=39&points=2"));
        assert_eq!(part["steps"].as_array().unwrap().len(), 2.min(logged.len()));
    }
}

#[test]
fn many_steps_are_thinned_and_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let values = |step: i64| if step == 7 { f32::NAN } else { step as f32 + 1.0 };
    let records = (0..1000).map(|step| tensor("conv1/kernel", step, 1.0, &[3, 3, 1, 2], values(step)));
    fs::write(dir.path().join(FILE), records.collect::<Vec<_>>().concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let charts = get(&daemon, "/api/v1/stats?tag=conv1/kernel&steps=all&points=100");
    let steps = charts["steps"].as_array().unwrap();
    assert_eq!((&charts["logged"], &charts["every"], steps.len()), (&json!(1000), &json!(16), 64));
    assert_eq!((&steps[0], &steps[1], steps.last()), (&json!(0), &json!(16), Some(&json!(999))));
    assert_eq!(charts["change_from"][1], 15);
    assert!(charts["thinned"].as_str().unwrap().starts_with("every 16th of 1000 steps"), "{charts}");
    // All elements of a step are step + 1, so they grow by 1/step.
    assert!(is_near(charts["tensor"]["change"][1].as_f64(), &json!(1.0 / 16.0)));
    let close = get(&daemon, "/api/v1/stats?tag=conv1/kernel&steps=all&from=5&to=9");
    assert_eq!(close["steps"], json!([5, 6, 7, 8, 9]));
    assert_eq!(close["tensor"]["nan"], json!([0, 0, 18, 0, 0]));
    assert_eq!(close["tensor"]["max"][2], Value::Null);
    let empty = get(&daemon, "/api/v1/stats?tag=conv1/kernel&steps=all&from=2000");
    assert_eq!((&empty["steps"], &empty["each"]["l2"]), (&json!([]), &json!([])));
}

/// Whether a cell says what JSON says; empty is null.
fn is_same(cell: &str, told: &Value) -> bool {
    match told {
        Value::Null => cell.is_empty(),
        Value::Bool(told) => cell.parse() == Ok(*told),
        told => is_near(cell.parse().ok(), told),
    }
}

#[test]
fn numbers_come_as_csv_and_are_kept_by_clients_when_the_step_is_fixed() {
    let daemon = serve("keras_tf2");
    let path = "/api/v1/stats?tag=conv1/kernel&step=2";
    let (stats, csv) = (daemon.get(path), daemon.get(&format!("{path}&format=csv")));
    assert!(stats.header("cache-control").contains("immutable"));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = String::from_utf8(csv.body).unwrap();
    let rows: Vec<Vec<&str>> = text.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!((rows.len(), rows[0][0], rows[1][0], rows[9][0]), (10, "filter", "all", "7"));
    for (at, name) in rows[0].iter().enumerate().skip(1) {
        assert!(is_same(rows[1][at], &stats.json()["tensor"][*name]), "{name}");
        assert!(is_same(rows[9][at], &stats.json()["each"][7][*name]), "{name}");
    }
    let all = daemon.get("/api/v1/stats?tag=conv1/kernel&steps=all&format=csv");
    assert!(!all.header("cache-control").contains("immutable"));
    let text = String::from_utf8(all.body).unwrap();
    let rows: Vec<Vec<&str>> = text.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 1 + 5 * 9);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let l2 = rows[0].iter().position(|name| *name == "l2").unwrap();
    assert!(is_same(rows[1 + 2 * 9 + 8][l2], &stats.json()["each"][7]["l2"]));
    let again = daemon.get_with(path, &[("if-none-match", stats.header("etag"))]);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn differences_are_drawn_as_matplotlib_draws_them() {
    let dir = tempfile::tempdir().unwrap();
    for line in lines("differences.json") {
        let log = line["log"].as_str().unwrap();
        let daemon = serve(log);
        let (tag, step, minus_step) = (line["tag"].as_str().unwrap(), &line["step"], &line["minus_step"]);
        let query = format!("tag={tag}&step={step}&minus_step={minus_step}");
        let png = daemon.get(&format!("/api/v1/sheet?{query}"));
        assert!(png.header("cache-control").contains("immutable"));
        let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_rgb8();
        let expected = fs::read(fixture("numbers").join(line["png"].as_str().unwrap())).unwrap();
        assert!(pixels(&png.body) == pixels(&expected), "{tag}: other pixels");
        let info = get(&daemon, &format!("/api/v1/sheet/info?{query}"));
        assert_eq!((&info["range"]["lo"], &info["range"]["hi"]), (&line["lo"], &line["hi"]), "{tag}");
        assert_eq!((&info["cmap"], &info["range"]["zero"]), (&line["cmap"], &json!(0.5)), "{tag}");
        assert_eq!(info["minus"]["step"], *minus_step, "{tag}");
        let apart = get(&daemon, &format!("/api/v1/difference?{query}"));
        for name in ["norm", "relative_norm", "cosine"] {
            assert!(is_near(apart["tensor"][name].as_f64(), &line[name]), "{tag} {name}: {apart}");
        }
        let out = dir.path().join("difference.png");
        let (step, minus_step) = (step.to_string(), minus_step.to_string());
        let logdir = fixture(log);
        let args = ["render", logdir.to_str().unwrap(), "--tag", tag, "--step", &step];
        let more = ["--minus-step", &minus_step, "-o", out.to_str().unwrap()];
        assert!(convscope(&[&args[..], &more].concat()).status.success(), "{tag}");
        assert!(pixels(&fs::read(&out).unwrap()) == pixels(&expected), "{tag}: render draws others");
    }
}

/// A log with the two kernels of a matching in two runs.
fn two_runs(line: &Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for run in ["a", "b"] {
        let npy = Npy::read(&fixture("numbers").join(line[run].as_str().unwrap()));
        fs::create_dir(dir.path().join(run)).unwrap();
        let record = crate::logs::tensor_of("conv1/kernel", 3, &npy.shape, &npy.bytes);
        fs::write(dir.path().join(run).join(FILE), record).unwrap();
    }
    dir
}

#[test]
fn filters_of_two_runs_are_paired_and_subtracted() {
    for line in lines("matchings.json") {
        let dir = two_runs(&line);
        let daemon = Daemon::serve(dir.path(), &[]).loaded();
        let layout = line["layout"].as_str().unwrap();
        let query = format!("run=a&tag=conv1/kernel&minus_run=b&layout={layout}&match=cosine");
        let apart = get(&daemon, &format!("/api/v1/difference?{query}"));
        let partners: Vec<&Value> =
            apart["each"].as_array().unwrap().iter().map(|pair| &pair["minus_index"]).collect();
        assert_eq!(json!(partners), line["partners"], "{layout}");
        for (name, expected) in line["tensor"].as_object().unwrap() {
            let found = apart["tensor"][name].as_f64();
            assert!(name == "rotation" || is_near(found, expected), "{layout} {name}: {found:?} {expected}");
        }
        for name in ["mean_cosine", "mean_cosine_by_index"] {
            assert!(is_near(apart["matching"][name].as_f64(), &line[name]), "{layout} {name}");
        }
        let values = daemon.get(&format!(
            "/api/v1/values?{query}&view={}",
            if layout == "IO" { "matrix" } else { "filters" }
        ));
        assert_eq!(values.status, 200, "{layout}");
        let is_shuffled = line["a"].as_str().unwrap().contains("shuffled");
        let numbers = Npy::parse(&values.body);
        let is_zero = numbers.bytes.chunks_exact(4).all(|x| f32::from_le_bytes(x.try_into().unwrap()) == 0.0);
        let out = dir.path().join("difference.npy");
        let args = ["render", dir.path().to_str().unwrap(), "--run", "a", "--tag", "conv1/kernel"];
        let more = ["--minus-run", "b", "--match", "cosine", "--layout", layout, "-o", out.to_str().unwrap()];
        assert!(convscope(&[&args[..], &more].concat()).status.success(), "{layout}");
        let squares = |npy: &Npy| -> f32 {
            npy.bytes.chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap()).powi(2)).sum()
        };
        let rendered = Npy::read(&out);
        let kernel = Npy::read(&fixture("numbers").join(line["a"].as_str().unwrap()));
        assert_eq!(rendered.shape, kernel.shape, "{layout}");
        let norm = f64::from(squares(&rendered).sqrt());
        assert!((norm - line["tensor"]["norm"].as_f64().unwrap()).abs() < 1e-5, "{layout}: {norm}");
        assert_eq!(is_zero, is_shuffled, "{layout}: a shuffled copy minus its partners is zero");
    }
}

#[test]
fn what_cannot_be_compared_says_what_differs() {
    let daemon = serve("keras_tf2");
    let check = |path: &str, status: u16, says: &str| {
        let answer = daemon.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.message().contains(says), "{path}: {}", answer.message());
    };
    check("difference?tag=conv1/kernel", 400, "minus_step=0");
    check("sheet?tag=conv1/kernel&match=cosine", 400, "minus_step");
    check("sheet?tag=conv1/kernel&minus_step=0&match=best", 400, "index, cosine");
    check("sheet?tag=conv1/kernel&minus_step=first", 400, "latest");
    check("sheet?tag=conv1/kernel&minus_step=99", 404, "nearest");
    check("sheet?tag=conv1/kernel&minus_tag=pointwise/kernel", 400, "the shapes differ");
    check("sheet?tag=conv1/kernel&minus_tag=depthwise/kernel", 400, "HWIO and that of depthwise/kernel");
    check("difference?tag=conv1/output&minus_step=0&match=cosine", 400, "NHWC is a layout of activations");
    check("stats?tag=conv1/kernel&steps=some", 400, "is not all");
    check("stats?tag=conv1/kernel&steps=all&step=3", 400, "leave one of them out");
    check("stats?tag=conv1/kernel&points=5", 400, "steps=all");
    check("stats?tag=conv1/kernel&steps=all&from=4&to=2", 400, "the smaller comes first");
    check("stats?tag=conv1/kernel&dead_over=0", 400, "1 to 50");
    check("stats?tag=conv1/kernel&format=xml", 400, "json, csv");
    check("stats?tag=conv1/kernel&layout=NWC", 400, "NWC has 3 axes and the tensor 4");
    let recipe = serve("recipe_tf1");
    for path in ["stats?tag=conv1/filters/image", "sheet?tag=conv1/filters/image&minus_step=0"] {
        let answer = recipe.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 422, "{path}");
        assert!(answer.message().contains("scale is unknown"), "{}", answer.message());
    }
}

#[test]
fn a_channel_is_dead_over_as_many_steps_as_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let records = [(0, 0.5), (1, 0.0), (2, -1.0), (3, 0.0)].map(|(step, fill)| {
        // The third step has a larger batch, as the last one of an epoch has a smaller one.
        let shape = if step == 2 { [3, 4, 4, 2] } else { [2, 4, 4, 2] };
        tensor("conv1/Relu", step, 1.0, &shape, fill)
    });
    fs::write(dir.path().join(FILE), records.concat()).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let check = |query: &str, dead: bool, over: Value| {
        let stats = get(&daemon, &format!("/api/v1/stats?tag=conv1/Relu&layout=NHWC&{query}"));
        assert_eq!((&stats["each"][1]["dead"], &stats["dead_over"]), (&json!(dead), &over), "{query}");
        assert_eq!(stats["tensor"]["change"], Value::Null, "what flows through is not compared");
    };
    check("step=3", false, json!([0, 1, 2, 3]));
    check("step=3&dead_over=3", true, json!([1, 2, 3]));
    check("step=2&dead_over=1", true, json!([2]));
    check("step=0", false, json!([0]));
}

#[test]
fn a_damaged_step_before_hides_no_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<Vec<u8>> =
        (0..4).map(|step| tensor("conv1/kernel", step, 1.0, &[5, 5, 3, 32], step as f32 + 1.0)).collect();
    let mut bytes = records.concat();
    bytes[records[0].len() + records[1].len() + records[2].len() / 2] ^= 1;
    fs::write(dir.path().join(FILE), bytes).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let charts = get(&daemon, "/api/v1/stats?tag=conv1/kernel&steps=all");
    assert_eq!(charts["steps"], json!([0, 1, 3]), "{charts}");
    assert!(charts["damaged"] == json!([2]) || charts["logged"] == 3, "{charts}");
    // What was found damaged is dropped, so the step before is another one then.
    daemon.wait("/api/v1/steps?tag=conv1/kernel", |steps| steps["steps"] == json!([0, 1, 3]));
    let stats = get(&daemon, "/api/v1/stats?tag=conv1/kernel&step=3");
    assert_eq!((&stats["change_from"], &stats["tensor"]["change"]), (&json!(1), &json!(1.0)));
    assert!(is_near(stats["tensor"]["change_per_root_step"].as_f64(), &json!(0.5_f64.sqrt())));
}

#[test]
fn the_graph_says_how_far_a_layer_sees() {
    let daemon = serve("recipe_tf1");
    assert_eq!(get(&daemon, "/api/v1/stats?tag=conv1/weights&step=0")["receptive_field"], json!([5, 5]));
}
