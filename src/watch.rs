//! A file system -> hints that something changed.
//!
//! Hints only: whoever gets one looks at the files again, and looks from time to time without one. Two forms exist:
//! notifications of the kernel (`native`), and looking again every so often (`poll`) for network file systems, for
//! `--poll`, and for when notifications run out.

mod choose;
mod hint;
pub mod native;
pub mod poll;

pub use self::{
    choose::choose,
    hint::{Change, Mode, Notice, Watch},
};
