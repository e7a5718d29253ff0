//! A plan + a tensor's type and size -> an estimate of the bytes that drawing it takes; if wrong, it is rather too high.

use super::{
    direct,
    plan::{Geometry, Pixel, Plan},
};
use crate::tensor::{dtype::DType, values::float_bytes};

/// Bytes per pixel before zooming: a code, or a colour and a position in a palette.
const RASTER_BYTES: u64 = 4;
/// Bytes per zoomed pixel: its colour, and its encoded form.
const PIXEL_BYTES: u64 = 6;
/// Bytes per number of a sorted or rearranged copy, in the wider form.
const COPY_BYTES: u64 = 8;

/// For the picture of a tensor of `elements` elements; the tensor itself is not counted.
#[must_use]
pub fn bytes_to_draw(plan: &Plan, dtype: DType, elements: usize) -> u64 {
    let Plan { geometry, scale, .. } = plan;
    let (width, height) = geometry.size();
    let pixels = product(&[width, height]);
    let zoom = geometry.zoom.max(1) as u64;
    let picture = pixels / (zoom * zoom) * RASTER_BYTES + pixels * PIXEL_BYTES;
    let sorted = if direct::is_of_extent(scale) { 0 } else { elements as u64 * COPY_BYTES };
    let floats = match (direct::fits(dtype, geometry, scale), sorted) {
        (true, 0) => 0,
        (true, _) => (elements * float_bytes(dtype)) as u64,
        (false, _) => bytes_to_gather(geometry, dtype, elements),
    };
    picture + floats + sorted
}

/// For the numbers of all tiles; the tensor itself is not counted.
#[must_use]
pub fn bytes_to_gather(geometry: &Geometry, dtype: DType, elements: usize) -> u64 {
    let each = float_bytes(dtype) as u64;
    let drawn = product(&[geometry.tiles.len(), geometry.tile_len()]);
    // Norms and components are float64, which may be wider than the elements.
    let of_drawn = match geometry.pixel {
        Pixel::Element | Pixel::Rgb(_) => each,
        Pixel::Norm { .. } | Pixel::Components { .. } => COPY_BYTES,
    };
    (elements as u64) * each + drawn * (of_drawn + COPY_BYTES)
}

fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor as u64))
}
