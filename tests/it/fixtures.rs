//! Logs that real writers wrote come back bit for bit, with roles, layouts and layers as they are; what TensorFlow's decoder
//! refuses is refused with a reason.
//!
//! `make writers` prints the table that this checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use convscope::{
    catalog::{
        checked::Checked,
        ingest::{Options, index_once},
        snapshot::{Encoding, Series, Snapshot},
    },
    event::summary::ValueKind,
    load::{NotLoaded, TensorFiles, load},
    model::Confidence,
    source::local::Local,
    tensor::{Tensor, dtype::DType, frames::Frames, npy::npy},
};
use serde::Deserialize;

use crate::npy::Npy;

/// One line of a manifest: what went into the log.
#[derive(Deserialize)]
struct Truth {
    run: String,
    tag: String,
    step: i64,
    npy: Option<PathBuf>,
    dtype: Option<String>,
    shape: Option<Vec<usize>>,
    refused: Option<String>,
    role: Option<String>,
    layout: Option<String>,
    layer: Option<String>,
    /// How many frames each picture has, where one may have several.
    frames: Option<Vec<usize>>,
    /// How far decoders of a lossy picture may differ.
    tolerance: Option<u8>,
    /// Decoding it is as right as refusing it.
    #[serde(default)]
    may_refuse: bool,
    /// Nothing in the log could tell its layout.
    #[serde(default)]
    hopeless: bool,
}

struct Fixture {
    name: String,
    dir: PathBuf,
    truths: Vec<Truth>,
    source: Local,
    snapshot: Snapshot,
}

/// How much of what a writer logged came out right.
#[derive(Default)]
struct Tally {
    tensors: usize,
    whole: usize,
    /// Kernels and activations.
    wanted: usize,
    found: usize,
    layouts: usize,
    right: usize,
    hopeless: usize,
    surely_wrong: usize,
    layers: usize,
    joined: usize,
    misses: Vec<String>,
}

impl Fixture {
    fn open(name: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let truths = serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
        let snapshot = index_once(Arc::new(Local::new(dir.clone())), Options::default());
        Self { name: name.to_owned(), source: Local::new(dir.clone()), dir, truths, snapshot }
    }

    fn load(&self, series: &Series, step: i64) -> Result<Tensor, NotLoaded> {
        let checked = Checked::default();
        let tensor_files = TensorFiles {
            source: &self.source,
            files: &self.snapshot.files,
            max_bytes: 1 << 30,
            checked: &checked,
        };
        load(&tensor_files, series.encoding, &series.steps[&step].attempt(0).unwrap())
    }

    /// What is wrong with the numbers of a tensor that ought to be there; empty when nothing is.
    fn check_numbers(&self, truth: &Truth) -> Vec<String> {
        use DType::{BFloat16, Int2, Int4, Mini, UInt2, UInt4};
        let mut wrong = Vec::new();
        let mut expect = |what: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{} {} step {}: {what}", truth.run, truth.tag, truth.step));
            }
        };
        let Some(series) = self.snapshot.series(&truth.run, &truth.tag) else {
            expect("is not listed", false);
            return wrong;
        };
        if !series.steps.contains_key(&truth.step) {
            expect("the step is not listed", false);
            return wrong;
        }
        let array = Npy::read(&self.dir.join(truth.npy.as_ref().unwrap()));
        match self.load(series, truth.step) {
            Ok(tensor) => {
                expect("type", Some(tensor.dtype.name()) == truth.dtype.as_deref());
                expect("shape", Some(tensor.shape.axes()) == truth.shape.as_deref());
                if let Some(frames) = &truth.frames {
                    expect("frames", tensor.frames == Frames::of(frames.clone()));
                }
                if let Some(tolerance) = truth.tolerance {
                    let far = tensor.bytes.iter().zip(&array.bytes).map(|(a, b)| a.abs_diff(*b)).max();
                    expect(&format!("pixels are off by {far:?}"), far <= Some(tolerance));
                    return wrong;
                }
                // What NPY has no name for lies in the truth widened, and so does it come out.
                expect("elements", Npy::parse(&npy(&tensor)) == array);
                let is_widened = matches!(tensor.dtype, BFloat16 | Mini(_) | Int4 | UInt4 | Int2 | UInt2);
                expect("bytes", is_widened || tensor.bytes == array.bytes);
            }
            Err(error) => expect(&error.to_string(), false),
        }
        wrong
    }

    /// Why a tensor that is listed is not read.
    fn reason_of_refusal(&self, truth: &Truth) -> String {
        let series = self.snapshot.series(&truth.run, &truth.tag);
        let series = series.unwrap_or_else(|| panic!("{} {} is not listed", truth.run, truth.tag));
        let loaded = || self.load(series, truth.step).expect_err(&truth.tag).to_string();
        series.form.as_ref().err().map_or_else(loaded, |error| error.reason.clone())
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for truth in self.truths.iter().filter(|truth| is_read(truth)) {
            let wrong = self.check_numbers(truth);
            tally.tensors += 1;
            tally.whole += usize::from(wrong.is_empty());
            tally.misses.extend(wrong);
            if let Some(series) = self.snapshot.series(&truth.run, &truth.tag) {
                tally.meaning(truth, series);
            }
        }
        self.tally_layers(&mut tally);
        tally
    }

    /// Whether the tensors of each layer are together, and nothing else with them.
    fn tally_layers(&self, tally: &mut Tally) {
        let mut members: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for truth in self.truths.iter().filter(|truth| is_read(truth)) {
            let is_member = matches!(truth.role.as_deref(), Some("kernel" | "bias" | "activation"));
            if let (true, Some(layer)) = (is_member, &truth.layer) {
                members.entry((&truth.run, layer)).or_default().insert(&truth.tag);
            }
        }
        let layer_of =
            |run: &str, tag: &str| self.snapshot.series(run, tag).map(|series| series.facts.layer.clone());
        for ((run, layer), tags) in &members {
            let found: BTreeSet<Option<String>> = tags.iter().map(|tag| layer_of(run, tag)).collect();
            let strangers =
                members.iter().filter(|((other_run, other), _)| other_run == run && other != layer);
            let others: Vec<&str> = strangers
                .flat_map(|(_, tags)| tags.iter().copied())
                .filter(|tag| found.contains(&layer_of(run, tag)))
                .collect();
            let is_whole = found.len() == 1 && others.is_empty();
            tally.layers += 1;
            tally.joined += usize::from(is_whole);
            if !is_whole {
                tally.misses.push(format!("{run} layer {layer}: {tags:?} are in {found:?} with {others:?}"));
            }
        }
    }

    fn steps_listed(&self) -> BTreeMap<(String, String), BTreeSet<i64>> {
        let series = self.snapshot.runs.values().flat_map(|run| run.series.values());
        let steps = |series: &Arc<Series>| series.steps.keys().copied().collect();
        let numbers = series.filter(|series| series.encoding == Encoding::Numbers);
        numbers.map(|series| ((series.run.to_string(), series.tag.to_string()), steps(series))).collect()
    }

    fn steps_logged(&self, are_there: impl Fn(&Truth) -> bool) -> BTreeMap<(String, String), BTreeSet<i64>> {
        let mut steps: BTreeMap<_, BTreeSet<i64>> = BTreeMap::new();
        for truth in self.truths.iter().filter(|truth| are_there(truth)) {
            steps.entry((truth.run.clone(), truth.tag.clone())).or_default().insert(truth.step);
        }
        steps
    }
}

impl Tally {
    fn meaning(&mut self, truth: &Truth, series: &Series) {
        let facts = &series.facts;
        let Some(role) = &truth.role else { return };
        if truth.hopeless {
            let wrong_layout = facts.layout.as_ref().is_some_and(|(layout, reason)| {
                Some(layout.name()) != truth.layout.as_deref() && reason.confidence == Confidence::Sure
            });
            self.hopeless += 1;
            self.surely_wrong += usize::from(wrong_layout);
            return;
        }
        let name = format!("{} {} {:?}", truth.run, truth.tag, truth.shape.as_deref().unwrap_or(&[]));
        let told = |what: &str, reason: &convscope::model::Reason| {
            format!("{name}: {what}, {} ({})", reason.evidence, reason.confidence.name())
        };
        let is_found = facts.role.name() == role;
        if role == "kernel" || role == "activation" {
            self.wanted += 1;
            self.found += usize::from(is_found);
        }
        if !is_found {
            self.surely_wrong += usize::from(facts.role_from.confidence == Confidence::Sure);
            self.misses.push(told(&format!("{role} is taken for {}", facts.role.name()), &facts.role_from));
        }
        let found = facts.layout.as_ref().map(|(layout, _)| layout.name());
        if let (Some((layout, reason)), true) = (&facts.layout, found != truth.layout.as_deref()) {
            self.surely_wrong += usize::from(reason.confidence == Confidence::Sure);
            if truth.layout.is_none() {
                self.misses.push(told(&format!("has no letters, is taken for {}", layout.name()), reason));
            }
        }
        let Some(layout) = &truth.layout else { return };
        self.layouts += 1;
        self.right += usize::from(found == Some(layout));
        if found != Some(layout) {
            let reason = facts.layout.as_ref().map_or(&facts.role_from, |(_, reason)| reason);
            self.misses.push(told(&format!("{layout} is taken for {found:?}"), reason));
        }
    }

    fn row(&self, name: &str) -> String {
        let of = |part: usize, all: usize| format!("{part}/{all}");
        format!(
            "{name:<14} {:>11} {:>11} {:>11} {:>9} {:>12} {:>9}",
            of(self.whole, self.tensors),
            of(self.found, self.wanted),
            of(self.right, self.layouts),
            self.hopeless,
            self.surely_wrong,
            of(self.joined, self.layers),
        )
    }

    fn add(&mut self, other: &Self) {
        self.tensors += other.tensors;
        self.whole += other.whole;
        self.wanted += other.wanted;
        self.found += other.found;
        self.layouts += other.layouts;
        self.right += other.right;
        self.hopeless += other.hopeless;
        self.surely_wrong += other.surely_wrong;
        self.layers += other.layers;
        self.joined += other.joined;
    }
}

/// Whether it is a tensor of a type that is decoded. A tensor without axes is a number like any scalar.
fn is_read(truth: &Truth) -> bool {
    truth.refused.is_none() && !truth.may_refuse && truth.shape.as_deref() != Some(&[])
}

/// All folders of real logs.
const WRITERS: [&str; 11] = [
    "recipe_tf1",
    "tf1_graphs",
    "computed",
    "tf2_graphs",
    "keras_tf2",
    "keras_layers",
    "torch",
    "tensorboardx",
    "flax",
    "images",
    "animations",
];

fn has_manifest(name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).join("manifest.json").is_file()
}

#[test]
fn all_writers_are_understood() {
    let (mut all, mut misses) = (Tally::default(), String::new());
    let mut table = format!(
        "{:<14} {:>11} {:>11} {:>11} {:>9} {:>12} {:>9}\n",
        "writer", "bit for bit", "roles", "layouts", "hopeless", "surely wrong", "layers"
    );
    for name in WRITERS.into_iter().filter(|name| has_manifest(name)) {
        let fixture = Fixture::open(name);
        let tally = fixture.tally();
        writeln!(table, "{}", tally.row(&fixture.name)).unwrap();
        for miss in &tally.misses {
            writeln!(misses, "{name} {miss}").unwrap();
        }
        all.add(&tally);
    }
    writeln!(table, "{}", all.row("all")).unwrap();
    println!("\n{table}\n{misses}");
    assert_eq!(all.whole, all.tensors, "bit for bit\n{misses}");
    assert_eq!(all.found, all.wanted, "kernels and activations\n{misses}");
    assert!(all.right * 100 >= all.layouts * 98, "layouts\n{misses}");
    assert_eq!(all.surely_wrong, 0, "sure and wrong\n{misses}");
    assert_eq!(all.joined, all.layers, "layers\n{misses}");
}

#[test]
fn steps_of_real_logs_are_all_listed() {
    for name in ["recipe_tf1", "keras_tf2"] {
        let fixture = Fixture::open(name);
        assert_eq!(fixture.steps_listed(), fixture.steps_logged(|_| true));
        assert!(fixture.snapshot.problems.is_empty(), "{:?}", fixture.snapshot.problems);
    }
    let keras = Fixture::open("keras_tf2");
    let validation = &keras.snapshot.runs["validation"];
    assert!(validation.series.is_empty() && !validation.skipped.is_empty());
}

#[test]
fn every_encoding_comes_back_as_tensorflow_reads_it() {
    let fixture = Fixture::open("dtypes");
    let good = || fixture.truths.iter().filter(|truth| is_read(truth));
    let wrong: Vec<String> = good().flat_map(|truth| fixture.check_numbers(truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good().count() > 200);
    let types: BTreeSet<&str> = fixture.truths.iter().filter_map(|truth| truth.dtype.as_deref()).collect();
    assert_eq!(types.len(), 30, "{types:?}");
    let listed = fixture.steps_listed();
    for (series, steps) in fixture.steps_logged(is_read) {
        assert_eq!(listed.get(&series), Some(&steps), "{series:?}");
    }
}

#[test]
fn what_tensorflow_refuses_is_refused_with_a_reason() {
    let fixture = Fixture::open("dtypes");
    let refused: Vec<&Truth> = fixture.truths.iter().filter(|truth| truth.refused.is_some()).collect();
    assert!(refused.len() > 10);
    for truth in refused {
        let run = &fixture.snapshot.runs[truth.run.as_str()];
        if truth.refused.as_deref() == Some("a scalar") {
            assert_eq!(run.skipped[truth.tag.as_str()].kind, ValueKind::Scalar, "{}", truth.tag);
            continue;
        }
        let reason = fixture.reason_of_refusal(truth);
        assert!(reason.len() > 10, "{}: {reason}", truth.tag);
    }
}

#[test]
fn pictures_that_are_none_are_refused_with_a_reason() {
    for (name, at_least) in [("images", 10), ("animations", 5)] {
        let fixture = Fixture::open(name);
        let refused: Vec<&Truth> = fixture.truths.iter().filter(|truth| truth.refused.is_some()).collect();
        assert!(refused.len() >= at_least);
        for truth in refused {
            let reason = fixture.reason_of_refusal(truth);
            assert!(reason.len() > 10, "{}: {reason}", truth.tag);
        }
    }
}

#[test]
fn a_gif_whose_frame_is_larger_than_the_picture_is_told_with_both_sizes() {
    let fixture = Fixture::open("animations");
    let of_tag = |tag: &str| fixture.truths.iter().find(|truth| truth.tag == tag).unwrap();
    let reason = fixture.reason_of_refusal(of_tag("second_larger"));
    assert!(reason.contains("frame 2 of 2") && reason.contains("12x9") && reason.contains("5x4"), "{reason}");
    let reason = fixture.reason_of_refusal(of_tag("webp_outside"));
    assert!(reason.contains("4x4 pixels at column 18 and row 12") && reason.contains("20x14"), "{reason}");
}

#[test]
fn every_frame_is_what_pillow_shows() {
    let fixture = Fixture::open("animations");
    let good = || fixture.truths.iter().filter(|truth| is_read(truth));
    let wrong: Vec<String> = good().flat_map(|truth| fixture.check_numbers(truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good().count() > 20);
    // What is listed is the newest step.
    for truth in good().filter(|truth| truth.tag != "fewer" || truth.step == 2) {
        let form = fixture.snapshot.series(&truth.run, &truth.tag).unwrap().form.as_ref().unwrap();
        assert_eq!(Some(form.shape.axes()), truth.shape.as_deref(), "{}", truth.tag);
    }
}
