//! What a catalog lists -> files of pictures and numbers that other programs read.
//!
//! `selection` decides which tensors are exported, `naming` under which names. `drawing` makes the pictures, and `round` has each
//! made once, in order, on all cores. Where they go is one of three writers: event files that TensorBoard reads (`events`),
//! a tree of PNG files (`pictures`), or NPZ files (`arrays`). A writer knows what it wrote before, so an export that was
//! stopped at any moment can be resumed: nothing is written twice, and nothing is left out.

pub mod arrays;
pub mod classic;
pub mod destination;
pub mod drawing;
mod error;
pub mod events;
pub mod in_order;
pub mod job;
pub mod manifest;
pub mod naming;
pub mod paths;
pub mod pictures;
pub mod product;
pub mod round;
pub mod selection;
pub mod summaries;
pub mod writer;
pub mod zip;

pub use self::error::ExportError;
