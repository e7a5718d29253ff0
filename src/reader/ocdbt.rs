//! The files of an OCDBT database -> its keys, and where their values are.
//!
//! `TensorStore` keeps many small values in few files: `manifest.ocdbt` says where the root of a B+tree is, whose leaves have the
//! keys, small values, and the places of large ones in `d/*`. Source: "Storage format" at
//! <https://google.github.io/tensorstore/kvstore/ocdbt/>. Only the newest version is read.

pub mod database;
mod fields;
mod file_table;
mod frame;
mod manifest;
mod node;
pub mod open;
#[cfg(test)]
mod tests;
mod walk;
