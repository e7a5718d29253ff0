//! Messages generated from `proto/` by `build.rs`.
//!
//! Only `tensor::decode`, `export::summaries` and tests use them. The index is built without them; see `event`.

#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/convscope.log.rs"));

/// The compiled `proto/` files as a serialised `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
