//! A tensor and choices -> a sheet of tiles, what it shows, and its bytes as a picture.
//!
//! Pure: the same tensor and choices give the same pixels, everywhere. `choices` parses what was asked for, `plan` settles
//! it for one tensor, `stack` and `components` gather the tiles' numbers, `order` says where the tiles stand, `range` with
//! `moments`, `quantile`, `zscale` and `tensorflow`, `run` and `colormap` turn numbers into colours, `sheet` lays the tiles
//! out, `label` writes their numbers, `encode` makes the file; `film` makes one of many steps. `direct` is the short way from
//! float32 tensors, which draws the same. `memory` says beforehand how much drawing takes.

pub mod choices;
pub mod colormap;
pub mod components;
mod direct;
pub mod encode;
pub mod film;
pub mod label;
pub mod memory;
pub mod moments;
pub mod order;
pub mod other_steps;
pub mod plan;
pub mod quantile;
pub mod range;
pub mod real;
pub mod run;
pub mod sheet;
pub mod stack;
pub mod tensorflow;
pub mod zscale;
