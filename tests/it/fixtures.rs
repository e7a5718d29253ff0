//! Logs that real TensorFlow wrote come back bit for bit; what its decoder refuses is refused with a reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Arc,
};

use convscope::{
    catalog::{
        ingest::{Options, index_once},
        snapshot::{Series, Snapshot},
    },
    event::summary::Kind,
    load::load,
    source::local::Local,
    tensor::{dtype::DType, npy::npy},
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
}

struct Fixture {
    dir: PathBuf,
    truths: Vec<Truth>,
    source: Local,
    snapshot: Snapshot,
}

impl Fixture {
    fn open(name: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let truths = serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
        let snapshot = index_once(Arc::new(Local::new(dir.clone())), Options::default());
        Self { source: Local::new(dir.clone()), dir, truths, snapshot }
    }

    /// What is wrong with a tensor that ought to be there; empty when nothing is.
    fn check(&self, truth: &Truth) -> Vec<String> {
        use DType::{BFloat16, Int2, Int4, Mini, UInt2, UInt4};
        let mut wrong = Vec::new();
        let mut expect = |what: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{} step {}: {what}", truth.tag, truth.step));
            }
        };
        let Some(series) = self.snapshot.series(&truth.run, &truth.tag) else {
            expect("is not listed", false);
            return wrong;
        };
        let array = Npy::read(&self.dir.join(truth.npy.as_ref().unwrap()));
        match load(&self.source, &self.path(series, truth.step), &logged(series, truth.step), 1 << 30) {
            Ok(tensor) => {
                expect("type", Some(tensor.dtype.name()) == truth.dtype.as_deref());
                expect("shape", Some(tensor.shape.axes()) == truth.shape.as_deref());
                // What NPY has no name for lies in the truth widened, and so does it come out.
                expect("elements", Npy::parse(&npy(&tensor)) == array);
                let is_widened = matches!(tensor.dtype, BFloat16 | Mini(_) | Int4 | UInt4 | Int2 | UInt2);
                expect("bytes", is_widened || tensor.bytes == array.bytes);
            }
            Err(error) => expect(&error.to_string(), false),
        }
        if let Some(role) = &truth.role {
            expect("role", series.facts.role.name() == role);
            let layout = series.facts.layout.as_ref().map(|(layout, _)| layout.name());
            // Nothing in a log says which of two equally good layouts of a square tensor it is.
            expect("layout", layout == truth.layout.as_deref());
        }
        if let Some(layer) = &truth.layer {
            expect("layer", &series.facts.layer == layer);
        }
        wrong
    }

    fn path(&self, series: &Series, step: i64) -> PathBuf {
        self.snapshot.files[&logged(series, step).file].to_path_buf()
    }

    fn check_all(&self) {
        let good = self.truths.iter().filter(|truth| is_read(truth));
        let wrong: Vec<String> = good.clone().flat_map(|truth| self.check(truth)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(good.count() > 10);
    }

    fn steps_listed(&self) -> BTreeMap<(String, String), BTreeSet<i64>> {
        let series = self.snapshot.runs.values().flat_map(|run| run.series.values());
        let steps = |series: &Arc<Series>| series.steps.keys().copied().collect();
        series.map(|series| ((series.run.to_string(), series.tag.to_string()), steps(series))).collect()
    }

    fn steps_logged(&self, are_there: impl Fn(&Truth) -> bool) -> BTreeMap<(String, String), BTreeSet<i64>> {
        let mut steps: BTreeMap<_, BTreeSet<i64>> = BTreeMap::new();
        for truth in self.truths.iter().filter(|truth| are_there(truth)) {
            steps.entry((truth.run.clone(), truth.tag.clone())).or_default().insert(truth.step);
        }
        steps
    }
}

fn logged(series: &Series, step: i64) -> convscope::catalog::snapshot::Logged {
    *series.steps[&step].newest_first().next().unwrap()
}

/// Whether it is a tensor of a type that is decoded. A tensor without axes is a number like any scalar.
fn is_read(truth: &Truth) -> bool {
    truth.refused.is_none() && truth.shape.as_deref() != Some(&[])
}

#[test]
fn the_tf1_recipe_comes_back_bit_for_bit() {
    let fixture = Fixture::open("recipe_tf1");
    fixture.check_all();
    assert_eq!(fixture.steps_listed(), fixture.steps_logged(|_| true));
    assert!(fixture.snapshot.problems.is_empty(), "{:?}", fixture.snapshot.problems);
    let run = &fixture.snapshot.runs["."];
    assert!(run.skipped.values().any(|skipped| skipped.kind == Kind::Image), "the recipe's own pictures");
}

#[test]
fn a_keras_run_of_several_files_comes_back_bit_for_bit() {
    let fixture = Fixture::open("keras_tf2");
    fixture.check_all();
    assert_eq!(fixture.steps_listed(), fixture.steps_logged(|_| true));
    assert!(fixture.snapshot.problems.is_empty(), "{:?}", fixture.snapshot.problems);
    let validation = &fixture.snapshot.runs["validation"];
    assert!(validation.series.is_empty() && !validation.skipped.is_empty());
}

#[test]
fn every_encoding_comes_back_as_tensorflow_reads_it() {
    let fixture = Fixture::open("dtypes");
    fixture.check_all();
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
            assert_eq!(run.skipped[truth.tag.as_str()].kind, Kind::Scalar, "{}", truth.tag);
            continue;
        }
        let series =
            run.series.get(truth.tag.as_str()).unwrap_or_else(|| panic!("{} is not listed", truth.tag));
        let place = logged(series, truth.step);
        let loaded = || load(&fixture.source, &fixture.path(series, truth.step), &place, 1 << 30);
        let reason = series
            .form
            .as_ref()
            .err()
            .map_or_else(|| loaded().unwrap_err().to_string(), |error| error.reason.clone());
        assert!(reason.len() > 10, "{}: {reason}", truth.tag);
    }
}
