//! How numbers become levels: the range, and the numbers from which the range is computed.

use crate::render::choices::{Range, Scope};

/// How numbers become levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Which numbers are the ends of the colour scale.
    pub range: Range,
    /// From which numbers the range is computed.
    pub scope: Scope,
    /// How far the layer's range is moved towards that of each tile, from 0 to 1; above 0 only with scope `layer`.
    pub blend: f64,
}

impl Scale {
    /// Whether the range is that of all steps, which must be computed first.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        self.scope == Scope::Run && !matches!(self.range, Range::Fixed(..))
    }
}
