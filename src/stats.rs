//! A tensor -> numbers about it, filter by filter or channel by channel and as a whole; two tensors -> how they differ.
//!
//! Pure, in float64, over finite values; NaN and infinities are counted. `groups` finds the filters or channels in any layout,
//! `numbers` has the usual ones, `filters` and `maps` what is asked of kernels and of activations, `summary` all of a tensor,
//! `pairs` which are alike, `likeness` compares two tensors, `matching` pairs their filters and `assignment` solves that,
//! `difference` subtracts. They are hints: what a number means is for the one who looks.

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
