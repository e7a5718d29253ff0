//! Names and shapes of published networks, as their frameworks build them, without any graph: roles and layouts are concluded
//! from names, shapes and one another alone.
//!
//! Each is tried as a whole, as a state dict or a summary of all tensors has it, and with its kernels alone. `make writers` prints
//! the table that this checks.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::Read, path::Path};

use convscope::{
    model::{
        Confidence,
        conclude::{Item, conclude},
        rules::Rules,
    },
    tensor::shape::Shape,
};
use flate2::read::GzDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    architectures: Vec<Architecture>,
}

/// What one run of a network would hold.
#[derive(Deserialize)]
struct Architecture {
    name: String,
    framework: String,
    tensors: Vec<Tensor>,
}

#[derive(Clone, Deserialize)]
struct Tensor {
    tag: String,
    shape: Vec<i64>,
    role: String,
    layout: Option<String>,
}

#[derive(Default)]
struct Tally {
    /// Kernels and activations.
    wanted: usize,
    found: usize,
    layouts: usize,
    right: usize,
    likely: usize,
    likely_right: usize,
    sure: usize,
}

impl Tally {
    fn row(&self, name: &str) -> String {
        let of = |part: usize, all: usize| format!("{part}/{all}");
        format!(
            "{name:<24} {:>13} {:>13} {:>13} {:>6}",
            of(self.found, self.wanted),
            of(self.right, self.layouts),
            of(self.likely_right, self.likely),
            self.sure
        )
    }
}

fn architectures() -> Vec<Architecture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/architectures.json.gz");
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str::<File>(&text).unwrap().architectures
}

/// What people log of a network: all of it, or its kernels alone.
#[derive(Clone, Copy)]
enum Logged {
    All,
    KernelsAlone,
}

impl Architecture {
    fn with(&self, logged: Logged) -> Self {
        let is_logged = |tensor: &&Tensor| matches!(logged, Logged::All) || tensor.role == "kernel";
        let alone = if matches!(logged, Logged::All) { "" } else { ", kernels alone" };
        Self {
            name: format!("{}{alone}", self.name),
            framework: format!("{}{alone}", self.framework),
            tensors: self.tensors.iter().filter(is_logged).cloned().collect(),
        }
    }
}

fn tally(architecture: &Architecture, tally: &mut Tally, misses: &mut String) {
    let shapes: Vec<Shape> =
        architecture.tensors.iter().map(|tensor| Shape::new(&tensor.shape).unwrap()).collect();
    let items: Vec<Item<'_>> = architecture
        .tensors
        .iter()
        .zip(&shapes)
        .map(|(tensor, shape)| Item {
            tag: &tensor.tag,
            shape: Some(shape),
            is_picture: false,
            recorded: None,
            is_pytorchs: false,
            is_optimizers: false,
        })
        .collect();
    let all_facts = conclude(".", &items, &[], &Rules::default());
    for (tensor, facts) in architecture.tensors.iter().zip(&all_facts) {
        let found = facts.layout.as_ref().map(|(layout, _)| layout.name());
        let mut miss = |what: &str, reason: &convscope::model::Reason| {
            let name = &architecture.name;
            let Tensor { tag, shape, .. } = tensor;
            let why = (&reason.evidence, reason.confidence.name());
            writeln!(misses, "{name}: {tag} {shape:?} {what}: {} ({})", why.0, why.1).unwrap();
        };
        if tensor.role == "kernel" || tensor.role == "activation" {
            tally.wanted += 1;
            tally.found += usize::from(facts.role.name() == tensor.role);
        }
        if facts.role.name() != tensor.role {
            miss(&format!("{} is taken for {}", tensor.role, facts.role.name()), &facts.role_from);
        }
        let Some(layout) = &tensor.layout else { continue };
        let is_right = found == Some(layout);
        let reason = facts.layout.as_ref().map_or(&facts.role_from, |(_, reason)| reason);
        tally.layouts += 1;
        tally.right += usize::from(is_right);
        tally.likely += usize::from(reason.confidence == Confidence::Likely);
        tally.likely_right += usize::from(reason.confidence == Confidence::Likely && is_right);
        tally.sure += usize::from(reason.confidence == Confidence::Sure);
        if !is_right {
            miss(&format!("{layout} is taken for {found:?}"), reason);
        }
    }
}

#[test]
fn published_networks_are_understood_without_a_graph() {
    let (mut tallies, mut misses) = (BTreeMap::<String, Tally>::new(), String::new());
    for architecture in &architectures() {
        for logged in [Logged::All, Logged::KernelsAlone].map(|logged| architecture.with(logged)) {
            tally(&logged, tallies.entry(logged.framework.clone()).or_default(), &mut misses);
        }
    }
    let mut table =
        format!("{:<24} {:>13} {:>13} {:>13} {:>6}\n", "framework", "roles", "layouts", "of likely", "sure");
    for (framework, tally) in &tallies {
        writeln!(table, "{}", tally.row(framework)).unwrap();
    }
    println!("\n{table}\n{misses}");
    for (framework, tally) in &tallies {
        assert!(tally.layouts > 3_000, "{framework}");
        assert!(tally.found * 100 >= tally.wanted * 98, "roles of {framework}");
        assert!(tally.right * 100 >= tally.layouts * 98, "layouts of {framework}");
        // Wrong and likely: nothing but transposed convolutions of one element that stand alone, which tell nothing of themselves.
        let wrong = tally.likely - tally.likely_right;
        assert!(
            wrong * 1_000 <= tally.likely,
            "{framework}: {wrong} of {} that are likely are wrong",
            tally.likely
        );
        assert!(wrong == 0 || framework.contains("alone"), "{framework}: {wrong} are likely and wrong");
        // Names and shapes alone are never sure.
        assert_eq!(tally.sure, 0, "{framework}");
    }
}
