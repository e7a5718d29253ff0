//! An object header -> the attributes that say what its object is.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.m and v.

use std::collections::BTreeMap;

use super::{
    btree2,
    dataspace::Dataspace,
    datatype::{Datatype, Element},
    fault::{Read, damaged},
    fields::Fields,
    file::File,
    fractal_heap::Heap,
    global_heap::GlobalHeap,
    object::{self, Object, kind},
};
use crate::tensor::dtype::DType;

/// The most texts of one attribute.
const MOST_TEXTS: u64 = 100_000;
/// The most bytes of the texts of one attribute: the JSON of a large model has 1 MB.
const MOST_TEXT_BYTES: usize = 16 << 20;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, or a list of texts.
    Texts(Vec<Box<str>>),
    /// A whole number.
    Number(i64),
}

/// Attributes by name.
pub type Attributes = BTreeMap<Box<str>, Value>;

/// Reads the attributes whose names are wanted, and whose values are texts or a whole number.
///
/// # Errors
/// `Damaged` if they contradict each other; see [`File::bytes`].
pub fn read(
    file: &File<'_>,
    heap: &GlobalHeap,
    object: &Object,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Read<Attributes> {
    let mut attributes = Attributes::new();
    let mut add = |bytes: &[u8]| -> Read<()> {
        if let Some((name, value)) = attribute(file, heap, bytes, is_wanted)? {
            attributes.insert(name, value);
        }
        Ok(())
    };
    for message in object.all(kind::ATTRIBUTE) {
        add(&message.bytes)?;
    }
    let Some(info) = object.first(file, kind::ATTRIBUTE_INFO)? else { return Ok(attributes) };
    let mut fields = file.fields(&info.bytes);
    fields.take(1)?;
    if fields.byte()? & 1 != 0 {
        fields.take(2)?;
    }
    if let (Some(dense), Some(index)) = (fields.address()?, fields.address()?) {
        let dense = Heap::open(file, dense)?;
        btree2::each(file, index, &mut |record| add(&dense.object(file, record)?))?;
    }
    Ok(attributes)
}

fn attribute(
    file: &File<'_>,
    heap: &GlobalHeap,
    bytes: &[u8],
    is_wanted: &dyn Fn(&str) -> bool,
) -> Read<Option<(Box<str>, Value)>> {
    let mut fields = file.fields(bytes);
    let (version, flags) = (fields.byte()?, fields.byte()?);
    let lens = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    fields.take(usize::from(version == 3))?;
    let mut part = |len: usize| {
        // Version 1 pads each part to 8 bytes.
        fields.take(if version == 1 { len.next_multiple_of(8) } else { len }).map(|part| &part[..len])
    };
    let [name, datatype, dataspace] = [part(lens[0])?, part(lens[1])?, part(lens[2])?];
    let name = String::from_utf8_lossy(name.strip_suffix(b"\0").unwrap_or(name)).into_owned();
    if !is_wanted(&name) {
        return Ok(None);
    }
    let flags = if version == 1 { 0 } else { flags };
    let datatype = if flags & 1 != 0 {
        object::shared(file, kind::DATATYPE, datatype)?.bytes
    } else {
        datatype.to_vec()
    };
    let datatype = Datatype::read(file.fields(&datatype))?;
    let dataspace = Dataspace::read(file.fields(dataspace))?;
    let value = value(file, heap, &Form { datatype, dataspace }, &mut fields)?;
    Ok(value.map(|value| (name.into(), value)))
}

struct Form {
    datatype: Datatype,
    dataspace: Dataspace,
}

fn value(file: &File<'_>, heap: &GlobalHeap, form: &Form, fields: &mut Fields<'_>) -> Read<Option<Value>> {
    let count = form.dataspace.elements().filter(|count| *count <= MOST_TEXTS);
    let count = count.ok_or_else(|| damaged("an attribute in it has too many values"))?;
    let len = usize::try_from(form.datatype.len).unwrap_or(usize::MAX);
    let (mut texts, mut n_bytes) = (Vec::new(), 0);
    match &form.datatype.element {
        Element::Number(dtype) if count == 1 => return number(*dtype, &form.datatype, fields),
        Element::Text | Element::LongText => {}
        _ => return Ok(None),
    }
    for _ in 0..count {
        let bytes = if form.datatype.element == Element::Text {
            let bytes = fields.take(len)?;
            file.count_text(bytes.len())?;
            bytes.to_vec()
        } else {
            heap.object(file, fields)?
        };
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        n_bytes += end;
        if n_bytes > MOST_TEXT_BYTES {
            return Err(damaged("an attribute in it is too long"));
        }
        texts.push(String::from_utf8_lossy(&bytes[..end]).into());
    }
    Ok(Some(Value::Texts(texts)))
}

fn number(dtype: DType, datatype: &Datatype, fields: &mut Fields<'_>) -> Read<Option<Value>> {
    let mut bytes = fields.take(dtype.bytes())?.to_vec();
    if datatype.is_big_endian {
        bytes.reverse();
    }
    Ok(whole_number(dtype, &bytes).map(Value::Number))
}

/// A whole number from its bytes, the least significant first; `None` if it is no whole number or too large.
#[must_use]
pub fn whole_number(dtype: DType, bytes: &[u8]) -> Option<i64> {
    let is_signed = matches!(dtype, DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64);
    let is_unsigned = matches!(dtype, DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64);
    let is_negative = is_signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let number = i64::from_le_bytes(wide);
    (is_signed || is_unsigned && number >= 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{contents::OpenError, hdf5::fields::Widths};

    const WIDTHS: Widths = Widths { address: 8, length: 8 };

    /// A collection at address 8 with one text.
    fn collection(text: &[u8]) -> Vec<u8> {
        let padded = text.len().next_multiple_of(8);
        let len = (16 + 16 + padded) as u64;
        let object = [&[1, 0, 1, 0, 0, 0, 0, 0], (text.len() as u64).to_le_bytes().as_slice(), text].concat();
        let mut bytes = [&[0; 8], b"GCOL\x01\0\0\0".as_slice(), &len.to_le_bytes(), &object].concat();
        bytes.resize(8 + len as usize, 0);
        bytes
    }

    fn form(element: Element, count: u64) -> Form {
        let datatype = Datatype { element, len: 0, is_big_endian: false };
        Form { datatype, dataspace: Dataspace { shape: vec![count], most: vec![count] } }
    }

    fn check_refused(value: &Read<Option<Value>>) {
        let error = value.as_ref().unwrap_err();
        assert!(
            matches!(error, OpenError::NotRead(reason) if reason.contains("more than 32 MiB")),
            "{error}"
        );
    }

    #[test]
    fn a_long_text_that_many_values_name_does_not_multiply() {
        let text = vec![b't'; 1 << 20];
        let bytes = collection(&text);
        let input = bytes.as_slice();
        let (file, heap) = (File::new(&input, 0, WIDTHS), GlobalHeap::default());
        let text_len = (text.len() as u32).to_le_bytes();
        let places = [&text_len, 8_u64.to_le_bytes().as_slice(), &1_u32.to_le_bytes()].concat().repeat(2);
        // An attribute of two texts, and more of them than a file may have.
        let read = || value(&file, &heap, &form(Element::LongText, 2), &mut file.fields(&places));
        let text: Box<str> = str::from_utf8(&text).unwrap().into();
        assert_eq!(read().unwrap(), Some(Value::Texts(vec![text.clone(), text])));
        (0..14).for_each(|_| drop(read().unwrap()));
        check_refused(&read());
    }

    #[test]
    fn texts_without_bytes_take_memory_too() {
        let input = [].as_slice();
        let (file, heap) = (File::new(&input, 0, WIDTHS), GlobalHeap::default());
        let read = || value(&file, &heap, &form(Element::Text, MOST_TEXTS), &mut file.fields(&[]));
        assert_eq!(read().unwrap(), Some(Value::Texts(vec!["".into(); 100_000])));
        (0..19).for_each(|_| drop(read().unwrap()));
        check_refused(&read());
    }

    #[test]
    fn the_texts_of_a_collection_are_found_by_their_numbers() {
        // 60,000 texts of one letter: the last is found as quickly as the first.
        let objects = (1..=60_000_u16).map(|number| {
            let head = [&number.to_le_bytes(), [1, 0, 0, 0, 0, 0].as_slice(), &1_u64.to_le_bytes()].concat();
            [head, vec![b'a' + (number % 26) as u8, 0, 0, 0, 0, 0, 0, 0]].concat()
        });
        let objects: Vec<u8> = objects.flatten().collect();
        let len = (16 + objects.len()) as u64;
        let bytes = [&[0; 8], b"GCOL\x01\0\0\0".as_slice(), &len.to_le_bytes(), &objects].concat();
        let input = bytes.as_slice();
        let (file, heap) = (File::new(&input, 0, WIDTHS), GlobalHeap::default());
        let place = |number: u32| {
            [&1_u32.to_le_bytes(), 8_u64.to_le_bytes().as_slice(), &number.to_le_bytes()].concat()
        };
        let places: Vec<u8> = (1..=60_000).rev().flat_map(place).collect();
        let read = value(&file, &heap, &form(Element::LongText, 60_000), &mut file.fields(&places));
        let expected =
            (1..=60_000_u32).rev().map(|number| String::from(char::from(b'a' + (number % 26) as u8)).into());
        assert_eq!(read.unwrap(), Some(Value::Texts(expected.collect())));
        let place = place(60_001);
        let missing = value(&file, &heap, &form(Element::LongText, 1), &mut file.fields(&place));
        assert!(matches!(missing, Err(OpenError::Damaged(_))), "{missing:?}");
    }
}
