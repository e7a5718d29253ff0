//! Tensors without elements, of every rank and layout, through every handler, `render` and `export`: an answer or a refusal comes,
//! and nothing breaks.

use std::{fs, path::Path, thread};

use convscope::{model::layout::Layout, proto::DataType, render::choices};

use crate::{
    daemon::{Daemon, convscope},
    logs::{FILE, empty_tensor, tensor},
};

/// Lengths of axes that are not empty: as a network has them, and so long that their product fits nothing.
const USUAL: [i64; 5] = [2, 3, 4, 3, 2];
const LONG: [i64; 5] = [i64::MAX, 1 << 40, 1 << 20, i64::MAX, 3];

const DTYPES: [DataType; 8] = [
    DataType::DtFloat,
    DataType::DtDouble,
    DataType::DtBfloat16,
    DataType::DtUint8,
    DataType::DtInt64,
    DataType::DtBool,
    DataType::DtComplex64,
    DataType::DtInt4,
];

/// Shapes with an empty axis at each place, and with all of them empty.
fn shapes() -> Vec<Vec<i64>> {
    let mut shapes = Vec::new();
    for rank in 1..=5 {
        for lengths in [USUAL, LONG] {
            shapes.extend((0..rank).map(|empty| {
                (0..rank).map(|axis| if axis == empty { 0 } else { lengths[axis] }).collect::<Vec<_>>()
            }));
        }
        shapes.push(vec![0; rank]);
    }
    shapes.sort();
    shapes.dedup();
    shapes
}

/// The tag of a shape: a kernel's, as most layouts are theirs.
fn tag(shape: &[i64]) -> String {
    let lengths: Vec<String> = shape.iter().map(i64::to_string).collect();
    format!("shape{}/kernel", lengths.join("x"))
}

/// A log with two steps of every shape, and with every type.
fn write_log(logdir: &Path) {
    let mut records = Vec::new();
    for shape in shapes() {
        for step in [0, 1] {
            records.extend(empty_tensor(&tag(&shape), step, DataType::DtFloat, &shape));
        }
    }
    for dtype in DTYPES {
        for step in [0, 1] {
            let tag = format!("type/{}/kernel", dtype.as_str_name());
            records.extend(empty_tensor(&tag, step, dtype, &[3, 0, 2, 4]));
        }
    }
    // One that is not empty at each step.
    records.extend(tensor("grows/kernel", 0, 1.0, &[0, 3, 2, 4], 0.0));
    records.extend(tensor("grows/kernel", 1, 1.0, &[3, 3, 2, 4], 0.5));
    fs::write(logdir.join(FILE), records).unwrap();
}

/// The options of a sheet, one at a time.
fn picture_options() -> Vec<String> {
    let named = |option: &str, names: Vec<&str>| -> Vec<String> {
        names.into_iter().map(|name| format!("{option}={name}")).collect()
    };
    let mut options = [
        named("view", choices::View::ALL.iter().map(|view| view.name()).collect()),
        named("scope", choices::Scope::ALL.iter().map(|scope| scope.name()).collect()),
        named("order", choices::Order::ALL.iter().map(|order| order.name()).collect()),
        named("labels", choices::Labels::ALL.iter().map(|labels| labels.name()).collect()),
        named("cmap", vec!["gray", "rdbu", "rgb"]),
    ]
    .concat();
    let ranges = "minmax symmetric percentile:1 zscale std:2 fixed:-1:1 tf1 tf2";
    options.extend(ranges.split(' ').flat_map(|range| {
        let over_all = format!("range={range}&scope=run");
        [format!("range={range}"), over_all]
    }));
    options.extend(
        ["", "blend=0.5", "channels=0", "sample=0&view=maps", "slice=0&view=slice", "cols=1&zoom=2"]
            .map(str::to_owned),
    );
    options
}

/// All that can be asked of a tag, taken for this layout.
fn paths(tag: &str, layout: &str) -> Vec<String> {
    let of =
        |path: &str| format!("/api/v1/{path}{}tag={tag}{layout}", if path.contains('?') { '&' } else { '?' });
    let pictures = picture_options();
    let mut paths: Vec<String> = pictures.iter().map(|options| of(&format!("sheet?{options}"))).collect();
    paths.extend(
        pictures
            .iter()
            .filter(|options| options.starts_with("view"))
            .map(|options| of(&format!("values?{options}"))),
    );
    paths.extend(
        [
            "sheet?format=webp",
            "sheet/info",
            "sheet/info?labels=index&order=similarity&view=magnitude",
            "range?scope=run",
            "range?range=percentile:1",
            "stats",
            "stats?format=csv",
            "stats?steps=all",
            "stats?steps=all&format=csv",
            "stats?dead_over=2",
            "difference?minus_step=0",
            "difference?minus_step=0&match=cosine",
            "sheet?minus_step=0",
            "sheet?minus_step=0&match=cosine",
            "sheet/info?minus_step=0&match=cosine",
            "values?minus_step=0&match=cosine",
            "film?format=apng&stamp=step",
            "film?format=gif",
            "film?format=webp&scope=tile&order=change",
            "film?format=apng&scope=run",
        ]
        .map(of),
    );
    paths
}

fn layouts(rank: usize) -> impl Iterator<Item = String> {
    let of_rank = Layout::ALL.into_iter().filter(move |layout| layout.rank() == rank);
    std::iter::once(String::new()).chain(of_rank.map(|layout| format!("&layout={}", layout.name())))
}

fn ask(daemon: &Daemon, path: &str) {
    let answer = daemon.get(path);
    let text = || String::from_utf8_lossy(&answer.body).into_owned();
    assert!(
        answer.status == 200 || (400..500).contains(&answer.status),
        "{path}: {} {}",
        answer.status,
        text()
    );
    if answer.status != 200 {
        assert!(!answer.message().is_empty(), "{path}");
    } else if answer.header("content-type") == "application/json" {
        // No JSON has NaN or an infinity.
        answer.json();
    }
}

#[test]
fn every_handler_answers() {
    let logdir = tempfile::tempdir().unwrap();
    write_log(logdir.path());
    let daemon = Daemon::serve(logdir.path(), &[]).loaded();
    let listed = daemon.get("/api/v1/series").json();
    assert_eq!(listed["series"].as_array().unwrap().len(), shapes().len() + DTYPES.len() + 1);
    let mut asked = Vec::new();
    for shape in shapes() {
        for layout in layouts(shape.len()) {
            asked.extend(paths(&tag(&shape), &layout));
        }
    }
    let types = DTYPES.map(|dtype| format!("type/{}/kernel", dtype.as_str_name()));
    let others = [types.to_vec(), vec!["grows/kernel".to_owned()]].concat();
    for tag in &others {
        asked.extend(paths(tag, "").into_iter().chain(paths(tag, "&layout=OIHW")));
        asked.push(format!("/api/v1/tensor?tag={tag}&step=0"));
    }
    asked.extend(shapes().iter().map(|shape| format!("/api/v1/tensor?tag={}", tag(shape))));
    // Some at once, as the answers take their time one after the other.
    thread::scope(|scope| {
        for part in asked.chunks(asked.len().div_ceil(4)) {
            scope.spawn(|| part.iter().for_each(|path| ask(&daemon, path)));
        }
    });
    let counts = daemon.get(&format!("/api/v1/stats?tag={}&layout=HWIO", tag(&[0, 3, 4, 3]))).json();
    assert_eq!(
        (&counts["tensor"]["elements"], &counts["tensor"]["mean"]),
        (&0.into(), &serde_json::Value::Null),
        "{counts:#}"
    );
    assert!(!daemon.said().contains("panicked"), "{}", daemon.said());
}

#[test]
fn render_and_export_refuse_or_write() {
    let logdir = tempfile::tempdir().unwrap();
    write_log(logdir.path());
    let out = tempfile::tempdir().unwrap();
    let place = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let run = |command: &str, options: &[&str], codes: &[i32]| {
        let output = convscope(&[&[command, logdir.path().to_str().unwrap()], options].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!(code.is_some_and(|code| codes.contains(&code)), "{command} {options:?}: {code:?} {said}");
        assert!(!said.contains("panicked"), "{command} {options:?}: {said}");
    };
    for rank in 1..=5 {
        let tag = tag(&[&[0], &USUAL[1..rank]].concat());
        run("render", &["--tag", &tag, "-o", &place("a.npy")], &[0]);
        run(
            "render",
            &["--tag", &tag, "-o", &place("a.npy"), "--minus-step", "0", "--match", "cosine"],
            &[0, 2],
        );
        for file in ["a.png", "a.webp", "a.apng", "a.gif"] {
            run("render", &["--tag", &tag, "-o", &place(file)], &[2]);
        }
    }
    for (at, to) in
        [&["tensorboard"][..], &["tensorboard", "--preset", "classic"], &["png"], &["npz"]].iter().enumerate()
    {
        run("export", &[&["--to"], *to, &["-o", &place(&at.to_string())]].concat(), &[0, 1]);
    }
    run("ls", &["--all"], &[0]);
}
