//! Bytes of a fuzzer -> small tensors of every shape and type, and numbers of bounded size.

#![allow(dead_code, reason = "each target takes a part of it")]

use convscope::{
    model::layout::Layout,
    tensor::{Tensor, dtype::DType, frames::Frames, shape::Shape},
};

/// The most elements of a tensor.
const MOST_ELEMENTS: usize = 256;

/// Lengths of axes: the last two only stand beside an empty axis, as no tensor could be so large.
const LENGTHS: [i64; 12] = [1, 2, 3, 4, 5, 0, 1, 2, 7, 16, 1 << 40, i64::MAX];

const DTYPES: [DType; 10] = [
    DType::Float32,
    DType::Float64,
    DType::Float16,
    DType::BFloat16,
    DType::UInt8,
    DType::Int8,
    DType::Int64,
    DType::UInt64,
    DType::Complex64,
    DType::Bool,
];

/// Where something happens to floats.
const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    1e-45,
    f32::MAX as f64,
    f32::MIN as f64,
    f32::MIN_POSITIVE as f64,
];

/// Bytes that are taken one after the other; zeros once there are no more.
pub struct Given<'a>(pub &'a [u8]);

impl Given<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub fn layout(&mut self) -> Layout {
        self.one_of(&Layout::ALL)
    }

    pub fn dtype(&mut self) -> DType {
        self.one_of(&DTYPES)
    }

    /// A shape of so many axes; `None` where it has too many elements.
    pub fn shape(&mut self, rank: usize) -> Option<Shape> {
        let dims: Vec<i64> = (0..rank).map(|_| self.one_of(&LENGTHS)).collect();
        Shape::new(&dims).ok().filter(|shape| shape.elements() <= MOST_ELEMENTS)
    }

    /// A tensor of this shape.
    pub fn tensor(&mut self, dtype: DType, shape: &Shape) -> Tensor {
        let n = shape.elements();
        let bytes: Vec<u8> = match dtype {
            DType::Float32 => (0..n).flat_map(|_| (self.float() as f32).to_le_bytes()).collect(),
            DType::Float64 => (0..n).flat_map(|_| self.float().to_le_bytes()).collect(),
            DType::Bool => (0..n).map(|_| self.byte() & 1).collect(),
            _ => (0..n * dtype.bytes()).map(|_| self.byte()).collect(),
        };
        Tensor { dtype, shape: shape.clone(), bytes: bytes.into(), frames: Frames::default() }
    }

    /// A special number, a small one, or any.
    pub fn float(&mut self) -> f64 {
        match self.byte() {
            kind @ 0..=15 => SPECIAL[usize::from(kind)],
            16 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            small => f64::from(small as i8) / 16.0,
        }
    }
}
