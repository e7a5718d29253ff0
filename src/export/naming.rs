//! The series of a run -> the names under which they are exported.
//!
//! A picture's tag says what its colours mean: `TAG/RANGE-SCOPE`, then each other option that was chosen, as in
//! `conv1/kernel/symmetric-layer` or `conv1/Relu/percentile:0.99-tile,cmap=magma,zoom=2`. Two sets of options so never share
//! a tag. The classic preset has the recipe's own names.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use super::{job::NamedSeries, selection::Selection};

use crate::{
    catalog::snapshot::{Run, Series},
    lookup::subject::subject,
    model::{layout::Layout, role::Role},
    render::{
        choices::{ChoiceError, Choices},
        plan::{Plan, plan},
    },
};

/// What is made of a tensor.
#[derive(Clone, Debug)]
pub enum Style {
    /// A sheet with these choices, under a tag that says the range.
    Sheet(Choices),
    /// A sheet with these choices, under the series' own tag.
    PlainSheet(Choices),
    /// What the classic recipe shows, and a sheet.
    Classic,
    /// The tensor itself.
    Array,
}

/// The series of a run that were chosen.
#[derive(Debug, Default)]
pub struct Names {
    /// Those that are exported, in the order of their layers.
    pub named: Vec<Arc<NamedSeries>>,
    /// Those that cannot be, with the reasons.
    pub left_out: Vec<(Arc<Series>, String)>,
}

/// Names what is exported of a run.
#[must_use]
pub fn names(style: &Style, selection: &Selection, run: &Run) -> Names {
    let mut chosen: Vec<&Arc<Series>> =
        run.shown_in_order().into_iter().filter(|series| selection.takes(series)).collect();
    if let Style::Classic = style {
        // If two have the same name, the one that was logged first keeps it, also when a graph changes the order of layers.
        chosen.sort_by_key(|series| series.order);
    }
    let (mut names, mut taken) = (Names::default(), HashSet::new());
    for series in chosen {
        match name(style, series) {
            Ok(name) => {
                let name = if taken.insert(name.clone()) { name } else { format!("{name}/{}", series.tag) };
                let key = if let Style::Classic = style { sheet_tag(&name) } else { name.clone() };
                names.named.push(Arc::new(NamedSeries {
                    series: Arc::clone(series),
                    name,
                    key,
                    run: OnceLock::new(),
                }));
            }
            Err(reason) => names.left_out.push((Arc::clone(series), reason)),
        }
    }
    names
}

/// The tag of the sheet that stands beside the recipe's pictures.
#[must_use]
pub fn sheet_tag(name: &str) -> String {
    format!("{name}/sheet")
}

fn name(style: &Style, series: &Series) -> Result<String, String> {
    let form = series.form.as_ref().map_err(|error| error.reason.clone())?;
    let plan =
        |choices| plan(choices, &subject(series, form)).map_err(|error: ChoiceError| error.to_string());
    let tag = series.tag.as_str();
    match style {
        Style::Sheet(choices) => Ok(format!("{tag}/{}", suffix(choices, &plan(choices)?))),
        Style::PlainSheet(choices) => plan(choices).map(|_| tag.to_owned()),
        Style::Classic => classic(series).ok_or_else(|| {
            "the recipe shows kernels and activations of two-dimensional convolutions alone".to_owned()
        }),
        Style::Array => Ok(tag.to_owned()),
    }
}

/// `RANGE-SCOPE`, and what else was chosen.
fn suffix(choices: &Choices, plan: &Plan) -> String {
    let others = choices.canonical();
    let others = others.split('&').filter(|option| {
        !(option.is_empty() || option.starts_with("range=") || option.starts_with("scope="))
    });
    let range = format!("{}-{}", plan.scale.range.text(), plan.scale.scope.name());
    std::iter::once(range.as_str()).chain(others).collect::<Vec<_>>().join(",")
}

/// `conv1/filters` for the kernel, `filtered_images_layer1` for the activation of the layer `conv1`.
fn classic(series: &Series) -> Option<String> {
    let facts = &series.facts;
    match (facts.role, series.layout()?) {
        (Role::Kernel, Layout::Hwio | Layout::Oihw | Layout::Hwoi | Layout::Iohw | Layout::Ohwi) => {
            Some(format!("{}/filters", facts.layer))
        }
        (Role::Activation, Layout::Nhwc | Layout::Nchw) => {
            let number = facts.layer.strip_prefix("conv").filter(|rest| rest.parse::<u32>().is_ok());
            Some(number.map_or_else(
                || format!("filtered_images_{}", facts.layer),
                |number| format!("filtered_images_layer{number}"),
            ))
        }
        _ => None,
    }
}
