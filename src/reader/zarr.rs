//! The metadata of a Zarr array (`.zarray` or `zarr.json`), and its chunks -> where its numbers are.
//!
//! Sources: the specifications of Zarr 2 and 3 and of the codec `sharding_indexed`, <https://zarr-specs.readthedocs.io>. `TensorStore`
//! and `zarr-python` write no chunk whose elements all have the fill value.

pub mod array;
mod chunk;
mod fill;
mod numbers;
pub mod pieces;
pub mod refusal;
mod shard;
#[cfg(test)]
mod tests;
pub mod version2;
pub mod version3;
