//! Decides each option of a plan: the choice, or the default for the tensor; an error if the choice does not fit.

use super::{
    axes::Axes,
    fitting::{FACTORS, Subject, views},
    geometry::Tile,
};

use crate::{
    model::{layout::Layout, role::Role},
    render::choices::{ChoiceError, Choices, Cmap, Order, Range, Scope, View},
    tensor::shape::Shape,
};

/// The range for encoded pictures: their bytes.
const PICTURE_RANGE: Range = Range::Fixed(0.0, 255.0);

pub(super) fn settle_layout(
    choices: &Choices,
    inferred: Option<Layout>,
    shape: &Shape,
) -> Result<Layout, ChoiceError> {
    let fitting: Vec<&str> = Layout::ALL
        .iter()
        .filter(|layout| layout.rank() == shape.rank())
        .map(|layout| layout.name())
        .collect();
    let Some(layout) = choices.layout.or(inferred) else {
        if fitting.is_empty() {
            let message = format!("a tensor of shape {shape} is not drawn: pictures have 2 to 5 axes");
            return Err(ChoiceError::new("tag", message));
        }
        return Err(ChoiceError::new(
            "layout",
            format!("nobody knows which axis of {shape} is which: name it, as in layout=HWIO"),
        ));
    };
    if layout.rank() == shape.rank() {
        return Ok(layout);
    }
    let allowed = if fitting.is_empty() {
        "no layout does".to_owned()
    } else {
        format!("use one of {}", fitting.join(", "))
    };
    Err(ChoiceError::new("layout", format!("{} does not fit the shape {shape}: {allowed}", layout.name())))
}

pub(super) fn settle_view(
    choices: &Choices,
    subject: &Subject<'_>,
    axes: &Axes,
) -> Result<(View, Cmap), ChoiceError> {
    let role = subject.role;
    let views = views(axes.layout, role);
    let view = choices.view.unwrap_or(views[0]);
    if !views.contains(&view) {
        let allowed: Vec<&str> = views.iter().map(|view| view.name()).collect();
        let message = format!(
            "{} does not fit the layout {}: use one of {}",
            view.name(),
            axes.layout.name(),
            allowed.join(", ")
        );
        return Err(ChoiceError::new("view", message));
    }
    let inputs = if axes.layout.is_depthwise() { 1 } else { axes.len('I') };
    let has_rgb = match view {
        View::Filters => inputs == 3,
        View::Image | View::Samples => axes.have_colours(subject.is_picture) && choices.channels.is_none(),
        _ => false,
    };
    if view == View::Components {
        if inputs < FACTORS {
            let message = format!(
                "components shows three factors over the input channels, of which there are {inputs}: use filters, matrix, slice or magnitude"
            );
            return Err(ChoiceError::new("view", message));
        }
        return match choices.cmap {
            None | Some(Cmap::Rgb) => Ok((view, Cmap::Rgb)),
            Some(_) => Err(ChoiceError::new(
                "cmap",
                "the view components has colours of its own: leave cmap out or use rgb",
            )),
        };
    }
    let cmap = match choices.cmap {
        Some(Cmap::Rgb) if !has_rgb => {
            let message = "rgb needs the view filters with 3 input channels, or the view samples or image with all of 3 channels";
            return Err(ChoiceError::new("cmap", message));
        }
        Some(cmap) => cmap,
        None if has_rgb => Cmap::Rgb,
        None => default_cmap(role, if view == View::Filters && inputs > 1 { View::Magnitude } else { view }),
    };
    // With a colour map, filters of several input channels can only be drawn by their magnitude.
    let view = if view == View::Filters && inputs > 1 && cmap != Cmap::Rgb { View::Magnitude } else { view };
    Ok((view, cmap))
}

/// The range if none is chosen.
pub(super) fn usual_range(subject: &Subject<'_>, view: View) -> Range {
    if subject.is_picture {
        return PICTURE_RANGE;
    }
    let is_signed = subject.role == Role::Kernel && !matches!(view, View::Magnitude | View::Components);
    if is_signed { Range::Symmetric } else { Range::MinMax }
}

/// TensorFlow's operations always scale each tile separately.
pub(super) fn settle_scope(choices: &Choices, range: Range) -> Result<Scope, ChoiceError> {
    let scope = choices.scope.unwrap_or(if range.is_tensorflow() { Scope::Tile } else { Scope::Layer });
    if range.is_tensorflow() && scope != Scope::Tile {
        let message =
            format!("{} takes each tile for an image by itself: leave scope out or use tile", range.text());
        return Err(ChoiceError::new("scope", message));
    }
    Ok(scope)
}

pub(super) fn settle_blend(choices: &Choices, range: Range) -> Result<f64, ChoiceError> {
    let blend = choices.blend.unwrap_or(0.0);
    if blend == 0.0 {
        return Ok(blend);
    }
    if range.is_tensorflow() || matches!(range, Range::Fixed(..)) {
        let message = format!(
            "{} leaves nothing to blend: leave blend out, or use the range minmax, symmetric, percentile:P, zscale or std:K",
            range.text()
        );
        return Err(ChoiceError::new("blend", message));
    }
    match choices.scope {
        None | Some(Scope::Layer) => Ok(blend),
        Some(scope) => {
            let message = format!(
                "it goes from the layer's range to those of the tiles, and the scope is {}: leave scope out or use layer",
                scope.name()
            );
            Err(ChoiceError::new("blend", message))
        }
    }
}

pub(super) fn settle_order(choices: &Choices, view: View) -> Result<Order, ChoiceError> {
    match (choices.order.unwrap_or(Order::Index), view) {
        (Order::Index, _) => Ok(Order::Index),
        (order, View::Matrix) => {
            let message = format!(
                "{} would mix the rows and columns of the view matrix: leave order out or use index",
                order.name()
            );
            Err(ChoiceError::new("order", message))
        }
        (Order::Change, View::Components) => Err(ChoiceError::new(
            "order",
            "the factors of two steps are not the same, so change says nothing in the view components: use index, norm, mean, max, sparsity or similarity",
        )),
        (order, _) => Ok(order),
    }
}

fn default_cmap(role: Role, view: View) -> Cmap {
    match (role, view) {
        (Role::Kernel, View::Magnitude) => Cmap::Viridis,
        (Role::Kernel, _) => Cmap::RdBu,
        (Role::Input | Role::Image, _) => Cmap::Gray,
        _ => Cmap::Viridis,
    }
}

pub(super) fn settle_cols(
    choices: &Choices,
    view: View,
    axes: &Axes,
    tiles: &[Tile],
) -> Result<usize, ChoiceError> {
    match (view, choices.cols) {
        (View::Matrix, Some(_)) => Err(ChoiceError::new(
            "cols",
            "the view matrix has one column an output channel: leave it out, or use channels",
        )),
        (View::Matrix, None) => Ok((tiles.len() / axes.len('I').min(tiles.len())).max(1)),
        (_, Some(cols)) => Ok(cols.min(tiles.len())),
        (_, None) => Ok(near_square(tiles.len())),
    }
}

/// The least number of columns with which a sheet is at least as wide as it is high. So a prime number of tiles is not one row.
pub(super) fn near_square(n: usize) -> usize {
    let root = n.isqrt();
    if root * root == n { root } else { root + 1 }
}
