//! Messages generated from `proto/` by `build.rs`. Only `event`, `tensor::decode` and the record writers of the
//! tests touch them; everything else speaks in the types of its own room.

#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/convscope.log.rs"));

/// The compiled `proto/` files as a serialised `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
