//! A difference: which tensor is subtracted, and how different both tensors are.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::{is_fixed, wanted};

use crate::{
    answers::differences::Distance,
    lookup::{
        error::AnswerError,
        find::TensorRequest,
        pair::{Minus, TensorPair},
        steps::Found,
    },
    model::layout::Layout,
    render::choices::Choices,
    stats::{groups::GroupKind, likeness::Likeness},
};

/// Which two tensors are compared.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DifferenceQuery {
    /// The run; may be omitted if only one run has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A logged step, or `latest` (the default).
    step: Option<String>,
    /// If the step was logged more than once, which attempt: 0 (the default) is the newest, 1 the one before.
    attempt: Option<String>,
    /// The run of the tensor that is subtracted; by default the same run. At least one of `minus_run`, `minus_tag` and `minus_step` is
    /// required.
    minus_run: Option<String>,
    /// The tag of the tensor that is subtracted; by default the same tag.
    minus_tag: Option<String>,
    /// The step of the tensor that is subtracted, or `latest`; by default the same step.
    minus_step: Option<String>,
    /// How filters are paired: by `index` (the default), or by `cosine`, which is the pairing with the greatest sum of cosines.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    matching: Option<String>,
    /// The layout (the meaning of each axis), in place of the inferred one.
    layout: Option<String>,
    /// Any text; distinguishes versions of an answer in caches.
    #[serde(rename = "v")]
    #[param(rename = "v")]
    _version: Option<String>,
}

impl DifferenceQuery {
    pub(crate) fn wanted(&self) -> Result<TensorRequest, AnswerError> {
        wanted(self.run.clone(), self.tag.as_deref(), self.step.as_deref(), self.attempt.as_deref())
    }

    pub(crate) fn minus(&self) -> Result<Minus, AnswerError> {
        let words = [&self.minus_run, &self.minus_tag, &self.minus_step, &self.matching];
        Minus::parse(words.map(|word| word.as_deref()))?.ok_or_else(|| {
            let message =
                "the tensor to subtract is missing: name it by minus_step, minus_run or minus_tag, as in minus_step=0";
            AnswerError::BadOption(message.to_owned())
        })
    }

    pub(crate) fn layout(&self) -> Result<Option<Layout>, AnswerError> {
        layout(self.layout.as_deref())
    }

    /// Whether the answer never changes.
    pub(crate) fn is_fixed(&self) -> bool {
        is_fixed(self.step.as_deref()) && self.minus_step.as_deref() != Some("latest")
    }
}

/// Reads the option `layout`.
pub(in crate::server) fn layout(name: Option<&str>) -> Result<Option<Layout>, AnswerError> {
    Ok(Choices::parse(name.map(|name| ("layout", name)))?.layout)
}

/// The tensor that is subtracted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Subtracted {
    run: String,
    tag: String,
    step: i64,
    /// `index` or `cosine`.
    #[serde(rename = "match")]
    matching: &'static str,
}

impl Subtracted {
    pub(crate) fn of(pair: &TensorPair) -> Self {
        Self {
            run: pair.b.series.run.to_string(),
            tag: pair.b.series.tag.to_string(),
            step: pair.b.step,
            matching: pair.matching.name(),
        }
    }
}

/// How different two tensors are, computed in float64 over the elements that are finite in both.
#[derive(Serialize, ToSchema)]
pub(crate) struct Difference {
    run: String,
    tag: String,
    step: i64,
    minus: Subtracted,
    layout: Option<&'static str>,
    /// What the entries of `each` are about: `filter` or `channel`; null if the layout is unknown.
    per: Option<&'static str>,
    /// Over all elements. With `match=cosine`, the filters of the second tensor are first reordered to match those of the first.
    tensor: Apart,
    each: Vec<ApartEach>,
    /// The pairing of filters, with `match=cosine`.
    matching: Option<Matching>,
}

/// Measures of how different two tensors, filters or channels are.
#[derive(Serialize, ToSchema)]
struct Apart {
    /// How many elements are finite in both.
    compared: u64,
    /// The L2 norm of the difference.
    norm: Option<f64>,
    /// The L2 norm of the difference / the L2 norm of what is subtracted; null if that norm is 0.
    relative_norm: Option<f64>,
    /// The cosine of the angle between both; null if one of them is 0.
    cosine: Option<f64>,
    /// 1 - cosine, exact even if the cosine is nearly 1.
    rotation: Option<f64>,
}

/// How different two filters or channels are.
#[derive(Serialize, ToSchema)]
struct ApartEach {
    index: usize,
    /// The index of the filter or channel that is subtracted.
    minus_index: usize,
    #[serde(flatten)]
    apart: Apart,
}

/// A pairing of filters.
#[derive(Serialize, ToSchema)]
struct Matching {
    /// Filters whose partner has another index.
    moved: Vec<usize>,
    /// The mean cosine of all pairs; a pair with a zero filter counts as 0.
    mean_cosine: Option<f64>,
    /// The mean cosine of filters of the same index.
    mean_cosine_by_index: Option<f64>,
}

impl Apart {
    fn of(likeness: &Likeness) -> Self {
        Self {
            compared: likeness.compared,
            norm: Some(likeness.difference).filter(|norm| norm.is_finite()),
            relative_norm: likeness.relative().filter(|norm| norm.is_finite()),
            cosine: likeness.cosine,
            rotation: likeness.rotation(),
        }
    }
}

impl Difference {
    pub(in crate::server) fn of(pair: &TensorPair, distance: &Distance) -> Self {
        let a: &Found = &pair.a;
        let partner = |index: usize| distance.partners.as_ref().map_or(index, |partners| partners.0[index]);
        let each: Vec<ApartEach> = distance
            .each
            .iter()
            .enumerate()
            .map(|(index, likeness)| ApartEach {
                index,
                minus_index: partner(index),
                apart: Apart::of(likeness),
            })
            .collect();
        let unit =
            |layout: Layout| if layout.is_activation() { GroupKind::Channel } else { GroupKind::Filter };
        Self {
            run: a.series.run.to_string(),
            tag: a.series.tag.to_string(),
            step: a.step,
            minus: Subtracted::of(pair),
            layout: pair.layout.map(Layout::name),
            per: pair.layout.filter(|_| !each.is_empty()).map(|layout| unit(layout).name()),
            tensor: Apart::of(&distance.whole),
            matching: distance.partners.as_ref().map(|_| Matching {
                moved: each
                    .iter()
                    .filter(|pair| pair.index != pair.minus_index)
                    .map(|pair| pair.index)
                    .collect(),
                mean_cosine: mean_cosine(&distance.each),
                mean_cosine_by_index: mean_cosine(&distance.by_index),
            }),
            each,
        }
    }
}

fn mean_cosine(pairs: &[Likeness]) -> Option<f64> {
    let sum: f64 = pairs.iter().filter_map(|pair| pair.cosine).sum();
    (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
}
