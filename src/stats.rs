//! A tensor -> numbers about it, filter by filter or channel by channel and as a whole; two tensors -> how they differ.
//!
//! Pure functions, in float64, over finite values; NaN and infinities are counted. `groups` finds the filters or channels in any
//! layout, `numbers` has the usual numbers, `filters` and `maps` those of kernels and of activations, `summary` all of a tensor,
//! `pairs` finds what is alike, `likeness` compares two tensors, `matching` pairs their filters with the solver in `assignment`,
//! `difference` subtracts. The numbers are hints: users decide what they mean.

pub mod assignment;
pub mod difference;
pub mod filters;
pub mod groups;
pub mod likeness;
pub mod maps;
pub mod matching;
pub mod numbers;
pub mod pairs;
mod rows;
pub mod summary;
