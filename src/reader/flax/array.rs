//! An array in a file -> its type, its shape, and where its bytes are.

use crate::{
    reader::{
        contents::{MOST_AXES, OpenError},
        element,
        msgpack::{Item, Reader},
    },
    tensor::dtype::DType,
};

/// The longest name of a type.
const LONGEST_NAME: u64 = 256;

/// An array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The element type, or its name if it is none that is read.
    pub dtype: Result<DType, Box<str>>,
    /// The length of each axis.
    pub shape: Vec<u64>,
    /// The first of its bytes in the file.
    pub offset: u64,
    /// The number of its bytes.
    pub len: u64,
}

/// Reads the array in the next `len` bytes: shape, name of the type, and numbers, row by row.
pub(super) fn read(reader: &mut Reader<'_>, len: u64) -> Result<Array, OpenError> {
    let impossible = || OpenError::Damaged("an array in it is impossible".to_owned());
    let end = reader.at().checked_add(len).ok_or_else(impossible)?;
    let (Item::Array(3), Item::Array(axes)) = (reader.item()?, reader.item()?) else {
        return Err(impossible());
    };
    if axes > MOST_AXES as u64 {
        return Err(impossible());
    }
    let mut shape = Vec::new();
    for _axis in 0..axes {
        let Item::Whole(Some(length)) = reader.item()? else { return Err(impossible()) };
        shape.push(u64::try_from(length).map_err(|_| impossible())?);
    }
    let Item::Text(name) = reader.item()? else { return Err(impossible()) };
    let name = reader.text(name, LONGEST_NAME)?;
    let (Item::Bytes(len) | Item::Text(len)) = reader.item()? else { return Err(impossible()) };
    let offset = reader.at();
    reader.skip(len)?;
    let dtype = element::named(&name).ok_or_else(|| name.into());
    let size = dtype.as_ref().map(|dtype: &DType| dtype.bytes() as u64);
    let needed =
        size.ok().and_then(|size| shape.iter().try_fold(size, |bytes, length| bytes.checked_mul(*length)));
    if reader.at() != end || (dtype.is_ok() && needed != Some(len)) {
        return Err(impossible());
    }
    Ok(Array { dtype, shape, offset, len })
}
