//! A sorted table -> its keys, and where their values are.
//!
//! The format is that of `LevelDB` (`doc/table_format.md` there), as TensorFlow has it in `core/lib/io/table*.cc` and `format.cc`.
//! Blocks hold sorted entries, of which each key names how much of the key before it goes on. After each block stand its kind of
//! compression and a masked CRC-32C. The index block says where the other blocks are, and the last 48 bytes say where the index is.

use crate::{
    event::wire::{Span, varint},
    reader::{
        contents::{MOST_TENSORS, OpenError},
        input::Input,
    },
    record::crc::masked,
    source::window::Peek,
    types::text_len,
};

/// The last eight bytes of every table.
const MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();
const FOOTER: u64 = 48;
/// The kind of compression and the CRC after a block.
const TRAILER: u64 = 5;
const LONGEST_INDEX: u64 = 16 << 20;
const LONGEST_KEY: u64 = 16 << 10;
/// The most bytes of all keys together as texts. 100,000 keys of 100 letters have 10 MB.
const MOST_KEY_BYTES: usize = 16 << 20;
/// A tensor in parts has an entry for each part.
const MOST_ENTRIES: usize = 2 * MOST_TENSORS;

/// A table whose index was read.
pub struct Table<'a> {
    /// The file.
    pub input: &'a dyn Input,
    /// Its blocks, in the order of the file.
    pub blocks: Vec<Block>,
}

/// A block of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its bytes: entries, and the positions of some keys.
    pub span: Span,
}

/// How the bytes of a block are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As they are, with the masked CRC-32C of them and the byte after them.
    Plain(u32),
    /// Compressed with Snappy.
    Snappy,
}

/// Takes the key of an entry, and where its value is.
pub type Take<'t, P> = &'t mut dyn FnMut(&mut P, &[u8], Span) -> Result<(), OpenError>;

/// Takes the key and the value of an entry.
pub type TakeBytes<'t> = &'t mut dyn FnMut(&[u8], &[u8]) -> Result<(), OpenError>;

fn damaged(reason: &str) -> OpenError {
    OpenError::Damaged(reason.to_owned())
}

impl<'a> Table<'a> {
    /// Reads the footer and the index.
    ///
    /// # Errors
    /// `NotWhole` if the footer is not there although the file begins as a table does; `Unknown` if it is no table.
    pub fn open(input: &'a dyn Input) -> Result<Self, OpenError> {
        let len = input.len();
        let footer = input.bytes(len.saturating_sub(FOOTER), FOOTER.min(len))?;
        if !footer.ends_with(&MAGIC) || len < FOOTER {
            return Err(no_footer(input)?);
        }
        let (mut footer, mut span) = (footer.as_slice(), Span { at: 0, end: FOOTER - 8 });
        let end = len - FOOTER;
        block(&mut footer, &mut span, end)?;
        let index = block(&mut footer, &mut span, end)?;
        if index.span.len() > LONGEST_INDEX {
            return Err(damaged("the index of its table is longer than any writer's"));
        }
        let bytes = index.bytes(input)?;
        let mut blocks: Vec<Block> = Vec::new();
        entries(
            &mut bytes.as_slice(),
            Span { at: 0, end: bytes.len() as u64 },
            &mut Keys::default(),
            &mut |source, _, mut value| {
                let next = block(source, &mut value, end)?;
                if blocks.last().is_some_and(|last| next.span.at < last.span.end + TRAILER) {
                    return Err(damaged("the blocks of its table lie over each other"));
                }
                blocks.push(next);
                Ok(())
            },
        )?;
        Ok(Self { input, blocks })
    }

    /// Reads all blocks, checks their CRCs, and gives the key and the value of each entry.
    ///
    /// # Errors
    /// `Damaged` for a wrong CRC or impossible entries, and errors of `take`.
    pub fn read_all(&self, take: TakeBytes<'_>) -> Result<(), OpenError> {
        let mut keys = Keys::default();
        for block in &self.blocks {
            let bytes = block.bytes(self.input)?;
            let span = Span { at: 0, end: bytes.len() as u64 };
            entries(&mut bytes.as_slice(), span, &mut keys, &mut |_, key, value| {
                take(key, &bytes[value.at as usize..value.end as usize])
            })?;
        }
        Ok(())
    }
}

/// Why a file without the end of a table is refused.
fn no_footer(input: &dyn Input) -> Result<OpenError, OpenError> {
    let first = input.bytes(0, input.len().min(2))?;
    Ok(if first.iter().all(|byte| *byte == 0) {
        OpenError::NotWhole("the end of its table is missing".to_owned())
    } else {
        OpenError::Unknown
    })
}

/// Reads the place of a block, which must end before `end`.
fn block<P: Peek>(source: &mut P, span: &mut Span, end: u64) -> Result<Block, OpenError> {
    let (at, len) = (varint(source, span)?, varint(source, span)?);
    match at.checked_add(len).and_then(|end| end.checked_add(TRAILER)) {
        Some(last) if last <= end => Ok(Block { span: Span { at, end: at + len } }),
        _ => Err(damaged("a block of its table would lie outside of the file")),
    }
}

impl Block {
    /// How it is stored.
    ///
    /// # Errors
    /// `NotRead` for an unknown compression.
    pub fn stored(self, input: &dyn Input) -> Result<Stored, OpenError> {
        let trailer = input.bytes(self.span.end, TRAILER)?;
        match (trailer[0], trailer[1..].try_into()) {
            (0, Ok(crc)) => Ok(Stored::Plain(u32::from_le_bytes(crc))),
            (1, _) => Ok(Stored::Snappy),
            (kind, _) => {
                Err(OpenError::NotRead(format!("its table is compressed in the unknown way {kind}")))
            }
        }
    }

    /// Its bytes, checked.
    fn bytes(self, input: &dyn Input) -> Result<Vec<u8>, OpenError> {
        let Stored::Plain(crc) = self.stored(input)? else {
            return Err(OpenError::NotRead(
                "its table is compressed with Snappy, which is not read: save it again with TensorFlow 1.2 or later"
                    .to_owned(),
            ));
        };
        let mut bytes = input.bytes(self.span.at, self.span.len() + 1)?;
        // A fuzzer does not guess CRCs.
        if masked(&bytes) != crc && !cfg!(fuzzing) {
            return Err(OpenError::Damaged(format!(
                "the checksum of the {} bytes from byte {} is wrong",
                bytes.len(),
                self.span.at
            )));
        }
        bytes.pop();
        Ok(bytes)
    }
}

/// What is known of the keys so far.
#[derive(Debug, Default)]
pub struct Keys {
    /// The last one.
    last: Vec<u8>,
    count: usize,
    bytes: usize,
}

/// Gives the entries of a block of a table.
///
/// # Errors
/// `Damaged` for impossible entries or keys that are not sorted, `NotRead` for too many, and errors of `take`.
pub fn entries<P: Peek>(
    source: &mut P,
    block: Span,
    keys: &mut Keys,
    take: Take<'_, P>,
) -> Result<(), OpenError> {
    let mut span = Span { at: block.at, end: end_of_entries(source, block)? };
    let mut key = Vec::new();
    while !span.is_empty() {
        let shared = varint(source, &mut span)?;
        let (own, value) = (varint(source, &mut span)?, varint(source, &mut span)?);
        let is_possible = shared <= key.len() as u64 && own <= LONGEST_KEY - shared.min(LONGEST_KEY);
        if !is_possible || own.checked_add(value).is_none_or(|len| len > span.len()) {
            return Err(damaged("an entry of its table is impossible"));
        }
        let own = Span { at: span.at, end: span.at + own };
        key.truncate(usize::try_from(shared).unwrap_or(usize::MAX));
        key.extend_from_slice(own.bytes(source, LONGEST_KEY as usize)?);
        keys.add(&key)?;
        let value = Span { at: own.end, end: own.end + value };
        take(source, &key, value)?;
        span.at = value.end;
    }
    Ok(())
}

/// A block ends with the positions of the keys that stand in full, and their number.
fn end_of_entries<P: Peek>(source: &mut P, block: Span) -> Result<u64, OpenError> {
    let end = block.end.saturating_sub(4).max(block.at);
    let count = source.peek(end, 4)?.try_into().map(u32::from_le_bytes);
    let restarts = count.ok().and_then(|count| u64::from(count).checked_mul(4));
    let entries = restarts.and_then(|len| end.checked_sub(len)).filter(|end| *end >= block.at);
    entries.filter(|_| block.len() >= 4).ok_or_else(|| damaged("a block of its table is too short"))
}

impl Keys {
    fn add(&mut self, key: &[u8]) -> Result<(), OpenError> {
        if self.count > 0 && key <= self.last.as_slice() {
            return Err(damaged("the keys of its table are not sorted"));
        }
        self.count += 1;
        self.bytes += text_len(key);
        if self.count > MOST_ENTRIES || self.bytes > MOST_KEY_BYTES {
            return Err(OpenError::NotRead(format!(
                "it has more than {MOST_ENTRIES} entries, or names of more than {} MiB",
                MOST_KEY_BYTES >> 20
            )));
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        Ok(())
    }
}
