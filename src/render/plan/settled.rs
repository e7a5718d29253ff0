//! A plan: exactly what is to be drawn of a tensor, with no default left open.

use super::{geometry::Geometry, paint::Paint, scale::Scale};

/// What is drawn, in the three parts that are decided one after another: numbers are gathered by the geometry, become levels
/// by the scale, and colours by the paint.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which elements make which tile, and where the tiles stand.
    pub geometry: Geometry,
    /// How numbers become levels.
    pub scale: Scale,
    /// How levels become colours.
    pub paint: Paint,
}

impl Plan {
    /// Whether the range is that of all steps, which has to be found first.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        self.scale.needs_run()
    }

    /// Whether the tensor of the step before is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.geometry.needs_before()
    }

    /// Width and height of the picture in pixels, zoom included.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.geometry.size()
    }
}
