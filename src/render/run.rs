//! The tensors of all steps of a series -> one interval for all of them, in memory that does not grow with the steps.
//!
//! `minmax` and `symmetric` are joined from step to step, `std` is joined as moments, and `percentile` takes counting passes.
//! `zscale` takes one pass that counts and one that takes the samples: those that astropy would take from all finite numbers of
//! all steps, one step after the other.

use std::borrow::Cow;

use super::{
    choices::{ChoiceError, Choices, Cmap, Range, View},
    moments::Moments,
    plan::{Geometry, Plan, Subject, plan},
    quantile::Quantiles,
    range::Interval,
    real::{Real, extent},
    stack::layer,
    zscale,
};

use crate::tensor::{
    Tensor,
    values::{Values, values},
};

/// A range over many tensors, while it is computed. Tensors are [`added`](Self::add) in passes: all of them, in the same order.
#[derive(Clone, Debug)]
pub struct RunRange {
    range: Range,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Known(f64, f64),
    Extent(Option<(f64, f64)>),
    Spread(Moments),
    Quantiles(Quantiles),
    Samples(Samples),
}

/// The samples of `zscale`: the first pass counts, the second takes.
#[derive(Clone, Debug, Default)]
struct Samples {
    counted: u64,
    is_second: bool,
    seen: u64,
    taken: Vec<f64>,
}

impl RunRange {
    /// A range to which no tensor was added yet.
    #[must_use]
    pub fn new(range: Range) -> Self {
        let work = match range {
            Range::Fixed(lo, hi) => Work::Known(lo, hi),
            // TensorFlow's images are scaled separately; `plan` refuses them here.
            Range::Tf2 => Work::Known(0.0, 1.0),
            Range::MinMax | Range::Symmetric | Range::Tf1 => Work::Extent(None),
            Range::Std(_) => Work::Spread(Moments::default()),
            Range::Percentile(share) => Work::Quantiles(Quantiles::new(share)),
            Range::ZScale => Work::Samples(Samples::default()),
        };
        Self { range, work }
    }

    /// Whether tensors can be added after the last pass without adding the earlier ones again.
    #[must_use]
    pub fn can_grow(&self) -> bool {
        matches!(self.work, Work::Known(..) | Work::Extent(_) | Work::Spread(_))
    }

    /// How many passes it takes, as far as is known: none if the range is given, more once a wider type was seen.
    #[must_use]
    pub fn passes(&self) -> usize {
        match &self.work {
            Work::Known(..) => 0,
            Work::Extent(_) | Work::Spread(_) => 1,
            Work::Quantiles(quantiles) => quantiles.passes(),
            Work::Samples(_) => 2,
        }
    }

    /// Adds the numbers of one tensor that the range depends on, as [`layer`] returns them.
    pub fn add(&mut self, values: &Values) {
        match &mut self.work {
            Work::Known(..) => {}
            Work::Extent(known) => *known = joined(*known, extent_of(values)),
            Work::Spread(moments) => {
                *moments = moments.join(match values {
                    Values::F32(x) => Moments::of(x),
                    Values::F64(x) => Moments::of(x),
                });
            }
            Work::Quantiles(quantiles) => quantiles.add(values),
            Work::Samples(samples) => match values {
                Values::F32(x) => samples.add(x),
                Values::F64(x) => samples.add(x),
            },
        }
    }

    /// Ends a pass over all tensors, and says whether another one is needed.
    pub fn end_pass(&mut self) -> bool {
        match &mut self.work {
            Work::Known(..) | Work::Extent(_) | Work::Spread(_) => false,
            Work::Quantiles(quantiles) => quantiles.end_pass(),
            Work::Samples(samples) => !std::mem::replace(&mut samples.is_second, true) && samples.counted > 0,
        }
    }

    /// The interval, once no other pass is needed; 0 to 0 if no number is finite.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let ends = match (&self.work, self.range) {
            (Work::Known(lo, hi), _) => Some((*lo, *hi)),
            (Work::Extent(ends), _) => *ends,
            (Work::Spread(moments), Range::Std(times)) => moments.ends(times),
            (Work::Spread(_), _) => None,
            (Work::Quantiles(quantiles), _) => quantiles.ends(),
            (Work::Samples(samples), _) => zscale::ends(samples.taken.clone()),
        };
        Interval::of_ends(self.range, ends)
    }
}

impl Samples {
    fn add<T: Real>(&mut self, numbers: &[T]) {
        if !self.is_second {
            self.counted += numbers.iter().filter(|x| x.is_finite()).count() as u64;
            return;
        }
        let stride = zscale::stride(self.counted);
        for x in numbers.iter().filter(|x| x.is_finite()) {
            if self.seen.is_multiple_of(stride) && (self.taken.len() as u64) < zscale::SAMPLES {
                self.taken.push((*x).into());
            }
            self.seen += 1;
        }
    }
}

fn extent_of(values: &Values) -> Option<(f64, f64)> {
    match values {
        Values::F32(x) => extent(x),
        Values::F64(x) => extent(x),
    }
}

fn joined(a: Option<(f64, f64)>, b: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// The parts of a plan on which the range of its run depends: equal for all choices that have the same range.
#[must_use]
pub fn basis(plan: &Plan) -> Choices {
    let is_rgb = plan.geometry.view == View::Filters && plan.paint.cmap == Cmap::Rgb;
    Choices {
        view: Some(plan.geometry.view),
        range: Some(plan.scale.range),
        layout: Some(plan.geometry.layout),
        // Filters of three inputs are drawn as magnitudes under every other colour map.
        cmap: is_rgb.then_some(Cmap::Rgb),
        ..Choices::default()
    }
}

/// Adds the numbers of a tensor that the range depends on: all its elements, or the norms or loadings of all its filters, drawn
/// or not.
pub fn add_tensor(range: &mut RunRange, tensor: &Tensor, geometry: &Geometry) {
    let values = values(tensor);
    let layer: Cow<'_, Values> = layer(&values, geometry);
    range.add(&layer);
}

/// The interval of all steps of a series, which scope `run` uses. `pass` returns the tensors of every step, in the order of the
/// steps. It is called as often as the range needs: once for most ranges, twice for `zscale` and for `percentile` of float32,
/// four times for `percentile` of wider types.
///
/// # Errors
/// Those of the tensors, and choices that do not fit one of them.
pub fn interval_of_run<E, Steps>(
    choices: &Choices,
    subject: &Subject<'_>,
    mut pass: impl FnMut() -> Steps,
) -> Result<Interval, E>
where
    E: From<ChoiceError>,
    Steps: IntoIterator<Item = Result<Tensor, E>>,
{
    let mut range = RunRange::new(plan(choices, subject)?.scale.range);
    if range.passes() == 0 {
        return Ok(range.interval());
    }
    loop {
        for tensor in pass() {
            let tensor = tensor?;
            let plan =
                plan(choices, &Subject { shape: &tensor.shape, frames: Some(&tensor.frames), ..*subject })?;
            add_tensor(&mut range, &tensor, &plan.geometry);
        }
        if !range.end_pass() {
            return Ok(range.interval());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::range::interval;

    proptest! {
        #[test]
        fn a_run_has_the_range_of_all_its_numbers_at_once(
            steps in prop::collection::vec(prop::collection::vec(-1e3_f32..1e3, 0..900), 1..6),
        ) {
            let all: Vec<f32> = steps.concat();
            for text in ["minmax", "symmetric", "percentile:0.9", "zscale", "std:2", "fixed:-1:2"] {
                let range = Range::parse(text).unwrap();
                let mut run = RunRange::new(range);
                loop {
                    for step in &steps {
                        run.add(&Values::F32(step.clone()));
                    }
                    if !run.end_pass() {
                        break;
                    }
                }
                let (ours, whole) = (run.interval(), interval(range, &all));
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
                prop_assert!(near(ours.lo, whole.lo) && near(ours.hi, whole.hi), "{text} {ours:?} {whole:?}");
            }
        }
    }
}
