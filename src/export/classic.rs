//! A tensor -> the pictures that the classic image summary recipe made of it, byte for byte.
//!
//! The recipe scales a kernel to [0, 1] by its least and greatest element, transposes it to `[O, H, W, I]` and calls
//! TensorFlow's image summary, which shows 3 of them. Of an activation it takes the first sample's first 16 channels as
//! `[16, H, W, 1]`. The summary rescales each picture by itself (`NormalizeFloatImage` in TensorFlow's
//! `core/kernels/image/summary_image_op.cc`): if it has a negative element, byte = trunc(128 + x * 127 / max |x|), else
//! byte = trunc(x * 255 / max x), all in float32.

use crate::{
    model::layout::Layout,
    render::sheet::{Pixels, Raster},
};

const MOST_FILTERS: usize = 3;
const MOST_MAPS: usize = 16;
/// A picture whose greatest element is smaller is flat.
const FLAT_BELOW: f32 = 1e-6;
/// Red, cut to the picture's number of components.
const NOT_FINITE: [u8; 3] = [255, 0, 0];

/// The first 3 filters of a kernel of 1 or 3 input channels. `values` are the elements in logged order, `lengths` those of
/// the axes. Empty for other kernels, whose transposed form the summary refuses.
#[must_use]
pub fn filters(values: &[f32], layout: Layout, lengths: &[usize]) -> Vec<Raster> {
    let Some(axes) = Axes::of(layout, lengths, ['O', 'H', 'W', 'I']) else { return Vec::new() };
    let [n_filters, height, width, depth] = axes.lengths;
    if depth != 1 && depth != 3 {
        return Vec::new();
    }
    let scaled = zero_to_one(values);
    let filters = 0..n_filters.min(MOST_FILTERS);
    filters.map(|filter| picture(&axes.image(&scaled, filter), [height, width, depth])).collect()
}

/// The first 16 channels of the first sample of an activation.
#[must_use]
pub fn maps(values: &[f32], layout: Layout, lengths: &[usize]) -> Vec<Raster> {
    let Some(axes) = Axes::of(layout, lengths, ['C', 'H', 'W', 'N']) else { return Vec::new() };
    let [n_channels, height, width, _] = axes.lengths;
    let first_sample = Axes { lengths: [n_channels, height, width, 1], ..axes };
    let channels = 0..n_channels.min(MOST_MAPS);
    channels.map(|channel| picture(&first_sample.image(values, channel), [height, width, 1])).collect()
}

/// Lengths and strides of four axes in the order in which the recipe has them.
#[derive(Clone, Copy)]
struct Axes {
    lengths: [usize; 4],
    strides: [usize; 4],
}

impl Axes {
    /// `None` if the layout has other axes.
    fn of(layout: Layout, lengths: &[usize], letters: [char; 4]) -> Option<Self> {
        if layout.rank() != 4 || lengths.len() != 4 {
            return None;
        }
        let mut axes = Self { lengths: [0; 4], strides: [0; 4] };
        for (at, letter) in letters.into_iter().enumerate() {
            let axis = layout.axis(letter)?;
            axes.lengths[at] = lengths[axis];
            axes.strides[at] = lengths[axis + 1..].iter().product();
        }
        Some(axes)
    }

    /// The elements of one image, row by row, components last.
    fn image(&self, values: &[f32], first: usize) -> Vec<f32> {
        let ([_, height, width, depth], [outer, row, col, component]) = (self.lengths, self.strides);
        let mut out = Vec::with_capacity(height * width * depth);
        for y in 0..height {
            for x in 0..width {
                out.extend((0..depth).map(|c| values[first * outer + y * row + x * col + c * component]));
            }
        }
        out
    }
}

/// `(k - min k) / (max k - min k)`. As in TensorFlow, a NaN makes all elements NaN, and so does a constant kernel.
fn zero_to_one(values: &[f32]) -> Vec<f32> {
    let either_nan = |a: f32, b: f32, least: f32| if a.is_nan() || b.is_nan() { f32::NAN } else { least };
    let least = values.iter().copied().reduce(|a, b| either_nan(a, b, a.min(b))).unwrap_or(0.0);
    let greatest = values.iter().copied().reduce(|a, b| either_nan(a, b, a.max(b))).unwrap_or(0.0);
    values.iter().map(|x| (x - least) / (greatest - least)).collect()
}

fn picture(elements: &[f32], [height, width, depth]: [usize; 3]) -> Raster {
    let bytes = image_op(elements, depth);
    let pixels = if depth == 3 {
        Pixels::Rgb(bytes.as_chunks::<3>().0.to_vec())
    } else {
        Pixels::Codes(bytes.into_iter().map(Into::into).collect())
    };
    Raster { width, height, pixels, labels: Vec::new() }
}

/// The bytes that the image summary computes from one image of `depth` components per pixel.
fn image_op(elements: &[f32], depth: usize) -> Vec<u8> {
    let is_finite = |pixel: &[f32]| pixel.iter().all(|x| x.is_finite());
    let finite = || elements.chunks_exact(depth).filter(|pixel| is_finite(pixel)).flatten().copied();
    let least = finite().fold(f32::INFINITY, f32::min);
    let greatest = finite().fold(f32::NEG_INFINITY, f32::max);
    let scale = |full: f32, greatest: f32| if greatest < FLAT_BELOW { 0.0 } else { full / greatest };
    let (scale, offset) = if least < 0.0 {
        (scale(127.0, least.abs().max(greatest)), 128.0)
    } else {
        (scale(255.0, greatest), 0.0)
    };
    let mut bytes = Vec::with_capacity(elements.len());
    for pixel in elements.chunks_exact(depth) {
        if is_finite(pixel) {
            bytes.extend(pixel.iter().map(|x| (x * scale + offset) as u8));
        } else {
            bytes.extend(&NOT_FINITE[..depth]);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(elements: &[f32], expected: &[u8]) {
        assert_eq!(image_op(elements, 1), expected, "{elements:?}");
    }

    /// The bytes are those that `tf.compat.v1.summary.image` of TensorFlow 2.21 wrote.
    #[test]
    fn bytes_are_those_of_the_image_summary() {
        check(&[-1.0, -0.5, 0.0, 0.25, 0.5], &[1, 64, 128, 159, 191]);
        check(&[0.0, 0.1, 0.2, 0.25, 0.5], &[0, 51, 102, 127, 255]);
        check(&[0.0, 1e-7, 9e-7], &[0, 0, 0]);
        check(&[f32::NAN, 0.5, f32::INFINITY, 1.0], &[255, 127, 255, 255]);
    }

    #[test]
    fn one_component_that_is_not_finite_colours_the_whole_pixel() {
        assert_eq!(image_op(&[0.5, 1.0, 0.25, 0.5, f32::NAN, 9.0], 3), [127, 255, 63, 255, 0, 0]);
    }

    #[test]
    fn other_layouts_and_depths_have_no_pictures() {
        assert!(filters(&[0.0; 8], Layout::Hwio, &[1, 1, 4, 2]).is_empty());
        assert!(filters(&[0.0; 8], Layout::Oiw, &[2, 2, 2]).is_empty());
        assert_eq!(filters(&[0.0; 27], Layout::Oihw, &[9, 3, 1, 1]).len(), MOST_FILTERS);
        assert_eq!(maps(&[0.0; 20], Layout::Nchw, &[1, 20, 1, 1]).len(), MOST_MAPS);
    }
}
