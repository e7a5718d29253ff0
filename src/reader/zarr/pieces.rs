//! The chunks of an array -> the pieces of its tensor.

use super::{
    array::{Array, Content, Shard},
    chunk::{Bytes, Elements, Place, filled, piece},
    numbers::{as_stored, each, in_order, product},
    refusal::{Refusal, damaged, not_read},
    shard::entries,
};
use crate::{
    reader::{contents::Piece, input::Input, packing::Stored},
    tensor::decode::MOST_FILLED_BYTES,
};

/// The most pieces of all tensors of a checkpoint.
pub const MOST_PIECES: usize = 200_000;

/// The chunks of an array.
pub trait Chunks {
    /// The stored bytes of the chunk with this key: file, offset, and how they are stored; `None` if it was not written.
    ///
    /// # Errors
    /// If they cannot be had.
    fn chunk(&mut self, key: &str) -> Result<Option<(u32, u64, Stored)>, Refusal>;

    /// A file.
    fn input(&self, file: u32) -> &dyn Input;
}

/// The pieces of an array, of which there may be `left` at most.
///
/// # Errors
/// Why the array is not read.
pub fn pieces(array: &Array, chunks: &mut dyn Chunks, left: usize) -> Result<Vec<Piece>, Refusal> {
    let grid: Vec<u64> =
        array.shape.iter().zip(&array.chunk).map(|(length, chunk)| length.div_ceil(*chunk)).collect();
    let mut found = Found { array, pieces: Vec::new(), left, filled_bytes: 0 };
    if product(&grid).is_none_or(|count| count > left as u64) {
        return Err(too_many());
    }
    let mut n_written = 0_usize;
    each(&grid, |number| {
        let start: Vec<u64> =
            number.iter().zip(&array.chunk).map(|(number, length)| number * length).collect();
        let Some((file, offset, stored)) = chunks.chunk(&array.keys.key(number))? else {
            return found.fill(start, array.chunk.clone());
        };
        n_written += 1;
        found.chunk(start, Bytes { file, offset, stored }, chunks)
    })?;
    if n_written == 0 && found.pieces.len() > 1 {
        let zero = vec![0; array.shape.len()];
        found.pieces = filled(array, zero, array.shape.clone()).into_iter().collect();
    }
    Ok(found.pieces)
}

fn too_many() -> Refusal {
    not_read(format!(
        "its tensors are saved in more than {MOST_PIECES} chunks, which is not read: save them in larger ones"
    ))
}

/// What was found so far.
struct Found<'a> {
    array: &'a Array,
    pieces: Vec<Piece>,
    left: usize,
    filled_bytes: u64,
}

impl Found<'_> {
    fn push(&mut self, piece: Option<Piece>) -> Result<(), Refusal> {
        self.pieces.extend(piece);
        if self.pieces.len() > self.left { Err(too_many()) } else { Ok(()) }
    }

    /// Adds a chunk that was not written. A file of few bytes could claim any number of them.
    fn fill(&mut self, start: Vec<u64>, shape: Vec<u64>) -> Result<(), Refusal> {
        let piece = filled(self.array, start, shape);
        let shape = piece
            .as_ref()
            .map(|piece| piece.region.as_ref().map_or(&self.array.shape, |region| &region.shape));
        let bytes =
            shape.and_then(|shape| product(shape)).unwrap_or(0).saturating_mul(self.array.fill.len() as u64);
        self.filled_bytes = self.filled_bytes.saturating_add(bytes);
        if self.filled_bytes > MOST_FILLED_BYTES as u64 {
            return Err(not_read(format!(
                "more than {MOST_FILLED_BYTES} bytes of it were not written because they all have one value, which is not shown"
            )));
        }
        self.push(piece)
    }

    fn chunk(&mut self, start: Vec<u64>, bytes: Bytes, chunks: &dyn Chunks) -> Result<(), Refusal> {
        let form = &self.array.stored;
        let stored = as_stored(&self.array.chunk, &form.order);
        match &form.content {
            Content::Elements { is_big_endian, codecs } => {
                let place = Place::new(start, &stored, &form.order);
                let elements = Elements { codecs, is_big_endian: *is_big_endian };
                self.push(piece(self.array, place, bytes, &elements)?)
            }
            Content::Shard(shard) => self.shard(&start, (&stored, shard), &bytes, chunks),
        }
    }

    fn shard(
        &mut self,
        start: &[u64],
        (stored, shard): (&[u64], &Shard),
        bytes: &Bytes,
        chunks: &dyn Chunks,
    ) -> Result<(), Refusal> {
        let grid: Vec<u64> = stored.iter().zip(&shard.chunk).map(|(length, chunk)| length / chunk).collect();
        let count = product(&grid).ok_or_else(too_many)?;
        let entries = entries(shard.index, count, (chunks.input(bytes.file), bytes.offset, &bytes.stored))?;
        let mut entries = entries.into_iter();
        let order = &self.array.stored.order;
        each(&grid, |number| {
            let within: Vec<u64> =
                number.iter().zip(&shard.chunk).map(|(number, length)| number * length).collect();
            let within = in_order(&within, order);
            let start: Vec<u64> = start.iter().zip(within).map(|(start, within)| start + within).collect();
            match entries.next().flatten() {
                None => self.fill(start, in_order(&shard.chunk, order)),
                Some(inner) => {
                    let place = place_in_shard(start, shard, order);
                    let elements = Elements { codecs: &shard.codecs, is_big_endian: shard.is_big_endian };
                    self.push(piece(self.array, place, part(bytes, inner)?, &elements)?)
                }
            }
        })
    }
}

/// A smaller chunk, whose axes are in another order than those of the shard, which are in another order than those of the array.
fn place_in_shard(start: Vec<u64>, shard: &Shard, order: &[usize]) -> Place {
    let both: Vec<usize> = shard.order.iter().map(|axis| order[*axis]).collect();
    Place::new(start, &as_stored(&shard.chunk, &shard.order), &both)
}

/// A part of the bytes of a shard.
fn part(bytes: &Bytes, (at, len): (u64, u64)) -> Result<Bytes, Refusal> {
    let outside = || damaged("a chunk would lie outside of its shard");
    let stored = match &bytes.stored {
        Stored::InFile(_) => {
            let offset = bytes.offset.checked_add(at).ok_or_else(outside)?;
            return Ok(Bytes { file: bytes.file, offset, stored: Stored::InFile(len) });
        }
        Stored::Held(held) => {
            let end = at.checked_add(len).and_then(|end| usize::try_from(end).ok());
            let range = end.and_then(|end| Some(usize::try_from(at).ok()?..end));
            let range = range.filter(|range| range.start <= range.end && range.end <= held.len());
            // A part shares the memory of all: many may be at the same place.
            Stored::Held(held.slice(range.ok_or_else(outside)?))
        }
    };
    Ok(Bytes { file: bytes.file, offset: 0, stored })
}
