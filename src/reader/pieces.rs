//! Where the numbers of a tensor are -> its elements, row by row and little-endian.
