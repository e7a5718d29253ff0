//! Numbers about tensors equal those that NumPy and SciPy compute of the same arrays.

use std::{
    fs,
    path::{Path, PathBuf},
};

use convscope::{
    model::layout::Layout,
    stats::{
        filters::roughness,
        groups::Groups,
        likeness::{Likeness, likenesses},
        maps::dead_channels,
        matching::match_filters,
        numbers::Statistics,
        pairs::alike,
        summary::{Summary, summary},
    },
    tensor::{
        Tensor,
        values::{Values, values},
    },
};
use serde_json::Value;

use crate::npy::Npy;

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numbers")
}

fn lines(name: &str) -> Vec<Value> {
    serde_json::from_slice(&fs::read(dir().join(name)).unwrap()).unwrap()
}

fn tensor(name: &Value) -> Tensor {
    Npy::read(&dir().join(name.as_str().unwrap())).tensor()
}

fn groups(line: &Value, tensor: &Tensor) -> Groups {
    let layout = Layout::from_name(line["layout"].as_str().unwrap()).unwrap();
    Groups::of(layout, &tensor.shape).unwrap()
}

/// Equal but for the order in which sums were taken.
pub(crate) fn is_near(found: Option<f64>, expected: &Value) -> bool {
    match (found, expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-11 * expected.abs() + 1e-300,
        (found, expected) => found == expected,
    }
}

/// NumPy's 1 - cosine has lost the digits that the cosine shares with 1.
fn is_near_rotation(found: Option<f64>, expected: &Value) -> bool {
    match (found, expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-14,
        (found, expected) => found == expected,
    }
}

fn check_usual(found: &Statistics, expected: &Value, at: &str) {
    let counts = [found.elements, found.nan, found.inf];
    for (name, count) in ["elements", "nan", "inf"].into_iter().zip(counts) {
        assert_eq!(Some(count), expected[name].as_u64(), "{at} {name}");
    }
    let finite = found.finite.map(|f| [f.min, f.max, f.mean, f.sd, f.l1, f.l2, f.zero_share]);
    for (idx, name) in ["min", "max", "mean", "sd", "l1", "l2", "zero_share"].into_iter().enumerate() {
        let found = finite.map(|finite| finite[idx]);
        // A mean or deviation near zero is what is left of larger numbers.
        let left_over = found.zip(expected[name].as_f64()).is_some_and(|(a, b)| {
            ["mean", "sd"].contains(&name) && (a - b).abs() <= 1e-15 * finite.unwrap()[5]
        });
        assert!(left_over || is_near(found, &expected[name]), "{at} {name}: {found:?} {}", expected[name]);
    }
}

fn check_filters(summary: &Summary, expected: &Value, at: &str) {
    let filters = summary.filters.as_ref().unwrap();
    assert!(is_near(filters.median_l2, &expected["median_l2"]), "{at}");
    for (idx, each) in expected["each"].as_array().unwrap().iter().enumerate() {
        let found = [("rel", filters.rel[idx]), ("roughness", filters.roughness[idx])];
        for (name, found) in found {
            assert!(is_near(found, &each[name]), "{at} {idx} {name}: {found:?} {}", each[name]);
        }
        assert_eq!(filters.dead[idx], each["dead"].as_bool(), "{at} {idx} dead");
    }
}

fn check_way(change: &Likeness, turn: &Likeness, expected: &Value, at: &str) {
    assert!(is_near(change.relative(), &expected["change"]), "{at}: {change:?} {}", expected["change"]);
    assert!(is_near_rotation(turn.rotation(), &expected["rotation"]), "{at}: {turn:?} {expected}");
}

fn check_kernel(line: &Value, [first, before, now]: &[Tensor; 3], at: &str) {
    let [x, y, z] = [first, before, now].map(values);
    let groups = groups(line, now);
    let summary = summary(&z, Some(&groups));
    check_filters(&summary, line, at);
    let whole = |other: &Values| likenesses(&z, other, &Groups::whole(now.shape.elements()), None)[0];
    check_way(&whole(&y), &whole(&x), &line["tensor"], at);
    let (changes, turns) = (likenesses(&z, &y, &groups, None), likenesses(&z, &x, &groups, None));
    for (idx, each) in line["each"].as_array().unwrap().iter().enumerate() {
        check_way(&changes[idx], &turns[idx], each, &format!("{at} {idx}"));
    }
}

fn check_activation(line: &Value, tensors: &[Tensor; 3], at: &str) {
    let steps = tensors.each_ref().map(|tensor| summary(&values(tensor), Some(&groups(line, tensor))).each);
    let dead = dead_channels(&steps.each_ref().map(Vec::as_slice));
    let expected: Vec<Option<bool>> =
        line["each"].as_array().unwrap().iter().map(|each| each["dead"].as_bool()).collect();
    assert_eq!(dead, expected, "{at}");
}

#[test]
fn numbers_equal_numpys_in_every_layout() {
    let cases = lines("cases.json");
    assert!(cases.len() > 20);
    for line in &cases {
        let at = line["name"].as_str().unwrap();
        let tensors = [0, 1, 2].map(|idx| tensor(&line["npy"][idx]));
        let (now, groups) = (values(&tensors[2]), groups(line, &tensors[2]));
        let summary = summary(&now, Some(&groups));
        check_usual(&summary.whole, &line["tensor"], at);
        let each = line["each"].as_array().unwrap();
        assert_eq!(summary.each.len(), each.len(), "{at}");
        for (idx, (found, expected)) in summary.each.iter().zip(each).enumerate() {
            check_usual(found, expected, &format!("{at} {idx}"));
        }
        let check = if summary.filters.is_some() { check_kernel } else { check_activation };
        check(line, &tensors, at);
        let mut pairs = alike(&now, &groups).unwrap().listed;
        pairs.sort_by_key(|pair| (pair.first, pair.second));
        let expected = line["alike"].as_array().unwrap();
        assert_eq!(pairs.len(), expected.len(), "{at}: {pairs:?} {expected:?}");
        for (pair, expected) in pairs.iter().zip(expected) {
            let both = (Some(pair.first as u64), Some(pair.second as u64));
            assert_eq!(both, (expected[0].as_u64(), expected[1].as_u64()), "{at}");
            assert!(is_near(Some(pair.likeness), &expected[2]), "{at}: {pair:?} {expected}");
        }
    }
}

#[test]
fn filters_are_paired_as_scipy_pairs_them() {
    for line in lines("matchings.json") {
        let (a, b) = (tensor(&line["a"]), tensor(&line["b"]));
        let groups = groups(&line, &a);
        let (a, b) = (values(&a), values(&b));
        let partners = match_filters(&a, &b, &groups).unwrap();
        let expected: Vec<usize> = serde_json::from_value(line["partners"].clone()).unwrap();
        assert_eq!(partners, expected, "{}", line["a"]);
        let pairs = likenesses(&a, &b, &groups, Some(&partners));
        let cosines: f64 = pairs.iter().filter_map(|pair| pair.cosine).sum();
        assert!(is_near(Some(cosines / pairs.len() as f64), &line["mean_cosine"]), "{}", line["a"]);
        for (pair, expected) in pairs.iter().zip(line["each"].as_array().unwrap()) {
            assert!(is_near(Some(pair.difference), &expected["norm"]), "{pair:?} {expected}");
            assert!(is_near(pair.relative(), &expected["relative_norm"]), "{pair:?} {expected}");
        }
    }
}

/// Neighbours of white noise differ by twice its variance, and the variance of N elements about their own mean is (N - 1)/N of
/// that of the noise; so the mean is N/(N - 1).
#[test]
fn white_noise_is_as_rough_as_theory_has_it() {
    for (size, n) in [("3x3", 9.0), ("5x5", 25.0)] {
        let noise = Npy::read(&dir().join(format!("noise_{size}.npy"))).tensor();
        let groups = Groups::of(Layout::Hwio, &noise.shape).unwrap();
        let found: Vec<f64> = roughness(&values(&noise), &groups).into_iter().flatten().collect();
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let variance = found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / found.len() as f64;
        let standard_error = (variance / found.len() as f64).sqrt();
        assert!((mean - n / (n - 1.0)).abs() < 4.0 * standard_error, "{size}: {mean} +- {standard_error}");
    }
}
