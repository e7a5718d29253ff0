//! An HDF5 file -> what it holds, and where.
//!
//! Only the headers are read: the superblock, and those of groups and datasets. Source: the HDF5 File Format Specification 3.0,
//! <https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>. Read are superblocks 0 to 3, groups and attributes of the
//! old form and of the new (`libver="latest"`), and datasets that are contiguous, compact, or chunked, with the filters
//! gzip, shuffle, LZF and Fletcher-32.

pub mod attribute;
pub mod btree1;
pub mod btree2;
pub mod chunks;
pub mod dataset;
pub mod dataspace;
pub mod datatype;
pub mod fault;
pub mod fields;
pub mod file;
pub mod filters;
pub mod fractal_heap;
pub mod global_heap;
pub mod group;
pub mod layout;
pub mod lookup3;
pub mod object;
pub mod superblock;
#[cfg(test)]
mod tests;
pub mod tree;
