//! The address of an object header -> its messages, which say what the object is.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.

use super::{
    fault::{Read, damaged, not_read},
    fields::Fields,
    file::File,
    lookup3,
};

/// The kinds of messages that are read.
pub mod kind {
    /// The lengths of the axes.
    pub const DATASPACE: u16 = 0x01;
    /// Where the links of a group are, if it has many or an order.
    pub const LINK_INFO: u16 = 0x02;
    /// The type of the elements.
    pub const DATATYPE: u16 = 0x03;
    /// A link of a group.
    pub const LINK: u16 = 0x06;
    /// Files that hold the numbers of a dataset.
    pub const EXTERNAL_FILES: u16 = 0x07;
    /// Where the numbers of a dataset are.
    pub const LAYOUT: u16 = 0x08;
    /// How the numbers are compressed.
    pub const FILTERS: u16 = 0x0b;
    /// An attribute.
    pub const ATTRIBUTE: u16 = 0x0c;
    /// Where the header goes on.
    pub const CONTINUATION: u16 = 0x10;
    /// Where the links of a group are, in the old form.
    pub const SYMBOL_TABLE: u16 = 0x11;
    /// Where the attributes are, if there are many.
    pub const ATTRIBUTE_INFO: u16 = 0x15;
}

/// The most parts of a header.
const MOST_PARTS: usize = 4_096;
/// The longest part of a header that is read.
const LONGEST_PART: u64 = 16 << 20;
/// The most memory of the messages of a header: each takes some more than its bytes.
const MOST_BYTES: usize = 32 << 20;
/// The bit that says that a message stands elsewhere.
const IS_SHARED: u8 = 2;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its kind.
    pub kind: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The address of its first byte.
    pub address: u64,
    is_shared: bool,
}

/// The messages of an object.
pub struct Object {
    messages: Vec<Message>,
}

impl Object {
    /// Reads a header with all of its parts.
    ///
    /// # Errors
    /// `Damaged` if it is none; see [`File::bytes`].
    pub fn open(file: &File<'_>, address: u64) -> Read<Self> {
        let start = file.bytes(address, 4.min(file.length().saturating_sub(address)))?;
        let messages = if start == b"OHDR" { new_header(file, address)? } else { old_header(file, address)? };
        Ok(Self { messages })
    }

    /// Its messages of a kind.
    pub fn all(&self, kind: u16) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.kind == kind)
    }

    /// Its first message of a kind. One that stands in another object's header is read from there.
    ///
    /// # Errors
    /// `Damaged` if it stands nowhere; see [`File::bytes`].
    pub fn first(&self, file: &File<'_>, kind: u16) -> Read<Option<Message>> {
        match self.all(kind).next() {
            Some(message) if message.is_shared => shared(file, kind, &message.bytes).map(Some),
            message => Ok(message.cloned()),
        }
    }
}

/// Reads a message that is written once for several objects: a committed type.
///
/// # Errors
/// `NotRead` if it is in the file's table of messages; `Damaged` if it is not where it should be.
pub fn shared(file: &File<'_>, kind: u16, bytes: &[u8]) -> Read<Message> {
    let mut fields = file.fields(bytes);
    let (version, place) = (fields.byte()?, fields.byte()?);
    if version == 1 {
        fields.take(6)?;
    }
    if version == 3 && place != 2 {
        return Err(not_read("its datasets share types by a table, which is not read: save it with h5py"));
    }
    let address = fields.address()?.ok_or_else(|| damaged("a shared message in it has no address"))?;
    let object = Object::open(file, address)?;
    let message = object.all(kind).find(|message| !message.is_shared);
    message.cloned().ok_or_else(|| damaged("a shared message in it is not where it should be"))
}

/// What is known of a header while its parts are read.
struct Parts {
    messages: Vec<Message>,
    /// Where parts are that were not read yet: address and length.
    next: Vec<(u64, u64)>,
    n_parts: usize,
    n_bytes: usize,
}

impl Parts {
    fn new(first: (u64, u64)) -> Self {
        Self { messages: Vec::new(), next: vec![first], n_parts: 0, n_bytes: 0 }
    }

    /// The address and the bytes of the next part.
    fn part(&mut self, file: &File<'_>) -> Read<Option<(u64, Vec<u8>)>> {
        let Some((address, len)) = self.next.pop() else { return Ok(None) };
        self.n_parts += 1;
        if self.n_parts > MOST_PARTS || len > LONGEST_PART {
            return Err(damaged("an object header in it is too long"));
        }
        Ok(Some((address, file.bytes(address, len)?)))
    }

    fn add(&mut self, file: &File<'_>, message: Message) -> Read<()> {
        self.n_bytes += size_of::<Message>() + message.bytes.len();
        if self.n_bytes > MOST_BYTES {
            return Err(not_read(format!("an object header in it has more than {} MiB", MOST_BYTES >> 20)));
        }
        if message.kind != kind::CONTINUATION {
            self.messages.push(message);
            return Ok(());
        }
        let mut fields = file.fields(&message.bytes);
        if let Some(address) = fields.address()? {
            self.next.push((address, fields.length()?));
        }
        Ok(())
    }
}

fn old_header(file: &File<'_>, address: u64) -> Read<Vec<Message>> {
    const PREFIX: u64 = 16;
    let prefix = file.bytes(address, PREFIX)?;
    let mut fields = file.fields(&prefix);
    if fields.byte()? != 1 {
        return Err(damaged(format!("at its address {address} is no object header")));
    }
    fields.take(7)?;
    let mut parts = Parts::new((address + PREFIX, u64::from(fields.u32()?)));
    while let Some((address, bytes)) = parts.part(file)? {
        let mut fields = file.fields(&bytes);
        while fields.left() >= 8 {
            let (kind, len, flags) = (fields.u16()?, fields.u16()?, fields.byte()?);
            fields.take(3)?;
            let address = address + (bytes.len() - fields.left()) as u64;
            let body = fields.take(usize::from(len))?.to_vec();
            parts.add(file, Message { kind, bytes: body, address, is_shared: flags & IS_SHARED != 0 })?;
        }
    }
    Ok(parts.messages)
}

/// The prefix of a header of version 2.
struct Prefix {
    /// Bytes of the prefix.
    len: usize,
    /// Bytes of the messages in the first part.
    messages_len: u64,
    has_order: bool,
}

fn prefix(fields: &mut Fields<'_>) -> Read<Prefix> {
    let whole = fields.left();
    fields.signature("OHDR")?;
    let (version, flags) = (fields.byte()?, fields.byte()?);
    if version != 2 {
        return Err(not_read(format!("an object header in it has version {version}, which is not read")));
    }
    fields.take(if flags & 0x20 != 0 { 16 } else { 0 })?;
    fields.take(if flags & 0x10 != 0 { 4 } else { 0 })?;
    let messages_len = fields.number(1 << (flags & 3))?;
    Ok(Prefix { len: whole - fields.left(), messages_len, has_order: flags & 4 != 0 })
}

fn new_header(file: &File<'_>, address: u64) -> Read<Vec<Message>> {
    const LONGEST_PREFIX: u64 = 34;
    const SUM: u64 = 4;
    let bytes = file.bytes(address, LONGEST_PREFIX.min(file.length() - address))?;
    let prefix = prefix(&mut file.fields(&bytes))?;
    let len = (prefix.len as u64 + SUM).checked_add(prefix.messages_len);
    let mut parts = Parts::new((address, len.unwrap_or(u64::MAX)));
    while let Some((address, bytes)) = parts.part(file)? {
        let is_first = bytes.starts_with(b"OHDR");
        let body = lookup3::checked(&bytes, if is_first { "OHDR" } else { "OCHK" })?;
        let mut fields = file.fields(body);
        if is_first {
            fields.take(prefix.len)?;
        } else {
            fields.signature("OCHK")?;
        }
        let head = if prefix.has_order { 6 } else { 4 };
        // A gap at the end is shorter than the head of a message.
        while fields.left() >= head {
            let (kind, len, flags) = (u16::from(fields.byte()?), fields.u16()?, fields.byte()?);
            fields.take(head - 4)?;
            let address = address + (body.len() - fields.left()) as u64;
            let bytes = fields.take(usize::from(len))?.to_vec();
            parts.add(file, Message { kind, bytes, address, is_shared: flags & IS_SHARED != 0 })?;
        }
    }
    Ok(parts.messages)
}
