//! The numbers of one image -> exactly the bytes that TensorFlow's image operations compute from them.
//!
//! TensorFlow 1 (`SummaryImageOp::NormalizeFloatImage`): if no number is negative, numbers are scaled so that the greatest is
//! 255; otherwise so that the greatest absolute one is 127, and 128 is added. An image with only numbers below 1e-6 is flat.
//! Pixels that are not finite are red, or 255 in grey, and do not affect the scale. TensorFlow 2
//! (`tf.image.convert_image_dtype` to uint8 with `saturate`): 255.5 x, between 0 and 255. Both cut off the digits after the
//! decimal point. Bytes are not changed. Numbers that are not finite have separate codes here, to which
//! [`super::plan::Paint`] gives the operations' colours.

use half::f16;

use super::{
    choices::Range,
    colormap::{BAD, Code, NAN, NEG_INF, POS_INF},
    range::Interval,
    real::Real,
};

use crate::tensor::dtype::DType;

/// The type in which an operation computes: that of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// float16.
    Half,
    /// float32; also used for types that the operations do not accept.
    Single,
    /// float64.
    Double,
    /// uint8, which is not changed.
    Bytes,
}

impl Arithmetic {
    /// The one for a tensor's elements.
    #[must_use]
    pub fn of(dtype: DType) -> Self {
        match dtype {
            DType::Float16 => Self::Half,
            DType::Float64 => Self::Double,
            DType::UInt8 => Self::Bytes,
            _ => Self::Single,
        }
    }

    /// The number as the operation sees it; floats that are too small for their type are zeros to it.
    fn seen(self, x: f64) -> f64 {
        if self == Self::Single { f64::from(flushed(x as f32)) } else { x }
    }

    /// `x * scale + offset`, rounded after each operation.
    fn line(self, x: f64, scale: f32, offset: f32) -> f64 {
        match self {
            Self::Half => {
                let [x, scale, offset] = [f16::from_f64(x), f16::from_f32(scale), f16::from_f32(offset)];
                (x * scale + offset).to_f64()
            }
            Self::Double => x * f64::from(scale) + f64::from(offset),
            Self::Single | Self::Bytes => f64::from(x as f32 * scale + offset),
        }
    }
}

/// One image as the operation sees it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// `tf1` or `tf2`.
    pub range: Range,
    /// The type in which it computes.
    pub arithmetic: Arithmetic,
    /// Channels per pixel.
    pub components: usize,
}

const FLAT_BELOW: f32 = 1e-6;
const TF2_SCALE: f32 = 255.5;

impl Operation {
    /// The codes of an image's numbers, and the ends between which the levels are.
    #[must_use]
    pub fn codes<T: Real>(&self, numbers: &[T], codes: &mut [Code]) -> Interval {
        let level = |x: f64| Interval { lo: 0.0, hi: 255.0, constant_level: 0 }.position(x) * 255.0;
        if self.arithmetic == Arithmetic::Bytes {
            for (code, x) in codes.iter_mut().zip(numbers) {
                *code = level((*x).into()) as Code;
            }
            return Interval { lo: 0.0, hi: 255.0, constant_level: 0 };
        }
        if self.range == Range::Tf2 { self.tf2(numbers, codes) } else { self.tf1(numbers, codes) }
    }

    fn tf2<T: Real>(&self, numbers: &[T], codes: &mut [Code]) -> Interval {
        for (code, x) in codes.iter_mut().zip(numbers) {
            let x: f64 = (*x).into();
            *code = match special(x) {
                Some(special) => special,
                None => self.arithmetic.line(x, TF2_SCALE, 0.0).clamp(0.0, 255.0) as Code,
            };
        }
        Interval { lo: 0.0, hi: 1.0, constant_level: 0 }
    }

    fn tf1<T: Real>(&self, numbers: &[T], codes: &mut [Code]) -> Interval {
        let is_finite = |pixel: &[T]| pixel.iter().all(|x| self.arithmetic.seen((*x).into()).is_finite());
        let pixels = || numbers.chunks_exact(self.components);
        let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
        for x in pixels().filter(|pixel| is_finite(pixel)).flatten() {
            let x = flushed((*x).into() as f32);
            least = least.min(x);
            greatest = greatest.max(x);
        }
        let is_signed = least < 0.0;
        let strength = if is_signed { least.abs().max(greatest.abs()) } else { greatest };
        let (steps, offset) = if is_signed { (127.0, 128.0) } else { (255.0, 0.0) };
        let scale = if strength < FLAT_BELOW { 0.0 } else { steps / strength };
        for (pixel, codes) in pixels().zip(codes.chunks_exact_mut(self.components)) {
            for (code, x) in codes.iter_mut().zip(pixel) {
                *code = if is_finite(pixel) {
                    low_byte(self.arithmetic.line((*x).into(), scale, offset)).into()
                } else {
                    BAD
                };
            }
        }
        let strength = f64::from(if scale == 0.0 { 0.0 } else { strength.min(f32::MAX) });
        let lo = if is_signed { -128.0 / 127.0 * strength } else { 0.0 };
        Interval { lo, hi: strength, constant_level: offset as u8 }
    }
}

/// TensorFlow's threads treat subnormal floats as zero.
fn flushed(x: f32) -> f32 {
    if x.is_subnormal() { 0.0 } else { x }
}

fn special(x: f64) -> Option<Code> {
    match x {
        _ if x.is_nan() => Some(NAN),
        f64::INFINITY => Some(POS_INF),
        f64::NEG_INFINITY => Some(NEG_INF),
        _ => None,
    }
}

/// Converts a float to a byte as x86 processors do: via 32 bits; a number that does not fit these gives 0.
fn low_byte(x: f64) -> u8 {
    if x.abs() < 2_147_483_648.0 { x as i32 as u8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: Range, numbers: &[f32], expected: &[Code]) -> Interval {
        let operation = Operation { range, arithmetic: Arithmetic::Single, components: 1 };
        let mut codes = vec![0; numbers.len()];
        let interval = operation.codes(numbers, &mut codes);
        assert_eq!(codes, expected, "{range:?} {numbers:?}");
        interval
    }

    #[test]
    fn bytes_are_those_that_tensorflow_writes() {
        let signed = check(Range::Tf1, &[-1.0, -0.5, 0.0, 0.25, 0.5], &[1, 64, 128, 159, 191]);
        assert_eq!((signed.position(0.0) * 255.0, signed.hi), (128.0, 1.0));
        check(Range::Tf1, &[0.0, 0.1, 0.2, 0.25, 0.5], &[0, 51, 102, 127, 255]);
        check(Range::Tf1, &[0.0, 9e-7], &[0, 0]);
        check(Range::Tf1, &[-9e-7, 9e-7], &[128, 128]);
        check(Range::Tf1, &[f32::NAN, 0.0, 0.5, f32::INFINITY], &[BAD, 0, 255, BAD]);
        check(Range::Tf1, &[f32::NAN], &[BAD]);
        check(Range::Tf2, &[-1.0, 0.0, 0.25, 0.5, 1.0, 2.0, f32::NAN], &[0, 0, 63, 127, 255, 255, NAN]);
    }

    #[test]
    fn a_pixel_that_is_not_finite_in_one_channel_is_red_and_takes_no_part() {
        let operation = Operation { range: Range::Tf1, arithmetic: Arithmetic::Single, components: 3 };
        let mut codes = vec![0; 6];
        let interval = operation.codes(&[9.0_f32, f32::NAN, -9.0, 1.0, 0.5, 0.0], &mut codes);
        assert_eq!((codes, interval.hi), (vec![BAD, BAD, BAD, 255, 127, 0], 1.0));
    }
}
