//! The shelf: copies of kernels from checkpoints that training overwrites or deletes, outside of the logdir.
//!
//! Half of all trainings keep only their last checkpoint. When a checkpoint is first seen whole, some of its kernels are copied
//! into a file of their own, so that each step can be looked at later. One directory belongs to one logdir, and one file to one save.
//! A file is written under another name and renamed, never changed, and named after its content; so several daemons can share a shelf
//! without a lock, also on a network file system, and a daemon that dies leaves nothing behind but a file that is removed later.

pub mod budget;
pub mod choice;
pub mod directory;
pub mod keeper;

pub use self::{
    budget::Limits,
    directory::{ShelfDirectory, default_base},
    keeper::Keeper,
};
