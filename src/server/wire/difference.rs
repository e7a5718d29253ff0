//! A difference: what is subtracted, and how far apart both tensors are.

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
    /// The run; may be left out where one run alone has the tag.
    run: Option<String>,
    /// The tag, as it was logged.
    tag: Option<String>,
    /// A step that was logged, or `latest`, which is what is taken when it is left out.
    step: Option<String>,
    /// Where a step was logged more than once: 0 is the newest, 1 the one before.
    attempt: Option<String>,
    /// The tensor of this run is subtracted; the same run when left out. One of `minus_run`, `minus_tag` and `minus_step` is given.
    minus_run: Option<String>,
    /// The tensor of this tag is subtracted; the same tag when left out.
    minus_tag: Option<String>,
    /// The tensor of this step (or `latest`) is subtracted; the same step when left out.
    minus_step: Option<String>,
    /// Which filter is compared with which: `index` (the default) or `cosine`, the pairing whose sum of cosines is greatest.
    #[serde(rename = "match")]
    #[param(rename = "match")]
    matching: Option<String>,
    /// Which axis is which, instead of what was concluded.
    layout: Option<String>,
    /// Anything: tells versions apart for caches.
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
                "what is subtracted? name it by minus_step, minus_run or minus_tag, as in minus_step=0";
            AnswerError::BadOption(message.to_owned())
        })
    }

    pub(crate) fn layout(&self) -> Result<Option<Layout>, AnswerError> {
        layout(self.layout.as_deref())
    }

    /// Whether the answer is the same for ever.
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

/// How far two tensors are apart, in float64 over elements that are finite in both.
#[derive(Serialize, ToSchema)]
pub(crate) struct Difference {
    run: String,
    tag: String,
    step: i64,
    minus: Subtracted,
    layout: Option<&'static str>,
    /// What `each` has one of: `filter` or `channel`; null where the layout is not known.
    per: Option<&'static str>,
    /// Of all elements; where filters were paired, of the tensors after the second one's filters were put in order.
    tensor: Apart,
    each: Vec<ApartEach>,
    /// What the pairing did, with `match=cosine`.
    matching: Option<Matching>,
}

/// How far apart.
#[derive(Serialize, ToSchema)]
struct Apart {
    /// How many elements were finite in both.
    compared: u64,
    /// The L2 norm of the difference.
    norm: Option<f64>,
    /// The L2 norm of the difference / that of what is subtracted; null where that is 0.
    relative_norm: Option<f64>,
    /// The cosine of the angle between both; null where one of them is 0.
    cosine: Option<f64>,
    /// 1 - cosine, exact also where the cosine is nearly 1.
    rotation: Option<f64>,
}

/// How far two filters or channels are apart.
#[derive(Serialize, ToSchema)]
struct ApartEach {
    index: usize,
    /// The number of the filter or channel that is subtracted.
    minus_index: usize,
    #[serde(flatten)]
    apart: Apart,
}

/// A pairing of filters.
#[derive(Serialize, ToSchema)]
struct Matching {
    /// Filters whose partner has another number.
    moved: Vec<usize>,
    /// The mean cosine of all pairs; a filter without direction counts as 0.
    mean_cosine: Option<f64>,
    /// The mean cosine of filters of the same number.
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
