//! Any small tensors in any layout, NaN, infinities and empty axes among them -> numbers that are what their documents say.

#![no_main]

use convscope::{stats::{assignment::assignment, difference::{FilterOrder, difference}, groups::Groups, likeness::likenesses, maps::dead_channels, matching::match_filters, numbers::Statistics, pairs::alike, summary::summary}, tensor::{Tensor, values::{Values, values}}};
use libfuzzer_sys::fuzz_target;

#[path = "../given.rs"]
mod given;

use given::Given;

fuzz_target!(|bytes: &[u8]| {
    let mut given = Given(bytes);
    let layout = given.layout();
    let Some(shape) = given.shape(layout.rank()) else { return };
    let (dtype, dtype_of_b) = (given.dtype(), given.dtype());
    let (a, b) = (given.tensor(dtype, &shape), given.tensor(dtype_of_b, &shape));
    check_summary(&a, None);
    check_difference(&a, &b, None);
    let Ok(groups) = Groups::of(layout, &shape) else { return };
    assert_eq!(groups.n() * groups.elements(), shape.elements());
    let of_steps = [check_summary(&a, Some(&groups)), check_summary(&b, Some(&groups))];
    assert_eq!(dead_channels(&[&of_steps[0], &of_steps[1]]).len(), groups.n());
    check_pairs(&values(&a), &groups);
    check_likeness(&a, &b, &groups, None);
    let Ok(partners) = match_filters(&values(&a), &values(&b), &groups) else { return };
    is_permutation(&partners, groups.n());
    check_likeness(&a, &b, &groups, Some(&partners));
    check_difference(&a, &b, Some(FilterOrder { groups: &groups, of_b: &partners }));
    check_assignment(&mut given);
});

fn check_summary(tensor: &Tensor, groups: Option<&Groups>) -> Vec<Statistics> {
    let found = summary(&values(tensor), groups);
    let elements: Vec<f64> = wide(&values(tensor));
    check_numbers(&found.whole, &elements);
    let n = groups.map_or(0, Groups::n);
    assert_eq!(found.each.len(), n);
    if let Some(groups) = groups {
        let mut of_group = vec![Vec::new(); n];
        groups.each(|group, at| of_group[group].push(elements[at]));
        found.each.iter().zip(&of_group).for_each(|(numbers, elements)| check_numbers(numbers, elements));
    }
    if let Some(filters) = found.filters {
        assert_eq!([filters.rel.len(), filters.dead.len(), filters.roughness.len()], [n; 3]);
        let is_number = |x: &Option<f64>| x.is_none_or(|x| x >= 0.0);
        assert!(filters.rel.iter().chain([&filters.median_l2]).all(is_number), "{filters:?}");
        assert!(filters.roughness.iter().all(is_number), "{filters:?}");
    }
    found.each
}

fn check_numbers(numbers: &Statistics, elements: &[f64]) {
    let count = |is: fn(&f64) -> bool| elements.iter().filter(|x| is(x)).count() as u64;
    let (nan, inf) = (count(|x| x.is_nan()), count(|x| x.is_infinite()));
    assert_eq!((numbers.elements, numbers.nan, numbers.inf), (elements.len() as u64, nan, inf));
    let finite = || elements.iter().copied().filter(|x| x.is_finite());
    let n = finite().count();
    assert_eq!(numbers.finite.is_some(), n > 0);
    let Some(found) = numbers.finite else { return };
    let (min, max) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    assert_eq!((found.min, found.max), (min, max));
    assert_eq!(found.zero_share, count(|x| *x == 0.0) as f64 / n as f64);
    let slack = found.max_abs() * 1e-12;
    assert!(found.mean >= min - slack && found.mean <= max + slack, "{found:?}");
    assert!(found.sd >= 0.0 && found.l1 >= 0.0 && found.l2 >= 0.0, "{found:?}");
    // Between the greatest, the root of the sum of squares and the sum of absolute values there is this order.
    assert!(found.l2 >= found.max_abs() * (1.0 - 1e-12) && found.l1 >= found.l2 * (1.0 - 1e-12), "{found:?}");
}

fn check_pairs(values: &Values, groups: &Groups) {
    let Ok(pairs) = alike(values, groups) else { return };
    assert!(pairs.listed.len() as u64 <= pairs.count);
    for pair in &pairs.listed {
        assert!(pair.first < pair.second && pair.second < groups.n(), "{pair:?}");
        assert!(pair.likeness.abs() > 0.95 && pair.likeness.abs() <= 1.0, "{pair:?}");
    }
}

fn check_likeness(a: &Tensor, b: &Tensor, groups: &Groups, of_b: Option<&[usize]>) {
    let found = likenesses(&values(a), &values(b), groups, of_b);
    assert_eq!(found.len(), groups.n());
    for likeness in found {
        let is_number = |x: f64| x >= 0.0;
        assert!(is_number(likeness.difference) && is_number(likeness.norm_a) && is_number(likeness.norm_b));
        assert!(likeness.compared <= groups.elements() as u64);
        assert!(likeness.cosine.is_none_or(|cosine| cosine.abs() <= 1.0), "{likeness:?}");
        assert!(likeness.relative().is_none_or(is_number), "{likeness:?} {:?}", likeness.relative());
        let is_rotation = |rotation: f64| (0.0..=2.0).contains(&rotation);
        assert!(likeness.rotation().is_none_or(is_rotation), "{likeness:?} {:?}", likeness.rotation());
        let apart = likeness.rotation().zip(likeness.cosine).map(|(rotation, cosine)| rotation - (1.0 - cosine));
        assert!(apart.is_none_or(|apart| apart.abs() < 1e-6), "{likeness:?} {:?}", likeness.rotation());
    }
}

/// a - b by the definition, element by element.
fn check_difference(a: &Tensor, b: &Tensor, order: Option<FilterOrder<'_>>) {
    let found = difference(a, b, order);
    assert_eq!((&found.shape, found.bytes.len()), (&a.shape, a.shape.elements() * found.dtype.bytes()));
    let (x, y) = (values(a), values(b));
    let is_single = matches!((&x, &y), (Values::F32(_), Values::F32(_)));
    let (x, y, found) = (wide(&x), wide(&y), wide(&values(&found)));
    let mut from: Vec<usize> = (0..x.len()).collect();
    if let Some(FilterOrder { groups, of_b }) = order {
        groups.each(|group, at| from[at] = at - groups.bases()[group] + groups.bases()[of_b[group]]);
    }
    for (at, found) in found.iter().enumerate() {
        let expected = x[at] - y[from[at]];
        let expected = if is_single { f64::from(expected as f32) } else { expected };
        assert!(*found == expected || (found.is_nan() && expected.is_nan()), "{at}: {found} {expected}");
    }
}

fn check_assignment(given: &mut Given<'_>) {
    let n = given.below(7);
    let costs: Vec<f64> = (0..n * n).map(|_| f64::from(given.byte() as i8) / 128.0).collect();
    let found = assignment(&costs, n);
    is_permutation(&found, n);
    let total = |cols: &[usize]| cols.iter().enumerate().map(|(row, col)| costs[row * n + col]).sum::<f64>();
    // No exchange of two makes it cheaper.
    for first in 0..n {
        for second in first + 1..n {
            let mut other = found.clone();
            other.swap(first, second);
            assert!(total(&found) <= total(&other), "{costs:?} {found:?}");
        }
    }
}

fn is_permutation(order: &[usize], n: usize) {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..n).collect::<Vec<_>>());
}

fn wide(values: &Values) -> Vec<f64> {
    match values {
        Values::F32(x) => x.iter().map(|x| f64::from(*x)).collect(),
        Values::F64(x) => x.clone(),
    }
}
