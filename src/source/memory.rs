//! Files in memory -> a source, for tests that grow, truncate, replace and damage them.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use super::{FileStat, Identity, Listing, Source, at_and_below};
use crate::types::RunName;

#[derive(Clone, Debug, Default)]
struct MemoryFile {
    bytes: Vec<u8>,
    inode: u64,
    mtime_ns: i128,
}

#[derive(Debug, Default)]
struct MemoryState {
    files: BTreeMap<PathBuf, MemoryFile>,
    clock: u64,
}

/// A logdir in memory, rooted at `/`. Every write advances its clock by one nanosecond.
#[derive(Debug, Default)]
pub struct Memory(Mutex<MemoryState>);

impl Memory {
    /// The path under which `name` is stored.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new("/").join(name)
    }

    /// Creates a new file under `name`; an existing one is replaced, as if the new file were renamed to its name.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock();
        state.clock += 1;
        let file = MemoryFile { bytes: bytes.to_vec(), inode: state.clock, mtime_ns: state.clock.into() };
        state.files.insert(self.path(name), file);
    }

    /// Appends to the file under `name`, which is created if necessary.
    pub fn append(&self, name: &str, bytes: &[u8]) {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        let file = state.files.entry(self.path(name)).or_default();
        file.bytes.extend_from_slice(bytes);
        file.mtime_ns = clock.into();
    }

    /// Truncates the file under `name` to `len` bytes.
    pub fn truncate(&self, name: &str, len: usize) {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        if let Some(file) = state.files.get_mut(&self.path(name)) {
            file.bytes.truncate(len);
            file.mtime_ns = clock.into();
        }
    }

    /// Removes the file under `name`.
    pub fn remove(&self, name: &str) {
        self.lock().files.remove(&self.path(name));
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stat_of(path: &Path, file: &MemoryFile) -> FileStat {
    let run = path.parent().and_then(Path::to_str).unwrap_or("/").trim_start_matches('/');
    FileStat {
        path: path.to_owned(),
        run: RunName::from(if run.is_empty() { "." } else { run }),
        identity: (0, file.inode),
        len: file.bytes.len() as u64,
        mtime_ns: file.mtime_ns,
    }
}

impl Source for Memory {
    fn root(&self) -> &Path {
        Path::new("/")
    }

    fn list(&self, stop: &AtomicBool) -> io::Result<Listing> {
        self.list_below(self.root(), stop)
    }

    fn list_below(&self, dir: &Path, _: &AtomicBool) -> io::Result<Listing> {
        let mut listing = Listing { root: self.directory(self.root())?, ..Listing::default() };
        listing.dirs.insert(dir.to_owned(), self.directory(dir)?);
        for (path, file) in at_and_below(&self.lock().files, dir) {
            listing.files.push(stat_of(path, file));
            let dirs = path.ancestors().skip(1).take_while(|above| above.starts_with(dir));
            listing.dirs.extend(dirs.map(|above| (above.to_owned(), identity_of_dir(above))));
        }
        Ok(listing)
    }

    fn directory(&self, dir: &Path) -> io::Result<Identity> {
        let state = self.lock();
        let is_there = dir == self.root() || at_and_below(&state.files, dir).any(|(path, _)| path != dir);
        if is_there { Ok(identity_of_dir(dir)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        if self.directory(path).is_ok() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let state = self.lock();
        let file = state.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(stat_of(path, file))
    }

    fn state(&self, path: &Path) -> io::Result<FileStat> {
        self.stat(path)
    }

    fn read_at(&self, path: &Path, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.lock();
        let file = state.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let mut rest: &[u8] =
            usize::try_from(offset).ok().and_then(|from| file.bytes.get(from..)).unwrap_or_default();
        io::Read::read(&mut rest, buf)
    }

    fn read_whole(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.stat(path)?.len).unwrap_or(usize::MAX);
        let mut bytes = vec![0; most.min(len)];
        let read = self.read_at(path, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// A directory exists as long as there are files in it, so its name identifies it.
fn identity_of_dir(dir: &Path) -> Identity {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    (1, hasher.finish())
}
