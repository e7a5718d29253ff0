//! `zarr.json` -> what it says.

use serde::Deserialize;
use serde_json::Value;

use super::{
    array::{Array, Content, Form, Index, Keys, Shard},
    fill,
    numbers::{as_stored, is_order, is_possible},
    refusal::{Refusal, damaged, not_read},
};
use crate::reader::{element, packing::Codec};

#[derive(Deserialize)]
struct Metadata {
    zarr_format: u64,
    node_type: String,
    shape: Vec<u64>,
    data_type: Value,
    chunk_grid: Named,
    chunk_key_encoding: Named,
    #[serde(default)]
    fill_value: Value,
    codecs: Vec<Named>,
}

/// Something with a name and what belongs to it.
#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    configuration: Configuration,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    chunk_shape: Option<Vec<u64>>,
    separator: Option<char>,
    endian: Option<String>,
    order: Option<Vec<usize>>,
    codecs: Vec<Named>,
    index_codecs: Vec<Named>,
    index_location: Option<String>,
}

/// Reads the metadata of an array of Zarr 3.
///
/// # Errors
/// `Damaged` if it is none, `NotRead` for codecs that are not read.
pub fn read(json: &[u8]) -> Result<Array, Refusal> {
    let parsed: Result<Metadata, _> = serde_json::from_slice(json);
    let metadata = parsed.map_err(|error| damaged(format!("a `zarr.json` is not understood: {error}")))?;
    let chunk = metadata.chunk_grid.configuration.chunk_shape;
    let chunk = chunk.filter(|chunk| is_possible(&metadata.shape, chunk));
    let (Some(chunk), 3, "array") = (chunk, metadata.zarr_format, metadata.node_type.as_str()) else {
        return Err(damaged("a `zarr.json` has an impossible shape or version"));
    };
    if metadata.chunk_grid.name != "regular" {
        return Err(not_read("its chunks have several shapes, which is not read"));
    }
    let encoding = &metadata.chunk_key_encoding;
    let (has_prefix, separator) = match encoding.name.as_str() {
        "default" => (true, '/'),
        "v2" => (false, '.'),
        other => return Err(not_read(format!("the keys of its chunks are made in the unknown way {other}"))),
    };
    let keys = Keys { has_prefix, separator: encoding.configuration.separator.unwrap_or(separator) };
    let name = metadata.data_type.as_str().map_or_else(|| metadata.data_type.to_string(), str::to_owned);
    let dtype = element::named(&name);
    let fill = match dtype {
        Some(dtype) => fill::bytes(&metadata.fill_value, dtype)
            .ok_or_else(|| not_read(format!("its fill value {} is not understood", metadata.fill_value)))?,
        None => Box::default(),
    };
    let stored = form(&metadata.codecs, &chunk)?;
    Ok(Array { dtype: dtype.ok_or_else(|| name.into()), shape: metadata.shape, chunk, keys, fill, stored })
}

/// What comes before the elements: transpositions.
fn order(codecs: &[Named], axes: usize) -> Result<(Vec<usize>, &[Named]), Refusal> {
    let mut all: Vec<usize> = (0..axes).collect();
    let mut rest = codecs;
    while let [first, after @ ..] = rest
        && first.name == "transpose"
    {
        let order = first.configuration.order.as_deref().filter(|order| is_order(order, axes));
        let order = order.ok_or_else(|| damaged("the axes of a chunk are in an impossible order"))?;
        all = order.iter().map(|axis| all[*axis]).collect();
        rest = after;
    }
    Ok((all, rest))
}

/// The codecs of a chunk, in the order in which they are applied.
fn form(codecs: &[Named], chunk: &[u64]) -> Result<Form, Refusal> {
    let (order, rest) = order(codecs, chunk.len())?;
    if let [first, after @ ..] = rest
        && first.name == "sharding_indexed"
    {
        if !after.is_empty() {
            return Err(not_read("its shards are compressed once more, which is not read"));
        }
        let shard = shard(&first.configuration, &as_stored(chunk, &order))?;
        return Ok(Form { order, content: Content::Shard(Box::new(shard)) });
    }
    let (is_big_endian, codecs) = elements(rest)?;
    Ok(Form { order, content: Content::Elements { is_big_endian, codecs } })
}

/// The codecs from the elements on: whether the most significant byte is first, and what has to be undone.
fn elements(codecs: &[Named]) -> Result<(bool, Vec<Codec>), Refusal> {
    let Some((first, rest)) = codecs.split_first() else { return Err(damaged("its chunks have no codec")) };
    if first.name != "bytes" {
        return Err(not_read(format!("its chunks have the codec {}, which is not read", first.name)));
    }
    let is_big_endian = first.configuration.endian.as_deref() == Some("big");
    let codec = |codec: &Named| match codec.name.as_str() {
        "zstd" => Ok(Codec::Zstd),
        "gzip" => Ok(Codec::Gzip),
        "zlib" | "numcodecs.zlib" => Ok(Codec::Zlib),
        "crc32c" => Ok(Codec::Crc32c),
        other => Err(not_read(format!(
            "it is stored with the codec {other}, which is not read: save it with zstd"
        ))),
    };
    Ok((is_big_endian, rest.iter().rev().map(codec).collect::<Result<_, _>>()?))
}

fn shard(configuration: &Configuration, stored: &[u64]) -> Result<Shard, Refusal> {
    let chunk = configuration.chunk_shape.as_ref().filter(|chunk| chunk.len() == stored.len());
    let divides =
        |chunk: &&Vec<u64>| chunk.iter().zip(stored).all(|(chunk, length)| *chunk > 0 && length % chunk == 0);
    let chunk =
        chunk.filter(divides).ok_or_else(|| damaged("the chunks of its shards have an impossible shape"))?;
    let (order, rest) = order(&configuration.codecs, chunk.len())?;
    let (is_big_endian, codecs) = elements(rest)?;
    let index = index(configuration)?;
    Ok(Shard { chunk: chunk.clone(), order, is_big_endian, codecs, index })
}

fn index(configuration: &Configuration) -> Result<Index, Refusal> {
    let (is_big_endian, codecs) = elements(&configuration.index_codecs)?;
    let has_checksum = match codecs.as_slice() {
        [] => false,
        [Codec::Crc32c] => true,
        _ => return Err(not_read("the index of its shards is compressed, which is not read")),
    };
    let is_first = match configuration.index_location.as_deref() {
        None | Some("end") => false,
        Some("start") => true,
        Some(_) => return Err(damaged("the index of its shards is at an unknown place")),
    };
    Ok(Index { is_first, is_big_endian, has_checksum })
}
