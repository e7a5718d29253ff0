//! A window on a file that gives nothing more once the file is forgotten or doubted.

use std::io;

use crate::{
    catalog::{checked::Checked, logged::FileId},
    source::window::{Peek, Window},
};

/// A window on a file that gives nothing more once the file is forgotten or doubted.
pub(super) struct Attentive<'a> {
    pub(super) window: Window<'a>,
    pub(super) checked: &'a Checked,
    pub(super) file: FileId,
    pub(super) doubts: u64,
}

impl Attentive<'_> {
    pub(super) fn still_holds(&self) -> io::Result<()> {
        let is_same = self.checked.doubts(self.file) == Some(self.doubts);
        if is_same { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}

impl Peek for Attentive<'_> {
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        self.still_holds()?;
        self.window.peek(at, want)
    }
}
