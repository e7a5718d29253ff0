//! `.zarray` -> what it says.

use serde::Deserialize;
use serde_json::Value;

use super::{
    array::{Array, Content, Form, Keys},
    fill,
    numbers::is_possible,
    refusal::{Refusal, damaged, not_read},
};
use crate::reader::{element, packing::Codec};

#[derive(Deserialize)]
struct Metadata {
    zarr_format: u64,
    shape: Vec<u64>,
    chunks: Vec<u64>,
    dtype: Value,
    compressor: Option<Compressor>,
    #[serde(default)]
    fill_value: Value,
    order: String,
    #[serde(default)]
    filters: Option<Vec<Value>>,
    #[serde(default)]
    dimension_separator: Option<char>,
}

#[derive(Deserialize)]
struct Compressor {
    id: String,
}

/// Reads the metadata of an array of Zarr 2.
///
/// # Errors
/// `Damaged` if it is none, `NotRead` for codecs that are not read.
pub fn read(json: &[u8]) -> Result<Array, Refusal> {
    let parsed: Result<Metadata, _> = serde_json::from_slice(json);
    let metadata = parsed.map_err(|error| damaged(format!("a `.zarray` is not understood: {error}")))?;
    let Metadata { shape, chunks, .. } = metadata;
    let axes = shape.len();
    if metadata.zarr_format != 2 || !is_possible(&shape, &chunks) {
        return Err(damaged("a `.zarray` has an impossible shape or version"));
    }
    if metadata.filters.is_some_and(|filters| !filters.is_empty()) {
        return Err(not_read("it has filters, which are not read: save it without them"));
    }
    let codecs = match &metadata.compressor {
        None => Vec::new(),
        Some(compressor) => vec![match compressor.id.as_str() {
            "zstd" => Codec::Zstd,
            "zlib" => Codec::Zlib,
            "gzip" => Codec::Gzip,
            other => {
                return Err(not_read(format!(
                    "it is compressed with {other}, which is not read: save it with zstd"
                )));
            }
        }],
    };
    let order = match metadata.order.as_str() {
        "C" => (0..axes).collect(),
        "F" => (0..axes).rev().collect(),
        _ => return Err(damaged("the axes of a `.zarray` are in an unknown order")),
    };
    let code = metadata.dtype.as_str().map_or_else(|| metadata.dtype.to_string(), str::to_owned);
    let known = element::coded(&code);
    let fill = match known {
        Some((dtype, _)) => fill::bytes(&metadata.fill_value, dtype)
            .ok_or_else(|| not_read(format!("its fill value {} is not understood", metadata.fill_value)))?,
        None => Box::default(),
    };
    let is_big_endian = known.is_some_and(|(_, is_big_endian)| is_big_endian);
    let separator = metadata.dimension_separator.unwrap_or('.');
    Ok(Array {
        dtype: known.map(|(dtype, _)| dtype).ok_or_else(|| code.into()),
        shape,
        chunk: chunks,
        keys: Keys { has_prefix: false, separator },
        fill,
        stored: Form { order, content: Content::Elements { is_big_endian, codecs } },
    })
}
