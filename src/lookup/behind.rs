//! A kernel in the catalog -> what is applied to the output of its convolution: the bias and the batch normalization.

use std::sync::Arc;

use crate::{
    catalog::snapshot::{Run, Series},
    model::{
        normalization::{Convolution, Normalization, Vector, behind},
        role::Role,
    },
    reader::contents::Format,
    types::Tag,
};

/// What is behind a convolution, by tags of the kernel's run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// The bias of the layer: one number for each output channel.
    pub(crate) bias: Option<String>,
    /// The batch normalization.
    pub(crate) normalization: Option<Normalization>,
}

impl Behind {
    /// Nothing for a series that is no kernel, or of which the outputs are not known.
    pub(crate) fn of(run: &Run, kernel: &Series) -> Self {
        let outputs = kernel.layout().zip(kernel.form.as_ref().ok());
        let outputs = outputs.and_then(|(layout, form)| layout.outputs(form.shape.axes()));
        let Some(outputs) = outputs.filter(|_| kernel.facts.role == Role::Kernel) else {
            return Self::default();
        };
        let vector = |tag: &str| {
            let series = on_axis(run, kernel, tag)?;
            let length = length(series)?;
            Some(Vector { length, is_after: is_saved_after(kernel, series) })
        };
        let named = kernel.facts.operation.as_ref().and_then(|operation| operation.normalization.as_deref());
        let convolution = Convolution { tag: kernel.name(), outputs, named };
        let tag = |name: String| on_axis(run, kernel, &name).map_or(name, |series| series.tag.to_string());
        let normalization = behind(&convolution, &vector).map(|found| Normalization {
            scale: found.scale.map(tag),
            shift: found.shift.map(tag),
            mean: tag(found.mean),
            variance: tag(found.variance),
            ..found
        });
        Self { bias: bias(run, kernel, outputs), normalization }
    }
}

/// The series of a tensor's name whose steps count the same as those of the kernel.
fn on_axis<'a>(run: &'a Run, kernel: &Series, name: &str) -> Option<&'a Arc<Series>> {
    let apart = Series::tag_apart(&Tag::from(name), kernel.axis);
    let mut found = [run.series.get(name), run.series.get(&apart)].into_iter().flatten();
    found.find(|series| series.axis == kernel.axis)
}

/// The bias of a kernel's layer.
fn bias(run: &Run, kernel: &Series, outputs: usize) -> Option<String> {
    let is_its = |series: &Series| {
        series.facts.role == Role::Bias
            && series.facts.layer == kernel.facts.layer
            && series.axis == kernel.axis
            && length(series) == Some(outputs)
    };
    run.series.values().find(|series| is_its(series)).map(|series| series.tag.to_string())
}

/// The length of a tensor with one axis.
fn length(series: &Series) -> Option<usize> {
    match series.form.as_ref().ok()?.shape.axes() {
        [length] => Some(*length),
        _ => None,
    }
}

/// Whether a tensor is saved after the kernel, where tensors are saved in the order of the network: in PyTorch's dictionaries, and mostly
/// in events. Other formats sort them by name.
fn is_saved_after(kernel: &Series, series: &Series) -> Option<bool> {
    let keeps_order =
        |series: &Series| series.saved_in.as_ref().is_none_or(|saved_in| saved_in.format == Format::PyTorch);
    let is_comparable = kernel.order.file == series.order.file && keeps_order(kernel) && keeps_order(series);
    is_comparable.then(|| series.order > kernel.order)
}
