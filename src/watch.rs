//! A file system -> hints that something changed.
//!
//! They are only hints: the receiver checks the files again, and also checks them from time to time without a hint. There are two
//! ways: notifications of the kernel (`native`), and checking again at fixed intervals (`poll`) for network file systems, for
//! `--poll`, and if the system has no more notifications to give.

mod choose;
mod hint;
pub mod native;
pub mod poll;

pub use self::{
    choose::choose,
    hint::{Change, Mode, Notice, Watch},
};
