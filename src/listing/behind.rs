//! What is behind a convolution, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use super::series::Evidence;
use crate::{lookup::behind, model::normalization::Normalization};

/// What is applied to the output of a convolution, as tags of its run.
#[derive(Serialize, ToSchema)]
#[schema(as = Behind)]
pub(crate) struct BehindJson {
    /// The bias of its layer: one number for each output channel.
    bias: Option<String>,
    /// The batch normalization.
    normalization: Option<NormalizationJson>,
}

/// A batch normalization: `scale * (x - mean) / sqrt(variance + epsilon) + shift` for each output channel.
#[derive(Serialize, ToSchema)]
#[schema(as = Normalization)]
struct NormalizationJson {
    /// The name of its layer.
    layer: String,
    scale: Option<String>,
    shift: Option<String>,
    mean: String,
    variance: String,
    /// Why it is the one.
    from: Evidence,
}

impl BehindJson {
    pub(crate) fn of(found: behind::Behind) -> Self {
        Self { bias: found.bias, normalization: found.normalization.map(NormalizationJson::of) }
    }
}

impl NormalizationJson {
    fn of(found: Normalization) -> Self {
        let from = Evidence::of(&found.reason);
        let Normalization { layer, scale, shift, mean, variance, .. } = found;
        Self { layer, scale, shift, mean, variance, from }
    }
}
