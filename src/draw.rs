//! A series, choices and a way to read its tensors -> what is drawn. Nothing is kept, and nothing waits.

pub(crate) mod difference;
pub(crate) mod other_steps;
pub(crate) mod survey_passes;

use crate::{
    catalog::snapshot::{LoggedValue, Series},
    lookup::error::AnswerError,
    tensor::Tensor,
    types::Step,
};

/// Reads the tensor that was logged at a step of a series. [`AnswerError::Damaged`] is that of a tensor that is lost for good.
pub(crate) type Load<'a> = dyn Fn(&Series, Step, &[LoggedValue]) -> Result<Tensor, AnswerError> + Sync + 'a;
