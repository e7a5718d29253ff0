//! Paths -> the files of a checkpoint that has many: each is opened once, and has a number.

use std::{
    collections::HashMap,
    io,
    path::{Component, Path, PathBuf},
};

use super::{
    contents::OpenError,
    input::{Files, Input},
};

/// The most files of one checkpoint. Each is looked at again before a tensor is shown.
pub const MOST_FILES: usize = 20_000;

/// The files that were opened so far.
pub struct OpenedFiles<'a> {
    files: &'a dyn Files,
    paths: Vec<PathBuf>,
    inputs: Vec<Box<dyn Input + 'a>>,
    known: HashMap<PathBuf, Option<u32>>,
}

impl<'a> OpenedFiles<'a> {
    /// None yet.
    #[must_use]
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, paths: Vec::new(), inputs: Vec::new(), known: HashMap::new() }
    }

    /// Opens a file, and returns its number; `None` if there is none.
    ///
    /// # Errors
    /// `NotRead` if there are too many; errors of the system.
    pub fn open(&mut self, path: &Path) -> Result<Option<u32>, OpenError> {
        if let Some(known) = self.known.get(path) {
            return Ok(*known);
        }
        if self.known.len() == MOST_FILES {
            return Err(OpenError::NotRead(format!("it has more than {MOST_FILES} files")));
        }
        let number = match self.files.open(path) {
            Ok(input) => {
                self.inputs.push(input);
                self.paths.push(path.to_owned());
                u32::try_from(self.paths.len() - 1).ok()
            }
            // A directory of that name, a file in the place of a directory, and a name longer than any are no such file either.
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(error.into()),
        };
        self.known.insert(path.to_owned(), number);
        Ok(number)
    }

    /// A file that was opened.
    #[must_use]
    pub fn input(&self, number: u32) -> &dyn Input {
        &*self.inputs[number as usize]
    }

    /// The path of a file that was opened.
    #[must_use]
    pub fn path(&self, number: u32) -> &Path {
        &self.paths[number as usize]
    }

    /// Reads a whole file of at most `longest` bytes; `None` if there is none.
    ///
    /// # Errors
    /// `NotRead` if it is longer; errors of the system.
    pub fn read(&mut self, path: &Path, longest: u64) -> Result<Option<Vec<u8>>, OpenError> {
        let Some(number) = self.open(path)? else { return Ok(None) };
        let input = self.input(number);
        if input.len() > longest {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Err(OpenError::NotRead(format!("{name} has more than {} MiB", longest >> 20)));
        }
        Ok(Some(input.bytes(0, input.len())?))
    }

    /// The paths of all files, by their numbers.
    #[must_use]
    pub fn into_paths(self) -> Vec<PathBuf> {
        self.paths
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    )
}

/// Whether a path in a file stays below the directory that it is relative to.
#[must_use]
pub fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}
