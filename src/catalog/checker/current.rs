//! A window on a file that stops reading when the file is forgotten or overwritten.

use std::io;

use crate::{
    catalog::{checked::Checked, logged_value::FileId},
    source::window::{Peek, Window},
};

/// A window on a file that returns `Interrupted` after the file was forgotten or overwritten.
pub(super) struct CurrentWindow<'a> {
    pub(super) window: Window<'a>,
    pub(super) checked: &'a Checked,
    pub(super) file: FileId,
    /// The file's generation when the window was made.
    pub(super) generation: u64,
}

impl CurrentWindow<'_> {
    pub(super) fn check_is_current(&self) -> io::Result<()> {
        let is_same = self.checked.generation(self.file) == Some(self.generation);
        if is_same { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}

impl Peek for CurrentWindow<'_> {
    fn peek(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        self.check_is_current()?;
        self.window.peek(at, want)
    }
}
