//! Arrays that no writer would make.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    array::Array,
    pieces::{Chunks, pieces},
    refusal::Refusal,
    version2, version3,
};
use crate::reader::{
    contents::{OpenError, Piece},
    input::Input,
    packing::Stored,
};

/// Each chunk is these bytes, or none was written.
struct All<'b> {
    bytes: Option<&'b [u8]>,
    file: &'b [u8],
}

impl Chunks for All<'_> {
    fn chunk(&mut self, _key: &str) -> Result<Option<(u32, u64, Stored)>, Refusal> {
        Ok(self.bytes.map(|bytes| (0, 0, Stored::Held(Bytes::copy_from_slice(bytes)))))
    }

    fn input(&self, _file: u32) -> &dyn Input {
        &self.file
    }
}

fn plain(shape: &[u64], chunks: &[u64]) -> Result<Array, Refusal> {
    let json = json!({
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "<f4", "compressor": null, "fill_value": null,
        "order": "C", "filters": null,
    });
    version2::read(json.to_string().as_bytes())
}

fn sharded(index_codecs: &Value) -> Array {
    let shards = json!({
        "chunk_shape": [2], "codecs": [{"name": "bytes"}], "index_codecs": index_codecs,
    });
    let json = json!({
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "uint8", "fill_value": 7,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
        "chunk_key_encoding": {"name": "default"},
        "codecs": [{"name": "sharding_indexed", "configuration": shards}],
    });
    version3::read(json.to_string().as_bytes()).unwrap()
}

fn is_damaged<T>(read: &Result<T, Refusal>) -> bool {
    matches!(read, Err(Refusal::Open(OpenError::Damaged(_))))
}

fn found(array: &Array, bytes: Option<&[u8]>) -> Result<Vec<Piece>, Refusal> {
    pieces(array, &mut All { bytes, file: &[] }, 1_000)
}

#[test]
fn impossible_shapes_are_damage() {
    assert!(plain(&[4, 4], &[2, 3]).is_ok());
    assert!(is_damaged(&plain(&[4, 4], &[2])));
    assert!(is_damaged(&plain(&[4, 4], &[2, 0])));
    assert!(is_damaged(&plain(&[1 << 63], &[1])));
    assert!(is_damaged(&plain(&[1; 33], &[1; 33])));
    assert!(is_damaged(&version2::read(b"{")));
    assert!(is_damaged(&version3::read(b"[]")));
}

#[test]
fn few_bytes_do_not_claim_many_chunks() {
    let many = plain(&[1 << 40], &[1]).unwrap();
    assert!(matches!(found(&many, None), Err(Refusal::NotRead(_))));
    let large = plain(&[1 << 40], &[1 << 38]).unwrap();
    assert!(matches!(found(&large, None), Err(Refusal::NotRead(_))));
    let several = plain(&[1 << 10], &[1 << 2]).unwrap();
    assert_eq!(found(&several, None).unwrap().len(), 1, "one piece stands for all");
    assert!(is_damaged(&found(&several, Some(b"too short"))));
}

#[test]
fn the_index_of_a_shard_is_checked() {
    let with_sum = sharded(&json!([{"name": "bytes"}, {"name": "crc32c"}]));
    let plain = sharded(&json!([{"name": "bytes"}]));
    let index = |entries: [u64; 4]| [&b"abcd"[..], &entries.map(u64::to_le_bytes).concat()].concat();
    let good = index([2, 2, 0, 2]);
    assert_eq!(found(&plain, Some(&good)).unwrap().len(), 2);
    assert_eq!(found(&plain, Some(&index([2, 2, u64::MAX, u64::MAX]))).unwrap().len(), 2);
    for entries in [[2, 3, 0, 2], [35, 2, 0, 2], [u64::MAX, 2, 0, 2], [u64::MAX, u64::MAX, 36, 1]] {
        assert!(is_damaged(&found(&plain, Some(&index(entries)))), "{entries:?}");
    }
    assert!(is_damaged(&found(&plain, Some(&good[..31]))));
    let sum = crc32c::crc32c(&good[4..]).to_le_bytes();
    assert_eq!(found(&with_sum, Some(&[&good[..], &sum].concat())).unwrap().len(), 2);
    assert!(is_damaged(&found(&with_sum, Some(&[&good[..], &[0; 4]].concat()))));
}

#[test]
fn chunks_of_a_shard_that_lie_over_one_another_share_their_memory() {
    let shard = sharded(&json!([{"name": "bytes"}]));
    let bytes = [&b"ab"[..], &[0, 2, 0, 2].map(u64::to_le_bytes).concat()].concat();
    let pieces = found(&shard, Some(&bytes)).unwrap();
    let held: Vec<*const u8> = pieces
        .iter()
        .map(|piece| match &piece.packing.as_ref().unwrap().stored {
            Stored::Held(bytes) => bytes.as_ptr(),
            Stored::InFile(_) => unreachable!("it is held"),
        })
        .collect();
    assert_eq!(held[0], held[1]);
}
