//! A tensor and choices -> a sheet of tiles, what it shows, and its bytes as a picture.
//!
//! Pure: the same tensor and choices give the same pixels, everywhere. `choices` parses what was asked for, `plan` settles
//! it for one tensor, `stack` gathers the tiles' numbers, `range` and `colormap` turn numbers into colours, `sheet` lays the
//! tiles out, `encode` makes the file.

pub mod choices;
pub mod colormap;
pub mod encode;
pub mod plan;
pub mod range;
pub mod sheet;
pub mod stack;
