//! A dataspace message -> the length of each axis.
//!
//! Source: HDF5 File Format Specification 3.0, IV.A.2.b.

use super::{
    fault::{Read, damaged, not_read},
    fields::Fields,
};
use crate::reader::contents::MOST_AXES;

/// The lengths of the axes of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataspace {
    /// The length of each axis. No axes: a single element.
    pub shape: Vec<u64>,
    /// The most that each axis may grow to.
    pub most: Vec<u64>,
}

impl Dataspace {
    /// Reads a message.
    ///
    /// # Errors
    /// `NotRead` if its version is not known or it has too many axes; `Damaged` if it ends too early.
    pub fn read(mut fields: Fields<'_>) -> Read<Self> {
        let (version, rank, flags) = (fields.byte()?, usize::from(fields.byte()?), fields.byte()?);
        let kind = match version {
            1 => fields.take(5).map(|_| 1)?,
            2 => fields.byte()?,
            _ => return Err(not_read(format!("a dataspace in it has version {version}, which is not read"))),
        };
        if rank > MOST_AXES {
            return Err(damaged(format!("a dataset in it has {rank} axes; at most {MOST_AXES} are read")));
        }
        if kind == 2 {
            // A dataset that says of itself that it has no elements.
            return Ok(Self { shape: vec![0], most: vec![0] });
        }
        let shape = (0..rank).map(|_| fields.length()).collect::<Read<Vec<u64>>>()?;
        let most = if flags & 1 != 0 {
            (0..rank).map(|_| fields.length()).collect::<Read<Vec<u64>>>()?
        } else {
            shape.clone()
        };
        Ok(Self { shape, most })
    }

    /// How many elements there are; `None` if they are too many to count.
    #[must_use]
    pub fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |product, length| product.checked_mul(*length))
    }
}
