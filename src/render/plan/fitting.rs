//! What is known about a tensor -> the views that fit it.

use crate::{
    model::{layout::Layout, role::Role},
    render::choices::View,
    tensor::{frames::Frames, shape::Shape},
};

/// The number of factors: one per colour component of a pixel.
pub(super) const FACTORS: usize = 3;

/// The views that fit a layout, the default first.
#[must_use]
pub fn views(layout: Layout, role: Role) -> &'static [View] {
    match layout {
        Layout::Io | Layout::Oi | Layout::Nc => &[View::Matrix],
        _ if layout.is_depthwise() => &[View::Filters, View::Matrix],
        _ if !layout.is_activation() => {
            &[View::Filters, View::Matrix, View::Slice, View::Magnitude, View::Components]
        }
        _ if role == Role::Image => &[View::Image, View::Maps],
        _ if role == Role::Input => &[View::Samples, View::Maps],
        _ => &[View::Maps, View::Samples],
    }
}

/// Those of [`views`] in which a tensor of this shape can be drawn. The layout has as many axes as the shape.
#[must_use]
pub fn views_of(layout: Layout, role: Role, shape: &Shape) -> Vec<View> {
    let inputs = layout.axis('I').and_then(|axis| shape.axes().get(axis)).copied().unwrap_or(1);
    let fits = |view: &View| *view != View::Components || inputs >= FACTORS;
    views(layout, role).iter().copied().filter(fits).collect()
}

/// What is known about the tensor to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it is in the network.
    pub role: Role,
    /// Which axis is which, if it was concluded.
    pub layout: Option<Layout>,
    /// The lengths of its axes.
    pub shape: &'a Shape,
    /// Whether its numbers are the bytes of encoded pictures.
    pub is_picture: bool,
    /// Which frames its first axis has, if pictures are animated.
    pub frames: Option<&'a Frames>,
}
