//! The head of an `.npy` file -> its element type, its shape, and where its numbers begin.
//!
//! Source: `numpy/lib/_format_impl.py` of NumPy 2.4, format versions 1 to 3: a magic text, the length of the header, and the header,
//! which is a dictionary as Python writes it. Nothing of it is executed.

use crate::{
    reader::contents::{MOST_AXES, OpenError},
    tensor::dtype::DType,
};

/// The first bytes of an `.npy` file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// The most bytes before the numbers. NumPy itself refuses a header of more than 10,000 bytes.
pub(super) const LONGEST: usize = 64 << 10;

/// What stands before the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The element type, or what NumPy calls it if it is none that is read.
    pub(super) dtype: Result<DType, Box<str>>,
    pub(super) is_big_endian: bool,
    /// Whether the first axis is the fastest.
    pub(super) is_fortran_order: bool,
    pub(super) shape: Vec<u64>,
    /// How many bytes stand before the numbers.
    pub(super) len: u32,
}

/// How many bytes the head has that begins with these; `None` if they are too few to know it.
///
/// # Errors
/// `Damaged` if they are not those of an `.npy` file or it is too long.
pub(super) fn len(first: &[u8]) -> Result<Option<usize>, OpenError> {
    let Some((magic, rest)) = first.split_at_checked(MAGIC.len()) else { return Ok(None) };
    if magic != MAGIC {
        return Err(damaged("it does not begin as an array of NumPy"));
    }
    let (before, len) = match rest {
        [1, _, a, b, ..] => (10, u32::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([*a, *b, *c, *d])),
        [] | [1..=3] | [1..=3, ..] if rest.len() < 6 => return Ok(None),
        _ => return Err(damaged("its array is of a version of NumPy's format that is not known")),
    };
    let len = usize::try_from(len).ok().and_then(|len| len.checked_add(before));
    match len.filter(|len| *len <= LONGEST) {
        Some(len) => Ok(Some(len)),
        None => Err(damaged("its header is too long")),
    }
}

/// Reads a whole head.
///
/// # Errors
/// `Damaged` if it is none.
pub(super) fn read(head: &[u8]) -> Result<Header, OpenError> {
    let before = if head.get(MAGIC.len()) == Some(&1) { 10 } else { 12 };
    let text = head.get(before..).and_then(|text| std::str::from_utf8(text).ok());
    let entries = text.and_then(entries).ok_or_else(|| damaged("its header is not understood"))?;
    let entry = |key: &str| entries.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let (descr, order, shape) = (entry("descr"), entry("fortran_order"), entry("shape"));
    let shape = shape.and_then(shape_of);
    let (Some(descr), Some(order @ ("True" | "False")), Some(shape)) = (descr, order, shape) else {
        return Err(damaged("its header does not describe an array"));
    };
    let (dtype, is_big_endian) = element(descr);
    let len = u32::try_from(head.len()).unwrap_or(u32::MAX);
    Ok(Header { dtype, is_big_endian, is_fortran_order: order == "True", shape, len })
}

/// The entries of a dictionary as Python writes it, with values as they are written.
fn entries(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut entries = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(entries);
        }
        let (key, after) = quoted(rest)?;
        let after = after.trim_start().strip_prefix(':')?;
        let end = end_of_value(after)?;
        entries.push((key, after[..end].trim()));
        rest = after[end..].strip_prefix(',').unwrap_or_default();
    }
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// Where a value ends: at the first comma that is in no brackets and no quotes.
fn end_of_value(text: &str) -> Option<usize> {
    let (mut depth, mut quote): (usize, Option<char>) = (0, None);
    for (at, letter) in text.char_indices() {
        if let Some(open) = quote {
            quote = quote.filter(|_| letter != open);
            continue;
        }
        match letter {
            '\'' | '"' => quote = Some(letter),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && quote.is_none()).then_some(text.len())
}

/// `(3, 4)`, `(3,)`, `()`, and `(3L,)` as Python 2 writes it.
fn shape_of(text: &str) -> Option<Vec<u64>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let lengths = inner.split(',').take(MOST_AXES + 1);
    let lengths: Option<Vec<u64>> =
        lengths.map(|length| length.trim().trim_end_matches('L').parse().ok()).collect();
    lengths.filter(|lengths| lengths.len() <= MOST_AXES)
}

/// The element type, and whether its most significant byte is first.
fn element(descr: &str) -> (Result<DType, Box<str>>, bool) {
    let Some((name, "")) = quoted(descr) else { return (Err("a structure".into()), false) };
    let (order, code) = name.split_at(name.find(|letter| !"<>=|".contains(letter)).unwrap_or(name.len()));
    let dtype = match code {
        "f4" => Ok(DType::Float32),
        "f8" => Ok(DType::Float64),
        "f2" => Ok(DType::Float16),
        "i1" => Ok(DType::Int8),
        "i2" => Ok(DType::Int16),
        "i4" => Ok(DType::Int32),
        "i8" => Ok(DType::Int64),
        "u1" => Ok(DType::UInt8),
        "u2" => Ok(DType::UInt16),
        "u4" => Ok(DType::UInt32),
        "u8" => Ok(DType::UInt64),
        "b1" => Ok(DType::Bool),
        "c8" => Ok(DType::Complex64),
        "c16" => Ok(DType::Complex128),
        _ => Err(code.chars().take(20).collect::<String>().into()),
    };
    (dtype, order == ">")
}

fn damaged(message: &str) -> OpenError {
    OpenError::Damaged(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Vec<u8> {
        [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
    }

    #[test]
    fn headers_of_numpy_are_read() {
        // As NumPy writes them, and Python 2 did.
        for (text, dtype, is_big_endian, is_fortran_order, shape) in [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n",
                DType::Float32,
                false,
                false,
                &[3, 4][..],
            ),
            ("{'descr': '>i8', 'fortran_order': True, 'shape': (3,), }\n", DType::Int64, true, true, &[3]),
            ("{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", DType::Bool, false, false, &[]),
            (
                "{\"shape\": (2L, 5L), 'descr': 'f2', 'fortran_order': False}",
                DType::Float16,
                false,
                false,
                &[2, 5],
            ),
        ] {
            let bytes = head(text);
            assert_eq!(len(&bytes).unwrap(), Some(bytes.len()));
            let len = bytes.len() as u32;
            let expected =
                Header { dtype: Ok(dtype), is_big_endian, is_fortran_order, shape: shape.to_vec(), len };
            assert_eq!(read(&bytes).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn types_that_are_not_read_are_named() {
        for (descr, name) in [
            ("'<V2'", "V2"),
            ("'|O'", "O"),
            ("'<U7'", "U7"),
            ("[('a', '<f4'), ('b', '<i4', (2,))]", "a structure"),
        ] {
            let bytes = head(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (2,)}}"));
            assert_eq!(read(&bytes).unwrap().dtype.unwrap_err().as_ref(), name);
        }
    }

    #[test]
    fn what_is_no_header_is_damage() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': 1, 'shape': (3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3)]}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os')}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (3,)",
        ] {
            assert!(matches!(read(&head(text)), Err(OpenError::Damaged(_))), "{text}");
        }
        assert!(matches!(len(b"PK\x03\x04\0\0\0\0"), Err(OpenError::Damaged(_))));
        assert!(matches!(len(b"\x93NUMPY\x04\0\0\0\0\0"), Err(OpenError::Damaged(_))));
        assert!(matches!(len(b"\x93NUMPY\x02\0\0\0\0\x01"), Err(OpenError::Damaged(_))));
        for cut in 0..10 {
            assert_eq!(len(&head("{}")[..cut]).unwrap(), None, "{cut}");
        }
    }
}
