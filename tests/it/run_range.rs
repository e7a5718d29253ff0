//! Pictures that take something from other steps: the range of the run, the order by change. And what is told of pictures.

use std::{fs, io::Write, path::PathBuf};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, kernel},
    npy::Npy,
};

fn recipe() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recipe_tf1")
}

/// All numbers of the recipe's first kernel at all its steps, as TensorFlow logged them.
fn logged() -> Vec<f64> {
    let steps = [0, 10, 20, 30, 40];
    let tensor = |step| Npy::read(&recipe().join(format!("truth/conv1__weights__{step}.npy"))).bytes;
    let floats = |bytes: Vec<u8>| {
        let (elements, _) = bytes.as_chunks::<4>();
        elements.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect::<Vec<_>>()
    };
    steps.into_iter().map(tensor).flat_map(floats).collect()
}

fn is_done(range: &serde_json::Value) -> bool {
    range["steps_done"] == range["steps"]
}

#[test]
fn the_range_of_a_run_is_that_of_all_its_steps() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let numbers = logged();
    let (lo, hi) = numbers.iter().fold((f64::MAX, f64::MIN), |(lo, hi), x| (lo.min(*x), hi.max(*x)));
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let sd = (numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / numbers.len() as f64).sqrt();
    let mut sorted = numbers;
    sorted.sort_by(f64::total_cmp);
    let check = |range: &str, lo: f64, hi: f64| {
        let query = format!("tag=conv1/weights&scope=run&range={range}");
        let first = daemon.get(&format!("/api/v1/range?{query}"));
        assert_eq!(first.status, 200, "{range}");
        let known = daemon.wait(&format!("/api/v1/range?{query}"), is_done);
        assert_eq!(
            (&known["steps"], &known["steps_skipped"], &known["widened"]),
            (&5.into(), &0.into(), &false.into())
        );
        for step in [0, 40] {
            let info = daemon.get(&format!("/api/v1/sheet/info?{query}&step={step}")).json();
            for ends in [&known, &info["range"]] {
                let near = |name: &str, wanted: f64| (ends[name].as_f64().unwrap() - wanted).abs() < 1e-9;
                assert!(near("lo", lo) && near("hi", hi), "{range}: {ends} instead of {lo} {hi}");
            }
        }
    };
    check("minmax", lo, hi);
    check("symmetric", -lo.abs().max(hi.abs()), lo.abs().max(hi.abs()));
    check("std:2", mean - 2.0 * sd, mean + 2.0 * sd);
    check("percentile:1", lo, hi);
    // 24,000 numbers: the quantiles lie 0.75 behind the 599th and 0.25 behind the 23,399th, counted from 0.
    let between = |first: usize, share: f64| sorted[first] + share * (sorted[first + 1] - sorted[first]);
    check("percentile:0.95", between(599, 0.975), between(23_399, 0.025));
}

#[test]
fn pictures_that_hang_on_other_steps_are_not_kept_for_ever() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    for (options, is_kept) in
        [("scope=run", false), ("order=change", false), ("scope=tile", true), ("order=norm", true)]
    {
        let sheet = daemon.get(&format!("/api/v1/sheet?tag=conv1/weights&step=20&{options}"));
        assert_eq!(sheet.status, 200, "{options}");
        assert_eq!(sheet.header("cache-control").contains("immutable"), is_kept, "{options}");
    }
    let first = daemon.get("/api/v1/sheet?tag=conv1/weights&step=0&order=change");
    assert_eq!(first.status, 400);
    assert!(first.message().contains("the step before") && first.message().contains("norm"));
}

#[test]
fn the_command_line_draws_what_the_server_draws() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let options = [
        ["--scope", "run", "--range", "percentile:0.9"],
        ["--order", "change", "--labels", "index"],
        ["--range", "tf1", "--order", "similarity"],
        ["--blend", "0.5", "--view", "components"],
    ];
    for options in options {
        let file = dir.path().join("sheet.webp");
        let (recipe, out) = (recipe(), file.to_str().unwrap());
        let fixed = ["render", recipe.to_str().unwrap(), "--tag", "conv1/weights", "--step", "30", "-o", out];
        let done = convscope(&[&fixed[..], &options].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let pairs = options.as_chunks::<2>().0.iter().map(|[name, value]| format!("{}={value}", &name[2..]));
        let query = pairs.collect::<Vec<_>>().join("&");
        let sheet = daemon.get(&format!("/api/v1/sheet?tag=conv1/weights&step=30&format=webp&{query}"));
        assert_eq!((sheet.status, sheet.body == fs::read(&file).unwrap()), (200, true), "{query}");
    }
}

#[test]
fn the_range_of_a_live_run_only_widens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let log = |step: i64, fill: f32| {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(&kernel(step, fill)).unwrap();
    };
    log(0, 0.5);
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let query = "tag=conv1/kernel&scope=run&range=percentile:0.5";
    let check = |steps: i64, lo: f64, hi: f64| {
        let path = format!("/api/v1/range?{query}");
        let range = daemon.wait(&path, |range| range["steps"] == steps && is_done(range));
        assert_eq!((range["lo"].as_f64(), range["hi"].as_f64()), (Some(lo), Some(hi)), "{range}");
        let info = daemon.get(&format!("/api/v1/sheet/info?{query}&step=0")).json();
        assert_eq!((info["range"]["lo"].as_f64(), info["range"]["hi"].as_f64()), (Some(lo), Some(hi)));
        range["widened"] == true
    };
    assert!(!check(1, 0.5, 0.5));
    log(1, 2.0);
    assert!(!check(2, 0.5, 2.0));
    for step in 2..12 {
        log(step, 1.0);
    }
    // Half of the numbers lie between 1 and 1 now.
    assert!(check(12, 0.5, 2.0));
}

#[test]
fn a_damaged_step_is_left_out_of_the_range() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<Vec<u8>> =
        [0.5, 9.0, -0.25].into_iter().zip(0..).map(|(x, step)| kernel(step, x)).collect();
    let mut bytes = records.concat();
    bytes[records[0].len() + records[1].len() / 2] ^= 1;
    fs::write(dir.path().join(FILE), bytes).unwrap();
    let daemon = Daemon::serve(dir.path(), &[]).loaded();
    let range = daemon.wait("/api/v1/range?tag=conv1/kernel&range=minmax", is_done);
    assert_eq!((range["lo"].as_f64(), range["hi"].as_f64()), (Some(-0.25), Some(0.5)), "{range}");
}

#[test]
fn the_legend_tells_of_orders_labels_and_ranges_of_tiles() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let info =
        |options: &str| daemon.get(&format!("/api/v1/sheet/info?tag=conv1/weights&step=40&{options}")).json();
    let labelled = info("order=norm&labels=index&zoom=2");
    assert_eq!(
        (&labelled["order"], &labelled["labels"], &labelled["label_height"]),
        (&"norm".into(), &"index".into(), &10.into())
    );
    let tile = &labelled["tiles"][9];
    // Cells of 5 by 5 + 5 elements and a gutter of 1, two letters of 11 pixels in all.
    assert_eq!((&tile["x"], &tile["y"]), (&(2 + 14).into(), &(2 + 22 + 10).into()));
    let (x, y) = (&tile["label"]["x"], &tile["label"]["y"]);
    assert_eq!((x, y, &tile["label"]["h"]), (&16.into(), &24.into(), &9.into()));
    assert_eq!(tile["label"]["text"].as_str().map(str::to_owned), Some(tile["channel"].to_string()));
    for (options, has_ranges) in
        [("blend=0.5", true), ("blend=0", false), ("range=tf1", true), ("scope=run", false)]
    {
        assert_eq!(
            info(options)["tile_ranges"].as_array().map(Vec::len),
            has_ranges.then_some(64),
            "{options}"
        );
    }
    assert_eq!(info("range=tf1")["scope"], "tile");
}

#[test]
fn what_does_not_go_together_is_named_with_what_does() {
    let daemon = Daemon::serve(&recipe(), &[]).loaded();
    let check = |options: &str, message: &str| {
        let answer = daemon.get(&format!("/api/v1/sheet?tag=conv1/weights&{options}"));
        assert_eq!(answer.status, 400, "{options}");
        assert!(answer.message().contains(message), "{options}: {}", answer.message());
    };
    check(
        "range=tf1&scope=layer",
        "scope: tf1 takes each tile for an image by itself: leave scope out or use tile",
    );
    check("range=tf2&blend=0.5", "blend: tf2 leaves nothing to blend");
    check("range=fixed:0:1&blend=0.5", "blend: fixed:0:1 leaves nothing to blend");
    check("scope=run&blend=0.5", "blend: it goes from the layer's range");
    check("view=matrix&order=norm", "order: norm would mix the rows and columns");
    check("view=components&cmap=gray", "cmap: the view components has colours of its own");
    check("view=components&order=change", "order: the factors of two steps");
    check("range=percentile:0", "range: \"percentile:0\" needs the share");
    check("blend=2", "blend: \"2\" is no number from 0 to 1");
    let range = daemon.get("/api/v1/range?tag=conv1/weights&range=tf1");
    assert_eq!((range.status, range.message().contains("leave scope out or use tile")), (400, true));
    let fixed = daemon.wait("/api/v1/range?tag=conv1/weights&range=fixed:-1:2", is_done);
    assert_eq!((fixed["lo"].as_f64(), fixed["hi"].as_f64()), (Some(-1.0), Some(2.0)));
    check("labels=all", "labels: \"all\" is not one of none, index");
}
